"""The verdicts that come with Lectern: ``experiments/results/<scale>/<lecture>/<study>.json``, in the repository and the wheel.

Nothing here imports torch or Lightning.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from .record import Record, parse_record

RESULTS = "results"
"""The folder of all records, in the package of experiments."""


def committed_records(scale: str | None = None) -> list[Record]:
    """All verdicts that come with Lectern, in the order of their claims; those of one scale, if one is given."""
    found = [record for record in _read().values() if record and scale in (None, record.scale)]
    return sorted(found, key=lambda record: (record.claim, record.scale))


def committed_record(name: str, scale: str) -> Record | None:
    """A study's verdict at a scale; None where there is none. An identity's holds at every scale.

    Args:
        name: ``cnn/plain_nets_degrade``.
        scale: cpu, gpu or paper.
    """
    own, identity = (_read().get(f"{place}/{name}.json") for place in (scale, "cpu"))
    return own or (identity if identity and identity.is_at_any_scale else None)


def broken_committed() -> list[str]:
    """The files, ``cpu/cnn/plain_nets_degrade.json``, that are no records, or those of another study than they are named by."""
    return sorted(path for path, record in _read().items() if record is None)


def forget() -> None:
    """Lets the records be read anew: one was written."""
    _read.cache_clear()


@cache
def _read() -> dict[str, Record | None]:
    found = {}
    for scale in _inside(files("experiments") / RESULTS):
        for lecture in _inside(scale):
            for file in _inside(lecture):
                if file.name.endswith(".json"):
                    path, record = f"{scale.name}/{lecture.name}/{file.name}", parse_record(file.read_bytes())
                    found[path] = record if record and f"{record.scale}/{record.name}.json" == path else None
    return found


def _inside(folder: Traversable) -> list[Traversable]:
    return sorted(folder.iterdir(), key=lambda entry: entry.name) if folder.is_dir() else []
