"""JSON that a person reads: indented, and with what fits on a line on one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

WIDTH = 128
"""Columns."""


def readable_json(value: Any) -> str:
    """Plain data as JSON: lists and objects that fit on a line stand on one; of longer ones, numbers and texts side by side."""
    return "".join(_folded(value, 0, 0)) + "\n"


def _folded(value: Any, indent: int, before: int) -> Iterator[str]:
    """A value in pieces; ``before`` columns of its first line are taken."""
    whole = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, list | dict) or indent + before + len(whole) < WIDTH:
        yield whole
        return
    opening, closing = "[]" if isinstance(value, list) else "{}"
    items = [("", item) for item in value] if isinstance(value, list) else [(f"{_text(k)}: ", v) for k, v in value.items()]
    column, first = WIDTH, True
    yield opening
    for key, item in items:
        is_short = not isinstance(item, list | dict)
        length = len(key) + (len(_text(item)) if is_short else 0)
        if is_short and column + length + 3 <= WIDTH:
            yield f", {key}{_text(item)}"
            column += length + 2
        else:
            yield f"{'' if first else ','}\n{' ' * (indent + 1)}{key}"
            yield from _folded(item, indent + 1, len(key))
            column = indent + 1 + length if is_short else WIDTH
        first = False
    yield f"\n{' ' * indent}{closing}"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
