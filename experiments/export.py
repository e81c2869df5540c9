"""``lectern export``: a task's network as ONNX, checked against onnxruntime."""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from datamodules.scene import InputError
from lightning_modules.base import Task

from .checkpoints import load, task_of

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
        prediction = self.task.predict(self.task.network((image - self.task.mean) / self.task.std))[0]
        return tuple(prediction.values())  # type: ignore[arg-type]


def export(task: Task, path: Path) -> dict[str, float]:
    """Writes the task's network as ONNX and compares it with the original on random images.

    Returns:
        The greatest absolute difference of each output.

    Raises:
        InputError: the network cannot be exported (the message names the operator), or differs by more than 1e-4.
    """
    import onnxruntime

    if "proposals" in task.needs:
        raise InputError(
            f"{type(task.network).__name__} has no ONNX form: it takes proposals beside the image, which a search outside of "
            "the network finds"
        )
    task = task.eval().cpu()
    module = Exported(task).eval()
    height, width = task.specification.image_size
    generator = torch.Generator().manual_seed(0)
    images = [torch.randint(0, 256, (1, 3, height, width), generator=generator).float() for _ in range(3)]
    with torch.no_grad():
        names = list(task.predict(task.network((images[0] - task.mean) / task.std))[0])
        beside = path.with_name(f".{path.name}")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                torch.onnx.export(
                    module, (images[0],), str(beside), input_names=["image"], output_names=names, dynamo=False, opset_version=17
                )
        except Exception as error:
            beside.unlink(missing_ok=True)
            reason = " ".join(str(error).split())[:300]
            raise InputError(f"{type(task.network).__name__} has no ONNX form: {type(error).__name__}: {reason}") from error
        try:
            session = onnxruntime.InferenceSession(str(beside), providers=["CPUExecutionProvider"])
            differences = _compare(module, session, images, names)
        except Exception as error:
            beside.unlink(missing_ok=True)
            reason = " ".join(str(error).split())[:300]
            raise InputError(f"{path}: not written, since onnxruntime cannot run it: {reason}") from error
        if max(differences.values()) > TOLERANCE:
            beside.unlink(missing_ok=True)
            worst = max(differences, key=lambda name: differences[name])
            raise InputError(f"{path}: not written, since {worst} differs by {differences[worst]:.2g} from the network's")
        beside.replace(path)
    return differences


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
