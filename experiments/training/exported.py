"""An exported network as a task that predicts: ``lectern predict --ckpt_path network.onnx``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, cast

import torch
from torch import Tensor, nn
from torchmetrics import MetricCollection

from datamodules.scene import FIELDS, Batch, DatasetMetadata, InputError
from lightning_modules.base import Prediction, Task
from lightning_modules.means import Mean

from . import onnx_files
from .onnx_batches import INPUT, as_tensors, is_per_object, of_each
from .rebuilding import Saved

SUFFIX = ".onnx"


class Exported(Task):
    """What ``lectern export`` has written, run by onnxruntime on the CPU; it predicts what the checkpoint does.

    Args:
        path: the file.
        metadata: see :class:`Task`.

    Raises:
        InputError: there is no such file, or onnxruntime cannot run it.
    """

    needs = frozenset()
    monitor = ""

    def __init__(self, *, path: str, metadata: dict[str, Any]) -> None:
        super().__init__(network=lambda outputs: nn.Identity(), metadata=metadata)
        self.path = Path(path)
        self._session = _session(self.path)
        self._names = [output.name for output in self._session.get_outputs()]

    def predict_step(self, batch: Batch | None, batch_idx: int) -> list[Prediction] | None:
        if batch is None:
            return None
        images = batch["image"]
        try:
            arrays = self._session.run(None, {INPUT: images.cpu().float().numpy()})
            found = of_each(as_tensors(arrays, self._names))
        except Exception as error:  # whatever a graph, or a runtime, says of what it cannot do
            raise InputError(f"{self.path}: cannot be run ({' '.join(str(error).split())[:300]})") from None
        if len(found) != len(images):
            raise InputError(f"{self.path}: answers {len(found)} of {len(images)} images")
        for fields in found:
            if wrong := fault(fields, self.metadata, tuple(images.shape[-2:])):
                raise InputError(f"{self.path}: {wrong}")
        return cast("list[Prediction]", found)

    def outputs(self) -> int:
        return 0

    def losses(self, outputs: Any, batch: Batch) -> dict[str, Mean]:
        self._refuse()

    def predict(self, outputs: Any) -> list[Prediction]:
        self._refuse()

    def metrics(self) -> MetricCollection:
        return MetricCollection([])

    def metric_inputs(self, predictions: list[Prediction], batch: Batch) -> dict[str, Any]:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise InputError(f"{self.path}: {_PREDICTS_ONLY}")


_PREDICTS_ONLY = "an exported network is run by lectern predict alone; the others take its checkpoint"


def saved_of(path: Path, command: str) -> Saved:
    """What an exported file says of its experiment, as a checkpoint would.

    Raises:
        InputError: the command is not ``predict``, or there is no such file, or ``lectern export`` did not write it.
    """
    if command != "predict":
        raise InputError(f"{path}: {_PREDICTS_ONLY}")
    about, _ = onnx_files.read(path)
    model = {"class_path": f"{__name__}.{Exported.__name__}", "init_args": {"path": str(path)}}
    images = {"root": "", "metadata": about.metadata, "resize_mode": about.resize_mode}
    data = {"class_path": "datamodules.ImageFiles", "init_args": images}
    return Saved(path, {"model": model, "data": data}, about.metadata)


def fault(fields: Mapping[str, Tensor], metadata: DatasetMetadata, size: tuple[int, ...]) -> str:
    """What is wrong with a prediction that a graph of anybody's has put out, as one line; empty where nothing is.

    Args:
        fields: by name.
        metadata: says how many classes and keypoints there are.
        size: (H, W) of the image.
    """
    objects = {len(value) for name, value in fields.items() if is_per_object(name, fields) and value.ndim}
    if len(objects) > 1:
        return f"its fields have different numbers of objects ({', '.join(map(str, sorted(objects)))})"
    for name, value in fields.items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            return f"{name[:80]} are not finite"
        if name == "scores":
            expected = None if is_per_object(name, fields) else len(metadata.classes)
            if value.dtype != torch.float32 or value.ndim != 1 or expected not in (None, len(value)):
                return f"scores is {value.dtype} {tuple(value.shape)}, expected float32 ({expected or 'N'},)"
            continue
        if name == "image":
            if value.dtype != torch.uint8 or tuple(value.shape) != (3, *size):
                return f"image is {value.dtype} {tuple(value.shape)}, expected uint8 {(3, *size)}"
            continue
        if name not in FIELDS:
            return f"puts out {name[:80]!r}, which is no field of a prediction"
        kind = FIELDS[name]
        if wrong := kind.fault(value):
            return f"{name} is {wrong}, expected {kind}"
        if name in ("mask", "masks") and tuple(value.shape[-2:]) != size:
            return f"{name} is of {tuple(value.shape[-2:])} pixels, and the image of {size}"
        if name == "keypoints" and value.shape[1] != len(metadata.keypoints):
            return f"keypoints has {value.shape[1]} an object, expected {len(metadata.keypoints)}"
        names = metadata.names(kind)
        if name != "mask" and kind.classes and value.numel() and not bool(((value >= 0) & (value < len(names))).all()):
            return f"{name} counts classes that are none of the {len(names)}"
    return ""


def _session(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise InputError(f"{path}: an exported network needs onnxruntime: pip install 'lectern[export]'") from None
    _, content = onnx_files.read(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise InputError(f"{path}: onnxruntime cannot run it ({' '.join(str(error).split())[:300]})") from None
