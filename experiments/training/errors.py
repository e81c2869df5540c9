"""What jsonargparse says of a command line, as one line: the key, what is wrong with it, and what may have been meant.

It nests: each class has a parser of its own, whose error is part of the message of the parser above it, beside what else a
union's members say, and the value again. What the innermost says is kept, and the keys above it are put before.
"""

from __future__ import annotations

import collections.abc
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, get_args, get_origin

from experiments import PACKAGES
from experiments.command_line.early import Layer
from experiments.command_line.guesses import OPTION_MEANT, close
from experiments.lightning_compat import keys_of, type_of

ROOM = 160
"""Characters of a list of classes."""


class Mistake(NamedTuple):
    """What is wrong with one setting."""

    key: str
    """As it was given, seen from the parser that says it; empty where it is about no setting."""
    text: str
    near: tuple[str, ...] = ()
    """Keys beside it that are spelled like it."""

    def below(self, key: str) -> Mistake:
        """The same, seen from the parser above."""
        return Mistake(f"{key}.{self.key}" if self.key else key, self.text, tuple(f"{key}.{name}" for name in self.near))

    def __str__(self) -> str:
        meant = f"; did you mean {' or '.join(self.near)}?" if self.near else ""
        return (f"{self.key}: " if self.key else "") + self.text + meant


def mistake_in(parser: Any, message: str, below: Iterable[Mistake], typed: bool, command: Any = None) -> Mistake:
    """What a parser's message says.

    Args:
        parser: the one that says it.
        message: its own words.
        below: what parsers of classes have said before; what is part of the message is meant.
        typed: whether it parses what was typed, and not the settings of a class.
        command: the subcommand's parser, where ``parser`` is above it.
    """
    text = " ".join(str(message).split())
    keys = re.findall(r'Parser key "([^"]+)": ?', text)
    if inside := [inner for inner in below if str(inner) in text]:
        # A union's members say it each, and not all have a guess; the longest has most of the keys.
        said = max(inside, key=lambda inner: (bool(inner.near), len(str(inner))))
        return said.below(keys[0]) if keys else said
    if unknown := re.search(r"(?:(Option|Subcommand|Group)(?: '(\w+)' does not accept option)?) '([^']+)'", text):
        group = f"{unknown[2]}." if unknown[1] == "Group" else ""
        return _unknown(f"{group}{unknown[3]}", keys_of(command if unknown[1] != "Option" and command else parser))
    if unknown := re.match(r"unrecognized arguments: ([^\s=]+)", text):
        known = keys_of(command or parser)
        return _unknown_option(unknown[1], known) if typed else _unknown(unknown[1].lstrip("-"), known)
    key = keys[-1] if keys else ""
    return Mistake(key, _of_value(text, type_of(parser, key) if key else None))


def readable(message: str) -> str:
    """An error of building: a value that fits no member of a union, reduced to its key and what is wrong with it."""
    text = " ".join(str(message).split())
    text = re.sub(r"Does not validate against any of the Union subtypes Subtypes: .*? Errors: - ", "", text)
    keys = re.findall(r'Parser key "([^"]+)": ?', text)
    reason = re.split(r" - Expected a | Given value|; Union", re.split(r'Parser key "[^"]+": ?', text)[-1])[0]
    return f"{'.'.join(keys)}: {reason}" if keys else reason


def place_of(mistake: Mistake, layers: Iterable[Layer], arguments: Iterable[str]) -> str:
    """The configuration file that has the setting, before a colon; empty where it was typed."""
    if not mistake.key or any(mistake.key.rpartition(".")[2] in argument for argument in arguments):
        return ""
    found = [layer.source for layer in layers if layer.source and _has(layer.content, mistake.key.split("."))]
    return f"{found[-1]}: " if found else ""


def _unknown(key: str, known: list[str]) -> Mistake:
    parts = re.sub(r"\.(init_args|class_path)\b", "", key).split(".")
    for length in range(len(parts), 0, -1):  # of a.b.c it may be a that is misspelt
        spelled = ".".join(parts[:length]).replace("-", "_")
        meant = OPTION_MEANT.get(spelled, "").rpartition(".")[2]
        if near := [meant] if meant in known else close(spelled, known, 0.75 if length > 1 else 0.6)[:2]:
            return Mistake(".".join(parts[:length]), "no such setting", tuple(near))
    listed = _list(known)
    return Mistake(".".join(parts), f"no such setting; there are {listed}" if listed else "no such setting")


def _unknown_option(option: str, known: list[str]) -> Mistake:
    if not option.startswith("-"):
        return Mistake(option, "which option is it for?")
    spelled = option.lstrip("-").replace("-", "_")
    near = close(spelled, known, 0.75) or [OPTION_MEANT[name] for name in close(spelled, OPTION_MEANT, 0.75)]
    meant = [name if name.startswith(("--", "the ")) else f"--{name}" for name in near or close(spelled, known, 0.6)]
    return Mistake(option, "no such option", tuple(dict.fromkeys(meant[:2])))


def _of_value(text: str, expected: Any) -> str:
    """What is wrong with a value of a key that there is."""
    name = re.search(r"Expected a dot import path string: (\S+)", text)
    types = [t for t in re.findall(r"Expected a (<class '[^']+'>|typing\.Literal\[[^\]]*\])", text) if "NoneType" not in t]
    if name and (not types or name[1][:1].isupper() or "." in name[1]):
        return f"there is no class {name[1]}{_classes_like(name[1], expected)}"
    if types:
        value = re.search(r"(?:Got|Given) value: (.*)$", text)
        wanted = dict.fromkeys(word for t in types for word in _plain(t))
        return f"{', '.join(wanted)} expected" + (f", not {_given(value[1])}" if value else "")
    if missing := re.search(r"module '([^']+)' has no attribute '([^']+)'", text):
        return f"{missing[1]} has no {missing[2]}{_meant(missing[2], _classes_in(missing[1]))}"
    if module := re.search(r"No module named '([^']+)'", text):
        return f"there is no module {module[1]}; one of your own is looked for in the current folder"
    if several := re.search(r"Multiple subclasses with name (\w+)\. .*?: ([\w., ]+\w)", text):
        return f"there are several classes {several[1]}; give one in full: {several[2]}"
    text = re.sub(r"- Expected a path but \S+ either not accessible or invalid - |Type .*? callable class: ", "", text)
    return re.split(r" - Expected a | Given value|; Union|\.?\. Got value", text.split('": ', 1)[-1])[0]


def _classes_like(name: str, expected: Any) -> str:
    """Classes of what is expected that are spelled like a name; and the ones that there are, as far as they are ours."""
    bases = list(_bases(expected))
    classes = {c.__name__: c for base in bases for c in _concrete(base) if c not in bases}
    ours = any(base.__module__.split(".")[0] in PACKAGES for base in bases)
    own = sorted(n for n, c in classes.items() if ours and c.__module__.split(".")[0] in PACKAGES)
    if near := _meant(name, [*classes, *own]):
        return near
    shown = _list(own or sorted(classes))
    return f"; there are {shown}" if shown else " (lectern list shows what there is)"


def _list(names: Iterable[str]) -> str:
    """Names, as far as there is room for them."""
    listed = ", ".join(names)
    return listed if len(listed) <= ROOM else listed[:ROOM].rpartition(",")[0] + ", …"


def _meant(name: str, known: Iterable[str]) -> str:
    by_lower = {k.lower(): k for k in known}
    near = [by_lower[n] for n in close(name.rpartition(".")[2].lower(), by_lower)]
    return f"; did you mean {' or '.join(near[:2])}?" if near else ""


def _bases(expected: Any) -> Iterator[type]:
    """The classes of which something is expected: of a callable what it returns."""
    if inspect.isclass(expected) and get_origin(expected) is None:
        if expected.__module__ != "builtins":
            yield expected
    elif get_origin(expected) is collections.abc.Callable:
        yield from _bases(get_args(expected)[-1])
    else:
        for part in get_args(expected):
            yield from _bases(part)


def _concrete(base: type) -> Iterator[type]:
    """A class and all below it that are no one's private part."""
    if not inspect.isabstract(base) and not base.__name__.startswith("_"):
        yield base
    derived: list[type] = type.__subclasses__(base)
    for inner in derived:
        yield from _concrete(inner)


def _classes_in(module: str) -> list[str]:
    found = sys.modules.get(module, object)
    return [*getattr(found, "__all__", ()), *(name for name, value in vars(found).items() if inspect.isclass(value))]


def _plain(kind: str) -> list[str]:
    """``int`` of ``<class 'int'>``, ``a`` and ``b`` of ``typing.Literal['a', 'b']``."""
    if kind.startswith("<"):
        return [kind[8:-2].rpartition(".")[2]]
    return kind[len("typing.Literal[") : -1].replace("'", "").split(", ")


def _given(value: str) -> str:
    return re.sub(r"^NestedArg\(key='([^']*)'.*", r"settings of its own (\1)", value)[:80]


def _has(content: Any, parts: list[str]) -> bool:
    if not parts:
        return True
    if not isinstance(content, dict):
        return False
    if parts[0] in content:
        return _has(content[parts[0]], parts[1:])
    return "init_args" in content and _has(content["init_args"], parts)
