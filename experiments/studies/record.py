"""A verdict's record: what lies on disk for it, and all that reports, dashboard and table know of it.

One JSON file a study and scale, ``lectures/<lecture>/<study>/verdict-<scale>.json`` below the folder of all runs. It is checked
when it is read: a file that is damaged, or no record at all, reads as none. Keys that a newer version added are passed over.

JSON has no number that is not finite; these are written as the words ``"NaN"`` (not measured) and ``"Infinity"`` (a threshold
that was not reached), and read back as numbers.

Nothing here imports torch or Lightning.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from experiments.runs.bounded import bounded_bytes
from experiments.runs.files import STUDIES_FOLDER, inside, own_file

from .verdict import Bound, Effect, Level

FORMAT = 2
"""Raised where a record of before cannot be read any more."""

LARGEST = 4 * 2**20
"""Bytes of a record; that of the study with most runs has some hundred thousand."""

_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

_NUMBERS = re.compile(r'\[\n(?:\s+(?:[-+.\deE]+|"(?:NaN|-?Infinity|[<>?]?)"),?\n)+\s*\]')
"""In indented JSON, a list of numbers or of bounds; within a text no line ends."""


def _known_level(value: Any) -> Any:
    """A place on the ladder that a newer version added counts as inconclusive."""
    return Level.INCONCLUSIVE if isinstance(value, str) and value not in set(Level) else value


def _number(value: Any) -> Any:
    return _NOT_FINITE.get(value, value) if isinstance(value, str) else value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="strings")


class EffectRecord(_Part):
    """A quantity, or a comparison of two variants, with one number for each seed."""

    name: str
    by_seed: tuple[float, ...]
    estimate: float | None = None
    """The mean over seeds, of ratios the geometric one; None where a seed was not measured."""
    interval: tuple[float, float] | None = None
    """95 % interval over seeds, low and high; None where the estimate is not known or there is one seed."""
    unit: str = ""
    """Of the numbers: ``points`` are percentage points, ``x`` marks a ratio."""
    needs: str = ""
    """What the claim needs of it, in words."""
    paper: float | None = None
    """What the paper has, in the same unit."""
    bounds: tuple[Bound, ...] = ()
    """For each seed, whether it is exact, a lower bound (``>``), an upper one (``<``) or nothing (``?``); empty: all exact."""

    @model_validator(mode="after")
    def _as_many_bounds_as_seeds(self) -> EffectRecord:
        if self.bounds and len(self.bounds) != len(self.by_seed):
            raise ValueError(f"{len(self.bounds)} bounds for {len(self.by_seed)} seeds")
        return self


class ValidityCheckRecord(_Part):
    """A condition without which the measurement says nothing about the claim."""

    name: str
    passed: bool
    detail: str = ""


class CheckRecord(_Part):
    """One identity: what was computed beside what must come out."""

    what: str
    computed: Annotated[int | float | str, BeforeValidator(_number)]
    expected: Annotated[int | float | str, BeforeValidator(_number)]
    holds: bool
    tolerance: float = 0.0
    """Relative; 0: equal."""
    lecture: str = ""
    """What the slide says, where that differs."""


class RunRecord(_Part):
    """A run that the verdict rests on."""

    folder: str
    """Its path below the folder of all runs."""
    seed: int
    values: dict[str, float] = {}
    """The last value of each metric, the test set's included."""


class VariantRecord(_Part):
    """One of the things compared, at its best learning rate."""

    changes: dict[str, JsonValue] = {}
    """What it changes, by dotted setting or by argument."""
    lr: float | None = None
    """Its best learning rate; None where none was tuned."""
    tried: dict[str, float] = {}
    """Each learning rate that was tried, and its score (the less the better; infinite where it diverged)."""
    runs: tuple[RunRecord, ...] = ()


class Record(_Part):
    """A verdict, with all that a reader needs to trust it."""

    format: int
    claim: str
    """The claim's id, such as ``D09``."""
    name: str
    """The study: ``cnn/plain_nets_degrade``."""
    scale: Literal["cpu", "gpu", "paper"]
    title: str
    """The claim in one sentence."""
    says: str
    """The lecture's own sentence."""
    slide: str
    paper: str
    erratum: str = ""
    """What the lecture has wrong."""
    level: Annotated[Level, BeforeValidator(_known_level)]
    because: str
    effects: tuple[EffectRecord, ...] = ()
    """What decided, the most important first."""
    shared_lr: EffectRecord | None = None
    """The shared-lr baseline: the first effect as it would be with one learning rate for all variants."""
    validity_checks: tuple[ValidityCheckRecord, ...] = ()
    checks: tuple[CheckRecord, ...] = ()
    also: tuple[str, ...] = ()
    """Further findings."""
    deviations: tuple[str, ...] = ()
    """How the experiment differs from the lecture's."""
    controlled: str = ""
    """The controlled variables: what is the same in all variants."""
    figure: str = ""
    """The metric whose curve shows the claim, if there is one."""
    seeds: int = 0
    date: datetime
    device: str
    """``any`` where nothing was run: an identity holds on every device, and at every scale."""
    commit: str = ""
    seconds: float = 0.0
    """Wall time of the call that judged."""
    cpu_seconds: float = 0.0
    """Processor time of all runs."""
    study_digest: Annotated[str, Field(pattern=r"^\w*$")] = ""  # it stands in a comment of the README as it is
    changed_code: tuple[str, ...] = ()
    """The files that were changed after the runs were made."""
    code: dict[str, str] = {}
    """Of an identity: the files it was computed with, each with a digest."""
    variants: dict[str, VariantRecord] = {}

    @property
    def is_at_any_scale(self) -> bool:
        """Whether it is an identity, which no scale changes."""
        return self.device == "any"

    @property
    def day(self) -> str:
        """``2026-11-24``."""
        return self.date.date().isoformat()

    def as_json(self) -> str:
        """Indented, each list of numbers or bounds on one line."""
        return _NUMBERS.sub(lambda found: f"[{' '.join(found[0][1:-1].split())}]", self.model_dump_json(indent=1)) + "\n"


def effect_record(effect: Effect) -> EffectRecord:
    """An effect as a record has it: with its mean and interval beside the numbers of each seed."""
    known, several = effect.is_finite and math.isfinite(effect.estimate), len(effect.by_seed) > 1
    return EffectRecord(
        name=effect.name,
        by_seed=effect.by_seed,
        estimate=effect.estimate if known else None,
        interval=effect.interval if known and several else None,
        unit=effect.unit,
        needs=effect.needs,
        paper=effect.paper,
        bounds=effect.bounds,
    )


def read_record(path: Path) -> Record | None:
    """A verdict's record; None where there is none, it is damaged, or an older version made it."""
    content = _content(path)
    if content is None or _is_older(content):
        return None
    try:
        return Record.model_validate_json(content)
    except ValueError:
        return None


def read_records(runs: Path, scale: str | None = None) -> list[Record]:
    """All verdicts below a folder of runs, in the order of their claims."""
    found = [record for path in _paths(runs, scale) if (record := read_record(path))]
    return sorted(found, key=lambda record: (record.claim, record.scale))


def older_records(runs: Path, scale: str | None = None) -> list[str]:
    """The names of the studies whose verdict an older version made, which has to be made again to be read."""
    return sorted({"/".join(path.parts[-3:-1]) for path in _paths(runs, scale) if _is_older(_content(path))})


def broken_records(runs: Path, scale: str | None = None) -> list[str]:
    """The verdicts' files, by their paths below the folder of all runs, that are damaged or no records at all.

    Whoever shows the others names them: one that is broken is left out, and does not pass for one that was never made.
    """
    paths = (path for path in _paths(runs, scale) if read_record(path) is None and not _is_older(_content(path)))
    return sorted(path.relative_to(runs).as_posix() for path in paths)


def _paths(runs: Path, scale: str | None) -> Iterator[Path]:
    paths = sorted((runs / STUDIES_FOLDER).glob(f"*/*/verdict-{scale or '*'}.json"))
    return (path for path in paths if inside(runs, path))


def _content(path: Path) -> bytes | None:
    file = own_file(path.parent, path.name)
    try:
        return bounded_bytes(file, LARGEST) if file else None
    except (OSError, ValueError):
        return None


def _is_older(content: bytes | None) -> bool:
    try:
        found = json.loads(content or b"")
    except (ValueError, RecursionError):
        return False
    was = found.get("format", 1) if isinstance(found, dict) and "level" in found else FORMAT
    return isinstance(was, int) and was < FORMAT
