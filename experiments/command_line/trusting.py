"""``--trust``: packages of the user's own, whose classes a checkpoint may name."""

from __future__ import annotations

import sys
from collections.abc import Collection

from datamodules.errors import InputError

NEVER = (
    *sys.stdlib_module_names,
    *("experiments", "torch", "torchvision", "jsonargparse", "pytorch_lightning", "lightning_fabric"),
)
"""Packages that are nobody's own, and have more than classes of networks and data: they are not trusted as a whole."""


def trusted(values: Collection[str]) -> tuple[str, ...]:
    """The packages that ``--trust`` names, which may be given more than once and have several each, with commas between.

    Raises:
        InputError: one is no package of the user's own.
    """
    names = [name.strip() for value in values for name in value.split(",") if name.strip()]
    for name in names:
        if not all(part.isidentifier() for part in name.split(".")):
            raise InputError(f"--trust {name}: expected a package or module of your own, such as my_package")
        if name.split(".")[0] in NEVER:
            raise InputError(
                f"--trust {name}: this is for packages and modules of your own; it has more than classes for networks"
            )
    return tuple(names)
