"""Detectors of torchvision: its own losses and detections, from one forward pass; and what is taken of stored weights."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import get_model
from torchvision.ops.misc import FrozenBatchNorm2d

from datamodules.scene import DatasetMetadata, InputError
from lightning_modules.means import values
from lightning_modules.networks import TorchvisionDetector
from lightning_modules.networks.boxes import has_area

SIZE = (96, 128)
NAMES = {
    "fasterrcnn_mobilenet_v3_large_fpn": {
        "rpn_objectness": "loss_objectness",
        "rpn_box": "loss_rpn_box_reg",
        "roi_class": "loss_classifier",
        "roi_box": "loss_box_reg",
    },
    "retinanet_resnet50_fpn": {"class": "classification", "box": "bbox_regression"},
    "fcos_resnet50_fpn": {"class": "classification", "box": "bbox_regression", "centerness": "bbox_ctrness"},
    "ssdlite320_mobilenet_v3_large": {"class": "classification", "box": "bbox_regression"},
}
NAMES["maskrcnn_resnet50_fpn"] = NAMES["fasterrcnn_mobilenet_v3_large_fpn"] | {"roi_masks": "loss_mask"}
NAMES["keypointrcnn_resnet50_fpn"] = NAMES["fasterrcnn_mobilenet_v3_large_fpn"] | {"roi_keypoints": "loss_keypoint"}
"""What we and torchvision call the losses of its networks."""


@lru_cache(maxsize=1)  # a quarter of a gigabyte each
def built(name: str) -> TorchvisionDetector:
    torch.manual_seed(0)
    return TorchvisionDetector(3, 5 if name.startswith("keypoint") else None, name=name, score_threshold=0.0, max_detections=20)


def unit_images(count: int = 2) -> Tensor:
    return torch.rand(count, 3, *SIZE, generator=torch.Generator().manual_seed(1))


def normalised(images: Tensor) -> Tensor:
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (DatasetMetadata.mean, DatasetMetadata.std))
    return (images - mean) / std


def truth(detector: TorchvisionDetector, first: int = 0) -> list[dict[str, Tensor]]:
    """Objects of two images, the second of them without any."""
    boxes = [torch.tensor([[10.0, 10, 60, 50], [5, 5, 90, 60], [70, 20, 120, 90]]), torch.zeros(0, 4)]
    targets = [{"boxes": b, "labels": torch.arange(len(b)) + first} for b in boxes]
    for target in targets:
        count = len(target["boxes"])
        if "masks" in detector.branches:
            target["masks"] = torch.zeros(count, *SIZE, dtype=torch.uint8)
            target["masks"][:, 20:45, 15:100] = 1
        if "keypoints" in detector.branches:
            target["keypoints"] = torch.rand(count, 5, 3, generator=torch.Generator().manual_seed(2)) * 40 + 15
    return targets


def losses(detector: TorchvisionDetector, images: Tensor, objects: list[dict[str, Tensor]], rngs: Any = None) -> Any:
    fields = {field: [each[field] for each in objects] for field in objects[0]}
    return detector.losses(detector(images), rngs=rngs, **fields)  # type: ignore[arg-type]


def as_torchvision(detector: TorchvisionDetector) -> nn.Module:
    """torchvision's own network, on images that come in their final size."""
    transform = detector.network.transform
    transform.min_size, transform.max_size, transform.fixed_size = (min(SIZE),), max(SIZE), None
    transform._skip_resize = True  # in training, where it would draw a size
    network: nn.Module = detector.network
    return network


@pytest.mark.parametrize("name", NAMES)
def test_losses_are_torchvisions_own(name: str) -> None:
    detector, images = built(name), unit_images()
    detector.eval()
    network = as_torchvision(detector)
    for module in network.modules():  # torchvision gives losses in training alone: no normalisation is to move by it
        module.training = not isinstance(module, nn.BatchNorm2d)
    targets = truth(detector, first=1)
    for target in targets:
        target.setdefault("keypoints", torch.zeros(len(target["boxes"]), 1, 3))
    torch.manual_seed(3)
    expected = network(list(images), targets)
    torch.manual_seed(3)
    found = values(losses(detector, normalised(images), truth(detector)))
    assert found.keys() == NAMES[name].keys()
    for ours, theirs in NAMES[name].items():
        torch.testing.assert_close(found[ours], expected[theirs], rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_detections_are_torchvisions_own(name: str) -> None:
    detector, images = built(name).eval(), unit_images()
    with torch.no_grad():
        found: Any = detector.predict(detector(normalised(images)))
        expected = as_torchvision(detector)(list(images))  # by our thresholds, which are the network's from then on
    for ours, theirs in zip(found, expected, strict=True):
        # Of class 0 is nothing, and what clipping to the image left empty is no detection.
        kept = (theirs["labels"] > 0) & has_area(theirs["boxes"])
        assert int(kept.sum()) > 0
        torch.testing.assert_close(ours["boxes"], theirs["boxes"][kept], rtol=1e-4, atol=1e-3)
        assert torch.equal(ours["labels"], theirs["labels"][kept] - 1)
        assert set(ours["labels"].tolist()) <= {0, 1, 2}
        theirs = {field: value[kept] for field, value in theirs.items()}
        if "masks" in theirs:
            assert ours["masks"].dtype == torch.uint8 and ours["masks"].shape[1:] == SIZE
            assert float((ours["masks"] != (theirs["masks"][:, 0] >= 0.5)).float().mean()) < 1e-3
        if "keypoints" in theirs:
            torch.testing.assert_close(ours["keypoints"][..., :2], theirs["keypoints"][..., :2], rtol=1e-4, atol=1e-2)
            assert bool(((ours["keypoints"][..., 2] > 0) & (ours["keypoints"][..., 2] <= 1)).all())


@pytest.mark.parametrize("name", ["fasterrcnn_mobilenet_v3_large_fpn", "fcos_resnet50_fpn", "ssdlite320_mobilenet_v3_large"])
def test_what_an_image_adds_to_a_loss_does_not_depend_on_the_other(name: str) -> None:
    detector = built(name).eval()
    images, objects = normalised(unit_images()), truth(detector)
    rngs = [torch.Generator().manual_seed(5 + i) for i in range(2)]
    together = losses(detector, images, objects, rngs)
    rngs = [torch.Generator().manual_seed(5 + i) for i in range(2)]
    apart = [losses(detector, images[i : i + 1], objects[i : i + 1], rngs[i : i + 1]) for i in range(2)]
    for field, mean in together.items():
        torch.testing.assert_close(mean.total, apart[0][field].total + apart[1][field].total, rtol=1e-4, atol=1e-5)
        assert int(mean.count) == int(apart[0][field].count + apart[1][field].count)


@pytest.mark.parametrize("name", ["fasterrcnn_mobilenet_v3_large_fpn", "retinanet_resnet50_fpn"])
def test_half_precision_keeps_boxes_and_losses_in_full(name: str) -> None:
    detector, images = built(name).eval(), normalised(unit_images(1))
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        outputs = detector(images)
        mean = detector.losses(outputs, [torch.tensor([[10.0, 10, 60, 50]])], [torch.tensor([1])])
        found = detector.predict(outputs)[0]
    assert all(loss.dtype == torch.float32 and bool(loss.isfinite()) for loss in values(mean).values())
    assert all(own.dtype == torch.float32 for own in outputs.anchors)
    assert found["boxes"].dtype == found["scores"].dtype == torch.float32


@pytest.mark.parametrize("name", ["fasterrcnn_mobilenet_v3_large_fpn", "retinanet_resnet50_fpn", "fcos_resnet50_fpn"])
def test_thresholds_may_be_changed_and_boxes_lie_in_the_image(name: str) -> None:
    detector, height, width = built(name).eval(), 70, 90
    before = detector.max_detections
    detector.max_detections = 7
    with torch.no_grad():
        found = detector.predict(detector(torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(4))))[0]
    detector.max_detections = before
    boxes = found["boxes"]
    assert 0 < len(boxes) <= 7
    assert bool((boxes >= 0).all() and (boxes[:, 2:] > boxes[:, :2]).all())
    assert bool((boxes[:, [0, 2]] <= width).all() and (boxes[:, [1, 3]] <= height).all())


# Weights ---------------------------------------------------------------------------------------------------------------

HEADS = {
    "fasterrcnn_mobilenet_v3_large_320_fpn": r"roi_heads\.box_predictor\.",
    "maskrcnn_resnet50_fpn": r"roi_heads\.(box_predictor|mask_predictor\.mask_fcn_logits)\.",
    "keypointrcnn_resnet50_fpn": r"roi_heads\.(box_predictor|keypoint_predictor)\.",
    "retinanet_resnet50_fpn": r"head\.classification_head\.cls_logits\.",
    "fcos_resnet50_fpn": r"head\.classification_head\.cls_logits\.",
    "ssd300_vgg16": r"head\.classification_head\.",
    "ssdlite320_mobilenet_v3_large": r"head\.classification_head\.module_list\.\d\.1\.",
}


def stored(name: str, path: Path, **numbers: int) -> dict[str, Tensor]:
    """Random weights of the shape of torchvision's published ones."""
    state: dict[str, Tensor] = get_model(name, weights=None, weights_backbone=None, **numbers).state_dict()
    for key, value in state.items():
        if value.is_floating_point():
            value.uniform_(0.1, 0.2) if key.endswith("running_var") else value.normal_(0, 0.05)
    if not name.startswith("ssd"):  # the files of networks with frozen normalisation have no such counts
        state = {key: value for key, value in state.items() if "num_batches_tracked" not in key}
    torch.save(state, path)
    return state


@pytest.mark.parametrize("name", HEADS)
def test_the_heads_are_replaced_and_every_other_tensor_is_the_files(name: str, tmp_path: Path) -> None:
    numbers = {"num_classes": 2, "num_keypoints": 17} if name.startswith("keypoint") else {"num_classes": 91}
    source = stored(name, tmp_path / "w.pth", **numbers)
    keypoints = 14 if name.startswith("keypoint") else None
    network = TorchvisionDetector(3, keypoints, name=name, weights=str(tmp_path / "w.pth")).network
    state = network.state_dict()
    fresh = {key for key, value in state.items() if key not in source or not torch.equal(value, source[key])}
    assert fresh, "heads for other classes"
    assert all(re.match(HEADS[name], key) for key in fresh), fresh
    assert {key for key in state if re.match(HEADS[name], key)} == fresh


def test_names_that_torchvision_has_given_up_are_understood(tmp_path: Path) -> None:
    """Its files of 2019 have them: the published Faster and Mask R-CNN and RetinaNet."""
    name = "retinanet_resnet50_fpn"
    state = stored(name, tmp_path / "w.pth", num_classes=91)
    old = {key.replace("_blocks.0.0.", "_blocks.0."): value for key, value in state.items()}
    for head in ("classification_head", "regression_head"):
        for i in range(4):
            for what in ("weight", "bias"):
                old[f"head.{head}.conv.{2 * i}.{what}"] = old.pop(f"head.{head}.conv.{i}.0.{what}")
    torch.save(old, tmp_path / "old.pth")
    a, b = (TorchvisionDetector(90, name=name, weights=str(tmp_path / file)).network for file in ("w.pth", "old.pth"))
    assert all(torch.equal(value, b.state_dict()[key]) for key, value in a.state_dict().items())


def test_heads_for_as_many_classes_come_from_the_file(tmp_path: Path) -> None:
    name = "ssdlite320_mobilenet_v3_large"
    source = stored(name, tmp_path / "w.pth", num_classes=4)
    state = TorchvisionDetector(3, name=name, weights=str(tmp_path / "w.pth")).network.state_dict()
    assert all(torch.equal(value, source[key]) for key, value in state.items())


@pytest.mark.parametrize(
    "name", ["fasterrcnn_mobilenet_v3_large_320_fpn", "ssdlite320_mobilenet_v3_large", "retinanet_resnet50_fpn"]
)
def test_on_cocos_own_classes_the_heads_too_are_the_files(name: str, tmp_path: Path) -> None:
    """Of 91 numbers, 80 are classes and one the background: 12 (street sign) is none, and class 11 is number 13."""
    source = stored(name, tmp_path / "w.pth", num_classes=91)
    state = TorchvisionDetector(80, name=name, weights=str(tmp_path / "w.pth"), coco=True).network.state_dict()
    numbers = {0: 0, 1: 1, 11: 11, 12: 13, 80: 90}
    for key in (key for key in state if re.match(HEADS[name], key)):
        inner = 4 if "bbox_pred" in key else 1
        ours, theirs = (each[key].view(-1, count, inner, *each[key].shape[1:]) for each, count in ((state, 81), (source, 91)))
        assert len(ours) == len(theirs)
        for own, number in numbers.items():
            assert torch.equal(ours[:, own], theirs[:, number])
    assert all(torch.equal(value, source[key]) for key, value in state.items() if not re.match(HEADS[name], key))
    with pytest.raises(ValueError, match="coco: the data have 3 classes, and COCO 80"):
        TorchvisionDetector(3, name=name, coco=True)


def test_the_structure_does_not_depend_on_the_weights(tmp_path: Path) -> None:
    """A checkpoint is built again without them."""
    name = "fasterrcnn_mobilenet_v3_large_320_fpn"
    stored(name, tmp_path / "w.pth", num_classes=91)
    with_weights = TorchvisionDetector(3, name=name, weights=str(tmp_path / "w.pth"))
    without = TorchvisionDetector(3, name=name)
    without.load_state_dict(with_weights.state_dict())
    images = torch.randn(1, 3, 64, 64)
    a, b = (detector.eval().predict(detector(images)) for detector in (with_weights, without))
    assert torch.equal(a[0]["boxes"], b[0]["boxes"])


def test_normalisation_is_frozen_as_torchvision_does_it_or_as_it_is_asked_for() -> None:
    def kinds(**options: Any) -> set[type]:
        modules = TorchvisionDetector(3, **options).backbone.modules()
        return {type(module) for module in modules if isinstance(module, nn.BatchNorm2d | FrozenBatchNorm2d)}

    mobile = "fasterrcnn_mobilenet_v3_large_320_fpn"
    assert kinds(name=mobile) == {FrozenBatchNorm2d}
    assert kinds(name=mobile, frozen_norm=False) == {nn.BatchNorm2d}
    assert kinds(name="ssdlite320_mobilenet_v3_large") == {nn.BatchNorm2d}
    with torch.device("meta"):
        norm = TorchvisionDetector(3).backbone.body.bn1
    assert isinstance(norm, FrozenBatchNorm2d) and norm.eps == 0, "as torchvision has it with the weights COCO_V1"


def test_frozen_layers_are_named_by_their_beginning() -> None:
    name = "fasterrcnn_mobilenet_v3_large_320_fpn"
    detector = TorchvisionDetector(3, name=name, frozen=["backbone.body.0", "backbone.body.1."])
    still = {key for key, p in detector.network.named_parameters() if not p.requires_grad}
    assert {key.split(".")[2] for key in still} == {"0", "1"}
    with pytest.raises(ValueError, match=r"no weight of .* begins with 'backbone.layer9'"):
        TorchvisionDetector(3, name=name, frozen=["backbone.layer9"])


def test_wrong_names_files_and_tasks_are_one_line_errors(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no detector 'fasterrcnn_resnet18_fpn'; it has fasterrcnn_resnet50_fpn"):
        TorchvisionDetector(3, name="fasterrcnn_resnet18_fpn")
    with pytest.raises(ValueError, match="is a network of KeypointDetection"):
        TorchvisionDetector(3, name="keypointrcnn_resnet50_fpn")
    with pytest.raises(ValueError, match="has no keypoints: take keypointrcnn"):
        TorchvisionDetector(3, 5, name="ssdlite320_mobilenet_v3_large")
    stored("ssdlite320_mobilenet_v3_large", tmp_path / "w.pth", num_classes=91)
    with pytest.raises(ValueError, match="does not hold the weights of fasterrcnn_mobilenet_v3_large_320_fpn") as caught:
        TorchvisionDetector(3, name="fasterrcnn_mobilenet_v3_large_320_fpn", weights=str(tmp_path / "w.pth"))
    assert "\n" not in str(caught.value)
    masks = built("maskrcnn_resnet50_fpn")
    objects = truth(masks)
    with pytest.raises(InputError, match="MaskRCNN of torchvision learns masks; the task gives boxes alone"):
        masks.losses(None, *([each[field] for each in objects] for field in ("boxes", "labels")))
    with torch.device("meta"), pytest.raises(InputError, match="300 pixels or more"):
        TorchvisionDetector(3, name="ssd300_vgg16")(torch.randn(1, 3, 64, 64))
