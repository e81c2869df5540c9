"""What a checkpoint says beside its weights, as plain data of a bounded size: settings by name, and a data set's metadata."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from datamodules.scene import InputError

SCALAR = (str, int, float, bool, type(None))

DEPTH, VALUES, LENGTH = 40, 10_000, 2_000
"""Levels, values and the length of a list of settings; the parser's time grows with the square of the last."""

TEXT = 20_000
"""The length of a text."""

LARGEST_IMAGE = 2**14
"""The side of an image, in pixels."""


def check_plain(settings: dict[str, Any], path: Path) -> None:
    """Raises InputError where settings are no plain data of a bounded size, or hold what is none of theirs."""
    waiting: list[tuple[str, Any, int]] = [("", settings, 0)]
    count = 0
    while waiting:
        key, value, depth = waiting.pop()
        count += 1
        if count > VALUES or depth > DEPTH:
            raise InputError(f"{path}: its experiment is too large or too deep for settings ({key.split('.')[0]})")
        if isinstance(value, dict):
            for name in value:
                if not isinstance(name, str | int) or str(name).startswith("__") or ("." in str(name) and depth > 1):
                    raise InputError(f"{path}: {key} has the key {str(name)[:80]!r}, which is no argument's name")
            if "class_path" in value and not _is_spec(value):
                raise InputError(f"{path}: {key} is no class_path with init_args")
            keys = {name: key if name == "init_args" else f"{key}.{name}".strip(".") for name in value}
            waiting += [(keys[name], inner, depth + 1) for name, inner in value.items()]
        elif isinstance(value, list | tuple):
            if len(value) > LENGTH:
                raise InputError(f"{path}: {key} has {len(value)} values; settings have at most {LENGTH}")
            waiting += [(f"{key}.{i}", inner, depth + 1) for i, inner in enumerate(value)]
        elif not isinstance(value, SCALAR):
            raise InputError(f"{path}: {key} holds a {type(value).__name__}; settings are text, numbers and lists")
        elif isinstance(value, str) and ("class_path" in value or "://" in value or len(value) > TEXT):
            raise InputError(
                f"{path}: {key} is {value[:80]!r}; no address, and no settings as text, are taken from a checkpoint"
            )


def _is_spec(value: dict[Any, Any]) -> bool:
    parts: dict[Any, Any] = {"class_path": str, "init_args": (dict, type(None)), "dict_kwargs": (dict, type(None))}
    return all(key in parts and isinstance(inner, parts[key]) for key, inner in value.items())


def names(value: Any, key: str, bare: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """Each class path in settings, with its dotted key; ``init_args`` is left out of the keys.

    Args:
        value: the settings.
        key: theirs.
        bare: names of arguments whose text is a class path too.
    """
    if isinstance(value, list | tuple):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if name == "class_path" or (name in bare and isinstance(inner, str)):
            yield key if name == "class_path" else f"{key}.{name}", inner
        else:
            yield from names(inner, key if name == "init_args" else f"{key}.{name}", bare)


def checked_metadata(values: Any, path: Path) -> dict[str, Any]:
    """A data set's metadata as a checkpoint has them, fields of a newer version left out.

    Raises:
        InputError: no data set has such.
    """
    if not isinstance(values, dict):
        raise InputError(f"{path}: its metadata are no values by name")
    known = {key: value for key, value in values.items() if key in _METADATA}
    for key, value in known.items():
        if not _METADATA[key](value):
            raise InputError(f"{path}: its metadata are no data set's: {key} is {str(value)[:80]!r}")
    missing = [key for key in ("name", "image_size") if key not in known]
    if missing:
        raise InputError(f"{path}: its metadata are no data set's: {missing[0]} is missing")
    return known


def _listed(value: Any, good: Callable[[Any], bool], length: int | None = None) -> bool:
    return isinstance(value, list | tuple) and (length is None or len(value) == length) and all(map(good, value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= TEXT and "class_path" not in value


def _are_names(value: Any) -> bool:
    return _listed(value, _is_text)


def _are_pairs(value: Any) -> bool:
    return _listed(value, lambda pair: _listed(pair, lambda i: type(i) is int and i >= 0, 2))


def _are_channels(value: Any) -> bool:
    return _listed(value, lambda v: type(v) in (int, float) and math.isfinite(v), 3)


def _is_size(value: Any) -> bool:
    return _listed(value, lambda side: type(side) is int and 0 < side <= LARGEST_IMAGE, 2)


_METADATA: dict[str, Callable[[Any], bool]] = {
    "name": _is_text,
    "image_size": _is_size,
    **dict.fromkeys(("classes", "mask_classes", "keypoints", "vocabulary"), _are_names),
    **dict.fromkeys(("skeleton", "flip_pairs"), _are_pairs),
    **dict.fromkeys(("mean", "std"), _are_channels),
}
"""What each field of :class:`DatasetMetadata` is; a test compares the names."""
