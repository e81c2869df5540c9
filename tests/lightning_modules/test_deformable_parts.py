"""The latent SVM, and deformable part models as a task."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
import yaml

from datamodules import Figures
from datamodules.drawing import Style
from datamodules.scene import InputError
from experiments.runs.files import read_evaluations
from lightning_modules import DeformablePartsDetection, LatentSVM
from lightning_modules.bounded_svm import fit_svm, margins
from lightning_modules.networks import DPM, YOLO
from tests.conftest import Lectern
from tests.support.interrupted import start, start_ranks, wait
from tests.support.registry import experiment

EASY = Style(objects=(0, 0), figures=(1, 1), object_size=(0.4, 0.6), articulation=0.0, clutter=0.2, texture=0.2)


def test_the_svm_is_at_its_optimum_within_its_bounds() -> None:
    """The gradient is 0 where a weight is free, and points out of the bounds where it is not."""
    rng = np.random.default_rng(0)
    positives, negatives = (rng.normal(mean, 1, (count, 6)).astype(np.float32) for mean, count in ((0.5, 40), (-0.5, 90)))
    positives[:, 2] = negatives[:, 2] = 1
    positives[:, 4] -= 2  # a weight that would be negative
    least = np.full(6, -np.inf)
    least[4] = 0.1
    weights, objective = fit_svm(positives, negatives, np.zeros(6), c=0.3, least=least, bias=2, iterations=500)
    x, y = np.concatenate([positives, negatives]).astype(float), np.repeat([1.0, -1.0], [40, 90])
    gap = np.maximum(0, 1 - y * (x @ weights))
    free = weights * (np.arange(6) != 2)
    assert objective == pytest.approx(0.5 * free @ free + 0.3 * np.square(gap).sum(), rel=1e-4)
    slope = free - 2 * 0.3 * x.T @ (y * gap)
    assert weights[4] == pytest.approx(0.1) and slope[4] > 0
    np.testing.assert_allclose(np.delete(slope, 4), 0, atol=0.02)
    assert margins(positives, weights).mean() > 0 > margins(negatives, weights).mean()


def figures(**kwargs: Any) -> Figures:
    usual: dict[str, Any] = {"image_size": 48, "style": EASY, "train": 16, "val": 16, "batch_size": 8, "workers": 0}
    return Figures(**usual | kwargs)


def trained(data: Figures, rounds: int, **network: Any) -> tuple[DeformablePartsDetection, float]:
    usual: dict[str, Any] = {"roots": ((9, 5),), "parts": 3, "part": (5, 5)}
    build = partial(DPM, **usual | network)
    task = DeformablePartsDetection(network=build, metadata=data.metadata.as_dict())
    data.require(task.needs)
    quiet: dict[str, Any] = {"logger": False, "enable_checkpointing": False, "accelerator": "cpu", "num_sanity_val_steps": 0}
    quiet |= {"enable_progress_bar": False, "enable_model_summary": False, "use_distributed_sampler": False}
    trainer = pl.Trainer(max_epochs=rounds, check_val_every_n_epoch=rounds, **quiet)
    trainer.fit(task, datamodule=data)
    return task, float(trainer.callback_metrics["val/mAP50"])


def test_standing_figures_are_found_and_their_parts_lie_on_them() -> None:
    task, found = trained(figures(), rounds=2)
    assert found > 0.8
    assert bool(task.network.has_parts) and float(task.network.models[0].costs[0][:, [1, 3]].min()) >= 0.005
    scene = figures().scenes("val")[0]
    best = task.predict(task(scene["image"][None]))[0]
    parts, (x1, y1, x2, y2) = best["parts"][0], scene["boxes"][0].tolist()  # type: ignore[typeddict-item]
    centres = (parts[:, :2] + parts[:, 2:]) / 2
    assert bool(((centres > torch.tensor([x1 - 4, y1 - 4])) & (centres < torch.tensor([x2 + 4, y2 + 4]))).all())


def test_two_components_share_the_objects_by_their_shape() -> None:
    task, _ = trained(figures(), rounds=1, roots=((9, 4), (8, 6)), parts=0)
    assert all(bool(model.root.any()) and float(model.bias[0]) > -10 for model in task.network.models)


def test_a_class_without_objects_is_never_found() -> None:
    bare = figures(style=Style(objects=(1, 2), figures=(0, 1)), train=6, batch_size=6, data_seed=6)
    bare.require(frozenset({"boxes", "labels"}))
    assert not any(len(bare.scenes("train")[i]["boxes"]) for i in range(6)), "another data_seed: this one draws figures"
    task, _ = trained(bare, rounds=1, parts=0)
    assert not task.network.models[0].root.any() and float(task.network.models[0].bias[0]) == -10
    assert not len(task.predict(task(torch.zeros(1, 3, 48, 48, dtype=torch.uint8)))[0]["boxes"])


def test_what_it_cannot_do_is_refused_in_one_line() -> None:
    metadata = figures().metadata.as_dict()
    with pytest.raises(InputError, match="fits a DPM; YOLO is trained by Detection"):
        DeformablePartsDetection(network=YOLO, metadata=metadata)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="draws none"):
        Figures(style=Style())


def run_of(workdir: Path, lectern: Lectern) -> Path:
    data = {"class_path": "Figures", "init_args": {"image_size": 48, "train": 12, "val": 2, "test": 5, "batch_size": 6}}
    (workdir / "parts.yaml").write_text(yaml.safe_dump({**experiment("DeformablePartsDetection"), "data": data}))
    quick = ["--trainer.max_epochs=2", "--data.workers=0", "--trainer.enable_progress_bar=false", "--pictures.count=1"]
    result = lectern("fit", "--config", "parts.yaml", *quick)
    assert result.code == 0, result.err
    (run,) = (workdir / "runs" / "parts").iterdir()
    assert not (run / "features").exists()
    return run


def test_it_is_judged_alike_on_any_number_of_processes_and_predicts_parts(workdir: Path, lectern: Lectern) -> None:
    checkpoint = str(run_of(workdir, lectern) / "checkpoints" / "last.ckpt")
    run = Path(checkpoint).parents[1]
    values = []
    for ranks in (1, 2, 3):
        pids = start_ranks(["test", "--ckpt_path", checkpoint], ranks, workdir / "log")
        assert [wait(pid) for pid in pids] == [0] * ranks, (workdir / "log0").read_text()
        (last,) = list(read_evaluations(run).values())[-1:]
        values.append({k: repr(v) for k, v in last["metrics"].items() if "AP" in k})
    assert values[0] and values[0] == values[1] == values[2]
    assert wait(start(["predict", "--ckpt_path", checkpoint], workdir / "log")) == 0, (workdir / "log").read_text()
    entries = json.loads(next(run.rglob("predictions.json")).read_text())
    assert len(entries) == 5
    assert all(len(thing["parts"]) == 2 and len(thing["parts"][0]) == 4 for entry in entries for thing in entry["objects"])


@pytest.mark.parametrize(("option", "says"), [("devices=2", "in one process"), ("max_steps=3", "counts rounds")])
def test_a_fit_that_it_does_not_know_is_refused(option: str, says: str, workdir: Path, lectern: Lectern) -> None:
    (workdir / "parts.yaml").write_text(yaml.safe_dump({**experiment("DeformablePartsDetection"), "data": "Figures"}))
    command = ["fit", "--config", "parts.yaml", "--data.workers=0", "--data.image_size=48", "--trainer.accelerator=cpu"]
    if option.startswith("devices"):
        pids = start_ranks(command, 2, workdir / "log")
        assert all(wait(pid) for pid in pids)
        assert says in (workdir / "log0").read_text()
    else:
        result = lectern(*command, f"--trainer.{option}")
        assert result.code == 2 and says in result.err


def test_the_svm_is_an_argument_of_the_task() -> None:
    task = DeformablePartsDetection(network=DPM, svm=partial(LatentSVM, c=0.5), metadata=figures().metadata.as_dict())
    assert task.svm.c == 0.5
