"""The recipes that come with Lectern, found by name from any folder."""

from __future__ import annotations

from pathlib import Path

from datamodules.scene import InputError

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """``segmentation/fcn_transpose`` and so on, sorted."""
    return sorted(str(p.relative_to(FOLDER).with_suffix("")) for p in FOLDER.rglob("*.yaml"))


def path_of(name: str) -> Path:
    """The file of a recipe given by name, or by path where such a file exists.

    Raises:
        InputError: there is neither; the message names recipes like it.
    """
    given = Path(name)
    if given.is_file():
        return given
    inside = FOLDER / f"{name.removesuffix('.yaml')}.yaml"
    if inside.is_file():
        return inside
    from difflib import get_close_matches

    close = get_close_matches(name, names(), n=3, cutoff=0.4)
    raise InputError(
        f"--config {name}: no such file and no such recipe" + (f"; did you mean {' or '.join(close)}?" if close else "")
    )


def resolve(arguments: list[str]) -> list[str]:
    """The command line with each recipe's name replaced by its path."""
    resolved = []
    for i, argument in enumerate(arguments):
        before = arguments[i - 1] if i else ""
        if before in ("--config", "-c"):
            argument = str(path_of(argument))
        elif argument.startswith("--config="):
            argument = f"--config={path_of(argument.removeprefix('--config='))}"
        resolved.append(argument)
    return resolved


def name_of(arguments: list[str]) -> str:
    """What a run of this command line is called: its recipe, or its first file's stem; empty where it has none."""
    for before, argument in zip(["", *arguments], [*arguments, ""], strict=True):
        if before in ("--config", "-c") or argument.startswith("--config="):
            path = Path(argument.removeprefix("--config=")).resolve()
            return str(path.relative_to(FOLDER).with_suffix("")) if path.is_relative_to(FOLDER) else path.stem
    return ""
