"""What an exported file says of its input and outputs, in words and numbers, for whoever runs it without Lectern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from datamodules.resizing import ResizeMode
from datamodules.scene import FIELDS

from .onnx_batches import ANSWER, COUNT, INPUT, is_per_object

RESIZE: dict[ResizeMode, str] = {
    "stretch": "both sides are resized to (H, W), whatever the aspect ratio",
    "letterbox": "resized by min(H / h, W / w), so that it fits; black bars on both sides fill what is left",
    "crop": "resized by max(H / h, W / w), so that it covers; the centre is cut out",
}
"""How an image of (h, w) takes the size (H, W) of the input."""

INTERPOLATION = "an image that shrinks: averages over areas (OpenCV's INTER_AREA); one that grows: bilinear (INTER_LINEAR)"
PIXELS = "pixels of the input image, from the outer corner of its top left pixel; x to the right, y down"
ORDER = "; the objects of all images, one image's behind the other's, as many of each as count says"


def described(metadata: Mapping[str, Any], resize_mode: ResizeMode, outputs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The keys ``version``, ``input`` and ``outputs`` of what a file says of itself; docs/onnx.md has them for users.

    Args:
        metadata: of the data that the network was trained on, as :meth:`DatasetMetadata.as_dict` has them.
        resize_mode: how an image takes the input's size.
        outputs: of the graph, each with ``name``, ``type`` (``float32``) and ``shape`` (numbers, ``batch``, ``objects``, or
            None where a side is not known).
    """
    height, width = metadata["image_size"]
    image = {
        "name": INPUT,
        "type": "float32",
        "shape": ["batch", 3, height, width],
        "channels": "RGB",
        "range": [0, 255],
        "normalization": "in the graph: (image / 255 - mean) / std",
        "mean": metadata.get("mean"),
        "std": metadata.get("std"),
        "resize": RESIZE[resize_mode],
        "interpolation": INTERPOLATION,
    }
    fields = [str(output["name"]) for output in outputs if output["name"] != COUNT]
    said = {
        output["name"]: {
            "type": output["type"],
            "shape": _filled(output["shape"], str(output["name"]), metadata),
            **_meaning(str(output["name"]), fields, any(one["name"] == COUNT for one in outputs)),
        }
        for output in outputs
    }
    return {"version": version("lectern"), "input": image, "outputs": said}


def _filled(shape: Sequence[Any], name: str, metadata: Mapping[str, Any]) -> list[Any]:
    """A shape whose sides that the graph leaves open are those of the field, where they are known."""
    height, width = metadata["image_size"]
    lengths = {"H": height, "W": width, "K": len(metadata.get("keypoints") or ())}
    sides = (3, "H", "W") if name == ANSWER else FIELDS[name].shape if name in FIELDS else ()
    known = [None] * len(shape) + [lengths.get(side) if isinstance(side, str) else side for side in sides]
    return [there if side is None else side for side, there in zip(shape, known[-len(shape) :], strict=True)] if shape else []


def _meaning(name: str, fields: Sequence[str], counted: bool) -> dict[str, str]:
    """What an output says, of what its numbers are, and whose names they count."""
    each = ORDER if counted and name != COUNT and is_per_object(name, fields) else ""
    many = "boxes" in fields and "labels" in fields
    meanings: dict[str, dict[str, str]] = {
        COUNT: {"says": "how many objects each image has"},
        "label": {"says": "the class of the image", "names": "metadata.classes"},
        "labels": {
            "says": f"the class of each object{each}" if many else f"the classes that an image shows{each}",
            "names": "metadata.classes",
        },
        "scores": {"says": f"how sure each object is, from 0 to 1{each}"}
        if many
        else {"says": "the probability of each class, from 0 to 1", "names": "metadata.classes"},
        "boxes": {"says": f"x1, y1, x2, y2 of each object{each}" if many else "x1, y1, x2, y2", "coordinates": PIXELS},
        "masks": {"says": f"1 where a pixel of the input image belongs to the object, 0 elsewhere{each}"},
        "mask": {"says": "the class of each pixel of the input image", "names": "metadata.mask_classes"},
        "keypoints": {
            "says": f"x, y and confidence of each keypoint{each}",
            "names": "metadata.keypoints",
            "coordinates": PIXELS,
        },
        ANSWER: {"says": "the image as the network has it: RGB, 0 to 255"},
    }
    return meanings.get(name, {"says": f"{name} of a prediction{each}"})
