"""Help and lists at once: what a command printed before, for as long as nothing that it depends on is another."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout, suppress
from importlib.metadata import PackageNotFoundError, version
from io import StringIO
from pathlib import Path

from datamodules.cache_folder import cache_folder
from datamodules.temporary import beside
from experiments import PACKAGES, ROOT, recipes

from .own_files import any_derives_from_ours

LIBRARIES = ("torch", "torchvision", "pytorch-lightning", "jsonargparse", "torchmetrics", "albumentations")
"""Of others' packages, those whose classes and arguments a page of help shows."""

HEAVY = ("fit", "validate", "test", "predict", "doctor", "explain", "export", "reproduce", "list")
"""The commands that load libraries before they can show their options."""


def is_fixed(command: str, arguments: list[str]) -> bool:
    """Whether what a command prints depends on nothing but Lectern, its libraries and the terminal: no run, no class of the
    user's own, no recipe of theirs."""
    if command not in HEAVY or recipes.own_folder():
        return False
    *before, last = arguments or [""]
    if last in ("-h", "--help"):
        name = before[1] if len(before) == 2 and before[0] in ("-c", "--config") else None
        return not before or (name in recipes.names() and not Path(str(name)).exists())
    if len(before) == 1 and before[0].startswith("--") and before[0].endswith(".help"):
        return last.isidentifier()  # and no class of a module, which may be the user's
    return (command, arguments) == ("list", []) and not any_derives_from_ours()


def remembered(command: str, arguments: list[str], run: Callable[[], int]) -> int:
    """Prints what ``run`` printed when it was called for this command line last, or calls it; returns its exit code.

    It is called where a file of Lectern's, a library's version, Python, the terminal's width or a variable of the environment
    that names a setting has changed. What ended in an error is not kept.

    Args:
        command: the first word.
        arguments: what follows it; :func:`is_fixed`.
        run: what answers.
    """
    asked = hashlib.sha256("\0".join([command, *arguments]).encode()).hexdigest()[:16]
    path, state = cache_folder() / "said" / asked, _state()
    with suppress(OSError, ValueError):
        made_with, _, text = path.read_text(encoding="utf-8").partition("\n")
        if made_with == state:
            print(text, end="")
            return 0
    text, code = _printed(run)
    if code == 0:
        with suppress(OSError):  # a cache that cannot be written costs time only
            path.parent.mkdir(parents=True, exist_ok=True)
            (draft := beside(path)).write_text(f"{state}\n{text}", encoding="utf-8")
            draft.replace(path)
    return code


def _printed(run: Callable[[], int]) -> tuple[str, int]:
    """What a command prints, which is printed here, and its exit code; argparse leaves with one behind a page of help."""
    said = StringIO()
    try:
        with redirect_stdout(said):
            code = run()
    except SystemExit as error:
        if error.code not in (0, None):
            raise
        code = 0
    finally:
        print(said.getvalue(), end="")
    return said.getvalue(), code


def _state() -> str:
    """Stands for all that help and lists depend on: another text where any of it is another."""
    digest = hashlib.sha256()
    for part in _parts():
        digest.update(part)
        digest.update(b"\0")
    return digest.hexdigest()


def _parts() -> Iterator[bytes]:
    yield f"{sys.version} {ROOT} {shutil.get_terminal_size()} {sys.stdout.isatty()}".encode()
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            yield f"{name} {version(name)}".encode()
    settings = ("LECTERN_", "PYTHON_COLORS", "NO_COLOR", "FORCE_COLOR", "TERM", "JSONARGPARSE_")
    for name, value in sorted(os.environ.items()):
        if name.startswith(settings) and name != "LECTERN_CACHE":
            yield f"{name}={value}".encode()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix in (".py", ".yaml", ".csv"):
                yield str(path).encode()
                yield path.read_bytes()
