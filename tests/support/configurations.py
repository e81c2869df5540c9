"""What a configuration comes to, without a run: through the command line, and class by class."""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import datamodules
import lightning_modules
from experiments.studies.lazy import L
from experiments.training.cli import LecternCLI


def printed(settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What ``lectern fit --print_config`` makes of a configuration: defaults, linked values and full class paths included."""
    path, output = folder / "experiment.yaml", io.StringIO()
    path.write_text(yaml.safe_dump(dict(settings)))
    with contextlib.redirect_stdout(output), pytest.raises(SystemExit) as ended:
        LecternCLI(["fit", "--config", str(path), "--print_config"])
    assert ended.value.code == 0
    found: dict[str, Any] = yaml.safe_load(output.getvalue())
    return found


def components(settings: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(class path, arguments) of every class that a configuration has with a ``class_path``, however deep."""
    if isinstance(settings, Mapping):
        if "class_path" in settings:
            yield settings["class_path"], settings.get("init_args") or {}
        for value in settings.values():
            yield from components(value)
    elif isinstance(settings, list | tuple):
        for value in settings:
            yield from components(value)


def unknown(settings: Any) -> list[str]:
    """The classes of a configuration that are not there, and the arguments that theirs do not take."""
    found = []
    for path, arguments in components(settings):
        try:
            L(imported(path))(**arguments)
        except (ImportError, AttributeError, TypeError) as error:
            found.append(f"{path}: {error}")
    return found


def imported(path: str) -> Any:
    """The class of a class path, or of one of the command line's short names."""
    module, _, name = path.rpartition(".")
    if module:
        return getattr(importlib.import_module(module), name)
    return getattr(lightning_modules, name, None) or getattr(datamodules, name)  # as the command line looks for short names
