"""In Python a task needs the data's metadata alone, and the data module loads what the task needs."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

import lightning_modules
from datamodules import Shapes
from datamodules.scene import InputError
from experiments import ROOT
from lightning_modules import AuxiliaryClassification, Classification, Localization, Segmentation
from lightning_modules.base import Task
from lightning_modules.networks import FCN, CifarNet, InceptionNet
from tests.support.registry import TASKS

FEW = {"train": 8, "val": 4, "test": 4, "image_size": 32, "batch_size": 4, "workers": 0}


class Labels(Shapes):
    """Drawn scenes of which the class is known, and nothing else."""

    provides = frozenset({"label"})


class Seen(pl.Callback):
    """Notes the fields of the batches."""

    def __init__(self) -> None:
        self.fields: set[str] = set()

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self.fields |= set(batch)

    def on_test_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        self.fields |= set(batch)

    on_predict_batch_start = on_test_batch_start


def trainer(folder: Path, seen: Seen, **options: Any) -> pl.Trainer:
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    return pl.Trainer(max_epochs=1, accelerator="cpu", default_root_dir=folder, callbacks=[seen], **{**quiet, **options})


ALWAYS = {"image", "name", "size", "index"}


def test_only_what_the_task_needs_is_loaded(tmp_path: Path) -> None:
    data, seen = Shapes(**FEW), Seen()
    task = Segmentation(data.metadata)
    before = {name: value.clone() for name, value in task.named_parameters()}
    trainer(tmp_path, seen).fit(task, data)
    assert seen.fields == {*ALWAYS, "mask"}
    assert any(not torch.equal(before[name], value) for name, value in task.named_parameters()), "it has learned"


def test_one_data_module_feeds_one_task_after_the_other(tmp_path: Path) -> None:
    data, first, second, third = Shapes(**FEW), Seen(), Seen(), Seen()
    trainer(tmp_path, first).fit(Segmentation(data.metadata), data)
    localization = Localization(data.metadata)
    trainer(tmp_path, second).test(localization, data, verbose=False)
    assert second.fields == {*ALWAYS, "boxes", "labels"}
    trainer(tmp_path, third).predict(localization, Shapes(**FEW))
    assert third.fields == ALWAYS


def test_what_was_asked_for_by_hand_stays(tmp_path: Path) -> None:
    data, seen = Shapes(**FEW), Seen()
    data.require(frozenset({"mask", "captions"}))
    trainer(tmp_path, seen).fit(Segmentation(data.metadata), data)
    assert seen.fields == {*ALWAYS, "mask", "captions"}


def test_data_that_lack_what_is_needed_are_refused(tmp_path: Path) -> None:
    task = Segmentation(Shapes(**FEW).metadata)
    with pytest.raises(InputError, match="Labels provides label; mask asked for"):
        trainer(tmp_path, Seen()).fit(task, Labels(**FEW))


def test_loaders_of_others_are_taken_as_they_are(tmp_path: Path) -> None:
    data = Shapes(**FEW)
    data.require(frozenset({"mask"}))
    trainer(tmp_path, Seen()).fit(Segmentation(data.metadata), data.train_dataloader())


@pytest.mark.parametrize("name", sorted(set(TASKS) - {"AuxiliaryClassification"}))
def test_every_task_has_a_network_of_its_own(name: str) -> None:
    task: Task = getattr(lightning_modules, name)(metadata=Shapes(**{**FEW, "image_size": 64}).metadata)
    assert task.default_network.endswith(f".{type(task.network).__name__}")
    assert task.configure_optimizers() is not None


def test_where_no_network_suits_all_data_one_has_to_be_named() -> None:
    metadata = Shapes(**FEW).metadata
    with pytest.raises(InputError, match="AuxiliaryClassification: network is missing"):
        AuxiliaryClassification(metadata)
    assert AuxiliaryClassification(metadata, network=partial(InceptionNet, auxiliary=True)).outputs() == 6


def test_what_is_named_is_taken(tmp_path: Path) -> None:
    metadata = Shapes(**FEW).metadata
    task = Classification(metadata.as_dict(), network=CifarNet, optimizer=partial(torch.optim.SGD, lr=0.5))
    assert isinstance(task.network, CifarNet)
    optimizer = task.configure_optimizers()
    assert isinstance(optimizer, torch.optim.SGD) and optimizer.param_groups[0]["lr"] == 0.5
    assert isinstance(Segmentation(metadata).configure_optimizers(), torch.optim.AdamW)


def test_a_checkpoint_is_loaded_weights_only(tmp_path: Path) -> None:
    data, runner = Shapes(**FEW), trainer(tmp_path, Seen(), enable_checkpointing=True)
    task = Segmentation(data.metadata)
    runner.fit(task, data)
    (path,) = tmp_path.rglob("*.ckpt")
    again = Segmentation.load_from_checkpoint(path, weights_only=True)
    assert again.metadata == task.metadata
    assert all(torch.equal(a, b) for a, b in zip(again.state_dict().values(), task.state_dict().values(), strict=True))
    assert isinstance(Segmentation.load_from_checkpoint(path, weights_only=True, network=FCN).network, FCN)


def test_the_page_s_twenty_lines_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, *_ = re.findall(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(code.splitlines()) <= 20
    smaller = code.replace("train=2000, val=200, test=200", "train=32, val=8, test=8").replace("max_epochs=5", "max_epochs=1")
    assert smaller.count("=32") == 1 and smaller.count("max_epochs=1") == 1
    exec(compile(smaller, "docs/python.md", "exec"), {"__name__": "__main__"})
    assert "test/miou" in capfd.readouterr().out
    assert (tmp_path / "found.png").is_file()
