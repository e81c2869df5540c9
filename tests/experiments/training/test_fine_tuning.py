"""``--init_from``: a new run that begins with the weights of a file, as far as they are its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import nn
from torchvision.models import resnet18
from torchvision.models.vgg import cfgs, make_layers

from datamodules import Shapes
from datamodules.scene import InputError
from experiments.runs.folder import is_finished
from experiments.training.fine_tuning import Weights, initialise
from lightning_modules import Classification, Detection, StagedDetection
from lightning_modules.networks import (
    RCNN,
    YOLO,
    ConvBackbone,
    FasterRCNN,
    StagedHead,
    TorchvisionBackbone,
    TorchvisionNet,
)
from lightning_modules.networks.ssd import SSDBackbone
from tests.conftest import Lectern
from tests.support.interrupted import kill, start, wait_for
from tests.support.small_runs import SMALL, one_run

QUIET = [*SMALL, "--pictures.count=0", "--trainer.enable_model_summary=false", "--trainer.max_epochs=1"]
RECIPE = "classification/small_shapes"
FIT = ["fit", "--config", RECIPE, *QUIET]
FIVE = "--data.style.classes=[circle,cross,square,star,triangle]"


def metadata(**arguments: Any) -> dict[str, Any]:
    return dict(Shapes(image_size=64, **arguments).metadata.as_dict())


def saved(network: nn.Module, name: str, **around: Any) -> Path:
    """A file of a network's weights, drawn anew; what is not in it is not taken by chance."""
    with torch.no_grad():
        for value in network.state_dict().values():
            value.copy_(torch.rand(value.shape)) if value.is_floating_point() else value.fill_(9)
    state = {f"{around.get('before', '')}{key}": value for key, value in network.state_dict().items()}
    torch.save({around["key"]: state} if "key" in around else state, name)
    return Path(name)


def task(kind: Any, network: Any, **arguments: Any) -> Any:
    return kind(network=network, optimizer=torch.optim.SGD, metadata=metadata(**arguments))


# From a person's side ----------------------------------------------------------------------------------------------------


def test_another_number_of_classes_keeps_all_but_the_head(
    lectern: Lectern, workdir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert lectern(*FIT, "--name=first").code == 0
    first = one_run(workdir / "runs" / "first")
    before = {path: path.read_bytes() for path in first.rglob("*") if path.is_file()}
    given = str(first.relative_to(workdir) / "checkpoints" / "last.ckpt")
    assert lectern(*FIT, FIVE, "--name=second", "--init_from", given).code == 0
    second = one_run(workdir / "runs" / "second")
    stored, of_all = (len(torch.load(given, weights_only=True)["state_dict"]) - n for n in (2, 0))
    head = "fresh: network.1.4 (2; 5 classes here, 6 there)"
    assert f"{stored} of {of_all} weights from {given}; {head}" in caplog.text
    assert yaml.safe_load((second / "config.yaml").read_text())["init_from"] == given
    assert json.loads((second / "summary.json").read_text())["init_from"] == {"path": given, "weights": stored, "fresh": 2}
    assert before == {path: path.read_bytes() for path in first.rglob("*") if path.is_file()}
    assert lectern("fit", "--config", str(second / "config.yaml"), "--name=third").code == 0
    third = one_run(workdir / "runs" / "third")
    weights = [torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"] for run in (second, third)]
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items()), "the file repeats the run"


def test_what_cannot_be_begun_with_is_one_line(lectern: Lectern, workdir: Path) -> None:
    saved(resnet18(), "resnet18.pth")
    Path("noise.ckpt").write_bytes(bytes(100))
    torch.save({"epoch": 3}, "empty.ckpt")
    for path, said in {
        "gone.ckpt": "gone.ckpt: no such checkpoint",
        "noise.ckpt": "noise.ckpt: not a checkpoint that can be read",
        "empty.ckpt": "empty.ckpt: holds no weights by name",
        "resnet18.pth": "none of its 122 weights has the name and shape of one of Classification with SmallConvNet",
    }.items():
        result = lectern(*FIT, "--init_from", path)
        assert result.code == 2
        assert said in result.err.splitlines()[-1] and "Traceback" not in result.err


def test_an_interrupted_run_goes_on_and_does_not_begin_again(lectern: Lectern, workdir: Path) -> None:
    assert lectern(*FIT, "--name=first").code == 0
    given = str(one_run(workdir / "runs" / "first") / "checkpoints" / "last.ckpt")
    command = [*FIT, "--name=second", "--ckpt_path=last", "--init_from", given, "--checkpoint.steps=1"]
    pid = start([*command, "--trainer.max_epochs=400"], workdir / "log")
    run = wait_for("runs/second/*/checkpoints/last.ckpt", workdir, pid).parent.parent
    kill(pid)
    Path(given).unlink()
    done = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["epoch"]
    other = lectern(*FIT, "--name=second", "--ckpt_path=last", "--init_from=other.ckpt")
    assert other.code == 2 and f"began from {given}: give one of the two" in other.err
    longer = f"--trainer.max_epochs={done + 2}"
    assert lectern(*command, longer).code == 0
    assert is_finished(run) and len(list(run.parent.iterdir())) == 1
    assert yaml.safe_load((run / "config.yaml").read_text())["init_from"] == given
    assert json.loads((run / "summary.json").read_text())["init_from"]["path"] == given
    # Without the word it is the same run, too.
    without = lectern(*FIT, "--name=second", f"--trainer.max_epochs={done + 3}", "--ckpt_path", last(run))
    assert without.code == 0, without.err
    assert yaml.safe_load((run / "config.yaml").read_text())["init_from"] == given


def last(run: Path) -> str:
    return str(run / "checkpoints" / "last.ckpt")


def test_to_begin_and_to_go_on_are_two_things(lectern: Lectern, workdir: Path) -> None:
    assert lectern(*FIT, "--name=first").code == 0
    path = last(one_run(workdir / "runs" / "first"))
    result = lectern(*FIT, "--trainer.max_epochs=2", "--ckpt_path", path, "--init_from", path)
    assert result.code == 2 and "began without it: give one of the two" in result.err


def test_weights_that_would_be_downloaded_are_not(lectern: Lectern, workdir: Path, caplog: pytest.LogCaptureFixture) -> None:
    saved(resnet18(), "resnet18.pth")
    network = {"class_path": "TorchvisionNet", "init_args": {"name": "resnet18", "weights": "IMAGENET1K_V1"}}
    Path("model.yaml").write_text(yaml.safe_dump({"model": {"init_args": {"network": network}}}))
    assert lectern(*FIT, "--config=model.yaml", "--data.image_size=32", "--init_from=resnet18.pth", "--name=r").code == 0
    assert "120 of 122 weights from resnet18.pth; fresh: network.network.fc (2; of another shape there)" in caplog.text
    assert "in place of the weights IMAGENET1K_V1, which are not read" in caplog.text
    config = yaml.safe_load((one_run(workdir / "runs" / "r") / "config.yaml").read_text())
    assert config["model"]["init_args"]["network"]["init_args"]["weights"] is None


# What is taken from which file -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("around", [{}, {"key": "model"}, {"key": "state_dict", "before": "module."}, {"before": "_orig_mod."}])
def test_a_state_dict_in_each_of_its_forms(around: dict[str, str], workdir: Path) -> None:
    path = saved(reference := resnet18(), "x.pth", **around)
    built = task(Classification, TorchvisionNet)
    assert str(initialise(built, Weights.read(path))) == (
        "120 of 122 weights from x.pth; fresh: network.network.fc (2; of another shape there)"
    )
    for name, value in built.network.network.state_dict().items():
        assert name.startswith("fc.") or torch.equal(value, reference.state_dict()[name]), name


def test_torchvision_s_classifier_becomes_a_detector_s_backbone(workdir: Path) -> None:
    def network(classes: int) -> FasterRCNN:
        return FasterRCNN(classes, backbone=lambda: TorchvisionBackbone("resnet18", strides=[16]))

    path, reference = saved(resnet18(), "plain.pth"), dict(torch.load("plain.pth", weights_only=True))
    classifier = task(Classification, TorchvisionNet)
    initialise(classifier, Weights.read(path))
    torch.save({"state_dict": classifier.state_dict(), "hyper_parameters": {"metadata": metadata()}}, "lectern.ckpt")
    for file in ("plain.pth", "lectern.ckpt"):
        built = task(Detection, network)
        taken = initialise(built, Weights.read(Path(file)))
        stages = built.network.backbone.stages
        assert torch.equal(stages["stride2"][0].weight, reference["conv1.weight"])
        assert torch.equal(stages["stride2"][1].running_var, reference["bn1.running_var"])
        assert torch.equal(stages["stride16"][0][1].conv2.weight, reference["layer3.1.conv2.weight"])
        assert taken.taken == len(built.network.backbone.state_dict()), "all of it; layer4 is left out of the network"


def test_vgg_becomes_ssd_s_backbone(workdir: Path) -> None:
    path, reference = (
        saved(nn.ModuleDict({"features": make_layers(cfgs["D"])}), "vgg16.pth"),
        torch.load("vgg16.pth", weights_only=True),
    )
    built = Classification(network=lambda classes: _WithBackbone(SSDBackbone()), optimizer=torch.optim.SGD, metadata=metadata())
    taken = initialise(built, Weights.read(path))
    assert taken.taken == 26, "13 convolutions, each with its bias"
    convolutions = [m for m in built.network.backbone.modules() if isinstance(m, nn.Conv2d)]
    for conv, name in zip(
        convolutions, [f"features.{i}" for i in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)], strict=False
    ):
        assert torch.equal(conv.weight, reference[f"{name}.weight"]), name


class _WithBackbone(nn.Module):
    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone


def test_one_backbone_serves_two_tasks(workdir: Path) -> None:
    """From a detector with its own head to a classifier of other names before the backbone's."""

    class Around(nn.Module):
        def __init__(self, classes: int) -> None:
            super().__init__()
            self.body = nn.ModuleDict({"backbone": ConvBackbone((8, 12, 16), depth=1)})
            self.fc = nn.Linear(16, classes)

    detector = task(Detection, lambda classes: YOLO(classes, backbone=lambda: ConvBackbone((8, 12, 16), depth=1)))
    torch.save({"state_dict": detector.state_dict()}, "detector.ckpt")
    built = task(Classification, Around)
    taken = initialise(built, Weights.read(Path("detector.ckpt")))
    assert str(taken) == "18 of 20 weights from detector.ckpt; fresh: network.fc (2)"
    for name, value in detector.network.backbone.state_dict().items():
        assert torch.equal(value, built.network.body["backbone"].state_dict()[name])


def test_what_a_run_fits_at_its_end_is_not_taken_over(workdir: Path) -> None:
    """With ``has_svm`` and no SVM of its own, a network of other classes would score everything 1/2."""

    def network(classes: int) -> RCNN:
        return RCNN(classes, backbone=lambda: ConvBackbone((4, 8), depth=1), head=StagedHead)

    old = task(StagedDetection, network)
    for name in ("svm", "has_svm", "regressor", "has_regressor"):
        getattr(old.head, name).fill_(1)
    torch.save({"state_dict": old.state_dict()}, "old.ckpt")
    for classes in (None, ("circle", "cross")):
        style = {"style": Shapes(image_size=64).style.__class__(classes=classes)} if classes else {}
        new = task(StagedDetection, network, **style)
        taken = initialise(new, Weights.read(Path("old.ckpt")))
        assert not new.head.has_svm and not new.head.has_regressor and not new.head.svm.any()
        assert "network.head.svm (1)" in str(taken)
        assert torch.equal(new.head.layers[0].weight, old.head.layers[0].weight)


def test_weights_that_are_not_finite_are_refused(workdir: Path) -> None:
    network = task(Classification, TorchvisionNet)
    network.network.network.bn1.running_var[3] = float("nan")
    torch.save(network.state_dict(), "nan.pth")
    with pytest.raises(InputError, match=r"nan\.pth: network\.network\.bn1\.running_var is not finite"):
        initialise(task(Classification, TorchvisionNet), Weights.read(Path("nan.pth")))
