"""A loss and its gradient are those of all images, however these are spread over ranks, micro-batches and batches."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins import MixedPrecision
from pytorch_lightning.strategies import FSDPStrategy
from torch import Tensor

from datamodules.scene import InputError
from experiments.runs.files import read_metrics
from experiments.runs.folder import RunFolder
from lightning_modules.accumulation import Step
from lightning_modules.means import Mean, counted, mean_losses
from tests.support.uneven import TASKS, batch_of, data, task_on

every_task = pytest.mark.parametrize("name", TASKS)
PARTS = [range(3), range(3, 4), range(4, 8)]
"""Of eight images: unequal numbers of images, and of what is counted in them."""


def gradients(task: Any) -> Tensor:
    grads = torch.cat([p.grad.flatten() for p in task.parameters() if p.requires_grad])
    task.zero_grad()
    return grads


def trained(task: Any) -> list[Any]:
    return [p for p in task.parameters() if p.requires_grad]


@every_task
def test_micro_batches_and_ranks_give_the_loss_and_gradient_of_all_images(name: str) -> None:
    """In one process: a step of eight images, as one batch, as three micro-batches, and as three ranks."""
    scenes = data()
    task = task_on(name, scenes).double()

    def losses(indices: range) -> dict[str, Mean]:
        batch = batch_of(scenes, indices)
        found: dict[str, Mean] = task.losses(task.respond(batch), batch)
        return found

    whole = losses(range(8))
    assert all(mean.total.dtype == torch.float64 for mean in whole.values())
    loss, parts = Step().end(whole, lambda counts: counts, 1.0)
    loss.backward()
    expected = gradients(task)
    assert bool(expected.any()) and bool(expected.isfinite().all())

    step = Step()
    for indices in PARTS[:-1]:
        step.keep(losses(indices), trained(task), 1.0)
    loss, spread = step.end(losses(PARTS[-1]), lambda counts: counts, 1.0)
    loss.backward()
    torch.testing.assert_close(gradients(task), expected, rtol=1e-10, atol=1e-13)
    torch.testing.assert_close(spread, parts, rtol=1e-12, atol=1e-14)

    counts = [torch.stack([mean.count for mean in losses(indices).values()]) for indices in PARTS]
    even = all(torch.equal(count * 4, counts[-1] * len(r)) for count, r in zip(counts, PARTS, strict=True))
    of_images = {"classification", "margin", "auxiliary", "rotation", "YOLO", "YOLO with base boxes", "set regressor"}
    of_values = {"reconstruction", "denoising"}
    assert even == (name in of_images | of_values), "these count images, or as many values of each"
    total, of_ranks = torch.zeros_like(expected), []
    for indices in PARTS:
        loss, own = Step().end(losses(indices), lambda _: torch.stack(counts).sum(0), 1.0)
        loss.backward()
        total += gradients(task)
        of_ranks.append(own)
    torch.testing.assert_close(total, expected, rtol=1e-10, atol=1e-13)
    summed = {loss: sum((own[loss] for own in of_ranks), torch.zeros((), dtype=torch.float64)) for loss in parts}
    torch.testing.assert_close(summed, parts, rtol=1e-12, atol=1e-14)


@every_task
def test_evaluation_losses_do_not_depend_on_batches_or_epochs(name: str) -> None:
    scenes = data()
    task = task_on(name, scenes).double().eval()
    found = []
    for parts in ([range(8)], PARTS, [range(i, i + 1) for i in range(8)], [range(8)]):
        torch.manual_seed(len(found))
        with torch.no_grad():
            batches = [batch_of(scenes, indices) for indices in parts]
            found.append(mean_losses([task.losses(task.respond(batch), batch) for batch in batches]))
    for other in found:
        assert other == pytest.approx(found[0], rel=1e-9, abs=1e-12)
    assert found[-1] == found[0]


def fit(name: str, folder: Path, batch_size: int, accumulate: int, **kwargs: Any) -> tuple[Any, list[dict[str, float]]]:
    """Trains for two epochs of eight images and returns the task, and what was logged of the losses."""
    scenes = data(batch_size)
    task = task_on(name, scenes)
    kwargs = {"precision": "64-true", **kwargs}
    run = RunFolder(folder / "run" / f"{batch_size}x{accumulate}", "run")
    trainer = pl.Trainer(
        max_epochs=3 if name == "R-CNN in stages" else 2, accumulate_grad_batches=accumulate, logger=run, accelerator="cpu",
        enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
        use_distributed_sampler=False, num_sanity_val_steps=0, log_every_n_steps=1, **kwargs,
    )  # fmt: skip
    trainer.fit(task, scenes)
    rows = [{k: v for k, v in row.items() if k.startswith(("train/", "val/"))} for row in read_metrics(run.folder)]
    return task, [row for row in rows if row]


def weights(task: Any) -> Tensor:
    return torch.cat([value.flatten() for value in task.state_dict().values() if value.is_floating_point()])


@every_task
def test_accumulated_steps_are_those_of_whole_batches(name: str, tmp_path: Path) -> None:
    """Batches of 4 as 2 x 2, each with its own share of what is counted; gradients are clipped when they are complete."""
    clip = {"gradient_clip_val": 0.1}
    (whole, logged), (spread, other) = fit(name, tmp_path, 4, 1, **clip), fit(name, tmp_path, 2, 2, **clip)
    assert float((weights(whole) - weights(spread)).abs().max()) <= 1e-10
    start = weights(task_on(name, data()).double())
    assert float((weights(whole) - start).abs().max()) > 1e-4
    assert len(logged) == len(other) and any("train/loss" in row for row in logged)
    for one, two in zip(logged, other, strict=True):
        assert two == pytest.approx(one, rel=1e-8, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", ["segmentation", "pose"])
def test_losses_are_scaled_in_half_precision_in_accumulated_steps_too(name: str, tmp_path: Path) -> None:
    """By 65,536, which the optimizer's step takes back: a micro-batch that was not scaled would all but vanish."""
    found = []
    for batch_size, accumulate in ((4, 1), (2, 2)):
        half = MixedPrecision("16-mixed", "cpu", torch.amp.GradScaler("cpu"))
        task, _ = fit(name, tmp_path, batch_size, accumulate, precision=None, plugins=half, gradient_clip_val=1.0)
        found.append(weights(task))
        assert half.scaler is not None and half.scaler.get_scale() == 2**16
    moved = float((found[0] - weights(task_on(name, data()))).abs().max())
    assert float((found[0] - found[1]).abs().max()) <= 0.01 * moved


class Sharded(FSDPStrategy):
    """Only asked what it is."""


def test_a_strategy_that_shards_gradients_does_not_accumulate(monkeypatch: pytest.MonkeyPatch) -> None:
    task = task_on("segmentation", data())
    monkeypatch.setattr(type(task), "trainer", SimpleNamespace(strategy=object.__new__(Sharded), fit_loop=None))
    with pytest.raises(InputError, match="accumulate_grad_batches: Sharded keeps no gradients"):
        task._step_goes_on()


@pytest.mark.parametrize("name", ["segmentation", "keypoints and masks"])
def test_the_last_step_of_an_epoch_may_have_fewer_micro_batches(name: str, tmp_path: Path) -> None:
    """Four batches of 2 in steps of 3: the second step is one batch, and as large a step as any."""
    whole, _ = fit(name, tmp_path, 8, 1)
    spread, _ = fit(name, tmp_path, 2, 100)
    assert float((weights(whole) - weights(spread)).abs().max()) <= 1e-10
    _, logged = fit(name, tmp_path, 2, 3)
    assert sum("train/loss" in row for row in logged) == 4


def test_losses_that_count_the_same_have_one_backward_pass_and_others_their_own() -> None:
    weight = torch.nn.Parameter(torch.tensor(2.0))
    count = torch.tensor(3)

    def losses(other: Tensor) -> dict[str, Mean]:
        return {"a": Mean(weight * 3, count), "b": Mean(weight**2, count), "c": Mean(5 * weight, other)}

    passes = []
    weight.register_hook(lambda gradient: passes.append(float(gradient)))
    step = Step()
    step.keep(losses(torch.tensor(0)), [weight], 1.0)
    assert len(passes) == 2
    loss, parts = step.end(losses(torch.tensor(10)), lambda counts: counts, 1.0)
    loss.backward()
    assert weight.grad is not None
    assert float(weight.grad) == pytest.approx((3 + 4) * 2 / 6 + 5 * 2 / 10)
    assert {k: float(v) for k, v in parts.items()} == pytest.approx({"a": 12 / 6, "b": 8 / 6, "c": 20 / 10})
    with pytest.raises(RuntimeError, match="must share it in every batch"):
        step.keep(losses(count), [weight], 1.0)


def test_nothing_counted_is_a_loss_of_zero_and_nan_stays_nan() -> None:
    weight = torch.nn.Parameter(torch.tensor(2.0))
    step = Step()
    step.keep({"a": Mean(weight * 0, counted(0, weight))}, [weight], 1.0)
    loss, _ = step.end({"a": Mean(weight * 0, counted(0, weight))}, lambda counts: counts, 1.0)
    loss.backward()
    assert float(loss.detach()) == 0 and weight.grad is not None and float(weight.grad) == 0
    broken = {"a": Mean(weight * torch.nan, counted(2, weight))}
    step.keep(broken, [weight], 1.0)
    loss, _ = step.end({"a": Mean(weight * 1, counted(2, weight))}, lambda counts: counts, 1.0)
    loss.backward()
    assert bool(weight.grad.isnan())
