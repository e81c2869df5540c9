"""Keypoints are read from their maps as torchvision reads them, from all regions at once."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.models.detection.roi_heads import heatmaps_to_keypoints

from lightning_modules.networks import heatmaps
from lightning_modules.networks.heatmaps import places_of

SIZE = (60, 90)


def regions(count: int, rng: torch.Generator) -> Tensor:
    """Boxes of less than a pixel up to the whole image."""
    size = torch.tensor([SIZE[1], SIZE[0]], dtype=torch.float32)
    sides = torch.rand(count, 2, generator=rng) ** 2 * size
    low = torch.rand(count, 2, generator=rng) * (size - sides)
    return torch.cat([low, low + sides + 1e-2], 1).clamp(max=size.repeat(2))


@settings(max_examples=25)
@example(seed=79048239, count=6, keypoints=2, cells=2, wide=False)  # two pixels alike
@given(st.integers(0, 2**31), st.integers(0, 6), st.integers(1, 4), st.integers(2, 20), st.booleans())
def test_the_places_are_torchvisions(seed: int, count: int, keypoints: int, cells: int, wide: bool) -> None:
    rng = torch.Generator().manual_seed(seed)
    maps, boxes = torch.randn(count, keypoints, cells, cells, generator=rng), regions(count, rng)
    expected = heatmaps_to_keypoints(maps, boxes)[0][..., :2].reshape(count, keypoints, 2)
    with pytest.MonkeyPatch.context() as patch:
        # As on a GPU, every region enlarged to the whole image; or as on the CPU, together with those of its size.
        patch.setattr(heatmaps, "AT_ONCE", {True: 1 if wide else 2**18, False: 2**25})
        found = places_of(maps, boxes, SIZE)
    for region, keypoint in ((found - expected).abs().amax(2) > 1e-6 * max(SIZE)).nonzero().tolist():
        # Of two pixels that are alike but for rounding, either may be taken.
        low, sides = boxes[region, :2], (boxes[region, 2:] - boxes[region, :2]).clamp(min=1)
        width, height = whole = sides.ceil().int().tolist()
        enlarged = F.interpolate(maps[region, keypoint][None, None], size=(height, width), mode="bicubic")[0, 0]
        x, y = ((found[region, keypoint] - low) * torch.tensor(whole) / sides).int().tolist()
        assert enlarged[y, x] >= enlarged.max() - 1e-5


def test_regions_beyond_their_own_size_repeat_their_rim() -> None:
    maps, boxes = torch.randn(3, 2, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([[0.0, 0, 5, 7]] * 3)
    portion, image = (torch.tensor([[5.0, 7.0]] * 3), (7, 5)), (60, 90)
    along = heatmaps._enlarging(portion[0][:, 1], 8, image[0])
    assert torch.equal(along[:, 6:7].expand(-1, 54, -1), along[:, 6:])
    assert torch.equal(places_of(maps, boxes, (7, 5)), places_of(maps, boxes, image))
    assert torch.allclose(along.sum(2), torch.ones(3, 60))


def test_no_region_has_no_keypoint() -> None:
    assert places_of(torch.zeros(0, 5, 8, 8), torch.zeros(0, 4), SIZE).shape == (0, 5, 2)
