"""The lectures' claims: all of them by id, and the studies that there are."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from datamodules.scene import InputError
from experiments import lectures
from experiments.lectures import LECTURES, rows
from experiments.studies.study import Exact, Study


@dataclass(frozen=True)
class Claim:
    """A claim with a study: one file of ours."""

    name: str
    """``cnn/plain_nets_degrade``."""
    title: str
    """The first line of the file: the claim in one sentence."""
    study: Study | Exact
    file: Path

    @property
    def id(self) -> str:
        return self.study.claim

    @property
    def lecture(self) -> str:
        return self.name.split("/")[0]


@cache
def claims() -> dict[str, Claim]:
    """The claims that have a study, by name, in the order of their ids."""
    found = []
    for package in LECTURES:
        base = importlib.import_module(f"{lectures.__name__}.{package}")
        for module in pkgutil.iter_modules(base.__path__):
            if not module.name.startswith("_"):
                found.append(_claim(f"{package}/{module.name}", importlib.import_module(f"{base.__name__}.{module.name}")))
    return {claim.name: claim for claim in sorted(found, key=lambda claim: claim.id)}


def _claim(name: str, module: ModuleType) -> Claim:
    title = (inspect.getdoc(module) or name).splitlines()[0]
    study = getattr(module, "study", None)
    if not isinstance(study, Study | Exact):
        raise InputError(
            f"{module.__file__}: a claim's file holds `study = Study(…)` or `study = Exact(…)`; "
            "what studies share lies in one that begins with _"
        )
    if study.claim not in rows():
        raise InputError(f"{module.__file__}: no claim {study.claim} in claims.csv")
    return Claim(name, title, study, Path(module.__file__ or ""))


def select(asked: Sequence[str]) -> list[Claim]:
    """The claims that a command line names: by name, with or without its lecture, by id, by lecture, or ``all``.

    Raises:
        InputError: a name is none of these; the message names those like it.
    """
    everything = claims()
    chosen: dict[str, Claim] = {}
    for word in asked:
        key = word.removesuffix(".py").strip("/")
        fitting = {
            name: claim
            for name, claim in everything.items()
            if key in ("all", name, name.split("/")[1], claim.lecture) or key.upper() == claim.id
        }
        if not fitting:
            raise InputError(f"lectern reproduce {word}: no such study or lecture{_like(key)}")
        chosen |= fitting
    return [claim for name, claim in everything.items() if name in chosen]


def named(asked: Sequence[str]) -> list[Claim]:
    """Of what :func:`select` finds, the claims that are meant themselves, and not with their lecture or with all."""
    return select([word for word in asked if word.strip("/") not in ("all", *LECTURES)])


def _like(word: str) -> str:
    from difflib import get_close_matches

    if word.upper() in rows():
        return f"; claim {word.upper()} has no study yet"
    names = [*LECTURES, *claims(), *(name.split("/")[1] for name in claims())]
    close = get_close_matches(word, names, n=3, cutoff=0.4)
    return f"; did you mean {' or '.join(close)}?" if close else "; lectern reproduce --list shows them"
