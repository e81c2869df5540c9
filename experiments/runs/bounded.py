"""JSON and YAML that somebody else may have written: read in bounded time and memory, or refused.

Nothing here imports torch or Lightning.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import yaml

LARGEST = 64 * 2**20
"""Bytes of a file that is read; a larger one is not a run's."""
LARGEST_YAML = 2 * 2**20
"""Bytes of a configuration; Lectern's longest has 10,000."""
DEEPEST = 100
"""Levels of a configuration. libyaml, which reads it, has no limit of its own and ends the process where the stack is full."""
NODES = 100_000
"""Values of a configuration, those that an alias repeats counted each time: a few lines of aliases stand for billions."""
DIGITS = 4_000
"""Characters of a number. Reading one takes time that grows with the square of its length."""

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same language, ten times as fast


def bounded_bytes(path: Path, largest: int = LARGEST) -> bytes:
    """What is in a plain file of at most ``largest`` bytes.

    Raises:
        ValueError: it is another thing (a pipe would wait for ever, a device never end), or larger; the message says so.
        OSError: it is not there, or cannot be read.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("no plain file")
    if status.st_size > largest:
        raise ValueError(f"{status.st_size:,} bytes, more than the {largest:,} of any such file")
    return path.read_bytes()


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        ValueError: as :func:`bounded_bytes`, or it is no JSON, nested too deeply, or has half a character (``\\ud800``), which
            could be written nowhere.
        OSError: it is not there, or cannot be read.
    """
    content = bounded_bytes(path)
    try:
        value = json.loads(content)
        if b"\\ud" in content.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def read_yaml(path: Path) -> Any:
    """The content of a YAML file, as :func:`parse_yaml`.

    Raises:
        ValueError: as :func:`bounded_bytes`, or it is no YAML that is a configuration; the message, one line, says why.
        OSError: it is not there, or cannot be read.
    """
    return parse_yaml(bounded_bytes(path, LARGEST_YAML).decode())


def parse_yaml(text: str) -> Any:
    """What YAML of plain values says.

    Raises:
        ValueError: it is no such YAML, nested too deeply, too large with its aliases written out, or an alias stands inside of
            what it names; the message, one line, says which.
    """
    try:
        _check(text)
        return LOADER(text).get_single_data()
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
    except (LookupError, AttributeError, TypeError, OverflowError) as error:  # ``!!bool maybe``, ``!!timestamp soon``
        raise ValueError(f"a value that does not fit its tag ({type(error).__name__})") from None


def _check(text: str) -> None:
    """Goes through the events of YAML, which takes no more memory than the text, whatever the text stands for."""
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    """Of each collection that is not closed: its anchor, and how many values there were before it."""
    nodes = 0
    for event in yaml.parse(text, LOADER):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor in (anchor for anchor, _ in open_nodes):
                raise ValueError(f"alias *{event.anchor} stands inside of what it names")
            nodes += sizes.get(event.anchor or "", 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, nodes))
            nodes += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor is not None:
                sizes[anchor] = nodes - before
        elif isinstance(event, yaml.ScalarEvent):
            nodes += 1
            if event.anchor is not None:
                sizes[event.anchor] = 1
            if len(event.value) > DIGITS and _is_number(event):
                raise ValueError(f"a number of {len(event.value):,} characters")
        if nodes > NODES:
            raise ValueError(f"more than {NODES:,} values, aliases written out")
        if len(open_nodes) > DEEPEST:
            raise ValueError(f"nested more than {DEEPEST} levels deep")


def _is_number(event: yaml.ScalarEvent) -> bool:
    """Whether a scalar is read as a number, or as anything else that is no text."""
    if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
        return True
    return bool(event.implicit[0]) and event.value.lstrip("+-.")[:1].isdigit()
