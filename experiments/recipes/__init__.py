"""Recipes, found by name from any folder: those that come with Lectern, and a user's own."""

from __future__ import annotations

from pathlib import Path

from datamodules.errors import InputError

FOLDER = Path(__file__).parent
"""The recipes that come with Lectern."""

OWN = Path("recipes")
"""Where a user's own are looked for, seen from the current folder, unless ``--recipes`` says where."""


def names(folder: Path = FOLDER) -> list[str]:
    """``segmentation/fcn_transpose`` and so on, sorted."""
    return sorted(p.relative_to(folder).with_suffix("").as_posix() for p in folder.rglob("*.yaml"))


def own_folder(given: str | None = None) -> Path | None:
    """The folder of the user's own recipes: the one given, or ``./recipes`` where there is one that is not Lectern's.

    Raises:
        InputError: what is given is no folder.
    """
    if given is not None and not Path(given).is_dir():
        raise InputError(f"--recipes {given}: no such folder")
    folder = Path(given) if given is not None else OWN
    return folder if folder.is_dir() and folder.resolve() != FOLDER.resolve() else None


def path_of(name: str, own: Path | None = None) -> Path:
    """The file of a recipe given by name, or by path where such a file exists.

    A name is looked up among the user's ``own`` first. Studies give no such folder, so that what they run is Lectern's.

    Raises:
        InputError: there is neither; the message names recipes like it.
    """
    given = Path(name)
    if given.is_file():
        return given
    for folder in (own, FOLDER):
        if folder and (inside := folder / f"{name.removesuffix('.yaml')}.yaml").is_file():
            return inside
    from difflib import get_close_matches

    known = [*(names(own) if own else ()), *names()]
    close = [n for n in known if n.rpartition("/")[2] == name] or get_close_matches(name, known, n=3, cutoff=0.4)
    raise InputError(
        f"--config {name}: no such file and no such recipe" + (f"; did you mean {' or '.join(close)}?" if close else "")
    )


def hides(path: Path, own: Path | None) -> str:
    """The name of Lectern's recipe that a user's own of the same name stands in front of; empty where there is none."""
    name = name_of(path, own) if own and path.resolve().is_relative_to(own.resolve()) else ""
    return name if name and (FOLDER / f"{name}.yaml").is_file() else ""


def name_of(path: Path, own: Path | None = None) -> str:
    """What a run of this file is called: the recipe's name, or the file's stem where it is none."""
    path = path.resolve()
    for folder in (own, FOLDER):
        if folder and path.is_relative_to(folder.resolve()):
            return path.relative_to(folder.resolve()).with_suffix("").as_posix()
    return path.stem
