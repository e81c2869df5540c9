"""Every recipe, and every task on every data module that can feed it, through the real main()."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torchvision
import yaml

from datamodules import voc
from experiments import recipes
from experiments.catalog import pairs
from experiments.runs import is_finished
from tests.conftest import Lectern
from tests.datamodules import tiny

QUICK = (
    "--trainer.max_epochs=1 --trainer.limit_train_batches=2 --trainer.limit_val_batches=2 --trainer.num_sanity_val_steps=0 "
    "--trainer.enable_progress_bar=false --trainer.enable_model_summary=false --trainer.log_every_n_steps=1 "
    "--data.batch_size=2 --data.workers=0 --pictures.count=2"
).split()

SHAPES = ["--data.train=4", "--data.val=2", "--data.test=2"]

SHORT = "--trainer.limit_train_batches=1 --trainer.limit_val_batches=0".split()
FEW_REGIONS = ["--data.image_size=[64,96]", "--model.network.proposals=20", "--model.network.samples=8", *SHORT]
LARGE: dict[str, list[str]] = {
    "instance_segmentation/mask_rcnn_coco": FEW_REGIONS,
    "keypoint_detection/keypoint_rcnn_coco": FEW_REGIONS,
    "detection/fast_rcnn_voc": ["--data.image_size=[96,128]", *SHORT],
    "detection/rcnn_voc": ["--data.image_size=[96,128]", "--model.network.crop=67", *SHORT],
}
"""Recipes for large GPUs, or several: they are run for a step with a smaller trunk, on small images and with few regions."""

WRITERS: dict[str, Callable[[Path], Path]] = {
    "CIFAR10": tiny.write_cifar10,
    "COCO": tiny.write_coco,
    "COCOKeypoints": tiny.write_coco,
    "CaltechBoxes": tiny.write_caltech_boxes,
    "CamVid": tiny.write_camvid,
    "ImageFolder": tiny.write_image_folder,
    "LSP": tiny.write_lsp,
    "MNIST": tiny.write_mnist,
    "VOC": tiny.write_voc,
}


def data_arguments(name: str, folder: Path) -> list[str]:
    """What points a data module at tiny files in its official layout."""
    if name == "Shapes":
        return SHAPES
    WRITERS[name](folder / "data")
    own = ["--data.year=2007", f"--data.classes=[{','.join(voc.CLASSES)}]"] if name == "VOC" else []
    return [f"--data.root={folder / 'data'}", *own]


def network_and_data(task: str) -> dict[str, object]:
    """A small network for a task."""
    networks: dict[str, dict[str, object]] = {
        "Classification": {"class_path": "SmallConvNet", "init_args": {"widths": [4, 8]}},
        "MultiLabelClassification": {"class_path": "SmallConvNet", "init_args": {"widths": [4, 8]}},
        "Segmentation": {"class_path": "lightning_modules.networks.FCN"},
        "Localization": {"class_path": "ClassAndBox"},
        "Pose": {"class_path": "JointRegressor"},
        "Detection": {"class_path": "lightning_modules.networks.YOLO"},
        "InstanceSegmentation": {"class_path": "lightning_modules.networks.MaskRCNN"},
        "KeypointDetection": {"class_path": "lightning_modules.networks.KeypointRCNN"},
        "KeypointAndMaskDetection": {"class_path": "lightning_modules.networks.KeypointMaskRCNN"},
        "RegionDetection": {"class_path": "lightning_modules.networks.FastRCNN"},
        "StagedDetection": {"class_path": "lightning_modules.networks.RCNN"},
    }
    optimizer = {"class_path": "torch.optim.AdamW", "init_args": {"lr": 1e-3}}
    return {"model": {"class_path": task, "init_args": {"network": networks[task], "optimizer": optimizer}}}


@pytest.fixture(autouse=True)
def no_checksums(monkeypatch: pytest.MonkeyPatch) -> None:
    """torchvision knows the official CIFAR-10 by its checksums, which tiny files cannot have."""
    monkeypatch.setattr(torchvision.datasets.cifar, "check_integrity", lambda path, md5=None: Path(path).is_file())


@pytest.mark.parametrize(("task", "data"), pairs())
def test_a_task_trains_on_every_data_module_that_list_claims(task: str, data: str, lectern: Lectern, workdir: Path) -> None:
    figures = ["--data.style.figures=[1,1]"] if data == "Shapes" else []
    config = workdir / "pair.yaml"
    config.write_text(yaml.safe_dump(network_and_data(task) | {"data": {"class_path": data}}))
    size = "--data.image_size=48" if data != "MNIST" else "--data.image_size=32"
    result = lectern("fit", "--config", str(config), *data_arguments(data, workdir), *figures, size, *QUICK)
    assert result.code == 0, result.err
    (run,) = (workdir / "runs" / "pair").iterdir()
    assert is_finished(run)
    assert (run / "pictures" / "epoch_0000.png").is_file()
    tested = lectern("test", "--ckpt_path", str(run / "checkpoints" / "last.ckpt"))
    assert tested.code == 0, tested.err


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_runs_as_it_is_written(name: str, lectern: Lectern, workdir: Path) -> None:
    content = yaml.safe_load(recipes.path_of(name).read_text())
    data = content["data"]["class_path"]
    # Weights are downloaded where there is a network; a test has none.
    text = recipes.path_of(name).read_text().replace("weights: IMAGENET1K_V1", "weights: null")
    text = text.replace("train: 4000", "train: 64")  # of what a trunk is trained on before the run, which takes its time
    text = text.replace("name: resnet50", "name: resnet18") if name in LARGE else text
    (workdir / "recipe.yaml").write_text(text)
    result = lectern("fit", "--config", "recipe.yaml", *data_arguments(data, workdir), *QUICK, *LARGE.get(name, []))
    assert result.code == 0, result.err
    (run,) = (workdir / "runs" / "recipe").iterdir()
    assert is_finished(run)


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_opens_with_what_it_shows_and_where_that_comes_from(name: str) -> None:
    lines = recipes.path_of(name).read_text().splitlines()
    assert lines[0].startswith("# ") and lines[1].startswith("# ")
    assert any(word in " ".join(lines[:4]) for word in ("lecture 11", "Deck", "et al."))
