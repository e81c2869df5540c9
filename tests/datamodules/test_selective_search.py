"""Selective search: its segments, its groupings and its ranking, against plain loops."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from itertools import combinations
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import box_iou

from datamodules import SelectiveSearch, Shapes
from datamodules.grouping import Similarity, group
from datamodules.images import read_image
from datamodules.scene import InputError
from datamodules.segments import DescribedImage, hsv, hue, intensity, lab, rgi, segment
from datamodules.selective_search import FAST, QUALITY, ranked
from tests.support import tiny

SIMILARITIES = (*QUALITY.similarities, Similarity(color=True), Similarity(texture=True))
sides = st.integers(1, 60)
seeds = st.integers(0, 2**32 - 1)


def blocks(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """An image (height, width, 3) of rectangles of random colours, with noise."""
    rng = np.random.default_rng(seed)
    image = np.full((height, width, 3), rng.integers(0, 256, 3), np.int64)
    for _ in range(6):
        (y1, x1), (y2, x2) = np.sort(rng.integers(0, (height + 1, width + 1), (2, 2)), 0)
        image[y1:y2, x1:x2] = rng.integers(0, 256, 3)
    return (image + rng.integers(-9, 10, image.shape)).clip(0, 255).astype(np.uint8)


@contextmanager
def nothing_compiled() -> Iterator[None]:
    """As where numba is not installed."""
    with patch("datamodules.segments.search_loops", lambda: None), patch("datamodules.grouping.search_loops", lambda: None):
        yield


def same_hierarchies(image: NDArray[np.uint8], search: SelectiveSearch) -> bool:
    """Whether the compiled loops find, box by box and in the same order, what scikit-image and NumPy do."""
    compiled = search.hierarchies(image)
    with nothing_compiled():
        plain = search.hierarchies(image)
    return all(np.array_equal(a, b) for a, b in zip(compiled, plain, strict=True))


def to_chw(image: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)


def histogram(values: NDArray[np.int64], length: int) -> NDArray[np.float64]:
    """Of each column of (pixels, features), side by side and together of sum 1."""
    counts = [[(column == i).sum() for i in range(length)] for column in values.T]
    return np.concatenate(counts) / values.size


def plain_similarity(a: NDArray[np.bool_], b: NDArray[np.bool_], described: DescribedImage, measures: Similarity) -> float:
    """Equations 2, 4, 7 and 8 of the paper, from the pixels of two regions."""
    total, area = 0.0, a.size
    for used, bins, length in ((measures.color, described.color_bins, 25), (measures.texture, described.texture_bins, 10)):
        if used:
            total += float(np.minimum(histogram(bins[a], length), histogram(bins[b], length)).sum())
    if measures.size:
        total += 1 - (int(a.sum()) + int(b.sum())) / area
    if measures.fill:
        y, x = np.nonzero(a | b)
        box = (int(y.max()) - int(y.min()) + 1) * (int(x.max()) - int(x.min()) + 1)
        total += 1 - (box - int(a.sum()) - int(b.sum())) / area
    return total


def touch(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> bool:
    return bool(
        (a[1:] & b[:-1]).any() or (a[:-1] & b[1:]).any() or (a[:, 1:] & b[:, :-1]).any() or (a[:, :-1] & b[:, 1:]).any()
    )


@given(st.integers(1, 14), st.integers(1, 14), seeds, st.sampled_from(SIMILARITIES))
@settings(deadline=None, max_examples=60)
def test_each_join_is_of_the_most_similar_neighbours(height: int, width: int, seed: int, measures: Similarity) -> None:
    """Every grouping, join by join, against a search through all pairs of regions that touch, from their pixels."""
    described = DescribedImage(hsv(blocks(height, width, seed)))
    labels = segment(described.image, 20, 3)
    hierarchy = group(described.segments(labels), measures)
    regions = {i: labels == i for i in range(int(labels.max()) + 1)}
    for i, region in regions.items():
        assert_box(hierarchy.boxes[i], region)
    for a, b in hierarchy.joined.tolist():
        best = max(
            plain_similarity(regions[i], regions[j], described, measures)
            for i, j in combinations(regions, 2)
            if touch(regions[i], regions[j])
        )
        assert touch(regions[a], regions[b])
        assert plain_similarity(regions[a], regions[b], described, measures) == pytest.approx(best, abs=1e-5)
        new = max(regions) + 1
        regions[new] = regions.pop(a) | regions.pop(b)
        assert_box(hierarchy.boxes[new], regions[new])
    assert len(regions) == 1 and all(region.all() for region in regions.values())


def assert_box(box: NDArray[np.int64], region: NDArray[np.bool_]) -> None:
    y, x = np.nonzero(region)
    assert box.tolist() == [x.min(), y.min(), x.max() + 1, y.max() + 1]


@given(st.integers(1, 14), st.integers(1, 14), seeds)
@settings(deadline=None, max_examples=60)
def test_segments_are_described_by_their_pixels(height: int, width: int, seed: int) -> None:
    described = DescribedImage(lab(blocks(height, width, seed)))
    labels = segment(described.image, 20, 3)
    segments = described.segments(labels)
    count = int(labels.max()) + 1
    regions = [labels == i for i in range(count)]
    assert segments.sizes.tolist() == [int(r.sum()) for r in regions] and segments.area == labels.size
    assert np.allclose(segments.color, [histogram(described.color_bins[r], 25) for r in regions], atol=1e-6)
    assert np.allclose(segments.texture, [histogram(described.texture_bins[r], 10) for r in regions], atol=1e-6)
    expected = [[i, j] for i, j in combinations(range(count), 2) if touch(regions[i], regions[j])]
    assert segments.neighbours.tolist() == expected


@given(st.integers(1, 30), st.integers(1, 30), seeds, st.sampled_from([(5.0, 1), (20.0, 4), (100.0, 60)]))
@settings(deadline=None, max_examples=15)
def test_compiled_loops_give_the_same_boxes(height: int, width: int, seed: int, scale: tuple[float, int]) -> None:
    search = SelectiveSearch("quality", scales=(scale[0], 3 * scale[0]), min_size=scale[1], cache=False)
    assert same_hierarchies(blocks(height, width, seed), search)


def test_compiled_loops_give_the_same_boxes_of_drawn_scenes() -> None:
    for scene in (Shapes(image_size=128).scenes("val")[i] for i in range(2)):
        assert same_hierarchies(scene["image"].permute(1, 2, 0).contiguous().numpy(), SelectiveSearch(cache=False))


def test_compiled_loops_give_the_same_boxes_of_photographs(real_data: Path) -> None:
    for path in sorted((real_data / "coco" / "val2017").glob("*.jpg"))[:2]:
        assert same_hierarchies(
            read_image(path)[:, ::2, ::2].permute(1, 2, 0).contiguous().numpy(), SelectiveSearch(cache=False)
        )


def test_texture_tells_directions_apart() -> None:
    """On a ramp to the right, only the three directions that have a part of it are off the first bin."""
    ramp = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (30, 1))[..., None]
    inside = DescribedImage(ramp).texture_bins[5:-5, 5:-5]
    assert inside.shape[-1] == 8
    steep = (inside > 0).all((0, 1))
    assert steep.tolist() == [True, True, False, False, False, False, False, True]
    assert inside[..., 0].min() > inside[..., 1].max()


def test_color_spaces_forget_what_they_should() -> None:
    color = np.full((4, 4, 3), (120, 60, 30), np.uint8)
    darker, gray = color // 2, np.full_like(color, 77)
    assert np.abs(rgi(color)[..., :2].astype(int) - rgi(darker)[..., :2]).max() <= 1  # shading
    assert np.abs(hue(color).astype(int) - hue(darker)).max() <= 1 and hue(color).shape == (4, 4, 1)
    assert (intensity(gray) == 77).all() and intensity(gray).shape == (4, 4, 1)
    assert (hsv(gray)[..., 1] == 0).all() and np.abs(lab(gray)[..., 1:].astype(int) - 128).max() <= 1


def test_the_paper_s_settings_have_8_and_80_groupings() -> None:
    image = blocks(20, 24, 0)
    assert len(SelectiveSearch("fast", cache=False).hierarchies(image)) == 8
    assert len(SelectiveSearch("quality", cache=False).hierarchies(image)) == 80
    assert FAST.scales == (50, 100) and QUALITY.scales == (50, 100, 150, 300)


@given(sides, sides, seeds, st.integers(10, 70))
@settings(deadline=None, max_examples=40)
def test_proposals_lie_in_the_image_once_each(height: int, width: int, seed: int, longest: int) -> None:
    image = to_chw(blocks(height, width, seed))
    search = SelectiveSearch(scales=(10, 30), longest=longest, cache=False)
    boxes = search(image)
    assert boxes.dtype == torch.float32 and boxes.shape[1] == 4
    assert (boxes >= 0).all() and (boxes[:, 2:] <= torch.tensor([width, height])).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert len(boxes.unique(dim=0)) == len(boxes)
    assert (boxes == torch.tensor([0.0, 0, width, height])).all(1).any()  # the root of every hierarchy
    assert torch.equal(search(image.clone()), boxes)
    assert torch.equal(SelectiveSearch(scales=(10, 30), longest=longest, count=5, cache=False)(image), boxes[:5])


def test_the_search_draws_from_no_global_generator() -> None:
    image = to_chw(blocks(30, 40, 0))
    np.random.seed(0)
    torch.manual_seed(0)
    expected = np.random.rand(), torch.rand(1)
    np.random.seed(0)
    torch.manual_seed(0)
    SelectiveSearch(cache=False)(image)
    assert (np.random.rand(), torch.rand(1)) == expected


@pytest.mark.parametrize("place", [(20, 30, 60, 80), (70, 10, 150, 95), (0, 0, 40, 30)])
@pytest.mark.parametrize("mode", ["fast", "quality"])
def test_an_object_on_plain_ground_is_found(place: tuple[int, ...], mode: str) -> None:
    x1, y1, x2, y2 = place
    image = np.full((100, 160, 3), (40, 90, 60), np.uint8)
    y, x = np.ogrid[:100, :160]
    disc = ((x + 0.5 - (x1 + x2) / 2) / (x2 - x1)) ** 2 + ((y + 0.5 - (y1 + y2) / 2) / (y2 - y1)) ** 2 <= 0.25
    image[disc] = (200, 80, 70)
    boxes = SelectiveSearch("fast" if mode == "fast" else "quality", cache=False)(to_chw(image))
    assert box_iou(torch.tensor([place]).float(), boxes).max() > 0.9


def test_places_in_the_hierarchy_times_a_random_number_rank_the_boxes() -> None:
    rng = np.random.default_rng(3)
    hierarchies = [rng.integers(0, 4, (n, 4)) for n in (9, 30, 4)]
    drawn = np.random.default_rng(5).random(43)
    scored: list[tuple[float, tuple[int, ...]]] = []
    for grouping in hierarchies:
        scored += [((len(grouping) - i) * drawn[len(scored) + i], tuple(box)) for i, box in enumerate(grouping.tolist())]
    expected = list(dict.fromkeys(box for _, box in sorted(scored)))
    assert [tuple(box) for box in ranked(hierarchies, np.random.default_rng(5)).tolist()] == expected


@pytest.mark.parametrize("options", [{"count": 0}, {"longest": 0}, {"scales": (50, 0)}, {"min_size": 0}])
def test_options_that_cannot_be(options: dict[str, int]) -> None:
    with pytest.raises(InputError, match="above 0"):
        SelectiveSearch(**options)  # type: ignore[arg-type]


def test_the_table_beside_another_implementation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = Path(__file__).parents[2] / "scripts" / "bench_selective_search.py"
    spec = spec_from_file_location("bench_selective_search", script)
    assert spec is not None and spec.loader is not None
    bench = module_from_spec(spec)
    spec.loader.exec_module(bench)
    monkeypatch.setattr(bench, "SMALL", 100)
    tiny.write_coco(tmp_path, val=3)  # two with a person of 12 x 20.5 pixels and a crowd, one without
    boxes = {"000000000007.jpg": [[0, 0, 50, 40], [4.5, 6, 16.5, 26.5]], "000000000017.jpg": [], "000000000027.jpg": []}
    found = {name: {"seconds": 0.5, "boxes": proposals} for name, proposals in boxes.items()}
    (tmp_path / "other.json").write_text(json.dumps(found))
    monkeypatch.setattr("sys.argv", ["bench", str(tmp_path), "--other", str(tmp_path / "other.json")])
    bench.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("3 images, 2 objects")
    assert lines[3].startswith("| ours, fast | ")
    assert lines[4] == "| other | 1 | 0.50 | 0.500 | 0.500 | 0.500 | 0.500 | 0.500 |"
