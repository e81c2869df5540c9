"""Every task's network as ONNX: the same answers in onnxruntime."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from datamodules.drawing import Style, metadata
from datamodules.scene import InputError
from experiments import ROOT
from experiments.training.export import _checked, export
from lightning_modules import (
    AuxiliaryClassification,
    Classification,
    DeformablePartsDetection,
    Denoising,
    Detection,
    InstanceSegmentation,
    KeypointDetection,
    Localization,
    MultiLabelClassification,
    Pose,
    RegionDetection,
    RotationPretext,
    Segmentation,
)
from lightning_modules.networks import (
    DPM,
    FCN,
    FPN,
    SSD,
    YOLO,
    ClassAndBox,
    ConvBackbone,
    FasterRCNN,
    FastRCNN,
    GoogLeNet,
    KeypointRCNN,
    KeypointRegressor,
    MaskRCNN,
    ResidualDenoiser,
    SmallConvNet,
    TransposeConv,
)

pytest.importorskip("onnxruntime")

STYLE = Style(image_size=(64, 64), figures=(1, 1))


def task_of(kind: Any, network: Any, style: Style = STYLE, seed: int = 1) -> Any:
    torch.manual_seed(seed)
    task = kind(network=network, optimizer=partial(torch.optim.SGD, lr=0.1), metadata=metadata(style).as_dict())
    if isinstance(task.network, FasterRCNN):  # untrained, its scores are so close that rounding would change their order
        nn.init.normal_(task.network.head.classes.weight)
    return task


@pytest.mark.parametrize(
    ("kind", "network", "outputs"),
    [
        (Classification, SmallConvNet, {"label", "scores"}),
        (AuxiliaryClassification, partial(GoogLeNet, auxiliary=True, width=0.25), {"label", "scores"}),
        (Segmentation, partial(FCN, upsampling=TransposeConv), {"mask"}),
        (Denoising, ResidualDenoiser, {"image"}),
        (RotationPretext, SmallConvNet, {"label", "scores"}),
        (Localization, ClassAndBox, {"label", "scores", "boxes"}),
        (Pose, KeypointRegressor, {"keypoints"}),
        (Detection, partial(YOLO, score_threshold=0.0), {"boxes", "labels", "scores"}),
        (Detection, partial(SSD, score_threshold=0.0), {"boxes", "labels", "scores"}),
        (Detection, partial(FasterRCNN, score_threshold=0.0), {"boxes", "labels", "scores"}),
        (
            InstanceSegmentation,
            partial(MaskRCNN, score_threshold=0.0, max_detections=20),
            {"boxes", "labels", "scores", "masks"},
        ),
        (
            KeypointDetection,
            partial(KeypointRCNN, score_threshold=0.0, max_detections=20),
            {"boxes", "labels", "scores", "keypoints"},
        ),
    ],
)
def test_the_exported_network_answers_as_the_network(kind: Any, network: Any, outputs: set[str], tmp_path: Path) -> None:
    # ONNX pools adaptively where the cells are whole: YOLO's 7 of the 14 that 112 pixels give, 4 and 8 of 64 pixels' 8.
    style = replace(STYLE, image_size=(112, 112)) if "YOLO" in str(network) else STYLE
    differences = export(task_of(kind, network, style), tmp_path / "network.onnx")
    assert set(differences) == outputs
    assert max(differences.values()) <= 1e-4
    assert [p.name for p in tmp_path.iterdir()] == ["network.onnx"]


PYRAMID = partial(FPN, partial(ConvBackbone, (8, 12, 16), depth=1, strides=[4, 8]), width=16)


def images() -> list[Tensor]:
    """Those that the export looks at."""
    rng = torch.Generator().manual_seed(0)
    return [torch.randint(0, 256, (1, 3, 64, 64), generator=rng).float() for _ in range(3)]


def scores_of(task: Any) -> list[Tensor]:
    """What the task scores the boxes that it finds in each of the images."""
    with torch.no_grad():
        return [task.predict(task.network((image - task.mean) / task.std))[0]["scores"] for image in images()]


@pytest.mark.parametrize("first", [0, 7], ids=["nothing", "some"])
@pytest.mark.parametrize(
    ("kind", "network"),
    [
        (Detection, partial(FasterRCNN, proposals=2000)),
        (InstanceSegmentation, MaskRCNN),
        (InstanceSegmentation, partial(MaskRCNN, backbone=PYRAMID, max_detections=1000)),
        (KeypointDetection, KeypointRCNN),
    ],
    ids=["boxes", "masks", "pyramid", "keypoints"],
)
def test_any_number_of_objects_is_exported(kind: Any, network: Any, first: int, tmp_path: Path) -> None:
    """The image that is traced shows ``first`` objects, and others show others: the number is not written into the graph."""

    def with_counts(seed: int) -> tuple[Any, list[int]]:
        task = task_of(kind, partial(network, score_threshold=0.0), seed=seed).eval()
        task.network.score_threshold = float(scores_of(task)[0][first])
        return task, [len(scores) for scores in scores_of(task)]

    task = next(task for task, (one, *others) in map(with_counts, range(9)) if one == first and others != [first, first])
    assert max(export(task, tmp_path / "network.onnx").values()) <= 1e-4


class Drifting(FasterRCNN):
    """As a graph its boxes are half a pixel off."""

    def select(self, boxes: Tensor, scores: Tensor, size: tuple[int, int]) -> Any:
        return super().select(boxes + 0.5 * torch.jit.is_tracing(), scores, size)  # type: ignore[attr-defined]


def test_a_detector_that_finds_nothing_in_the_checks_images_is_compared_all_the_same(tmp_path: Path) -> None:
    assert max(export(task_of(Detection, partial(FasterRCNN, score_threshold=1.0)), tmp_path / "n.onnx").values()) <= 1e-4
    drifting = task_of(Detection, partial(Drifting, score_threshold=1.0))
    with pytest.raises(InputError, match=r"drifting\.onnx: not written: boxes differs by 0\.5"):
        export(drifting, tmp_path / "drifting.onnx")
    assert drifting.network.score_threshold == 1.0
    assert [p.name for p in tmp_path.iterdir()] == ["n.onnx"]


class Counting(FasterRCNN):
    """As a graph it finds as many boxes in every image as in the one that was traced, or fewer."""

    def select(self, boxes: Tensor, scores: Tensor, size: tuple[int, int]) -> Any:
        found = super().select(boxes, scores, size)
        return {name: values[: int(values.shape[0])] for name, values in found.items()}


def test_a_graph_that_holds_the_number_of_detections_is_refused(tmp_path: Path) -> None:
    """The first image shows no box, and another one some."""

    def drawn(seed: int) -> tuple[Any, float, float]:
        task = task_of(Detection, partial(Counting, backbone=PYRAMID, score_threshold=0.0), seed=seed).eval()
        first, *others = (float(scores[0]) for scores in scores_of(task))
        return task, first, max(others)

    task, first, most = next(each for each in map(drawn, range(20)) if each[2] > each[1] + 5e-5)
    task.network.score_threshold = (first + most) / 2
    with pytest.raises(InputError, match="boxes differs from the network's: what one of the two finds the other does not"):
        _checked(task, tmp_path / "counting.onnx", images())


@given(rank=st.integers(0, 30), image=st.integers(0, 2), ulps=st.integers(-2, 2))
@settings(max_examples=4, deadline=None)
def test_a_score_at_the_threshold_refuses_no_sound_network(rank: int, image: int, ulps: int) -> None:
    """Which side of the threshold such a box falls on differs from runtime to runtime, and from processor to processor."""
    task = task_of(Detection, partial(FasterRCNN, score_threshold=0.0)).eval()
    task.network.score_threshold = float(scores_of(task)[image][rank]) + ulps * 2**-25
    with TemporaryDirectory() as folder:
        assert max(export(task, Path(folder) / "n.onnx").values()) <= 1e-4


def test_the_runtime_is_told_to_connect_to_nobody_before_it_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever imports it first, in a process that has no settings: torchmetrics may, before a command does."""
    (tmp_path / "onnxruntime.py").write_text("import os\ntold = os.environ.get('ORT_DISABLE_TELEMETRY')\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    for code in (
        "from experiments.training.export import onnxruntime; print(onnxruntime().told)",
        "import experiments, onnxruntime; print(onnxruntime.told)",
    ):
        assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "1\n"


class Unexportable(nn.Module):
    """Puts out eigenvalues, which ONNX has no operator for."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes

    def forward(self, images: Tensor) -> Tensor:
        return torch.linalg.eigvalsh(images.mean(1)[:, : self.num_classes, : self.num_classes])


def test_what_cannot_be_exported_is_said_by_its_operator(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"eigvalsh|linalg_eigh"):
        export(task_of(Classification, Unexportable), tmp_path / "network.onnx")
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_no_fault_of_the_network(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "network.onnx"
    with pytest.raises(InputError, match=r"nowhere/network\.onnx: cannot be written \(No such file or directory\)$"):
        export(task_of(Classification, SmallConvNet), path)
    with pytest.raises(InputError, match="cannot be written \\(it is a folder"):
        export(task_of(Classification, SmallConvNet), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_network_that_is_given_proposals_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="FastRCNN has no ONNX form: it takes proposals beside the image"):
        export(task_of(RegionDetection, FastRCNN), tmp_path / "network.onnx")


def test_part_models_say_why_they_have_no_graph(tmp_path: Path) -> None:
    network = partial(DPM, roots=((5, 4),), parts=2, part=(4, 4))
    with pytest.raises(InputError, match="DPM has no ONNX form: it looks for its parts in loops of numpy"):
        export(DeformablePartsDetection(network=network, metadata=metadata(STYLE).as_dict()), tmp_path / "network.onnx")
    assert not list(tmp_path.iterdir())


def test_any_number_of_labels_is_exported_too(tmp_path: Path) -> None:
    assert export(task_of(MultiLabelClassification, SmallConvNet), tmp_path / "n.onnx")["scores"] <= 1e-4
