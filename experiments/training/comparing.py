"""Where two experiments differ: two configurations as plain data, nothing of which is imported or called."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from datamodules.scene import InputError

NO_MATTER = frozenset({"workers", "cache_mib", "cache", "download"})
"""Arguments of a data module, and of what it has, that change no batch."""

_MISSING: Any = object()


class Difference(NamedTuple):
    """One value that two experiments do not share."""

    key: str
    """As the command line has it: ``model.optimizer.lr``."""
    here: Any
    there: Any

    def __str__(self) -> str:
        return f"{self.key} is {_shown(self.here)} and was {_shown(self.there)}"


def compare(there: dict[str, Any], here: dict[str, Any], parse: Callable[[dict[str, Any]], dict[str, Any]]) -> list[Difference]:
    """The values in which a stored configuration differs from a command's.

    Args:
        there: the stored one, which somebody else may have written.
        here: the command's, as the parser has it.
        parse: gives a configuration as the parser has it: types converted, defaults filled in. It is given ``there`` with
            this command's classes alone, so that it imports nothing that the command does not.
    """
    found: list[Difference] = []
    common = _common(there, here, "", found)
    here = parse(here)  # parsed again, a class that was given without arguments has its defaults
    try:
        parsed = parse(common)
    except (InputError, ValueError, TypeError):  # an argument that today's classes do not take: what is there is compared
        parsed = _completed(common, here)
    return [*found, *_differences(parsed, here, "")]


def _common(there: Any, here: Any, key: str, found: list[Difference]) -> Any:
    """``there``, with this command's value wherever it names another class, and wherever text differs: those are found."""
    if key.startswith("data.") and _last(key) in NO_MATTER:
        return here
    if isinstance(there, dict) and isinstance(here, dict):
        if not _same_class(there.get("class_path"), here.get("class_path")):
            found.append(Difference(_typed(key), here, there))
            return here
        common = {}
        for name, value in there.items():
            if name == "class_path":
                common[name] = here[name]
            elif name in here:
                common[name] = _common(value, here[name], f"{key}.{name}" if key else str(name), found)
            elif value not in (None, [], {}):  # an argument that was taken away since
                found.append(Difference(_typed(f"{key}.{name}"), _MISSING, value))
        return common
    if isinstance(there, list | tuple) and isinstance(here, list | tuple) and len(there) == len(here):
        return [_common(a, b, f"{key}.{i}", found) for i, (a, b) in enumerate(zip(there, here, strict=True))]
    if isinstance(there, str) and isinstance(here, int | float) and not isinstance(here, bool):
        there = _number(there)
    if isinstance(there, int | float | None) or (isinstance(there, str) and there == here):
        return there
    if not (_last(key) == "root" and isinstance(there, str) and isinstance(here, str) and _same_place(there, here)):
        found.append(Difference(_typed(key), here, there))
    return here


def _same_place(there: str, here: str) -> bool:
    """Whether two folders of data may be the same: they are, or the one of before is no longer there, and was moved."""
    return not Path(there).exists() or Path(there).resolve() == Path(here).resolve()


def _same_class(there: Any, here: Any) -> bool:
    if there == here:
        return True
    if not (isinstance(there, str) and isinstance(here, str)):
        return False
    return ("." not in there or "." not in here) and _last(there) == _last(here)  # one of them is the short name


def _completed(there: Any, here: Any) -> Any:
    """``there``, with this command's values of what it does not have."""
    if isinstance(there, dict) and isinstance(here, dict):
        return {name: _completed(there.get(name, value), value) for name, value in here.items()}
    return there


def _differences(there: Any, here: Any, key: str) -> list[Difference]:
    if key.startswith("data.") and _last(key) in NO_MATTER:
        return []
    if isinstance(there, dict) and isinstance(here, dict):
        names = dict.fromkeys([*there, *here])
        pairs = [(there.get(n, _MISSING), here.get(n, _MISSING), f"{key}.{n}" if key else str(n)) for n in names]
    elif isinstance(there, list | tuple) and isinstance(here, list | tuple) and len(there) == len(here):
        pairs = [(a, b, f"{key}.{i}") for i, (a, b) in enumerate(zip(there, here, strict=True))]
    elif isinstance(there, bool) == isinstance(here, bool) and (there == here or (there != there and here != here)):
        return []
    else:
        return [Difference(_typed(key), here, there)]
    return [found for pair in pairs for found in _differences(*pair)]


def _typed(key: str) -> str:
    """A key as a person types it."""
    return ".".join(part for part in key.split(".") if part not in ("init_args", "class_path"))


def _last(key: str) -> str:
    return key.rsplit(".", 1)[-1]


def _number(text: str) -> Any:
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def _shown(value: Any) -> str:
    if value is _MISSING:
        return "not there"
    if isinstance(value, dict) and isinstance(value.get("class_path"), str):
        value = _last(value["class_path"])
    try:
        text = yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("...\n").strip()
    except (RecursionError, yaml.YAMLError):  # what no configuration has
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:59]}…"
