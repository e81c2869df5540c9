"""Docstrings name other code as Sphinx does (``:class:`Scene```); the API pages show the name as code."""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:mod|class|func|meth|attr|data|exc|obj):`~?([^`]+)`")
"""A role of Sphinx, and the name in it."""


class Roles(griffe.Extension):
    """Rewrites every docstring as it is read; the source is left as it is."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = plain_names(obj.docstring.value)


def plain_names(text: str) -> str:
    """``:meth:`Task.losses``` becomes ```Task.losses```."""
    return ROLE.sub(lambda match: f"`{match[1].removeprefix('.')}`", text)
