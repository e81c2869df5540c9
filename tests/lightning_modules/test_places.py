"""On a GPU: no operator of any task mixes places, and nobody waits for the GPU where there is no need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import nms

from experiments.measures.instances import FilledBoxes
from experiments.measures.training import DeadUnits, SmallWeights, TrainingSet
from lightning_modules import FreezeBackbone
from tests.support.places import PLACE, MixedPlaces, There, Wait, elsewhere, trainer_on
from tests.support.uneven import TASKS, data, task_on

CPU = torch.device("cpu")


# The instrument --------------------------------------------------------------------------------------------------------


class Unregistered(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weights = torch.ones(4)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weights


REFUSED: dict[str, Callable[[Tensor], Any]] = {
    "a factory without device=": lambda x: x + torch.zeros(4),
    "a factory in an operator that takes several": lambda x: torch.cat([x, torch.ones(4)]),
    "numbers of no dimension in a stack": lambda x: torch.stack([x[0], torch.tensor(1.0)]),
    "a buffer that is not registered": lambda x: Unregistered().to(PLACE)(x),
    "a numpy detour": lambda x: torch.from_numpy(np.ones(4, np.float32)) * x,
    "a tensor for an array": lambda x: x.numpy(),
    "a tensor for an array, said otherwise": lambda x: np.asarray(x),
    "an index for gather": lambda x: x.gather(0, torch.tensor([1])),
    "an index for index_select": lambda x: x.index_select(0, torch.tensor([1])),
    "a tensor of the GPU in one of the CPU": lambda x: torch.ones(4).add_(x),
    "an index on the GPU into a tensor of the CPU": lambda x: torch.ones(4)[x.long()],
    "a target of a loss": lambda x: F.cross_entropy(x[None], torch.tensor([1])),
    "boundaries": lambda x: torch.bucketize(x, torch.tensor([0.5, 2.0])),
    "torchvision's operator": lambda x: nms(x[None], torch.ones(1), 0.5),
    "the backward pass": lambda x: OnTheCPU.apply(x.requires_grad_()).sum().backward(),
}


class OnTheCPU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return gradient * torch.ones(4)


ALLOWED: dict[str, Callable[[Tensor], Any]] = {
    "a number of the CPU in arithmetic": lambda x: x * torch.tensor(2.0) + x.new_tensor([1.0]),
    "a number of the CPU where a condition fails": lambda x: torch.where(x > 1, x, torch.tensor(0.0)),
    "an index on the CPU": lambda x: x[torch.tensor([1, 2])],
    "a mask on the CPU": lambda x: x[torch.tensor([True, False, True, True])],
    "a copy to there": lambda x: x + torch.ones(4).to(PLACE),
    "a copy into what is there": lambda x: x.copy_(torch.ones(4)),
    "a factory with device=": lambda x: x + torch.ones(4, device=x.device),
    "an assignment at an index on the CPU": lambda x: x.__setitem__(torch.tensor([1]), 3.0),
    "a view that is changed in place": lambda x: x.view(2, 2)[0].add_(1),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_a_gpu_refuses_is_refused(fault: str) -> None:
    with elsewhere(), pytest.raises((MixedPlaces, TypeError)):
        REFUSED[fault](torch.arange(4.0).to(PLACE))


@pytest.mark.parametrize("use", ALLOWED)
def test_what_a_gpu_takes_is_taken(use: str) -> None:
    with elsewhere():
        ALLOWED[use](torch.arange(4.0).to(PLACE))


WAITS: dict[str, tuple[str, Callable[[Tensor], Any]]] = {
    "item": ("number", lambda x: x[0].item()),
    "float": ("number", lambda x: float(x[0])),
    "int": ("number", lambda x: int(x[0])),
    "if": ("number", lambda x: 1 if x[0] > 1 else 2),
    "print": ("number", lambda x: str(x)),
    "equal": ("number", lambda x: torch.equal(x, x)),
    "tolist": ("fetch", lambda x: x.tolist()),
    "cpu": ("fetch", lambda x: x.cpu()),
    "to": ("fetch", lambda x: x.to("cpu")),
    "a copy out": ("fetch", lambda x: torch.zeros(4).copy_(x)),
    "nonzero": ("size", lambda x: x.nonzero()),
    "where": ("size", lambda x: torch.where(x > 1)),
    "a mask": ("size", lambda x: x[x > 1]),
    "assignment by a mask": ("size", lambda x: x.__setitem__(x > 1, torch.ones(2, device=x.device))),
    "masked_select": ("size", lambda x: x.masked_select(x > 1)),
    "unique": ("size", lambda x: x.unique()),
    "bincount": ("size", lambda x: x.long().bincount()),
    "repeat_interleave": ("size", lambda x: x.repeat_interleave(x.long())),
    "nms": ("size", lambda x: nms(x[None], x[:1], 0.5)),
    "a tensor of Python's numbers": ("upload", lambda x: torch.tensor([1.0, 2.0], device=x.device)),
    "new_tensor": ("upload", lambda x: x.new_tensor([1.0])),
    "a copy that blocks": ("upload", lambda x: torch.ones(4).to(x.device)),
    "an index on the CPU": ("upload", lambda x: x[torch.tensor([1])]),
}

FREE: dict[str, Callable[[Tensor], Any]] = {
    "arithmetic": lambda x: (x * 2 + torch.ones_like(x)).sum(),
    "a fill by a mask": lambda x: x.__setitem__(x > 1, 0.0),
    "masked_fill": lambda x: x.masked_fill(x > 1, 0.0),
    "sorting": lambda x: x.sort().values.topk(2),
    "an index there": lambda x: x[torch.arange(2, device=x.device)],
    "a copy that does not block": lambda x: torch.ones(4).to(x.device, non_blocking=True),
    "a size that is given": lambda x: x.repeat_interleave(torch.ones(4, dtype=torch.long, device=x.device), output_size=4),
    "shapes": lambda x: (len(x), x.shape, x.device, x.dtype),
}


@pytest.mark.parametrize("use", WAITS)
def test_a_point_where_a_gpu_is_waited_for_is_counted(use: str) -> None:
    what, function = WAITS[use]
    with elsewhere() as waits:
        x = torch.arange(4.0).to(PLACE)
        waits.clear()
        function(x)
        assert [wait.what for wait in waits] == [what]


@pytest.mark.parametrize("use", FREE)
def test_what_no_gpu_is_waited_for_is_not_counted(use: str) -> None:
    with elsewhere() as waits:
        x = torch.arange(4.0).to(PLACE)
        waits.clear()
        FREE[use](x)
        assert not waits


# Every task ------------------------------------------------------------------------------------------------------------


def trained(name: str, device: torch.device, folder: Path, callbacks: tuple[pl.Callback, ...] = ()) -> dict[str, Any]:
    """A task's weights and metrics after a training in micro-batches, cut in two by a checkpoint, and a test."""
    scenes = data(batch_size=2, train=4)
    for epochs in (1, 2):
        task = task_on(name, scenes)
        torch.manual_seed(1)
        options: dict[str, Any] = {"accumulate_grad_batches": 2, "gradient_clip_val": 1.0, "callbacks": [*callbacks]}
        options |= {"limit_val_batches": 1, "limit_test_batches": 1}
        trainer = trainer_on(device, max_epochs=epochs, default_root_dir=folder, **options)
        before = folder / "first.ckpt"
        trainer.fit(task, datamodule=scenes, ckpt_path=before if epochs == 2 else None, weights_only=True)
        if epochs == 1:
            trainer.save_checkpoint(before)
    (metrics,) = trainer.test(task, datamodule=scenes, verbose=False)
    return {**{k: v.held if isinstance(v, There) else v for k, v in task.state_dict().items()}, **metrics}


def test_a_loss_that_is_shown_is_waited_for_where_it_is_logged_and_at_no_other_step(tmp_path: Path) -> None:
    def waits(every: int) -> int:
        scenes = data(batch_size=2, train=24)
        with elsewhere() as seen:
            options: dict[str, Any] = {"log_every_n_steps": every, "limit_val_batches": 0, "default_root_dir": tmp_path}
            task = task_on("classification", scenes)
            trainer_on(PLACE, max_epochs=1, enable_checkpointing=False, **options).fit(task, datamodule=scenes)
            return sum(wait.what in ("number", "fetch") for wait in seen)

    assert waits(every=1) - waits(every=4) == 12 - 3


def callbacks_of(name: str) -> tuple[pl.Callback, ...]:
    """Those of ours that look into a training of this task."""
    scored = TrainingSet(samples=4)
    match name:
        case "classification":
            return scored, DeadUnits(4), SmallWeights()
        case "localization":
            return scored, FreezeBackbone(1)
        case "Mask R-CNN":
            return scored, FilledBoxes()
    return ()


@pytest.mark.parametrize("name", TASKS)
def test_every_task_trains_resumes_and_is_tested_on_a_gpu(name: str, tmp_path: Path) -> None:
    with elsewhere():
        there = trained(name, PLACE, tmp_path, callbacks_of(name))
    if name in ("classification", "localization", "R-CNN in stages", "YOLO"):
        here = trained(name, CPU, tmp_path / "here", callbacks_of(name))
        assert here.keys() == there.keys()
        for key, value in here.items():
            assert torch.equal(torch.as_tensor(value).nan_to_num(), torch.as_tensor(there[key]).nan_to_num()), key


BATCH = 4
CHOSEN = {"networks.regions.RegionDetector.sampled_losses": 1}
"""Regions are drawn on the CPU, so that every device draws the same: one copy for all images of a batch."""
SOFTMAX = {"networks.region_heads.SoftmaxHead.losses": 2}
"""The number of examples of objects, whose boxes alone are moved; torchvision's ``BoxCoder`` uploads its weights."""
PROPOSED = {
    # torchvision's nms, and before it what is too thin: both hand out as many boxes as there are, an image at a time.
    "networks.boxes.first_of_nms": BATCH,
    "networks.region_proposals.RegionProposals._propose": BATCH,
    # torchvision's AnchorGenerator, Matcher and BoxCoder.
    "networks.region_proposals.RegionProposals._anchors": 1,
    "networks.region_proposals.RegionProposals.forward": 2,
    "networks.region_proposals.RegionProposals._nearest": BATCH,
    "networks.region_proposals.RegionProposals._draw": BATCH,
    # Anchors are drawn as regions are.
    "networks.region_proposals.RegionProposals.losses": 1,
}
BRANCH = {"networks.regions.Samples.on_objects": BATCH}
"""How many regions of an image are examples of objects: a branch sees those alone."""
HEATMAP = {"networks.keypoint_rcnn.KeypointBranch.loss": 1}
"""How many keypoints are labelled and inside their regions."""
FASTER = CHOSEN | SOFTMAX | PROPOSED
CAPTIONED = ("DenseCap", "detect then caption", "full-image captioner")
"""Their phrases are text, for which the tokens are fetched."""

TORCHVISION = "torchvision's Faster R-CNN"
"""It waits inside of torchvision's code, image by image: for anchors, non-maximum suppression, matches and boxes."""

STEP: dict[str, dict[str, int]] = {
    TORCHVISION: {
        "networks.torchvision_stages.TwoStages.forward": 21,
        "networks.torchvision_stages.TwoStages._proposing": 7,
        "networks.torchvision_stages.ImageSampler.__call__": 2,
        "networks.torchvision_stages.TwoStages._judging": 6,
        "networks.torchvision_stages.TwoStages._scored": 2,
    },
    # Matched boxes are counted for all images at once; torchvision's DefaultBoxGenerator and BoxCoder upload.
    "SSD": {"networks.ssd.SSD.forward": 2, "networks.ssd.SSD.losses": 2},
    # Slots are assigned on the CPU: what is said and what is there, each in one copy for all images.
    "set regressor": {"networks.set_regressor.SetRegressor.losses": 2},
    "Fast R-CNN": CHOSEN | SOFTMAX,
    "R-CNN": CHOSEN,
    "SPP-net": CHOSEN,
    "R-CNN in stages": CHOSEN,
    "Faster R-CNN": FASTER,
    "Mask R-CNN": FASTER | BRANCH,
    "Keypoint R-CNN": FASTER | BRANCH | HEATMAP,
    "keypoints and masks": FASTER | BRANCH | HEATMAP,
    **dict.fromkeys(CAPTIONED, FASTER | BRANCH),
}
"""Where a training step of ``BATCH`` images may wait, and how often at most: these numbers may only fall. Others never wait."""


@cache
def step_and_evaluation(name: str) -> tuple[list[Wait], list[Wait], list[Wait]]:
    """The waits of a training step, of an evaluation's network with its losses and predictions, and of its metrics."""
    scenes = data(BATCH)
    task = task_on(name, scenes)
    with elsewhere() as waits:
        task.to(PLACE)
        optimizer = torch.optim.AdamW([p for p in task.parameters() if p.requires_grad])
        batch = task.transfer_batch_to_device(next(iter(scenes.train_dataloader())), PLACE, 0)
        waits.clear()
        sum(mean.value for mean in task.losses(task.respond(batch), batch).values()).backward()
        optimizer.step()
        step = list(waits)
        task.eval()
        batch = task.transfer_batch_to_device(next(iter(scenes.val_dataloader())), PLACE, 0)
        waits.clear()
        with torch.no_grad():
            outputs = task.respond(batch)
            task.losses(outputs, batch)
            predictions = task.predict(outputs)
            predicted = list(waits)
            waits.clear()
            task.val_metrics.update(**task.metric_inputs(predictions, batch))
        return step, predicted, list(waits)


@pytest.mark.parametrize("name", TASKS)
def test_a_training_step_waits_for_a_gpu_only_where_it_must(name: str) -> None:
    step, _, _ = step_and_evaluation(name)
    most = STEP.get(name, {})
    more = {where: count for where, count in Counter(wait.where for wait in step).items() if count > most.get(where, 0)}
    assert not more


DETECTION = [name for name in TASKS if name in STEP or name.startswith("YOLO")]


@pytest.mark.parametrize("name", TASKS)
def test_metrics_take_at_most_one_transfer_of_a_batch(name: str) -> None:
    _, _, metrics = step_and_evaluation(name)
    assert len(metrics) <= 1


@pytest.mark.parametrize("name", TASKS)
def test_a_prediction_reads_no_values_but_what_decides_how_many_objects_there_are(name: str) -> None:
    _, predicted, _ = step_and_evaluation(name)
    if name not in DETECTION:
        assert len(predicted) <= (1 if name == "multi-label" else 0)  # which holds the shown classes, however many
        return
    assert sum(wait.what == "fetch" for wait in predicted) <= 2 + (name in CAPTIONED), "what is drawn for the losses"
    numbers = [wait for wait in predicted if wait.what == "number" and "torchvision_" not in wait.where]
    assert all(wait.where == "networks.region_heads.StagedHead.forward" for wait in numbers), "whether stages were fitted"
    assert len(numbers) <= 2
