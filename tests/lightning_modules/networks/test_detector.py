"""What holds for every detector: the contract of losses and detections, the last step, and the YAML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonargparse import ArgumentError, ArgumentParser
from torch import Tensor
from torchvision.ops import box_iou

from lightning_modules.means import Mean, values
from lightning_modules.networks.backbones import ConvBackbone
from lightning_modules.networks.detector import Detections, Detector
from tests.support.registry import DETECTORS

every_detector = pytest.mark.parametrize("build", DETECTORS.values(), ids=DETECTORS.keys())
NONE = torch.zeros(0, 4), torch.zeros(0, dtype=torch.long)


def _losses(detector: Detector, images: Tensor, objects: list[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    boxes, labels = (list(parts) for parts in zip(*objects, strict=True))
    return values(detector.losses(detector(images), boxes, labels))


@every_detector
@pytest.mark.parametrize("mode", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("empty", [[0], [0, 1]], ids=["one", "all"])
def test_images_without_objects_train_and_evaluate(build: Callable[[int], Detector], mode: bool, empty: list[int]) -> None:
    detector = build(3).train(mode)
    some = torch.tensor([[5.0, 8.0, 40.0, 30.0], [20.0, 20.0, 60.0, 63.0]]), torch.tensor([2, 0])
    losses = _losses(detector, torch.randn(2, 3, 64, 72), [NONE if i in empty else some for i in range(2)])
    total = torch.stack(list(losses.values())).sum()
    total.backward()
    assert all(loss.ndim == 0 for loss in losses.values()) and bool(total.isfinite())
    # Each parameter has a gradient, be it 0: distributed training waits for all of them.
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in detector.parameters())


@every_detector
def test_half_precision_keeps_boxes_and_losses_in_full(build: Callable[[int], Detector]) -> None:
    detector, images = build(3).train(), torch.randn(2, 3, 64, 72)
    boxes, labels = [torch.tensor([[5.0, 8.0, 40.0, 30.0]])] * 2, [torch.tensor([2])] * 2
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = detector(images)
        losses = values(detector.losses(outputs, boxes, labels))
        found = detector.predict(outputs)[0]
    assert all(loss.dtype == torch.float32 and bool(loss.isfinite()) for loss in losses.values())
    assert found["boxes"].dtype == found["scores"].dtype == torch.float32
    # What a network computes no gradient for are places in the image: anchors, proposals, cells.
    places = [value for value in _tensors(outputs) if value.is_floating_point() and not value.requires_grad]
    assert all(value.dtype == torch.float32 for value in places)


def _tensors(outputs: Any) -> list[Tensor]:
    """All tensors in a network's outputs."""
    if isinstance(outputs, Tensor):
        return [outputs]
    return [tensor for part in outputs for tensor in _tensors(part)] if isinstance(outputs, list | tuple) else []


@every_detector
def test_losses_leave_boxes_and_labels_as_they_are(build: Callable[[int], Detector]) -> None:
    detector, boxes, labels = build(3), [torch.tensor([[5.0, 8.0, 40.0, 30.0]])], [torch.tensor([2])]
    outputs = detector(torch.randn(1, 3, 64, 64))
    torch.manual_seed(0)
    first = values(detector.losses(outputs, boxes, labels))
    torch.manual_seed(0)
    assert values(detector.losses(outputs, boxes, labels)) == first
    assert boxes[0].tolist() == [[5.0, 8.0, 40.0, 30.0]] and labels[0].tolist() == [2]


@every_detector
@given(st.integers(40, 130), st.integers(40, 130), st.integers(1, 4))
@settings(max_examples=8, deadline=None)
def test_detections_keep_the_contract_at_any_size(
    build: Callable[[int], Detector], height: int, width: int, num_classes: int
) -> None:
    detector = build(num_classes).eval()
    detector.score_threshold, detector.max_detections = 0.0, 7
    with torch.no_grad():
        found = detector.predict(detector(torch.randn(2, 3, height, width)))
    assert len(found) == 2
    for boxes, labels, scores in ((f["boxes"], f["labels"], f["scores"]) for f in found):
        assert boxes.dtype == scores.dtype == torch.float32 and labels.dtype == torch.int64
        assert boxes.shape == (len(labels), 4) and scores.shape == labels.shape and len(labels) <= 7
        assert bool(((labels >= 0) & (labels < num_classes)).all())
        assert bool(((scores > 0) & (scores <= 1)).all()) and bool((scores.diff() <= 0).all())
        assert bool((boxes >= 0).all() and (boxes[:, 2:] > boxes[:, :2]).all())
        assert bool((boxes[:, [0, 2]] <= width).all() and (boxes[:, [1, 3]] <= height).all())


@every_detector
def test_one_image_is_learned_labels_and_all(build: Callable[[int], Detector]) -> None:
    """First and last class: a background that shows outside would move one of them."""
    torch.manual_seed(0)
    detector, image = build(3), torch.zeros(1, 3, 64, 64)
    boxes, labels = torch.tensor([[6.0, 6.0, 30.0, 26.0], [34.0, 30.0, 58.0, 60.0]]), torch.tensor([0, 2])
    image[0, 0, 6:26, 6:30] = 1
    image[0, 1, 30:60, 34:58] = 1
    optimizer = torch.optim.AdamW(detector.parameters(), lr=3e-3)
    history = []
    for _ in range(80):
        loss = torch.stack(list(_losses(detector, image, [(boxes, labels)]).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert min(history[-5:]) < 0.35 * history[0]
    # One image's statistics are all that batch normalisation has seen.
    with torch.no_grad():
        found = detector.predict(detector(image))[0]
    for box, label in zip(boxes, labels, strict=True):
        overlap = box_iou(box[None], found["boxes"][found["labels"] == label][:1])
        assert overlap.numel() and overlap.item() > 0.5


class _Bare(Detector):
    """The last step alone."""

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, score_threshold=0.3, nms_threshold=0.5, max_detections=5)

    def forward(self, images: Tensor) -> Any: ...
    def losses(self, *args: Any, **kwargs: Any) -> dict[str, Mean]: ...  # type: ignore[empty-body]
    def predict(self, outputs: Any) -> list[Detections]: ...  # type: ignore[empty-body]


def _select_by_hand(boxes: Tensor, scores: Tensor, height: int, width: int) -> set[tuple[float, int, int]]:
    """(score, box, class) of what stays: greedy suppression within each class, one pair at a time."""
    limit = torch.tensor([width, height, width, height], dtype=boxes.dtype)
    boxes = boxes.clamp(min=0).minimum(limit)
    kept: list[tuple[float, int, int]] = []
    for score, k, c in sorted(((s.item(), *divmod(i, scores.shape[1])) for i, s in enumerate(scores.flatten())), reverse=True):
        wide = bool((boxes[k, 2:] - boxes[k, :2] > 0.01).all())
        rivals = [boxes[other] for _, other, label in kept if label == c]
        if score > 0.3 and wide and all(box_iou(boxes[None, k], rival[None]).item() <= 0.5 for rival in rivals):
            kept.append((score, k, c))
    return set(kept[:5])


@given(st.integers(0, 10**6), st.integers(0, 12), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_the_last_step_is_threshold_suppression_within_a_class_and_the_best(seed: int, count: int, classes: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    corner, side = torch.rand(2, count, 2, generator=generator) * 60
    boxes, scores = torch.cat([corner - 10, corner - 10 + side], 1), torch.rand(count, classes, generator=generator)
    detector = _Bare(classes)
    expected = _select_by_hand(boxes, scores, 40, 50)
    for given_boxes in (boxes, boxes[:, None].expand(-1, classes, -1)):
        found = detector.select(given_boxes, scores, (40, 50))
        assert {(s, c) for s, _, c in expected} == {
            (s.item(), int(c)) for s, c in zip(found["scores"], found["labels"], strict=True)
        }


class _Task:
    def __init__(self, network: Callable[[int], Detector]) -> None:
        self.network = network(5)


YAML = """
network:
  class_path: {name}
  init_args:
    score_threshold: 0.2
    backbone:
      class_path: FPN
      init_args:
        width: 32
        backbone: {{class_path: TorchvisionBackbone, init_args: {{name: resnet18, strides: [8, 16]}}}}
"""


def _parser() -> ArgumentParser:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(_Task, None)
    return parser


@pytest.mark.parametrize("name", sorted({type(build(3)).__name__ for build in DETECTORS.values()}))
def test_a_yaml_builds_a_detector_from_short_class_names_and_survives_a_dump(name: str) -> None:
    for text, strides in ((YAML.format(name=name), (8, 16)), (f"network: {name}", ConvBackbone().strides)):
        dump = _parser().dump(_parser().parse_string(text))
        again = _parser().parse_string(dump)
        assert _parser().dump(again) == dump
        network: Any = _Task(_parser().instantiate(again).network).network
        assert type(network).__name__ == name and network.num_classes == 5 and network.backbone.strides == strides


@pytest.mark.parametrize("name", ["YOLO", "SSD", "FasterRCNN", "FastRCNN", "RCNN", "SPPNet", "MaskRCNN"])
def test_the_three_thresholds_of_every_detector_are_arguments_on_the_command_line(name: str) -> None:
    """They stand in Detector alone; of given regions, the papers suppress from an IoU of .3 on."""
    usual = {"score_threshold": 0.01, "nms_threshold": 0.5, "max_detections": 100}
    usual |= {"nms_threshold": 0.3} if name in ("FastRCNN", "RCNN", "SPPNet") else {}
    given = {"score_threshold": 0.25, "nms_threshold": 0.75, "max_detections": 7}
    arguments = [f"--network={name}", *(f"--network.{key}={value}" for key, value in given.items())]
    for expected, line in ((usual, arguments[:1]), (given, arguments)):
        config = _parser().parse_args(line)
        assert {key: config.network.init_args[key] for key in expected} == expected
        network = _Task(_parser().instantiate(config).network).network
        assert {key: getattr(network, key) for key in expected} == expected
    with pytest.raises(ArgumentError, match="nms_treshold"):
        _parser().parse_args([f"--network={name}", "--network.nms_treshold=0.5"])
