"""What a metric is called on an axis: ``trainset/error`` is the “error, on fixed training images”."""

from __future__ import annotations

WHERE = {
    "train": "on training batches",
    "trainset": "on fixed training images",
    "val": "on validation images",
    "test": "on test images",
}
WHAT = {
    "accuracy_top5": "accuracy of the best five guesses",
    "miou": "mean IoU",
    "map": "mean average precision",
    "lr": "learning rate",
    "steps": "optimizer steps",
    "step": "optimizer steps",
    "seconds": "seconds of training",
    "images_per_second": "images per second",
    "peak_memory_mib": "peak memory, MiB",
    "cpu_seconds": "processor seconds",
}
ABBREVIATIONS = {"iou": "IoU", "ap": "AP", "ap50": "AP at IoU 0.5", "pck": "PCK", "rpn": "RPN"}
FRACTIONS = ("accuracy", "error", "miou", "iou", "map", "ap", "ap50", "pck")
"""Metrics from 0 to 1 that are read as percentages."""


def metric_title(name: str) -> str:
    """A metric's name in words, with the images that it was measured on; a setting's dotted name as it is."""
    if is_system(name):
        return _words(name.partition("/")[2] or name)
    if name.startswith("lr-"):
        return f"learning rate ({name.removeprefix('lr-')})"
    if "." in name:
        return name
    place, slash, rest = name.partition("/")
    if slash and place in WHERE:
        return f"{_words(rest)}, {WHERE[place]}"
    return _words(name)


def _words(name: str) -> str:
    if name in WHAT:
        return WHAT[name]
    what, _, owner = name.partition("/")
    words = " ".join(ABBREVIATIONS.get(word, word) for word in what.split("_"))
    return f"{words} of {owner.replace('_', ' ')}" if owner else words


def is_system(name: str) -> bool:
    """Whether it is what Lightning's DeviceStatsMonitor says of the machine."""
    return name.startswith("DeviceStatsMonitor")


def is_fraction(name: str) -> bool:
    """Whether a metric runs from 0 to 1, so that its axis is in percent."""
    parts = name.split("/")
    return any(part in FRACTIONS or part.rsplit("_", 1)[-1] in FRACTIONS or part == "accuracy_top5" for part in parts[:3])
