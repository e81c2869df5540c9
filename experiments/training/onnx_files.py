"""What an exported file says of itself beside its graph, as text; and the graph as plain operators, before it is run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self, cast, get_args

from datamodules.resizing import ResizeMode
from datamodules.scene import InputError
from experiments.runs.bounded import bounded_bytes

from .onnx_words import described
from .plain_data import checked_metadata

KEY, FORMAT = "lectern", 1
"""The name of the file's property that says what ``lectern predict`` needs, and the version of what it says."""

LARGEST_ABOUT = 2 * 2**20
"""Characters of that property."""

LARGEST = 2**31
"""Bytes of a file; protobuf holds no more."""

DOMAINS = frozenset({"", "ai.onnx"})
"""Of operators: ONNX's own. Others are a runtime's, or code of somebody's."""


class About(NamedTuple):
    """What a file's property says: plain data, none of which names a class that would be imported."""

    task: str
    """The class of the task that was exported, to be shown."""
    metadata: dict[str, Any]
    """Of the data that it was trained on: classes, keypoints, image size (the normalisation is in the graph)."""
    resize_mode: ResizeMode
    """How an image takes its size."""

    def as_text(self, described: Mapping[str, Any] | None = None) -> str:
        """The property's text; what is ``described`` beside it is for other programs, and not read here."""
        return json.dumps({"format": FORMAT, **self._asdict(), **(described or {})}, ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str, path: Path) -> Self:
        """The inverse of :meth:`as_text`.

        Raises:
            InputError: it is no such text; the message names the file.
        """
        if len(text) > LARGEST_ABOUT:
            raise InputError(f"{path}: says {len(text):,} characters of itself, more than the {LARGEST_ABOUT:,} of any export")
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            raise InputError(f"{path}: its property {KEY!r} is no JSON") from None
        if not isinstance(said, dict) or said.get("format") != FORMAT:
            raise InputError(f"{path}: not exported by this Lectern; export the checkpoint again")
        task, mode = said.get("task"), said.get("resize_mode")
        if not isinstance(task, str) or not task.isidentifier() or len(task) > 200:
            raise InputError(f"{path}: its task is {str(task)[:80]!r}, and no class's name")
        if mode not in get_args(ResizeMode):
            raise InputError(f"{path}: its resize_mode is {str(mode)[:80]!r}, and none of {', '.join(get_args(ResizeMode))}")
        return cls(task, checked_metadata(said.get("metadata"), path), cast(ResizeMode, mode))


def add(about: About, path: Path) -> None:
    """Writes it into an ONNX file, with a description of the graph's input and outputs (:mod:`.onnx_words`)."""
    import onnx

    model = onnx.load(path)
    outputs = [
        {
            "name": output.name,
            "type": onnx.helper.tensor_dtype_to_np_dtype(output.type.tensor_type.elem_type).name,
            "shape": [_side(side) for side in output.type.tensor_type.shape.dim],
        }
        for output in model.graph.output
    ]
    onnx.helper.set_model_props(model, {KEY: about.as_text(described(about.metadata, about.resize_mode, outputs))})
    onnx.save(model, path)


def _side(side: Any) -> int | str | None:
    """The length of an output's side, or the name of an open one; None where the graph does not say."""
    return int(side.dim_value) if side.dim_value else side.dim_param if side.dim_param in ("batch", "objects") else None


def read(path: Path) -> tuple[About, bytes]:
    """What a file says of itself, and its bytes, whose graph can be run: nothing but ONNX's operators on weights inside it.

    Raises:
        InputError: there is no such file, or it is none that ``lectern export`` writes.
    """
    try:
        import onnx
    except ImportError:
        raise InputError(f"{path}: an exported network needs onnx and onnxruntime: pip install 'lectern[export]'") from None
    if not path.is_file():  # a pipe too: to open it would wait for its writer
        raise InputError(f"{path}: no such file")
    try:
        content = bounded_bytes(path, LARGEST)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # whatever protobuf is led to by other bytes
        raise InputError(f"{path}: no ONNX file, or damaged ({type(error).__name__})") from None
    said = {entry.key: entry.value for entry in model.metadata_props}
    if KEY not in said:
        raise InputError(f"{path}: does not say what it was trained on; only what lectern export has written is run")
    about = About.from_text(said[KEY], path)
    if model.functions:
        raise InputError(f"{path}: its graph has functions, which no export of Lectern has")
    for graph in _graphs(model.graph):
        for node in graph.node:
            if node.domain not in DOMAINS:
                raise InputError(
                    f"{path}: its graph has {node.domain[:80]}.{node.op_type[:80]}, which is none of ONNX's operators"
                )
        for tensor in _tensors(graph):
            if tensor.data_location == onnx.TensorProto.EXTERNAL:
                raise InputError(f"{path}: its weight {tensor.name[:80]} lies in another file, which is not read")
    return about, content


def _graphs(graph: Any) -> Iterator[Any]:
    """A graph and those inside its nodes."""
    waiting = [graph]
    while waiting:
        yield (one := waiting.pop())
        for node in one.node:
            for attribute in node.attribute:
                waiting += [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from ([attribute.t] if attribute.HasField("t") else [])
            yield from attribute.tensors
            if attribute.HasField("sparse_tensor"):
                yield from (attribute.sparse_tensor.values, attribute.sparse_tensor.indices)
