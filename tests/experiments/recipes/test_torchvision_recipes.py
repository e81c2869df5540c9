"""The recipes that begin with torchvision's weights, with random ones of their shape: no network is asked for anything."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
import yaml
from torch import Tensor
from torchvision.models import get_model

from experiments import recipes
from experiments.runs.files import read_metrics
from tests.conftest import Lectern
from tests.support.registry import data_arguments
from tests.support.small_runs import one_run

QUICK = (
    "--data.image_size=[64,96] --data.batch_size=2 --data.workers=0 --trainer.max_epochs=1 --trainer.limit_train_batches=1 "
    "--trainer.limit_val_batches=1 --trainer.num_sanity_val_steps=0 --trainer.enable_progress_bar=false "
    "--trainer.enable_model_summary=false --trainer.log_every_n_steps=1 --pictures.count=1"
).split()

RECIPES = {
    "detection/faster_rcnn_bccd_torchvision": ("roi_heads.box_predictor.", {"num_classes": 91}),
    "segmentation/deeplabv3_camvid": ("classifier.4.", {"num_classes": 21, "aux_loss": True}),
}
"""By recipe, the beginning of the names in its head, and of what its published weights are made."""


def stored(name: str, path: Path, **options: object) -> dict[str, Tensor]:
    state: dict[str, Tensor] = get_model(name, weights=None, weights_backbone=None, **options).state_dict()
    for key, value in state.items():
        if value.is_floating_point() and not key.endswith(("running_var", "running_mean")):
            value.normal_(0, 0.05)
    torch.save(state, path)
    return state


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_begins_with_a_file_but_for_its_heads_trains_is_tested_and_predicts(
    recipe: str, lectern: Lectern, workdir: Path
) -> None:
    content = yaml.safe_load(recipes.path_of(recipe).read_text())
    head, options = RECIPES[recipe]
    source = stored(content["model"]["init_args"]["network"]["init_args"]["name"], workdir / "w.pth", **options)
    data = data_arguments(content["data"]["class_path"], workdir)
    # Without a learning rate what was begun with is what is in the checkpoint, but for what normalisation counts.
    given = ["--model.network.weights=w.pth", "--model.optimizer.lr=0", *QUICK, "--name=begun"]
    result = lectern("fit", "--config", recipe, *data, *given)
    assert result.code == 0, result.err
    run = one_run(workdir / "runs" / "begun")
    state = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    own = {key.removeprefix("network.network."): value for key, value in state.items() if key.startswith("network.")}
    weights = {key: value for key, value in own.items() if "running_" not in key and "num_batches" not in key}
    fresh = {key for key, value in weights.items() if key not in source or not torch.equal(value, source[key])}
    assert fresh and all(key.startswith(head) for key in fresh)
    left_out = {key for key in source if key not in own and "num_batches" not in key}
    assert all(key.startswith("aux_classifier.") for key in left_out)
    (workdir / "w.pth").unlink()  # a checkpoint needs no such file
    assert lectern("test", "--ckpt_path", str(run / "checkpoints" / "last.ckpt")).code == 0
    photographs = workdir / "photographs"
    photographs.mkdir()
    shutil.copy(next(p for p in (workdir / "data").rglob("*") if p.suffix in (".jpg", ".png")), photographs)
    options = ["--data", "ImageFiles", "--data.root", "photographs", "--data.workers=0", "--trainer.enable_progress_bar=false"]
    predicted = lectern("predict", "--ckpt_path", str(run / "checkpoints" / "last.ckpt"), *options)
    assert predicted.code == 0, predicted.err


@pytest.mark.parametrize(
    ("task", "name"),
    [("InstanceSegmentation", "maskrcnn_resnet50_fpn"), ("KeypointDetection", "keypointrcnn_resnet50_fpn")],
)
def test_tasks_with_masks_and_keypoints_take_torchvisions_networks(
    task: str, name: str, lectern: Lectern, workdir: Path
) -> None:
    network = {"class_path": "lightning_modules.networks.TorchvisionDetector", "init_args": {"name": name}}
    optimizer = {"class_path": "torch.optim.SGD", "init_args": {"lr": 1.0e-3}}
    data = {"class_path": "Shapes", "init_args": {"train": 2, "val": 2, "test": 2, "style": {"figures": [1, 1]}}}
    model = {"class_path": task, "init_args": {"network": network, "optimizer": optimizer}}
    (workdir / "small.yaml").write_text(yaml.safe_dump({"model": model, "data": data}))
    result = lectern("fit", "--config", "small.yaml", *QUICK)
    assert result.code == 0, result.err
    losses = read_metrics(one_run(workdir / "runs" / "small"))
    branch = "train/roi_masks" if "mask" in name else "train/roi_keypoints"
    assert any(row.get(branch) for row in losses)


def test_weights_that_cannot_be_had_are_named_with_their_folder(
    lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(workdir / "hub"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    result = lectern("fit", "--config", "detection/faster_rcnn_bccd_torchvision", *data_arguments("VOC", workdir), *QUICK)
    assert result.code == 2 and "Traceback" not in result.err
    assert "fasterrcnn_mobilenet_v3_large_fpn-fb6a3cc7.pth" in result.err and "hub/checkpoints" in result.err
