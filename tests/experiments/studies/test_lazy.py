"""Classes with arguments as a configuration has them, and what the command line makes of these."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from datamodules import COCO, Shapes
from experiments.measures.training import TrainingSet
from experiments.studies.lazy import L, path_of, plain
from experiments.studies.study import configuration
from lightning_modules import Classification, FreezeBackbone
from lightning_modules.networks import (
    FCN,
    CifarNet,
    ConvEncoder,
    Kaiming,
    LocalConnection,
    MapsNet,
    SmallConvNet,
    TransposeConv,
)
from lightning_modules.schedules import Steps
from tests.support.configurations import printed


def test_a_class_with_arguments_is_what_a_yaml_has() -> None:
    assert L(CifarNet)(depth=56, residual=False) == {
        "class_path": "lightning_modules.networks.CifarNet",
        "init_args": {"depth": 56, "residual": False},
    }
    assert L(Kaiming)() == {"class_path": "lightning_modules.networks.Kaiming"}
    assert L(torch.optim.SGD)(lr=0.1, momentum=0.9)["class_path"] == "torch.optim.SGD"


def test_classes_and_configurations_nest_and_tuples_are_lists() -> None:
    made = L(FCN)(skips=(4, 2), upsampling=L(TransposeConv)(kernel_size=2), encoder=ConvEncoder)
    assert made["init_args"] == {
        "skips": [4, 2],
        "upsampling": {"class_path": "lightning_modules.networks.TransposeConv", "init_args": {"kernel_size": 2}},
        "encoder": "lightning_modules.networks.ConvEncoder",
    }
    assert plain({"a": [partial(ConvEncoder, widths=(8, 16))]}) == {"a": [L(ConvEncoder)(widths=[8, 16])]}


@pytest.mark.parametrize(
    ("cls", "path"),
    [
        (CifarNet, "lightning_modules.networks.CifarNet"),
        (Classification, "lightning_modules.Classification"),
        (Shapes, "datamodules.Shapes"),
        (Steps, "lightning_modules.schedules.Steps"),
        (TrainingSet, "experiments.measures.training.TrainingSet"),
        (nn.LeakyReLU, "torch.nn.LeakyReLU"),
        (torch.optim.AdamW, "torch.optim.AdamW"),
        (configuration, "experiments.studies.study.configuration"),
    ],
)
def test_the_path_is_that_of_the_package_which_exports_it(cls: Any, path: str) -> None:
    assert path_of(cls) == path


def test_what_a_class_does_not_take_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="CifarNet has no argument dept"):
        L(CifarNet)(dept=56)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="COCO has no argument letterbox"):
        L(COCO)(root="data", invalid="skip", letterbox=True)
    assert L(COCO)(invalid="skip")["init_args"] == {"invalid": "skip"}  # of its base class
    with pytest.raises(TypeError, match="cannot be imported"):
        path_of(lambda: None)


def test_the_command_line_takes_callables_without_what_the_task_gives_them(tmp_path: Path) -> None:
    network = L(SmallConvNet)(
        widths=(8, 16),
        activation=L(nn.LeakyReLU)(negative_slope=0.1),
        global_pooling=L(nn.AdaptiveAvgPool2d)(output_size=1),
        normalization=nn.BatchNorm2d,
        initialization=L(Kaiming)(slope=0.1),
    )
    changes = {
        "model.network": network,
        "model.optimizer": L(torch.optim.SGD)(lr=0.1, momentum=0.9),
        "model.scheduler": L(Steps)(at=(0.5,)),
        "trainer.callbacks": [L(TrainingSet)(samples=10), L(FreezeBackbone)(epochs=1)],
    }
    found = printed(configuration("classification/cuda_convnet_shapes", changes), tmp_path)
    model = found["model"]["init_args"]
    assert model["network"]["init_args"] | network["init_args"] == model["network"]["init_args"] | {
        "normalization": "torch.nn.BatchNorm2d",
        "activation": L(nn.LeakyReLU)(negative_slope=0.1),
    }
    assert model["optimizer"]["class_path"] == "torch.optim.SGD" and model["scheduler"]["init_args"]["at"] == [0.5]
    assert [callback["class_path"].rpartition(".")[2] for callback in found["trainer"]["callbacks"]] == [
        "TrainingSet",
        "FreezeBackbone",
    ]


def test_a_class_as_an_argument_is_taken_too(tmp_path: Path) -> None:
    net = L(MapsNet)(image_size=(16, 16), connection=LocalConnection)
    found = printed(configuration("classification/connections_shapes", {"model.network": net}), tmp_path)
    connection = found["model"]["init_args"]["network"]["init_args"]["connection"]
    assert connection == L(LocalConnection)()
