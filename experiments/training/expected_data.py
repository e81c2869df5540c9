"""``expect:`` is said of certain data, and stays behind where a command has others."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datamodules.exports import CIFAR10, MNIST
from experiments.command_line.early import Early

from .catalog import class_of
from .rebuilding import Saved

WHICH = ("root", "year", "annotations", "images", "classes", "mask_classes")
"""The arguments of a data module that say which data it reads, where it has them; others say how."""

RELEASED = (MNIST, CIFAR10)
"""Their files are the same wherever they lie."""


def left_behind(command: str, early: Early, data: Any, saved: Saved | None) -> str:
    """Why what was expected is not expected of a command's data; empty where it is, or where the command itself expects it.

    Args:
        command: fit, test …
        early: the command line and its configuration files.
        data: the data module's class_path and init_args, as the command has them.
        saved: what a checkpoint says, where the command starts from one.
    """
    if command == "predict":  # nothing is measured
        return ""
    if any(argument.partition("=")[0] == "--expect" for argument in early.arguments):
        return ""
    if f"LECTERN_{command.upper()}__EXPECT" in os.environ:
        return ""
    layers = [layer.content for layer in early.layers]
    last = max((i for i, content in enumerate(layers) if content.get("expect")), default=None)
    if last is not None:
        source, meant = early.layers[last].source, [content.get("data") for content in layers[: last + 1]]
    elif saved and saved.settings.get("expect"):
        source, meant = str(saved.path), [saved.settings.get("data")]
    else:
        return ""
    change = changed(together([part for part in meant if part]), data)
    if not change or (saved and last is None and _moved(saved, data)):
        return ""
    return f"what {source} expects is of other data ({change}) and is not expected of these; --expect says what is"


def together(parts: list[Any]) -> dict[str, Any]:
    """The data of several configuration files, of which later ones win; a class of another name takes no arguments over."""
    path, arguments = "", dict[str, Any]()
    for part in parts:
        own = part if isinstance(part, dict) else {"class_path": part}
        if (name := str(own.get("class_path") or path)) != path:
            path, arguments = name, {}
        arguments |= own.get("init_args") or {}
    return {"class_path": path, "init_args": arguments}


def changed(meant: Mapping[str, Any], data: Any) -> str:
    """What tells the data of a command from those that are meant, such as ``root data/bccd``; empty where nothing does."""
    name, arguments = str(meant["class_path"]), meant["init_args"]
    if not name:
        return ""
    kind = class_of(data.class_path)
    if name.rsplit(".", 1)[-1] != kind.__name__:
        return name.rsplit(".", 1)[-1]
    parameters = inspect.signature(kind).parameters
    for key in WHICH:
        if key not in parameters or (key == "root" and issubclass(kind, RELEASED)):
            continue
        default = parameters[key].default
        before = arguments.get(key, None if default is inspect.Parameter.empty else default)
        if _plain(key, before) != _plain(key, data.init_args.get(key)):
            return f"{key} {_shown(before)}"
    return ""


def _moved(saved: Saved, data: Any) -> bool:
    """Whether a checkpoint's data lie no more where they lay, and the command says where they lie now."""
    before = together([saved.settings.get("data")])
    root = before["init_args"].get("root")
    if not isinstance(root, str) or Path(root).exists():
        return False
    before["init_args"]["root"] = data.init_args.get("root")
    return not changed(before, data)


def _plain(key: str, value: Any) -> Any:
    """A value that is compared: a path as the place that it is, a tuple as a list."""
    if key == "root" and isinstance(value, str):
        return Path(value).resolve()
    if isinstance(value, Mapping) or hasattr(value, "as_dict"):
        return {str(k): _plain("", v) for k, v in dict(value.as_dict() if hasattr(value, "as_dict") else value).items()}
    return [_plain("", inner) for inner in value] if isinstance(value, list | tuple) else value


def _shown(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) < 60 else f"{text[:57]}…"
