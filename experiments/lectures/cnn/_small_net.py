"""The net of the studies of activations and of regularisation: three convolutions and an output, on small scenes."""

from __future__ import annotations

from typing import Any

RECIPE = "classification/cuda_convnet_shapes"
NETWORK = "model.init_args.network.init_args"
CHANCE = 5 / 6
"""Error of one guess among six classes."""
TRAINING_ERROR = "trainset/error"
DEPARTURES = ("16, 16 and 32 filters in place of 32, 32 and 64", "drawn scenes of 16 × 16 pixels in place of CIFAR-10")
CIFAR10 = {
    "data": {
        "class_path": "CIFAR10",
        "init_args": {"root": "data", "batch_size": 128, "workers": 8},
    },
    f"{NETWORK}.widths": [32, 32, 64],
}
"""What the scale ``gpu`` changes in every arm: real photographs, and cuda-convnet's own widths."""


def activation(name: str, **arguments: Any) -> dict[str, Any]:
    """Changes: the activation is ``torch.nn.<name>``."""
    return {f"{NETWORK}.activation": _made(f"torch.nn.{name}", arguments)}


def initialization(name: str, **arguments: Any) -> dict[str, Any]:
    """Changes: weights are drawn as ``lightning_modules.networks.<name>`` does."""
    return {f"{NETWORK}.initialization": _made(f"lightning_modules.networks.{name}", arguments)}


def callbacks(*made: dict[str, Any]) -> dict[str, Any]:
    return {"trainer.callbacks": list(made)}


def training_set(**arguments: Any) -> dict[str, Any]:
    return _made("experiments.measures.training.TrainingSet", arguments)


def _made(path: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"class_path": path, "init_args": arguments} if arguments else {"class_path": path}
