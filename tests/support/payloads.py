"""Hostile checkpoints: what a stranger may put where a task's configuration has a class, and everywhere that it has one."""

from __future__ import annotations

import copy
import inspect
import typing
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonargparse
import torch
import yaml

from datamodules import Shapes
from experiments.training.catalog import class_of
from experiments.training.trust import parser_of
from tests.support.registry import WITHOUT_OPTIMIZER, experiment

MARK = "PWNED"
"""The file that a payload leaves in the current folder where it runs."""

HOSTILE = f"open({MARK!r}, 'w').close()\ndef run(*args, **kwargs):\n    pass\nclass Net:\n    pass\n"
"""The text of ``hostile.py``, whose import alone leaves the mark."""

_TOUCH = {"command": f"touch {MARK}"}
PAYLOADS: dict[str, Any] = {
    "function": {"class_path": "os.system", "init_args": _TOUCH},
    "its name": "os.system",
    "class": {"class_path": "subprocess.Popen", "init_args": {"args": f"touch {MARK}", "shell": True}},
    "class's name": "subprocess.Popen",
    "re-exported": {"class_path": "torch.nn.modules.module.warnings.sys.modules", "init_args": {}},
    "of torch.nn": {"class_path": "torch.nn.init.normal_", "init_args": {}},
    "of ours": {"class_path": "lightning_modules.evaluating.evaluating", "init_args": {}},
    "hub": {"class_path": "torch.hub.load", "init_args": {"repo_or_dir": "a/b", "model": "c"}},
    "download": {"class_path": "torchvision.datasets.utils.download_url", "init_args": {"url": "http://127.0.0.1:9/x"}},
    "own module": {"class_path": "hostile.run", "init_args": {}},
    "own module's name": "hostile.run",
    "own module's class": {"class_path": "hostile.Net"},
    "text": f"{{class_path: os.system, init_args: {{command: touch {MARK}}}}}",
    "file": "payload.yaml",
    "keywords": {"class_path": "torch.nn.ReLU", "dict_kwargs": {"inplace": {"class_path": "os.system", "init_args": _TOUCH}}},
}


def write_payloads(folder: Path) -> None:
    """What some payloads refer to."""
    (folder / "hostile.py").write_text(HOSTILE)
    (folder / "payload.yaml").write_text(yaml.safe_dump(PAYLOADS["function"]))


@cache
def settings_of(task: str) -> dict[str, Any]:
    """The experiment as a checkpoint of a small task has it: every argument written out."""
    data = {"class_path": "Shapes", "init_args": {"image_size": 32, "batch_size": 4, "test": 4, "workers": 0}}
    if task in ("RegionDetection", "StagedDetection"):
        data["init_args"] |= {"proposals": {"class_path": "SlidingWindows"}}  # type: ignore[operator]
    metadata = Shapes(image_size=32).metadata.as_dict()
    model = copy.deepcopy(experiment(task)["model"])
    model["init_args"] |= {"metadata": metadata}
    if task not in WITHOUT_OPTIMIZER:
        model["init_args"] |= {"scheduler": {"class_path": "lightning_modules.schedules.WarmupCosine", "init_args": {}}}
    parser = parser_of("model", "data")
    parsed = parser.parse_object({"model": model, "data": data})
    plain: dict[str, Any] = yaml.safe_load(parser.dump(parsed, skip_none=False))
    del plain["model"]["init_args"]["metadata"]
    return {**plain, "expect": {}, "name": task.lower(), "seed_everything": 0}


@cache
def content_of(task: str) -> dict[str, Any]:
    """The content of a checkpoint of a small task, with weights as they are drawn."""
    settings, metadata = settings_of(task), Shapes(image_size=32).metadata.as_dict()
    model = copy.deepcopy(settings["model"])
    model["init_args"]["metadata"] = metadata
    parser = parser_of("model")
    torch.manual_seed(0)
    built = parser.instantiate_classes(parser.parse_object({"model": model})).model
    return {
        "state_dict": built.state_dict(),
        "experiment": settings,
        "hyper_parameters": {"metadata": metadata},
        "pytorch-lightning_version": "2.6.6",
    }


Place = tuple[str | int, ...]


def places(value: Any, where: Place = ()) -> Iterator[tuple[Place, bool]]:
    """Each argument of each class in settings, and whether it is one that takes a class or a callable."""
    if isinstance(value, list):
        for i, inner in enumerate(value):
            yield from places(inner, (*where, i))
    if not isinstance(value, dict):
        return
    if "class_path" in value:
        found = class_of(_full(value["class_path"]))
        given = value.get("init_args") or {}
        for name in dict.fromkeys([*given, *_hints(found)]):
            yield (*where, "init_args", name), _takes_a_class(_hints(found).get(name))
    for name, inner in value.items():
        yield from places(inner, (*where, name))


def replaced(settings: dict[str, Any], where: Place, by: Any) -> dict[str, Any]:
    """A copy of settings with one value replaced."""
    changed = copy.deepcopy(settings)
    inner: Any = changed
    for key in where[:-1]:
        inner = inner.setdefault(key, {}) if isinstance(inner, dict) else inner[key]
    inner[where[-1]] = copy.deepcopy(by)
    return changed


def _full(class_path: str) -> str:
    assert "." in class_path, "the parser has written it out"
    return class_path


@cache
def _hints(found: Any) -> dict[str, Any]:
    """The arguments of a class, those of its base classes included, with their types."""
    hints: dict[str, Any] = {}
    for base in reversed(inspect.getmro(found)):
        if (make := vars(base).get("__init__")) and inspect.isfunction(make):
            try:
                known = typing.get_type_hints(make)
            except (NameError, TypeError):  # of a library's
                known = {}
            kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
            names = [name for name, p in inspect.signature(make).parameters.items() if p.kind in kinds and name != "self"]
            hints |= {name: known.get(name) for name in names}
    return hints


def _takes_a_class(hint: Any) -> bool:
    if typing.get_origin(hint) is Callable or hint is Callable or typing.get_origin(hint) is type:
        return True
    if inner := typing.get_args(hint):
        return any(_takes_a_class(part) for part in inner)
    plain = (Any, str, int, float, bool, type(None), dict, list, tuple, Path, jsonargparse.Namespace)
    return inspect.isclass(hint) and hint not in plain and not hasattr(hint, "__dataclass_fields__")
