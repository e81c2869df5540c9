"""R-CNN's stages in one training: what each leaves behind, and what is refused."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torchvision.ops import box_iou

from datamodules import Shapes
from datamodules.drawing import Style
from datamodules.proposals import SlidingWindows
from datamodules.scene import InputError
from experiments.measures.pretraining import PretrainedBackbone
from experiments.runs.files import read_metrics
from experiments.runs.folder import RunFolder
from lightning_modules import StagedDetection
from lightning_modules.feature_store import FeatureStore
from lightning_modules.networks import RCNN, ConvBackbone, FastRCNN, FullyConnected, SPPNet, StagedHead
from lightning_modules.schedules import WarmupCosine

STYLE = Style(classes=("circle", "cross"), objects=(1, 1), object_size=(0.5, 0.6), clutter=0.0, texture=0.0)
BACKBONE = partial(ConvBackbone, (4, 8, 8), depth=1)
HEAD = partial(StagedHead, layers=partial(FullyConnected, widths=(16,)))


def data(batch_size: int = 4, **kwargs: Any) -> Shapes:
    windows = SlidingWindows(sides=(28,), ratios=(1.0,), step=0.25)
    return Shapes(image_size=48, train=12, val=4, batch_size=batch_size, workers=0, style=STYLE, proposals=windows, **kwargs)


def task_of(scenes: Shapes, network: Any = RCNN, **kwargs: Any) -> StagedDetection:
    torch.manual_seed(0)
    task = StagedDetection(
        network=partial(network, backbone=BACKBONE, head=HEAD),
        optimizer=partial(torch.optim.SGD, lr=0.05, momentum=0.9, weight_decay=0.01),
        scheduler=WarmupCosine,
        metadata=scenes.metadata.as_dict(),
        **kwargs,
    )
    scenes.require(task.needs)
    return task


def trainer(folder: Path, epochs: int, *callbacks: pl.Callback, **kwargs: Any) -> pl.Trainer:
    return pl.Trainer(
        max_epochs=epochs, logger=RunFolder(folder / "run" / "0", "run"), callbacks=list(callbacks), accelerator="cpu",
        enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False, use_distributed_sampler=False,
        num_sanity_val_steps=0, log_every_n_steps=1, **kwargs,
    )  # fmt: skip


class Weights(pl.Callback):
    """The trained weights, and the learning rate, as they were at the end of each epoch's batches."""

    def __init__(self) -> None:
        self.weights: list[torch.Tensor] = []
        self.rates: list[float] = []

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.weights.append(torch.cat([p.detach().flatten().clone() for p in pl_module.parameters()]))
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])


@pytest.mark.parametrize("network", [RCNN, SPPNet])
def test_the_last_epoch_learns_nothing_and_leaves_features_svms_and_regressors(network: Any, tmp_path: Path) -> None:
    scenes, weights = data(), Weights()
    task = task_of(scenes, network, keep_features=True)
    run = trainer(tmp_path, 3, weights)
    run.fit(task, scenes)
    first, second, third = weights.weights
    assert not torch.equal(first, second) and torch.equal(second, third)
    assert weights.rates[1] < 0.001  # the schedule ends where the learning does
    assert task.head.has_svm and task.head.has_regressor and task.head.svm.any() and task.head.regressor.any()

    store = FeatureStore(tmp_path / "run" / "0" / "features")
    task.network.eval()
    shown = {int(batch["index"][i]): (batch, i) for batch in _epoch(2) for i in range(len(batch["index"]))}
    assert sorted(shown) == list(range(12))
    for index, (batch, i) in shown.items():
        image = store.read(index)
        regions = torch.cat([batch["boxes"][i], batch["proposals"][i]])
        assert np.array_equal(image.boxes, regions.numpy()) and np.array_equal(image.labels, batch["labels"][i].numpy())
        with torch.no_grad():
            shared = task.network.share((batch["image"][i : i + 1] - task.mean) / task.std)
            pooled = task.network.features(shared, [regions])
            torch.testing.assert_close(torch.from_numpy(np.array(image.features)), task.head.layers(pooled))
        overlap = box_iou(batch["proposals"][i], batch["boxes"][i]).max(1).values
        assert image.near[:, 0].tolist() == [1 + row for row in (overlap > 0.6).nonzero()[:, 0].tolist()]
        torch.testing.assert_close(torch.from_numpy(np.array(image.pooled)), pooled[image.near[:, 0]])
    values = {key: value for row in read_metrics(tmp_path / "run" / "0") for key, value in row.items()}
    assert values["stages/images"] == 12
    assert values["stages/bytes"] == sum(path.stat().st_size for path in store.folder.iterdir())
    assert 0 < values["stages/features_bytes"] < values["stages/bytes"]
    assert all(values[f"stages/{stage}_seconds"] > 0 for stage in ("fine_tuning", "features", "svms", "regressors"))


def _epoch(number: int) -> list[Any]:
    """The training batches of an epoch, as any run sees them."""
    scenes = data()
    scenes.require(StagedDetection.needs)
    loader = scenes.train_dataloader()
    loader.sampler.set_epoch(number)
    return list(loader)


def test_without_fine_tuning_the_weights_stay_and_features_lie_where_they_are_asked_for(tmp_path: Path) -> None:
    scenes = data()
    task = task_of(scenes, regressors=None, features=str(tmp_path / "elsewhere"), keep_features=True)
    before = torch.cat([p.detach().flatten().clone() for p in task.parameters()])
    trainer(tmp_path / "runs", 1).fit(task, scenes)
    assert torch.equal(before, torch.cat([p.detach().flatten() for p in task.parameters()]))
    assert task.head.has_svm and not task.head.has_regressor
    assert len(list((tmp_path / "elsewhere").rglob("*.features.npy"))) == 12
    assert not list((tmp_path / "runs").rglob("*.npy"))


def test_without_svms_the_softmax_stays_and_features_are_removed_at_the_end(tmp_path: Path) -> None:
    scenes = data()
    task = task_of(scenes, svms=None)
    trainer(tmp_path, 1).fit(task, scenes)
    assert task.head.has_regressor and not task.head.has_svm
    assert not (tmp_path / "run" / "0" / "features").exists()


def test_a_run_that_is_made_longer_goes_through_all_stages_again(tmp_path: Path) -> None:
    scenes, path = data(), tmp_path / "one.ckpt"
    short = trainer(tmp_path / "short", 1)
    short.fit(task_of(scenes), scenes)
    short.save_checkpoint(path)
    scenes, weights = data(), Weights()
    task = task_of(scenes)
    trainer(tmp_path / "long", 3, weights).fit(task, scenes, ckpt_path=path, weights_only=True)
    assert len(weights.weights) == 2 and torch.equal(*weights.weights)  # the second epoch learned, the third did not
    before = torch.load(path, weights_only=True)["state_dict"]["network.head.classes.weight"]
    assert not torch.equal(before, task.head.classes.weight)
    values = {key: value for row in read_metrics(tmp_path / "long" / "run" / "0") for key, value in row.items()}
    assert values["stages/images"] == 12 and task.head.has_svm and task.head.has_regressor


def test_what_cannot_be_trained_in_stages_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = data()
    with pytest.raises(InputError, match="FastRCNN has a SoftmaxHead, which RegionDetection trains"):
        StagedDetection(
            network=partial(FastRCNN, backbone=BACKBONE),
            optimizer=partial(torch.optim.SGD, lr=0.1),
            metadata=scenes.metadata.as_dict(),
        )
    task = task_of(scenes)
    with pytest.raises(InputError, match=r"last epoch; set trainer.max_epochs, and no max_steps"):
        trainer(tmp_path, -1, max_steps=3).fit(task, scenes)
    monkeypatch.setattr(pl.Trainer, "world_size", 2)
    with pytest.raises(InputError, match=r"in one process; set trainer.devices to 1"):
        trainer(tmp_path, 1).fit(task, scenes)


def test_a_backbone_is_trained_to_classify_before_the_run(tmp_path: Path) -> None:
    scenes = data()
    for network in (RCNN, SPPNet):
        task = task_of(scenes, network)
        before = {key: value.clone() for key, value in task.network.backbone.state_dict().items()}
        pretrained = PretrainedBackbone(data(), lambda parameters: torch.optim.AdamW(parameters, lr=0.01), epochs=1)
        trainer(tmp_path, 1, pretrained).fit(task, scenes)
        after = task.network.backbone.state_dict()
        assert not any(torch.equal(before[key], after[key]) for key in before if "weight" in key)
        assert not task.network.backbone.training or network is RCNN


def test_a_network_without_a_backbone_cannot_be_pretrained(tmp_path: Path) -> None:
    pretrained = PretrainedBackbone(data(), lambda parameters: torch.optim.AdamW(parameters, lr=0.01), epochs=1)
    task = task_of(data())
    del task.network.backbone
    with pytest.raises(InputError, match=r"PretrainedBackbone: RCNN has no backbone to train"):
        trainer(tmp_path, 1, pretrained).fit(task, data())
