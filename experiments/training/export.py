"""``lectern export``: a task's network as ONNX, checked against onnxruntime."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from datamodules.scene import COMPUTED, InputError
from datamodules.temporary import beside
from experiments.command_line.early import checkpoint_in
from experiments.command_line.options import Options
from experiments.command_line.trusting import trusted
from lightning_modules.base import Task
from lightning_modules.networks.detector import Detector

from .agreement import MISSING, ROUNDING, TOLERANCE, differences
from .checkpoint_io import load
from .rebuilding import task_of


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
        The greatest difference of each output, as :func:`agreement.differences` measures it.

    Raises:
        InputError: the network cannot be exported (the message names the operator), or differs by more than 1e-4, or finds
            what its graph does not find.
    """
    onnxruntime()  # asked for before anything is written

    if task.needs & COMPUTED:
        raise InputError(
            f"{type(task.network).__name__} has no ONNX form: it takes proposals beside the image, which a search outside of "
            "the network finds"
        )
    task = task.eval().cpu()
    height, width = task.metadata.image_size
    generator = torch.Generator().manual_seed(0)
    images = [torch.randint(0, 256, (1, 3, height, width), generator=generator).float() for _ in range(3)]
    draft, of_detections = beside(path), dict[str, float]()
    try:
        with torch.no_grad():
            if isinstance(task.network, Detector):
                with _some_detections(task, images[0]):
                    of_detections = _checked(task, draft, images)
                if not of_detections:
                    raise InputError(f"{type(task.network).__name__} scores all boxes alike, so that none can be compared")
            as_it_is = _checked(task, draft, images)
        draft.replace(path)
    except InputError as error:
        raise InputError(f"{path}: not written: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
    return {name: max(each.get(name, 0.0) for each in (as_it_is, of_detections)) for name in as_it_is | of_detections}


@contextmanager
def _some_detections(task: Task, image: Tensor) -> Iterator[None]:
    """The task's detector finds at least the five best boxes of the image meanwhile, however low they score."""
    network: Any = task.network
    threshold, network.score_threshold = network.score_threshold, -1.0
    best = _predict(task, image)["scores"][4:20]
    widest, at = (best[:-1] - best[1:]).max(0) if len(best) > 1 else (torch.tensor(0.0), torch.tensor(0))
    # In the middle of the widest gap, which rounding does not reach; all boxes where there is no gap.
    between = float(best[at : at + 2].mean()) if float(widest) > ROUNDING else -1.0
    network.score_threshold = min(threshold, between)
    try:
        yield
    finally:
        network.score_threshold = threshold


def _predict(task: Task, image: Tensor) -> Any:
    return task.predict(_outputs(task, image))[0]


def _outputs(task: Task, image: Tensor) -> Any:
    return task(image)


def _checked(task: Task, path: Path, images: list[Tensor]) -> dict[str, float]:
    """Writes the graph, and says how far it is from the network.

    Raises:
        InputError: it cannot be written or run, or is too far from it.
    """
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
        session = onnxruntime().InferenceSession(str(path), providers=["CPUExecutionProvider"])
        found = _compare(task, session, images, names)
    except Exception as error:
        raise InputError(f"onnxruntime cannot run {network}: {_short(error)}") from error
    worst = max(found, key=lambda name: found[name], default="")
    if found.get(worst) == MISSING:
        raise InputError(f"{worst} differs from the network's: what one of the two finds the other does not")
    if found.get(worst, 0.0) > TOLERANCE:
        raise InputError(f"{worst} differs by {found[worst]:.2g} from the network's")
    return found


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _compare(task: Task, session: Any, images: list[Tensor], names: list[str]) -> dict[str, float]:
    """The greatest difference of each output over the images, of those that could be compared."""
    greatest = dict[str, float]()
    for image in images:
        outputs = _outputs(task, image)
        own: Any = task.predict(outputs)[0]
        theirs = map(torch.from_numpy, session.run(None, {"image": image.numpy()}))
        found = differences(task.network, outputs, own, dict(zip(names, theirs, strict=True)))
        greatest |= {name: max(value, greatest.get(name, 0.0)) for name, value in found.items()}
    return greatest


def onnxruntime() -> Any:
    """The library, imported where it is used; :mod:`experiments` has told it to call nobody."""
    import onnxruntime

    return onnxruntime


def run(arguments: list[str]) -> int:
    """The command; returns its exit code."""
    parser = Options("lectern export", "Writes a checkpoint's network as ONNX, and checks it.")
    parser.add_argument("--ckpt_path", type=Path, required=True)
    parser.add_argument("--output", type=Path, help="the file; by default beside the checkpoint")
    parser.add_argument("--trust", action="append", default=[], help="a package of your own, whose classes it may name")
    options = parser.parse_args(arguments)
    checkpoint = checkpoint_in(options.ckpt_path)
    if checkpoint != options.ckpt_path:
        print(f"lectern: --ckpt_path {options.ckpt_path} is a folder: {checkpoint} is taken", file=sys.stderr)
    packages = trusted(options.trust or [os.environ.get("LECTERN_EXPORT__TRUST", "")])
    task = task_of(load(checkpoint), checkpoint, packages)
    path: Any = options.output or checkpoint.with_suffix(".onnx")
    try:
        differences = export(task, path)
    except ImportError as error:
        raise InputError(f"export needs {error.name}: pip install 'lectern[export]'") from None
    print(f"{path}: " + ", ".join(f"{name} within {value:.1e}" for name, value in differences.items()))
    return 0
