"""Lectern's data modules: one data set each, all yielding scenes.

They are in ``exports``, which is imported when the first of them is asked for (PEP 562): a mistake on the command line is then
said before torch is loaded.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .exports import *  # noqa: F403
    from .exports import __all__ as __all__


def __getattr__(name: str) -> Any:
    if name.startswith("__") and name != "__all__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    exports = import_module(f"{__name__}.exports")
    if name != "__all__" and name not in exports.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(exports, name)
