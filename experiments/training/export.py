"""``lectern export``: a task's network as ONNX, checked against onnxruntime."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from datamodules.resizing import ResizeMode
from datamodules.scene import COMPUTED, InputError
from datamodules.temporary import beside
from experiments.command_line.early import checkpoint_in
from experiments.command_line.options import Options
from experiments.command_line.trusting import trusted
from experiments.runs.writing import writing
from lightning_modules.base import Task
from lightning_modules.dense_captioning import DenseCaptioning
from lightning_modules.networks.detector import Detector
from lightning_modules.networks.dpm import DPM
from lightning_modules.networks.faster_rcnn import FasterRCNN, FasterRCNNOutputs

from . import onnx_files
from .agreement import MISSING, ROUNDING, TOLERANCE, differences
from .checkpoint_io import load
from .onnx_batches import ANSWER, INPUT, OPSET, as_tensors, for_each_image, of_each
from .rebuilding import Saved, resize_mode_of, task_of


class Stacked(nn.Module):
    """Images in, what the task predicts of them out, where that has the same shape for each.

    Input: float (B, 3, H, W), RGB, values 0 to 255 (the normalisation is inside). Outputs: the fields of a prediction, by
    name, (B, ...): ``label`` and ``scores``, ``mask``, ``boxes``, ``keypoints``; a predicted image as ``predicted_image``.
    """

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        fields = self.task.stacked(_outputs(self.task, images))
        assert fields is not None
        return tuple(fields.values())


class Stem(nn.Module):
    """Images as :class:`Stacked` takes them in, out the tensors (B, ...) that :class:`Rest` starts from.

    A network with proposals of its own finds different numbers of them in each image: of it it is the maps that they lie on.
    Of other networks it is the outputs, and where these are no tensors the images themselves.
    """

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        network: Any = self.task.network
        if isinstance(network, FasterRCNN):
            return tuple(network.share((images - self.task.mean) / self.task.std))
        outputs = _outputs(self.task, images)
        return tuple(_of_images(outputs, len(images))) if _is_tensors(outputs) else (images + 0,)


class Rest(nn.Module):
    """From what :class:`Stem` says of one image to the fields of its prediction: ``boxes`` (M, 4), ``labels``, ``scores`` …"""

    def __init__(self, task: Task, image: Tensor) -> None:
        super().__init__()
        self.task = task
        self.size = (image.shape[-2], image.shape[-1])
        self.outputs = _outputs(task, image)

    def forward(self, *parts: Tensor) -> tuple[Tensor, ...]:
        network: Any = self.task.network
        outputs: Any
        if isinstance(network, FasterRCNN):
            outputs = FasterRCNNOutputs(list(parts), network.rpn(list(parts), self.size), self.size)
        elif isinstance(self.outputs, Tensor):
            (outputs,) = parts
        elif _is_tensors(self.outputs):
            rest = iter(parts)
            outputs = type(self.outputs)(*(next(rest) if _is_of_images(value, 1) else value for value in self.outputs))
        else:
            outputs = _outputs(self.task, *parts)
        found: Any = self.task.predict(outputs)[0]
        return tuple(found.values())


def _is_tensors(outputs: Any) -> bool:
    """Whether a network's outputs are a tensor, or a named tuple of tensors and plain values."""
    plain = (Tensor, tuple, int, float, str)
    return isinstance(outputs, Tensor) or (hasattr(outputs, "_fields") and all(isinstance(value, plain) for value in outputs))


def _of_images(outputs: Any, images: int) -> list[Tensor]:
    """The tensors of a network's outputs with an entry an image; others (SSD's default boxes) are the same for all."""
    return [value for value in ([outputs] if isinstance(outputs, Tensor) else outputs) if _is_of_images(value, images)]


def _is_of_images(value: Any, images: int) -> bool:
    return isinstance(value, Tensor) and value.ndim > 0 and value.shape[0] == images


def export(task: Task, path: Path, resize_mode: ResizeMode = "stretch") -> dict[str, float]:
    """Writes the task's network as ONNX and compares it with the original on random images, one by one and as a batch.

    In these a trained detector finds nothing, and there would be nothing to compare: its boxes are compared in a second graph,
    of a lower threshold, which is not kept.

    The graph takes ``image``, float (B, 3, H, W), RGB, values 0 to 255 (the normalisation is inside), any B. It puts out the
    fields of a prediction by name, (B, ...). Where images have different numbers of objects, an object's fields hold those of
    all images, one image's behind the other's, and ``count``, int64 (B,), says how many each has. The file has what ``lectern
    predict`` asks for beside the graph (:mod:`.onnx_files`).

    Args:
        task: trained.
        path: of the file.
        resize_mode: how images took their size for it.

    Returns:
        The greatest difference of each output, as :func:`agreement.differences` measures it.

    Raises:
        InputError: the file cannot be written, or the network cannot be exported (the message names the operator), or differs
            by more than 1e-4, or finds what its graph does not find.
    """
    onnxruntime()  # asked for before anything is written

    if task.needs & COMPUTED:
        raise InputError(
            f"{type(task.network).__name__} has no ONNX form: it takes proposals beside the image, which a search outside of "
            "the network finds"
        )
    if isinstance(task.network, DPM):
        raise InputError(
            "DPM has no ONNX form: it looks for its parts in loops of numpy over a pyramid of features, which a graph of "
            "tensors does not hold; lectern predict runs its checkpoint"
        )
    if isinstance(task, DenseCaptioning):
        raise InputError(
            f"{type(task.network).__name__} has no ONNX form: its phrases are text, and found word by word in a search; "
            "lectern predict says them from the checkpoint"
        )
    task = task.eval().cpu()
    height, width = task.metadata.image_size
    generator = torch.Generator().manual_seed(0)
    images = [torch.randint(0, 256, (1, 3, height, width), generator=generator).float() for _ in range(3)]
    draft, of_detections = beside(path), dict[str, float]()
    if path.is_dir():
        raise InputError(f"{path}: cannot be written (it is a folder; the path of a file expected)")
    try:
        with writing(path), torch.no_grad():
            draft.touch()  # where nothing can be written, it is no fault of the network
            if isinstance(task.network, Detector):
                with _some_detections(task, images[0]):
                    of_detections = _checked(task, draft, images)
                if not of_detections:
                    raise InputError(f"{type(task.network).__name__} scores all boxes alike, so that none can be compared")
            as_it_is = _checked(task, draft, images)
            onnx_files.add(onnx_files.About(type(task).__name__, task.metadata.as_dict(), resize_mode), draft)
            draft.replace(path)
    except InputError as error:
        if isinstance(error.__cause__, OSError):
            raise
        raise InputError(f"{path}: not written: {error}") from error
    finally:
        with suppress(OSError):
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
    network = type(task.network).__name__
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _write_graph(task, path, images)
    except (ImportError, OSError):
        raise
    except Exception as error:
        raise InputError(f"{network} has no ONNX form: {type(error).__name__}: {_short(error)}") from error
    try:
        session = onnxruntime().InferenceSession(str(path), providers=["CPUExecutionProvider"])
        found = _compare(task, session, images)
    except Exception as error:
        raise InputError(f"onnxruntime cannot run {network}: {_short(error)}") from error
    worst = max(found, key=lambda name: found[name], default="")
    if found.get(worst) == MISSING:
        raise InputError(f"{worst} differs from the network's: what one of the two finds the other does not")
    if found.get(worst, 0.0) > TOLERANCE:
        raise InputError(f"{worst} differs by {found[worst]:.2g} from the network's")
    return found


def _write_graph(task: Task, path: Path, images: list[Tensor]) -> None:
    names, pair = list(_predict(task, images[0])), torch.cat(images[:2])
    if task.stacked(_outputs(task, images[0])) is not None:
        names = [ANSWER if name == INPUT else name for name in names]
        _trace(Stacked(task), (pair,), path, ["image"], names, dynamic=["image", *names])
        return
    import onnx

    stem, rest = Stem(task), Rest(task, images[0])
    parts = [f"part_{i}" for i in range(len(stem(images[0])))]
    _trace(stem, (pair,), path, ["image"], parts, dynamic=["image", *parts])
    of_all = onnx.load(path)
    _trace(rest, stem(images[0]), path, parts, names)
    onnx.save(for_each_image(of_all, onnx.load(path), names), path)


def _trace(
    module: nn.Module, inputs: tuple[Tensor, ...], path: Path, names: list[str], outputs: list[str], dynamic: Sequence[str] = ()
) -> None:
    """Writes a module's graph; the first side of the tensors in ``dynamic`` is left open."""
    torch.onnx.export(
        module.eval(),
        inputs,
        str(path),
        input_names=names,
        output_names=outputs,
        dynamic_axes={name: {0: "batch"} for name in dynamic},
        dynamo=False,
        opset_version=OPSET,
    )


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _compare(task: Task, session: Any, images: list[Tensor]) -> dict[str, float]:
    """The greatest difference of each output over the images, of those that could be compared: one by one, and as a batch."""
    names = [output.name for output in session.get_outputs()]
    greatest = dict[str, float]()
    answers = [of_each(as_tensors(session.run(None, {INPUT: batch.numpy()}), names)) for batch in (*images, torch.cat(images))]
    if [len(answer) for answer in answers] != [*[1] * len(images), len(images)]:
        raise InputError("of a batch it does not answer each image")
    for i, image in enumerate(images):
        outputs = _outputs(task, image)
        own: Any = task.predict(outputs)[0]
        for theirs in (answers[i][0], answers[-1][i]):
            found = differences(task.network, outputs, own, theirs)
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
    content = load(checkpoint)
    task, mode = task_of(content, checkpoint, packages), resize_mode_of(Saved.of_content(content, checkpoint))
    path: Any = options.output or checkpoint.with_suffix(".onnx")
    try:
        differences = export(task, path, mode)
    except ImportError as error:
        raise InputError(f"export needs {error.name}: pip install 'lectern[export]'") from None
    print(f"{path}: " + ", ".join(f"{name} within {value:.1e}" for name, value in differences.items()))
    return 0
