"""What is asked of an evaluation, for each kind of task: the metric's own figures, alike on two processes, nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix
from torch import Tensor, nn

from datamodules import Shapes
from datamodules.drawing import Style
from experiments.findings import inquiry as inquiry_module
from experiments.findings import reconstruction, segmentation
from experiments.findings.choosing import inquiry_into
from experiments.findings.inquiry import Inquiry, MeasuredValues, TrainingSample
from experiments.findings.training_sample import training_sample
from experiments.runs.findings import BaselineFinding, Findings, MatrixFinding, TableFinding
from lightning_modules import (
    Classification,
    Denoising,
    Detection,
    Localization,
    MultiLabelClassification,
    Pose,
    Reconstruction,
    Segmentation,
)
from lightning_modules.networks import FCN, ClassAndBox, ConvBackbone, KeypointRegressor, LinearClassifier

SIZE, SCENES = 32, 7
Small = partial(ConvBackbone, (8, 12, 16), depth=1)


class NoDetector(nn.Module):
    """Stands where a detector would: what it finds is made up by the test."""

    def __init__(self, classes: int) -> None:
        super().__init__()


TASKS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "classification": lambda metadata: Classification(network=LinearClassifier, metadata=metadata),
    "several labels": lambda metadata: MultiLabelClassification(network=LinearClassifier, metadata=metadata),
    "segmentation": lambda metadata: Segmentation(network=FCN, metadata=metadata),
    "localization": lambda metadata: Localization(network=partial(ClassAndBox, backbone=Small, hidden=16), metadata=metadata),
    "pose": lambda metadata: Pose(network=partial(KeypointRegressor, backbone=Small, hidden=16), metadata=metadata),
    "detection": lambda metadata: Detection(network=NoDetector, metadata=metadata),  # type: ignore[arg-type]
    "reconstruction": lambda metadata: Reconstruction(network=lambda _: nn.Tanh(), metadata=metadata),
    "denoising": lambda metadata: Denoising(network=lambda _: nn.Identity(), metadata=metadata),
}


def made_up(batch: Any, classes: int) -> list[dict[str, Tensor]]:
    """Detections near the objects, some of a wrong class, and one that is nowhere."""
    found = []
    for index, boxes, labels in zip(batch["index"].tolist(), batch["boxes"], batch["labels"], strict=True):
        rng = torch.Generator().manual_seed(index)
        moved = boxes + torch.randn(boxes.shape, generator=rng)
        moved = torch.cat([moved, torch.tensor([[0.0, 0.0, 3.0, 3.0]])])
        said = torch.where(torch.rand(len(labels), generator=rng) < 0.3, (labels + 1) % classes, labels)
        said = torch.cat([said, torch.zeros(1, dtype=torch.long)])
        found.append({"boxes": moved, "labels": said, "scores": torch.rand(len(said), generator=rng)})
    return found


class Evaluation:
    """A task that is evaluated by hand on the test split of drawn scenes."""

    def __init__(self, kind: str, seen: slice = slice(None), asked: bool = True) -> None:
        torch.manual_seed(0)
        style = Style(figures=(1, 1)) if kind == "pose" else Style()
        self.data = Shapes(image_size=SIZE, train=8, val=4, test=SCENES, batch_size=3, workers=0, style=style)
        self.task = TASKS[kind](self.data.metadata.as_dict()).eval()
        self.data.require(self.task.needs | (self.task.uses & self.data.provides))
        self.inquiry: Inquiry[Any] | None = inquiry_into(self.task, dict(self.task.test_metrics.items()))
        assert self.inquiry is not None
        self.wrong: list[float] = []
        for batch in list(self.data.test_dataloader())[seen]:
            with torch.no_grad():
                if kind == "detection":
                    predictions: Any = made_up(batch, len(self.data.metadata.classes))
                else:
                    predictions = self.task.predict(self.task.respond(batch))
            self.task.test_metrics.update(**self.task.metric_inputs(predictions, batch))
            if asked:
                self.wrong += self.inquiry.add(predictions, batch)
        self.inquiry.take()

    def values(self) -> dict[str, float]:
        return {f"test/{name}": float(value) for name, value in self.task.test_metrics.compute().items()}

    def sections(self, training: TrainingSample | None = None) -> list[Any]:
        assert self.inquiry is not None
        return self.inquiry.sections(MeasuredValues("test", self.values()), training or training_sample(self.data, SCENES))


KINDS = sorted(TASKS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_task_has_baselines_and_tables_that_are_written_and_read(kind: str) -> None:
    evaluation = Evaluation(kind)
    assert len(evaluation.wrong) == SCENES and all(value >= 0 for value in evaluation.wrong)
    evaluation.inquiry.gather()
    found = Findings(split="test", checkpoint="best", scenes=SCENES, sections=tuple(evaluation.sections()))
    assert Findings.model_validate_json(found.as_json()) == found
    baselines = [section for section in found.sections if isinstance(section, BaselineFinding)]
    assert baselines and all(b.value == pytest.approx(evaluation.values()[b.metric]) for b in baselines)
    assert evaluation.task.monitor.replace("val/", "test/") in {b.metric for b in baselines}
    assert any(isinstance(section, TableFinding) for section in found.sections)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_asked_changes_no_figure(kind: str) -> None:
    assert repr(Evaluation(kind).values()) == repr(Evaluation(kind, asked=False).values())


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any, Any], None]]:
    """Lets two inquiries gather as if each were a process's own."""

    def gather(first: Inquiry[Any], second: Inquiry[Any]) -> None:
        said: list[Any] = []

        def use(function: Callable[[Any], list[Any]]) -> None:
            for module in (inquiry_module, segmentation, reconstruction):
                monkeypatch.setattr(module, "gather_objects", function)

        def note(own: Any) -> list[Any]:
            said.append(own)
            return [own]

        use(note)
        second.gather()
        others = iter(said)
        use(lambda own: [own, next(others)])
        first.gather()

    yield gather


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "detection"])
def test_two_processes_say_what_one_says(kind: str, two_processes: Callable[[Any, Any], None]) -> None:
    whole, first, second = Evaluation(kind), Evaluation(kind, slice(1, None)), Evaluation(kind, slice(0, 1))
    whole.inquiry.gather()
    two_processes(first.inquiry, second.inquiry)
    measured, training = MeasuredValues("test", whole.values()), training_sample(whole.data, SCENES)
    assert first.inquiry.sections(measured, training) == whole.inquiry.sections(measured, training)


def test_two_processes_find_the_same_errors(two_processes: Callable[[Any, Any], None]) -> None:
    whole, first, second = (Evaluation("detection", part) for part in (slice(None), slice(1, None), slice(0, 1)))
    whole.inquiry.gather()
    # The last thing that a detector's inquiry does when it gathers is to look for the threshold, which needs all.
    first.inquiry.records |= second.inquiry.records
    first.inquiry.truth |= second.inquiry.truth
    for name, images in second.inquiry.matched.items():
        first.inquiry.matched[name] |= images
    first.inquiry.gather()
    measured, training = MeasuredValues("test", whole.values()), training_sample(whole.data, SCENES)
    assert first.inquiry.sections(measured, training) == whole.inquiry.sections(measured, training)


def test_classes_are_confused_as_sklearn_counts_it() -> None:
    evaluation = Evaluation("classification")
    evaluation.inquiry.gather()
    matrix = next(s for s in evaluation.sections() if isinstance(s, MatrixFinding))
    truth, found = (np.array([row[k] for row in evaluation.inquiry.records.values()]) for k in (0, 1))
    assert list(map(list, matrix.rows)) == confusion_matrix(truth, found, labels=range(len(matrix.names))).tolist()
    assert np.trace(matrix.rows) / SCENES == pytest.approx(evaluation.values()["test/accuracy"])


def test_the_iou_of_each_class_is_the_metric_s_and_the_mean_mask_is_scored_by_it() -> None:
    evaluation = Evaluation("segmentation")
    evaluation.inquiry.gather()
    sections, values = evaluation.sections(), evaluation.values()
    table = next(s for s in sections if isinstance(s, TableFinding))
    for name, _, iou, *_ in table.rows:
        assert iou == pytest.approx(values[f"test/iou/{name}"], abs=1e-6, nan_ok=True)
    # The same baseline by the metric itself, mask by mask.
    masks = torch.stack([s["mask"] for s in training_sample(evaluation.data, SCENES).scenes]).long()
    counts = nn.functional.one_hot(masks.clamp(max=len(evaluation.data.metadata.mask_classes))).sum(0)
    mean = counts[..., : len(evaluation.data.metadata.mask_classes)].argmax(-1)
    metric = Segmentation(network=FCN, metadata=evaluation.data.metadata.as_dict()).test_metrics
    for batch in evaluation.data.test_dataloader():
        metric.update(preds=mean.expand(len(batch["mask"]), -1, -1), target=batch["mask"])
    expected = {name: float(value) for name, value in metric.compute().items()}
    baselines = {b.metric: b.baseline for b in sections if isinstance(b, BaselineFinding)}
    for name in ("miou", "pixel_accuracy", "class_accuracy"):
        assert baselines[f"test/{name}"] == pytest.approx(expected[name], abs=1e-6)


def test_average_precision_by_class_and_the_confusion_are_the_detector_s() -> None:
    evaluation = Evaluation("detection")
    evaluation.inquiry.gather()
    sections, values = evaluation.sections(), evaluation.values()
    baselines = {s.metric for s in sections if isinstance(s, BaselineFinding)}
    assert {"test/mAP", "test/mAP50", "test/mAP75", "test/AR100", "test/mAP_voc07"} <= baselines
    table = next(s for s in sections if isinstance(s, TableFinding) and s.title == "By class")
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert np.mean([row["AP"] for row in rows if row["AP"] is not None]) == pytest.approx(values["test/mAP"], abs=1e-6)
    assert np.mean([row["AP50"] for row in rows if row["AP50"] is not None]) == pytest.approx(values["test/mAP50"], abs=1e-6)
    matrix = next(s for s in sections if isinstance(s, MatrixFinding))
    assert matrix.names[-1] == "background" and matrix.rows[-1][-1] == 0
    objects = {row["class"]: row["objects"] for row in rows}
    assert {name: sum(row) for name, row in zip(matrix.names[:-1], matrix.rows, strict=False) if sum(row)} == {
        name: count for name, count in objects.items() if count
    }
    errors = next(s for s in sections if isinstance(s, TableFinding) and s.title == "Errors by type")
    assert sum(row[1] for row in errors.rows[-2:]) >= sum(row[-1] for row in matrix.rows)
    assert sum(row[1] for row in errors.rows[:-2]) >= sum(matrix.rows[-1])


def test_a_detector_is_judged_by_its_task_s_own_matching_alone() -> None:
    task = TASKS["detection"](Shapes(image_size=SIZE, train=8, val=4, test=4).metadata.as_dict())
    assert inquiry_into(task, {}) is None


def test_a_baseline_without_a_training_split_is_that_of_the_evaluated_scenes() -> None:
    for kind in KINDS:
        evaluation = Evaluation(kind)
        evaluation.inquiry.gather()
        notes = [s.note for s in evaluation.sections(TrainingSample()) if isinstance(s, BaselineFinding)]
        assert kind == "denoising" or all("evaluated images themselves" in note for note in notes), kind


def test_as_many_training_scenes_are_read_as_a_tenth_of_those_evaluated() -> None:
    data = Shapes(image_size=24, train=3000, val=4, test=4, workers=0)
    data.require(frozenset({"label"}))
    assert [len(training_sample(data, n).scenes) for n in (1, 1000, 10**6)] == [32, 100, 1000]
    sample = training_sample(data, 10)
    assert sample.total == 3000 and str(sample) == "32 of 3000 training scenes"
    assert sample.mean_image is not None and sample.mean_image.shape == (3, 24, 24)
    assert all(scene["image"].numel() == 3 for scene in sample.scenes)


def test_a_baseline_is_made_without_masks_and_proposals_which_take_long() -> None:
    data = Shapes(image_size=32, train=4, val=4, test=4, workers=0)
    data.require(frozenset({"boxes", "labels", "masks", "proposals"}))
    (scene, *_) = training_sample(data, 1).scenes
    assert {"boxes", "labels"} <= scene.keys() and not {"masks", "proposals"} & scene.keys()
    assert {"masks", "proposals"} <= data.fields
