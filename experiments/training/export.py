"""``lectern export``: a task's network as ONNX, checked against onnxruntime."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from datamodules.scene import COMPUTED, InputError
from lightning_modules.base import Task
from lightning_modules.networks.detector import Detector

from .checkpoint_io import load
from .rebuilding import task_of

TOLERANCE = 1e-4


class Exported(nn.Module):
    """One image in, what the task predicts of it out.

    Input: float (1, 3, H, W), RGB, values 0 to 255 (the normalisation is inside). Outputs: the fields of a prediction, by
    name: ``label`` and ``scores``, ``mask``, ``boxes`` (with ``labels``, ``scores``, ``masks``, ``keypoints``), ``keypoints``.
    """

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(_predict(self.task, image).values())


def export(task: Task, path: Path) -> dict[str, float]:
    """Writes the task's network as ONNX and compares it with the original on random images.

    In these a trained detector finds nothing, and there would be nothing to compare: its boxes are compared in a second graph,
    of a lower threshold, which is not kept.

    Returns:
        The greatest absolute difference of each output.

    Raises:
        InputError: the network cannot be exported (the message names the operator), or differs by more than 1e-4.
    """
    import onnxruntime  # noqa: F401  (asked for before anything is written)

    if task.needs & COMPUTED:
        raise InputError(
            f"{type(task.network).__name__} has no ONNX form: it takes proposals beside the image, which a search outside of "
            "the network finds"
        )
    task = task.eval().cpu()
    height, width = task.specification.image_size
    generator = torch.Generator().manual_seed(0)
    images = [torch.randint(0, 256, (1, 3, height, width), generator=generator).float() for _ in range(3)]
    beside, of_detections = path.with_name(f".{path.name}"), dict[str, float]()
    try:
        with torch.no_grad():
            if isinstance(task.network, Detector):
                with _some_detections(task, images[0]):
                    of_detections = _checked(task, beside, images)
            differences = _checked(task, beside, images)
        beside.replace(path)
    except InputError as error:
        raise InputError(f"{path}: not written: {error}") from error
    finally:
        beside.unlink(missing_ok=True)
    return {name: max(value, of_detections.get(name, 0.0)) for name, value in differences.items()}


@contextmanager
def _some_detections(task: Task, image: Tensor) -> Iterator[None]:
    """The task's detector finds at least the five best boxes of the image meanwhile, however low they score."""
    network: Any = task.network
    threshold, network.score_threshold = network.score_threshold, -1.0
    scores = _predict(task, image)["scores"]
    # Half-way between two scores, which rounding does not reach.
    between = float(scores[4:6].mean()) if len(scores) > 5 else -1.0
    network.score_threshold = min(threshold, between)
    try:
        yield
    finally:
        network.score_threshold = threshold


def _predict(task: Task, image: Tensor) -> Any:
    return task.predict(task.network((image - task.mean) / task.std))[0]


def _checked(task: Task, path: Path, images: list[Tensor]) -> dict[str, float]:
    """Writes the graph, and says how far it is from the network.

    Raises:
        InputError: it cannot be written or run, or is too far from it.
    """
    import onnxruntime

    module, names = Exported(task).eval(), list(_predict(task, images[0]))
    network = type(task.network).__name__
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module, (images[0],), str(path), input_names=["image"], output_names=names, dynamo=False, opset_version=17
            )
    except Exception as error:
        raise InputError(f"{network} has no ONNX form: {type(error).__name__}: {_short(error)}") from error
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        differences = _compare(module, session, images, names)
    except Exception as error:
        raise InputError(f"onnxruntime cannot run {network}: {_short(error)}") from error
    if max(differences.values()) > TOLERANCE:
        worst = max(differences, key=lambda name: differences[name])
        raise InputError(f"{worst} differs by {differences[worst]:.2g} from the network's")
    return differences


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _compare(module: nn.Module, session: Any, images: list[Tensor], names: list[str]) -> dict[str, float]:
    differences = dict.fromkeys(names, 0.0)
    for image in images:
        for name, own, theirs in zip(names, module(image), session.run(None, {"image": image.numpy()}), strict=True):
            other = torch.from_numpy(theirs)
            if own.shape != other.shape:
                differences[name] = float("inf")
            elif own.numel():
                differences[name] = max(differences[name], float((own.double() - other.double()).abs().max()))
    return differences


def run(arguments: list[str]) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="lectern export", description="Writes a checkpoint's network as ONNX, and checks it.")
    parser.add_argument("--ckpt_path", type=Path, required=True)
    parser.add_argument("--output", type=Path, help="the file; by default beside the checkpoint")
    options = parser.parse_args(arguments)
    try:
        task = task_of(load(options.ckpt_path), options.ckpt_path)
        path: Any = options.output or options.ckpt_path.with_suffix(".onnx")
        differences = export(task, path)
    except ImportError as error:
        print(f"lectern: export needs {error.name}: pip install 'lectern[export]'", file=sys.stderr)
        return 2
    except InputError as error:
        print(f"lectern: {error}", file=sys.stderr)
        return 2
    print(f"{path}: " + ", ".join(f"{name} within {value:.1e}" for name, value in differences.items()))
    return 0
