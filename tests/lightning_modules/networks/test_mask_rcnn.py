"""Mask R-CNN, also for poses: Faster R-CNN stays what it is, masks and keypoints go out and come back, losses by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from lightning_modules.means import values
from lightning_modules.networks.branches import BranchedRCNN
from lightning_modules.networks.faster_rcnn import FasterRCNN
from lightning_modules.networks.keypoint_rcnn import KeypointBranch
from lightning_modules.networks.mask_rcnn import (
    ClassSigmoids,
    MaskChannels,
    OneSigmoid,
    PixelSoftmax,
    cut_out,
    paste,
)
from lightning_modules.networks.regions import Samples
from tests.support.registry import BRANCHED as NETWORKS

every_network = pytest.mark.parametrize("build", NETWORKS.values(), ids=NETWORKS.keys())
SOME = torch.tensor([[5.0, 8.0, 40.0, 30.0], [20.0, 20.0, 60.0, 63.0]]), torch.tensor([2, 0])
NONE = torch.zeros(0, 4), torch.zeros(0, dtype=torch.long)


def fields(boxes: Tensor, size: tuple[int, int]) -> dict[str, Tensor]:
    """Discs that fill their boxes, and five keypoints on each box's diagonal, of which the last has no label."""
    y, x = (torch.arange(side) + 0.5 for side in size)
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    across, along = ((places - centre[:, k, None]) / half[:, k, None] for k, places in ((0, x), (1, y)))
    steps = torch.linspace(0.1, 0.9, 5)[:, None]
    keypoints = boxes[:, None, :2] + steps * (boxes[:, None, 2:] - boxes[:, None, :2])
    visible = torch.tensor([2.0, 1, 2, 2, 0]).expand(len(boxes), 5)[..., None]
    inside = across[:, None, :].square() + along[:, :, None].square() < 1
    return {"masks": inside.to(torch.uint8), "keypoints": torch.cat([keypoints, visible], -1) * (visible > 0)}


def losses(network: BranchedRCNN, images: Tensor, objects: list[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    size = (images.shape[-2], images.shape[-1])
    further = [fields(boxes, size) for boxes, _ in objects]
    boxes, labels = (list(parts) for parts in zip(*objects, strict=True))
    found = network.losses(
        network(images), boxes, labels, **{field: [own[field] for own in further] for field in network.branches}
    )
    return values(found)


@every_network
@pytest.mark.parametrize("mode", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("empty", [[0], [0, 1]], ids=["one", "all"])
def test_images_without_objects_train_and_evaluate(build: Any, mode: bool, empty: list[int]) -> None:
    network = build(3).train(mode)
    found = losses(network, torch.randn(2, 3, 64, 72), [NONE if i in empty else SOME for i in range(2)])
    assert set(found) == {"rpn_objectness", "rpn_box", "roi_class", "roi_box", *(f"roi_{field}" for field in network.branches)}
    total = torch.stack(list(found.values())).sum()
    total.backward()
    assert all(loss.ndim == 0 for loss in found.values()) and bool(total.isfinite())
    # Each parameter has a gradient, be it 0: distributed training waits for all of them.
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in network.parameters())
    with torch.no_grad():
        detections = network.predict(network(torch.randn(1, 3, 64, 72)))[0]
    count = len(detections["labels"])
    shapes = {"masks": (count, 64, 72), "keypoints": (count, 5, 3)}
    assert all(detections[field].shape == shapes[field] for field in network.branches)


@every_network
def test_half_precision_keeps_losses_and_keypoints_in_full(build: Any) -> None:
    network, images = build(3).train(), torch.randn(2, 3, 64, 72)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = losses(network, images, [SOME, SOME])
        detections = network.predict(network(images))[0]
    assert all(loss.dtype == torch.float32 and bool(loss.isfinite()) for loss in found.values())
    dtypes = {"masks": torch.uint8, "keypoints": torch.float32}
    assert all(detections[field].dtype == dtypes[field] for field in network.branches)


@every_network
def test_class_and_box_are_faster_r_cnn_s_own(build: Any) -> None:
    """From the same seed the same weights, losses and detections: what a branch adds stands beside them."""
    torch.manual_seed(0)
    network = build(3)
    torch.manual_seed(0)
    arguments = {k: v for k, v in build.keywords.items() if k in ("backbone", "head")}
    faster = FasterRCNN(3, **arguments)
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in faster.state_dict().items())
    images = torch.randn(2, 3, 64, 72)
    torch.manual_seed(1)
    expected = values(faster.losses(faster(images), [SOME[0], SOME[0]], [SOME[1], SOME[1]]))
    torch.manual_seed(1)
    found = losses(network, images, [SOME, SOME])
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    with torch.no_grad():
        one, other = (each.eval().predict(each(images)) for each in (network, faster))
    assert all(torch.equal(a[k], b[k]) for a, b in zip(one, other, strict=True) for k in ("boxes", "labels", "scores"))


@every_network
def test_a_branch_s_loss_trains_its_head_and_the_backbone_alone(build: Any) -> None:
    torch.manual_seed(0)
    network = build(3)
    for field in network.branches:
        network.zero_grad()
        losses(network, torch.randn(2, 3, 64, 72), [SOME, NONE])[f"roi_{field}"].backward()
        touched = {name for name, p in network.named_parameters() if p.grad is not None and bool(p.grad.any())}
        assert {".".join(name.split(".")[: 2 if "branches" in name else 1]) for name in touched} == {
            "backbone",
            f"branches.{field}",
        }


@pytest.mark.parametrize("build", [NETWORKS["masks"], NETWORKS["masks, softmax"], NETWORKS["both"]])
def test_one_image_is_learned_masks_keypoints_and_all(build: Any) -> None:
    torch.manual_seed(0)
    network, image = build(3), torch.zeros(1, 3, 64, 64)
    boxes, labels = torch.tensor([[6.0, 6.0, 30.0, 26.0], [30.0, 28.0, 60.0, 62.0]]), torch.tensor([0, 2])
    truth = fields(boxes, (64, 64))
    image[0, 0][truth["masks"][0] > 0] = 1
    image[0, 1][truth["masks"][1] > 0] = 1
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for _ in range(100):
        loss = torch.stack(list(losses(network, image, [(boxes, labels)]).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    # In the true boxes, so that only the branch is judged; batch normalisation has seen this image alone.
    found: Any = [{"boxes": boxes, "labels": labels}]
    with torch.no_grad():
        maps = network(image).shared
        read = {
            field: branch.read(branch(maps, network.backbone.strides, [boxes]), found, (64, 64))[0]
            for field, branch in network.branches.items()
        }
    both, either = (op(read["masks"] > 0, truth["masks"] > 0).sum((1, 2)) for op in (torch.logical_and, torch.logical_or))
    assert (both / either > 0.85).all()
    if "keypoints" in read:
        assert (read["keypoints"] - truth["keypoints"])[:, :4, :2].abs().max() < 3


# Masks: out and back --------------------------------------------------------------------------------------------------


def test_a_mask_on_whole_pixels_is_cut_out_as_it_is_and_pasted_back() -> None:
    """Cells as large as pixels: nothing is interpolated, so a shift by half a pixel would show."""
    random = torch.Generator().manual_seed(0)
    masks = torch.randint(0, 2, (3, 40, 50), generator=random, dtype=torch.uint8)
    regions = torch.tensor([[3.0, 5, 31, 33], [0, 12, 28, 40], [22, 0, 50, 28], [10, 10, 38, 38]])
    matched = torch.tensor([2, 0, 1, 2])
    cells = cut_out(masks, regions, matched, 28)
    back = paste(cells, regions, (40, 50))
    for i, (x1, y1, x2, y2) in enumerate(regions.int().tolist()):
        assert torch.equal(cells[i], masks[matched[i], y1:y2, x1:x2].float())
        expected = torch.zeros(40, 50)
        expected[y1:y2, x1:x2] = masks[matched[i], y1:y2, x1:x2]
        torch.testing.assert_close(back[i], expected)


@given(st.integers(0, 10**6), st.integers(1, 9))
@settings(max_examples=25, deadline=None)
def test_pasting_is_bilinear_resizing_to_the_box(seed: int, cells: int) -> None:
    random = torch.Generator().manual_seed(seed)
    size = (30, 34)
    corner = torch.randint(0, 12, (4, 2), generator=random)
    boxes = torch.cat([corner, corner + torch.randint(1, 17, (4, 2), generator=random)], 1)
    masks = torch.rand(4, cells, cells, generator=random)
    pasted = paste(masks, boxes.float(), size)
    for mask, (x1, y1, x2, y2), found in zip(masks, boxes.tolist(), pasted, strict=True):
        expected = torch.zeros(size)
        expected[y1:y2, x1:x2] = F.interpolate(mask[None, None], (y2 - y1, x2 - x1), mode="bilinear")[0, 0]
        torch.testing.assert_close(found, expected)
    moved = paste(masks, boxes.float() + 0.25, size)  # pixels are in or out by their centres
    assert torch.equal(moved > 0, pasted > 0)
    assert paste(masks[:0], boxes[:0].float(), size).shape == (0, *size)


def test_a_box_that_leaves_the_image_pastes_what_lies_inside() -> None:
    pasted = paste(torch.ones(1, 4, 4), torch.tensor([[-6.0, -6.0, 4.0, 4.0]]), (8, 8))[0]
    assert pasted[:4, :4].eq(1).all() and pasted.sum() == 16


def test_a_region_of_another_size_shows_the_share_of_its_object() -> None:
    mask = torch.zeros(1, 20, 20, dtype=torch.uint8)
    mask[0, 4:12, 4:12] = 1
    whole = cut_out(mask, torch.tensor([[4.0, 4, 12, 12]]), torch.tensor([0]), 16)
    assert whole.eq(1).all()
    around = cut_out(mask, torch.tensor([[0.0, 0, 16, 16]]), torch.tensor([0]), 16)
    assert around[0, 4:12, 4:12].eq(1).all() and around.sum() == 64


# Losses by hand -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "channels"), [(ClassSigmoids, 3), (OneSigmoid, 1), (PixelSoftmax, 4)])
def test_a_mask_s_loss_is_the_mean_over_pixels_of_its_own_channel(kind: type[MaskChannels], channels: int) -> None:
    masks, random = kind(), torch.Generator().manual_seed(0)
    assert masks.count(3) == channels
    logits = torch.randn(2, channels, 4, 4, generator=random)
    classes, targets = torch.tensor([2, 0]), torch.randint(0, 2, (2, 4, 4), generator=random).float()
    terms, probabilities = [], torch.zeros(2, 4, 4)
    for r in range(2):
        for i in range(4):
            for j in range(4):
                at, on = logits[r, :, i, j].double(), bool(targets[r, i, j])
                if kind is PixelSoftmax:
                    shares, own = at.exp() / at.exp().sum(), 1 + int(classes[r])
                    terms.append(-shares[own if on else 0].log())
                    p = shares[own] / (shares[own] + max(share for c, share in enumerate(shares) if c != own))
                else:
                    p = 1 / (1 + (-at[classes[r] if kind is ClassSigmoids else 0]).exp())
                    terms.append(-(p if on else 1 - p).log())
                probabilities[r, i, j] = p
    torch.testing.assert_close(masks.loss(logits, classes, targets).value, torch.stack(terms).mean().float())
    torch.testing.assert_close(masks.probability(logits, classes), probabilities)


def test_other_classes_compete_in_a_softmax_and_not_among_sigmoids() -> None:
    logits = torch.zeros(1, 4, 2, 2)
    logits[:, 3] = 5.0
    classes = torch.tensor([1])
    assert ClassSigmoids().probability(logits[:, 1:], classes).eq(0.5).all()
    assert PixelSoftmax().probability(logits, classes).lt(0.01).all()
    logits[:, 1], logits[:, 2] = 4.9, 5.1  # the greatest by little, of three: its share is below one half
    assert logits.softmax(1)[:, 2].lt(0.4).all() and PixelSoftmax().probability(logits, classes).gt(0.5).all()


def test_a_keypoint_s_loss_is_the_cross_entropy_of_its_place() -> None:
    branch, random = KeypointBranch(4, 3, layers=()), torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 8, 8, generator=random)
    regions = [torch.tensor([[10.0, 20.0, 26.0, 36.0]]), torch.tensor([[0.0, 0.0, 8.0, 8.0]])]
    keypoints = [
        torch.tensor([[[1.0, 1, 0]] * 3, [[11.0, 35.9, 2], [18.0, 28.0, 1], [40.0, 28.0, 2]]]),  # the last lies outside
        torch.tensor([[[7.5, 0.5, 2], [0.0, 0.0, 0], [8.0, 8.0, 2]]]),  # on the region's rim: its last place
    ]
    matched = [torch.tensor([1]), torch.tensor([0])]
    samples = [Samples(boxes, torch.tensor([1]), boxes, at) for boxes, at in zip(regions, matched, strict=True)]
    places = {(0, 0): (7, 0), (0, 1): (4, 4), (1, 0): (0, 7), (1, 2): (7, 7)}  # (region, keypoint): (row, column)
    terms = [-logits[r, k].flatten().log_softmax(0).view(8, 8)[at] for (r, k), at in places.items()]
    loss = branch.loss(logits, samples, keypoints)
    torch.testing.assert_close(loss.value, torch.stack(terms).mean())


def test_keypoints_are_read_where_their_maps_peak() -> None:
    branch, boxes = KeypointBranch(4, 2, layers=()), torch.tensor([[10.0, 20.0, 66.0, 76.0], [0.0, 0.0, 56.0, 56.0]])
    logits = torch.zeros(2, 2, 56, 56)
    peaks = torch.tensor([[[3, 50], [40, 12]], [[0, 55], [30, 30]]])
    for r in range(2):
        for k in range(2):
            logits[r, k, peaks[r, k, 1], peaks[r, k, 0]] = 50.0
    found: Any = [{"boxes": boxes[:1], "labels": torch.tensor([0])}, {"boxes": boxes[1:], "labels": torch.tensor([0])}]
    keypoints = torch.cat(branch.read(logits, found, (80, 80)))
    torch.testing.assert_close(keypoints[..., :2], boxes[:, None, :2] + peaks + 0.5)
    torch.testing.assert_close(keypoints[..., 2], torch.ones(2, 2))
