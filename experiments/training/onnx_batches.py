"""ONNX graphs for batches of any size, where images have different numbers of objects; and what they put out, by image."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from datamodules.scene import FIELDS

INPUT, COUNT, ANSWER = "image", "count", "predicted_image"
"""The graph's input; the output that says how many objects each image has, where images differ in that; and an output that is
an image itself, which cannot be called as the input is."""

OPSET = 17


def is_per_object(field: str, fields: Collection[str]) -> bool:
    """Whether a field of a prediction with these fields has one entry an object. (Without boxes, scores are of classes.)"""
    return FIELDS[field].per_object if field in FIELDS else field == "scores" and {"boxes", "labels"} <= set(fields)


def of_each(outputs: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """The prediction of each of B images, from what a graph puts out for their batch.

    Args:
        outputs: by name, (B, ...). Where there is a ``count``, int64 (B,), fields with one entry an object hold those of all
            images, one image's behind the other's.
    """
    fields = {name: value for name, value in outputs.items() if name != COUNT}
    if COUNT not in outputs:
        parts: dict[str, Sequence[Tensor]] = {name: value.unbind() for name, value in fields.items()}
    else:
        counts = outputs[COUNT].tolist()
        parts = {n: value.split(counts) if is_per_object(n, fields) else value.unbind() for n, value in fields.items()}
    return [dict(zip(parts, values, strict=True)) for values in zip(*parts.values(), strict=True)]


def for_each_image(stem: Any, rest: Any, names: Sequence[str]) -> Any:
    """One graph of two: what is computed of all images at once, and a loop over the images for what each finds in it.

    (In a loop onnxruntime lays out no convolution as it is fastest, which takes twice the time: hence two.)

    Args:
        stem: an ``onnx.ModelProto`` from float (B, 3, H, W) to tensors (B, ...).
        rest: one from those of a single image, (1, ...), to the fields ``names`` of its prediction, of any number of objects.
        names: of the fields.

    Returns:
        An ``onnx.ModelProto`` with the outputs that :func:`of_each` takes.
    """
    from onnx import TensorProto, compose, helper

    whole, one = compose.add_prefix(stem, "all/").graph, compose.add_prefix(rest, "one/").graph
    types = {name: output.type.tensor_type.elem_type for name, output in zip(names, one.output, strict=True)}
    types[COUNT] = TensorProto.INT64
    counted = next((name for name in names if is_per_object(name, names)), names[0])
    nodes = [helper.make_node("Unsqueeze", ["i", "zeros"], ["here"]), helper.make_node("Add", ["here", "ones"], ["next"])]
    for everything, part in zip(whole.output, one.input, strict=True):
        nodes.append(helper.make_node("Slice", [everything.name, "here", "next", "zeros"], [part.name]))
    nodes += [*one.node, helper.make_node("Shape", [f"one/{counted}"], [f"one/{COUNT}"], start=0, end=1)]
    nodes += [helper.make_node("SequenceInsert", [f"before/{n}", f"one/{n}"], [f"after/{n}"]) for n in types]
    nodes.append(helper.make_node("Identity", ["goes_on"], ["still"]))
    index = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    condition, still = (helper.make_tensor_value_info(name, TensorProto.BOOL, []) for name in ("goes_on", "still"))
    before, after = (
        [helper.make_tensor_sequence_value_info(f"{when}/{name}", kind, None) for name, kind in types.items()]
        for when in ("before", "after")
    )
    body = helper.make_graph(nodes, "one_image", [index, condition, *before], [still, *after])
    image = whole.input[0].name
    outer = [
        *whole.node,
        helper.make_node("Shape", [image], ["sides"]),
        helper.make_node("Gather", ["sides", "first"], ["images"]),
        *(helper.make_node("SequenceEmpty", [], [f"empty/{name}"], dtype=kind) for name, kind in types.items()),
        helper.make_node("Loop", ["images", "", *(f"empty/{n}" for n in types)], [f"found/{n}" for n in types], body=body),
    ]
    shapes: dict[str, list[Any]] = {COUNT: ["batch"]}
    for name, output in zip(names, one.output, strict=True):
        sides = _sides(output)
        shapes[name] = ["objects", *sides[1:]] if is_per_object(name, names) else ["batch", *sides]
    for name in types:
        joined = name == COUNT or is_per_object(name, names)
        outer.append(helper.make_node("ConcatFromSequence", [f"found/{name}"], [name], axis=0, new_axis=int(not joined)))
    constants = [helper.make_tensor(name, TensorProto.INT64, [1], [value]) for name, value in (("zeros", 0), ("ones", 1))]
    constants.append(helper.make_tensor("first", TensorProto.INT64, [], [0]))
    for node in outer:  # the input keeps its name
        node.input[:] = [INPUT if name == image else name for name in node.input]
    graph = helper.make_graph(
        outer,
        "images",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["batch", *_sides(whole.input[0])[1:]])],
        [helper.make_tensor_value_info(name, kind, shapes[name]) for name, kind in types.items()],
        [*whole.initializer, *one.initializer, *constants],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=stem.ir_version)


def _sides(value: Any) -> list[int | None]:
    """The sides of an output, those that are known."""
    return [side.dim_value or None for side in value.type.tensor_type.shape.dim]


def as_tensors(arrays: Sequence[Any], names: Sequence[str]) -> dict[str, Tensor]:
    """What onnxruntime gives, by the names that a prediction has for it."""
    own = [INPUT if name == ANSWER else name for name in names]
    return {name: torch.from_numpy(array) for name, array in zip(own, arrays, strict=True)}
