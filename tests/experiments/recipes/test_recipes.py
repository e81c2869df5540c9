"""Every recipe, and every task on every data module that can feed it, through the real main()."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torchvision
import yaml

from datamodules.loading import EpochLoader
from experiments import recipes
from experiments.runs.folder import is_finished
from experiments.training.catalog import pairs
from tests.conftest import Lectern
from tests.support.registry import data_arguments, experiment

QUICK = (
    "--trainer.max_epochs=1 --trainer.limit_train_batches=2 --trainer.limit_val_batches=2 --trainer.num_sanity_val_steps=0 "
    "--trainer.enable_progress_bar=false --trainer.enable_model_summary=false --trainer.log_every_n_steps=1 "
    "--data.batch_size=2 --data.workers=0 --pictures.count=2"
).split()

SHORT = "--trainer.limit_train_batches=1 --trainer.limit_val_batches=0".split()
FEW_REGIONS = ["--data.image_size=[64,96]", "--model.network.proposals=20", "--model.network.samples=8", *SHORT]
NARROW = ["--data.image_size=67", "--model.network.widths=[8,8,8,8,8]", "--model.network.hidden=[16]", *SHORT]
LARGE: dict[str, list[str]] = {
    "classification/alexnet_imagenet": NARROW,
    "classification/zfnet_imagenet": NARROW,
    "classification/vgg16_imagenet": NARROW,
    "classification/googlenet_imagenet": ["--data.image_size=64", "--model.network.width=0.125", *SHORT],
    "classification/resnet18_imagenet": ["--data.image_size=64", *SHORT],
    "classification/resnet50_imagenet": ["--data.image_size=64", *SHORT],
    "instance_segmentation/mask_rcnn_coco": FEW_REGIONS,
    "keypoint_detection/keypoint_rcnn_coco": FEW_REGIONS,
    "detection/faster_rcnn_bccd_torchvision": ["--data.image_size=[96,128]", *SHORT],
    "segmentation/deeplabv3_camvid": ["--data.image_size=[48,64]", *SHORT],
    "detection/fast_rcnn_voc": ["--data.image_size=[96,128]", *SHORT],
    "detection/rcnn_voc": ["--data.image_size=[96,128]", "--model.network.crop=67", *SHORT],
}
"""Recipes for large GPUs, or several: they are run for a step with a smaller backbone, on small images and with few regions."""


@pytest.fixture(autouse=True)
def no_checksums(monkeypatch: pytest.MonkeyPatch) -> None:
    """torchvision knows the official CIFAR-10 by its checksums, which tiny files cannot have."""
    monkeypatch.setattr(torchvision.datasets.cifar, "check_integrity", lambda path, md5=None: Path(path).is_file())


@pytest.mark.parametrize(("task", "data"), pairs())
def test_a_task_trains_on_every_data_module_that_list_claims(task: str, data: str, lectern: Lectern, workdir: Path) -> None:
    figures = ["--data.style.figures=[1,1]"] if data.endswith("Shapes") else []
    config = workdir / "pair.yaml"
    config.write_text(yaml.safe_dump(experiment(task) | {"data": {"class_path": data}}))
    size = "--data.image_size=48" if data != "MNIST" else "--data.image_size=32"
    result = lectern("fit", "--config", str(config), *data_arguments(data, workdir), *figures, size, *QUICK)
    assert result.code == 0, result.err
    (run,) = (workdir / "runs" / "pair").iterdir()
    assert is_finished(run)
    assert (run / "pictures" / "epoch_0000.png").is_file()
    tested = lectern("test", "--ckpt_path", str(run / "checkpoints" / "last.ckpt"))
    assert tested.code == 0, tested.err


def written(name: str, workdir: Path) -> list[str]:
    """A recipe as a test can run it, on tiny data."""
    content = yaml.safe_load(recipes.path_of(name).read_text())
    # Weights are downloaded where there is a network; a test has none.
    text = re.sub(r"weights: (IMAGENET1K|COCO)\w+", "weights: null", recipes.path_of(name).read_text())
    text = text.replace("name: resnet50", "name: resnet18") if name in LARGE else text
    (workdir / "recipe.yaml").write_text(text)
    return ["--config", "recipe.yaml", *data_arguments(content["data"]["class_path"], workdir)]


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_runs_as_it_is_written(name: str, lectern: Lectern, workdir: Path) -> None:
    arguments = written(name, workdir)
    recipe = workdir / "recipe.yaml"  # "train" is of what a backbone is trained on before the run, which takes its time
    recipe.write_text(recipe.read_text().replace("train: 4000", "train: 64"))
    result = lectern("fit", *arguments, *QUICK, *LARGE.get(name, []))
    assert result.code == 0, result.err
    (run,) = (workdir / "runs" / "recipe").iterdir()
    assert is_finished(run)


def one_of_each_kind() -> list[str]:
    """A recipe of each task, and all that name callbacks or train in stages."""
    texts = {name: recipes.path_of(name).read_text() for name in recipes.names()}
    first = {name.split("/")[0]: name for name in reversed(list(texts))}
    return sorted({*first.values(), *(name for name, text in texts.items() if "callbacks" in text or "Staged" in text)})


@pytest.mark.parametrize("name", one_of_each_kind())
def test_a_smoke_test_of_a_recipe_runs_one_batch_of_everything_and_leaves_nothing(
    name: str, lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = written(name, workdir)
    before, seen = sorted(workdir.rglob("*")), list[str]()

    def count(loader: EpochLoader) -> Iterator[Any]:
        for batch in batches(loader):
            seen.append("batch")
            yield batch

    batches = EpochLoader.__iter__
    monkeypatch.setattr(EpochLoader, "__iter__", count)
    few = [option for option in LARGE.get(name, []) if "limit_" not in option]
    quick = ["--trainer.fast_dev_run=true", "--data.batch_size=2", "--data.workers=0"]
    result = lectern("fit", *arguments, *quick, *few)
    assert result.code == 0, result.err
    own = yaml.safe_load(recipes.path_of(name).read_text())["trainer"].get("callbacks", [])
    assert len(seen) <= 2 + 2 * len(own), "a training and a validation batch, and what callbacks take before and after"
    # What was found once and is kept for whoever asks next (proposals) is no part of a run.
    assert sorted(p for p in workdir.rglob("*") if not p.is_relative_to(workdir / "cache")) == before


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_opens_with_what_it_shows_and_where_that_comes_from(name: str) -> None:
    lines = recipes.path_of(name).read_text().splitlines()
    assert lines[0].startswith("# ") and lines[1].startswith("# ")
    assert any(word in " ".join(lines[:4]) for word in ("lecture 11", "Deck", "et al."))
