"""What is on the page of an explanation, for every task that has a score of a class."""

from __future__ import annotations

import math
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from datamodules import Shapes
from datamodules.base import PreparedScenes
from datamodules.drawing import Style
from datamodules.loading import collate
from datamodules.scene import InputError
from experiments.explaining import strips
from experiments.explaining.explanation import Explainer, Explanation, class_index, rank_correlation
from experiments.explaining.methods import METHODS, chosen
from experiments.explaining.page import FACTS, PAGE, html, place_for, write_page
from experiments.explaining.tiles import around_grey, over, part_seen, sized
from experiments.explaining.words import said
from lightning_modules import (
    Classification,
    Detection,
    Localization,
    MultiLabelClassification,
    Pose,
    RegionDetection,
    Segmentation,
)
from lightning_modules.networks import (
    FCN,
    YOLO,
    ClassAndBox,
    ConvBackbone,
    FasterRCNN,
    FastRCNN,
    KeypointRegressor,
    SmallConvNet,
)

STYLE = Style(image_size=(32, 44), figures=(1, 1))
"""Not square."""
Small = partial(ConvBackbone, (8, 12), depth=1)
TASKS: dict[str, tuple[Any, Any]] = {
    "classification": (Classification, partial(SmallConvNet, widths=(4, 6))),
    "several labels": (MultiLabelClassification, partial(SmallConvNet, widths=(4, 6))),
    "segmentation": (Segmentation, FCN),
    "localization": (Localization, partial(ClassAndBox, backbone=Small, hidden=8)),
    "yolo": (Detection, partial(YOLO, backbone=Small)),
    "faster r-cnn": (Detection, partial(FasterRCNN, backbone=Small)),
}
FACTS_OF = {"checkpoint": "x.ckpt", "task": "T", "network": "<N>", "data": "D", "image_size": "32 x 44"}


def task_and_batch(kind: Any, network: Any, count: int = 2) -> tuple[Any, Any]:
    data = Shapes(image_size=STYLE.image_size, style=STYLE, test=8, workers=0)
    data.require((kind.needs & data.provides) | {"label"} if kind is Classification else kind.needs & data.provides)
    torch.manual_seed(0)
    task = kind(network=network, metadata=data.metadata.as_dict())
    scenes = PreparedScenes(data, "test", augment=False)
    return task, collate([scenes[(0, i)] for i in range(count)])


@pytest.fixture(scope="module")
def classified() -> tuple[Explainer, Any, Explanation]:
    """A page of two images, all but what is slow."""
    task, batch = task_and_batch(*TASKS["classification"])
    explainer = Explainer(task, "", batch)
    page = Explanation(explainer.layer, {name: method for name, method in METHODS.items() if method.draw})
    explainer.add_maps(page, batch, "")
    return explainer, batch, page


@pytest.mark.parametrize("kind", TASKS)
def test_every_task_with_a_score_of_a_class_is_explained(kind: str) -> None:
    task, batch = task_and_batch(*TASKS[kind])
    explainer = Explainer(task, "", batch)
    page = Explanation(explainer.layer, {name: m for name, m in METHODS.items() if m.draw and name != "occlusion"})
    explainer.add_maps(page, batch, "")
    assert len(page.rows) == 2
    for row in page.rows:
        assert row.explained in explainer.names and row.truth
        assert {
            row.image,
            row.drawn,
            *(cell.trained for cell in row.cells),
            *(c.random for c in row.cells),
        } <= page.pictures.keys()
    assert all(picture.dtype == torch.uint8 and picture.shape[0] == 3 for picture in page.pictures.values())
    assert page.correlations.keys() == page.maps.keys()


def test_the_class_that_is_predicted_is_explained_unless_another_is_asked_for(
    classified: tuple[Explainer, Any, Explanation],
) -> None:
    explainer, batch, page = classified
    with torch.no_grad():
        found = [explainer.names[int(p["label"])] for p in explainer.task.predict(explainer.task(batch["image"]))]
    assert [row.explained for row in page.rows] == found
    assert explainer.target(batch, "ring").tolist() == [explainer.names.index("ring")] * 2


def test_an_occlusion_is_there_too(classified: tuple[Explainer, Any, Explanation]) -> None:
    page = classified[2]
    assert "01_occlusion" in page.pictures and "02_occlusion_random" in page.pictures


@pytest.mark.parametrize(
    ("kind", "network", "why"),
    [
        (RegionDetection, partial(FastRCNN, backbone=Small), "classifies given regions"),
        (Pose, partial(KeypointRegressor, backbone=Small, hidden=8), "has no score for a class"),
    ],
)
def test_a_task_without_such_a_score_is_refused(kind: Any, network: Any, why: str) -> None:
    task, batch = task_and_batch(kind, network)
    with pytest.raises(InputError, match=why):
        Explainer(task, "", batch)


def test_a_layer_that_puts_out_no_maps_is_refused(classified: tuple[Explainer, Any, Explanation]) -> None:
    explainer, batch, _ = classified
    with pytest.raises(InputError, match=r"--layer 1: puts out no maps"):
        Explainer(explainer.task, "1", batch)
    with pytest.raises(InputError, match=r"no layer '0\.99'; the convolutions are 0\.0, 0\.5"):
        Explainer(explainer.task, "0.99", batch)


def test_a_class_is_a_name_or_a_number() -> None:
    assert class_index("b", "abc") == class_index("1", "abc") == 1
    with pytest.raises(InputError, match=r"--target circel: no such class; there are circle, ring; did you mean circle\?"):
        class_index("circel", ("circle", "ring"))
    with pytest.raises(InputError, match="--target 3"):
        class_index("3", "abc")


def test_methods_are_chosen_by_name() -> None:
    assert chosen("") == METHODS
    assert list(chosen("occlusion, grad-cam")) == ["grad_cam", "occlusion"]
    with pytest.raises(InputError, match=r"--methods gradcam: no such method; .*did you mean grad_cam\?"):
        chosen("gradcam")


def test_the_parts_of_a_layer_stand_beside_random_weights(
    classified: tuple[Explainer, Any, Explanation], monkeypatch: pytest.MonkeyPatch
) -> None:
    explainer, batch, _ = classified
    monkeypatch.setattr(strips, "STEPS", 2)
    page = Explanation(explainer.layer, {})
    strips.add_filters(page, explainer)
    strips.add_feature_maps(page, explainer, explainer.sample)
    strips.add_channels(page, explainer, list(batch["image"]), maximise=True, nine=True)
    assert [strip.title for strip in page.features] == ["0.0 (4 x 32 x 44)", "0.5 (6 x 15 x 21)"]
    assert len(page.channels) == 6 and page.searched == 2
    shown = {name for row in page.channels for name in row[1:]}
    shown |= {name for strip in (*page.filters, *page.features) for name in (strip.trained, strip.random)}
    assert "" not in shown and shown <= page.pictures.keys()
    assert not torch.equal(page.pictures["filters"], page.pictures["filters_random"])


def test_the_page_shows_every_picture_and_takes_no_name_for_markup(
    classified: tuple[Explainer, Any, Explanation], tmp_path: Path
) -> None:
    page = classified[2]
    path = write_page(tmp_path / "new" / "page", page, METHODS, FACTS_OF)
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r'src="([^"]+)"', text))
    assert named == {f"pictures/{name}.png" for name in page.pictures}
    assert all((path.parent / name).is_file() for name in named)
    assert "&lt;N&gt;" in text and "<N>" not in text and "<script" not in text
    assert {p.name for p in path.parent.iterdir()} == {PAGE, FACTS, "pictures"}
    assert [p.name for p in path.parent.parent.iterdir()] == ["page"]


def test_nothing_is_left_of_a_page_that_could_not_be_written(
    classified: tuple[Explainer, Any, Explanation], tmp_path: Path
) -> None:
    with pytest.raises(Exception, match="network"):
        write_page(tmp_path / "page", classified[2], METHODS, {})
    assert not list(tmp_path.iterdir())


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert place_for(tmp_path / "empty", tmp_path) == tmp_path / "empty"
    with pytest.raises(InputError, match="is there already"):
        place_for(tmp_path, tmp_path)
    assert place_for(None, tmp_path).parent == tmp_path / "evaluations"


def test_a_page_without_anything_is_a_page() -> None:
    assert "What each of them means" in html(Explanation("0", {}), chosen("filters"), FACTS_OF)


def test_a_rank_correlation_is_of_magnitudes() -> None:
    one = torch.rand(3, 6, 6) + 0.1
    assert rank_correlation(one, -one) == pytest.approx(1)
    assert math.isnan(rank_correlation(one, torch.zeros(6, 6)))
    assert abs(rank_correlation(torch.rand(50, 50), torch.rand(50, 50))) < 0.1


def test_tiles_say_what_they_are_of() -> None:
    heat = torch.zeros(8, 8)
    heat[2, 3] = 1
    image = torch.full((3, 8, 8), 100, dtype=torch.uint8)
    found = over(image, heat).float()
    assert (found - found[:, 0, 0, None, None]).abs().sum(0).nonzero().tolist() == [[2, 3]]
    assert torch.equal(over(image, -heat), over(image, torch.zeros(8, 8)))  # what is negative is nothing
    assert around_grey(torch.tensor([[[-1.0, 0.0, 1.0]]])).tolist() == [[[0, 128, 255]]]
    assert sized(image).shape == (3, 176, 176) and sized(torch.zeros(3, 800, 400, dtype=torch.uint8)).shape == (3, 352, 176)


def test_the_part_that_a_unit_saw_is_a_square_inside_the_image() -> None:
    seen = torch.zeros(3, 40, 60)
    seen[1, 3:6, 50:58] = 1
    top, bottom, left, right = part_seen(seen)
    assert (bottom - top, right - left) == (12, 12) and top == 0 and left <= 50 and right >= 58 and right <= 60
    assert part_seen(torch.zeros(3, 40, 60)) == (0, 40, 0, 60)
    seen[0, 0, 0] = 1
    top, bottom, left, right = part_seen(seen)
    assert (bottom - top, right - left) == (40, 40)


def test_what_is_said_of_a_scene() -> None:
    metadata = Shapes(style=STYLE).metadata
    assert said({"label": torch.tensor(1)}, metadata) == "square"
    assert said({"label": torch.tensor(1), "scores": torch.tensor([0.1, 0.9])}, metadata) == "square 0.90"
    mask = torch.tensor([[0, 0, 2], [2, 2, 1], [255, 255, 255]], dtype=torch.uint8)
    assert said({"mask": mask}, metadata) == "square, circle"
    assert said({"mask": mask * 0}, metadata) == "nothing"
    boxes = {"boxes": torch.zeros(3, 4), "labels": torch.tensor([1, 1, 0]), "scores": torch.tensor([0.9, 0.8, 0.1])}
    assert said(boxes, metadata) == "square 0.90"  # the best of a class, and none of a low score
    assert said({"labels": torch.tensor([0, 1, 2, 3, 4])}, metadata).endswith("and 1 more")
