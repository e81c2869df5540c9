"""A verdict's record: what lies on disk for it, and all that reports, dashboard and table know of it.

One JSON file a study and scale: ``lectures/<lecture>/<study>/verdict-<scale>.json`` below the folder of all runs, and the
committed ones in ``experiments/results/<scale>/<lecture>/<study>.json``. It holds every value that decided, so that it can be
judged again without a run. It is checked when it is read: a file that is damaged, or no record at all, reads as none. Keys that
a newer version added are passed over.

JSON has no number that is not finite; these are written as the words ``"NaN"`` (not measured) and ``"Infinity"`` (a threshold
that was not reached), and read back as numbers.

Nothing here imports torch or Lightning.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from experiments.runs.bounded import bounded_bytes
from experiments.runs.files import STUDIES_FOLDER, inside, own_file

from .effects import Bound
from .levels import Level
from .readable import readable_json

FORMAT = 3
"""Raised where a record of before cannot be read any more."""

LARGEST = 4 * 2**20
"""Bytes of a record; that of the study with most runs has some hundred thousand."""

_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def _known_level(value: Any) -> Any:
    """A place on the ladder that a newer version added counts as inconclusive."""
    return Level.INCONCLUSIVE if isinstance(value, str) and value not in set(Level) else value


def _number(value: Any) -> Any:
    return _NOT_FINITE.get(value, value) if isinstance(value, str) else value


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="strings")


class NeedsRecord(_Stored):
    """What a claim needs of a number, as :class:`~experiments.studies.needs.Needs` has it."""

    low: float = -math.inf
    high: float = math.inf
    null: float | None = None
    margin: float | None = None
    absolute: bool = False
    words: str = ""
    """``≥ 2 points``."""


class NearestRecord(_Stored):
    """What would change a level with least."""

    level: Annotated[Level, BeforeValidator(_known_level)]
    shift: float
    """How far the interval would have to move, in the effect's unit; of a ratio the factor."""


class EffectRecord(_Stored):
    """A quantity, or a comparison of two variants, with one number for each seed."""

    name: str
    by_seed: tuple[float, ...]
    estimate: float | None = None
    """The mean over seeds, of ratios the geometric one; None where a seed was not measured."""
    interval: tuple[float, float] | None = None
    """95 % interval over seeds, low and high; None where the estimate is not known or there is one seed."""
    unit: str = ""
    """Of the numbers: ``points`` are percentage points, ``x`` marks a ratio."""
    needs: NeedsRecord | None = None
    """What the claim needs of it; None where it is shown and not judged."""
    level: Annotated[Level | None, BeforeValidator(_known_level)] = None
    """Where it stands by its need; None where it is not judged."""
    paper: float | None = None
    """What the paper has, in the same unit."""
    bounds: tuple[Bound, ...] = ()
    """For each seed, whether it is exact, a lower bound (``>``), an upper one (``<``) or nothing (``?``); empty: all exact."""
    variants: tuple[str, ...] = ()
    """What is compared: the variant and the other; or the one that is measured."""
    nearest: NearestRecord | None = None
    detectable: float | None = None
    """The smallest effect that this design finds in 80 of 100 repetitions; of a ratio a factor."""
    seeds_needed: int | None = None
    """The seeds that would tell it from the nearest bound of its need; None where too many would, or it is not judged."""

    @model_validator(mode="after")
    def _as_many_bounds_as_seeds(self) -> EffectRecord:
        if self.bounds and len(self.bounds) != len(self.by_seed):
            raise ValueError(f"{len(self.bounds)} bounds for {len(self.by_seed)} seeds")
        return self


class ValidityCheckRecord(_Stored):
    """A condition without which the measurement says nothing about a part of the claim."""

    name: str
    passed: bool
    detail: str = ""


class CheckRecord(_Stored):
    """One identity: what was computed beside what must come out."""

    what: str
    computed: Annotated[int | float | str, BeforeValidator(_number)]
    expected: Annotated[int | float | str, BeforeValidator(_number)]
    holds: bool
    tolerance: float = 0.0
    """Relative; 0: equal."""
    lecture: str = ""
    """What the slide says, where that differs."""
    wrong: bool = False
    """Whether the slide is wrong there, and the check computes what is so."""


class PartRecord(_Stored):
    """One sentence of a claim, and all that decided it."""

    says: str
    level: Annotated[Level, BeforeValidator(_known_level)]
    because: str
    effects: tuple[EffectRecord, ...] = ()
    """What decided, the most important first."""
    conditions: tuple[EffectRecord, ...] = ()
    """What all of the sentence needs besides; without them the direction is the most there is."""
    shown: tuple[EffectRecord, ...] = ()
    """Further effects, which decided nothing."""
    shared_lr: EffectRecord | None = None
    """The shared-lr baseline: the first effect as it would be with one learning rate for all variants."""
    validity_checks: tuple[ValidityCheckRecord, ...] = ()
    checks: tuple[CheckRecord, ...] = ()
    also: tuple[str, ...] = ()
    """Further findings."""
    beyond: bool = False
    """Whether the lecture does not say it."""
    erratum: str = ""
    """What the lecture has wrong, where that is what came out."""


class AmendmentRecord(_Stored):
    """A change to a study after a run."""

    date: str
    what: str


class ConfirmationRecord(_Stored):
    """Code was changed after a verdict, and still gives its numbers."""

    date: str
    what: str
    """What was run or computed again."""
    changed: tuple[str, ...] = ()
    """The files that had been changed."""


class RunRecord(_Stored):
    """A run that the verdict rests on."""

    folder: str = ""
    """Its path below the folder of all runs; empty in a committed record, whose runs are wherever they were made."""
    hash: str = ""
    """What its configuration is known by: the end of its folder's name."""
    seed: int
    lr: float | None = None
    values: dict[str, float] = {}
    """Every value that was judged, by name."""
    data: str = ""
    """A digest of the data that it saw."""


class VariantRecord(_Stored):
    """One of the things compared, at its best learning rate."""

    changes: dict[str, JsonValue] = {}
    """What it changes, by dotted setting or by argument."""
    lr: float | None = None
    """Its best learning rate; None where none was tuned, 0 where no rate is better than no training."""
    inside: bool | None = None
    """Whether that lies inside the rates that were tried; None where none was tuned."""
    tried: dict[str, float] = {}
    """Each learning rate that was tried, and its score (the less the better; infinite where it diverged)."""
    runs: tuple[RunRecord, ...] = ()
    """The judged ones, by seed."""
    others: tuple[RunRecord, ...] = ()
    """Those of the tuning, and of the shared-lr baseline."""


class Record(_Stored):
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
    translation: str = ""
    """The sentence in English, where the lecture's language is another."""
    rule: str = ""
    """What decides, in words."""
    erratum: str = ""
    """What the lecture has wrong."""
    parts: Annotated[dict[str, PartRecord], Field(min_length=1)]
    """By their letters; the first is what the lecture's sentence states."""
    amendments: tuple[AmendmentRecord, ...] = ()
    """Changes to the study after a run, oldest first."""
    confirmed: tuple[ConfirmationRecord, ...] = ()
    """When changed code was found to give the same numbers, oldest first."""
    deviations: tuple[str, ...] = ()
    """How the experiment differs from the lecture's."""
    controlled: str = ""
    """The controlled variables: what is the same in all variants."""
    figure: str = ""
    """The metric whose curve shows the claim, if there is one."""
    figure_axes: Literal["linear", "log-x", "log-y", "log-log"] = "linear"
    """The scale of the law that its curve shows."""
    figure_x: str = ""
    """What the curve of a measurement is drawn along, where that is no optimizer step."""
    data: dict[str, JsonValue] = {}
    """The data of the first variant that is trained: its class, and those of its settings that are numbers, such as the images
    of each split."""
    seeds: int = 0
    """That were judged."""
    first_seed: int = 0
    date: datetime
    device: str
    """``any`` where nothing was run: an identity holds on every device, and at every scale."""
    processor: str = ""
    commit: str = ""
    versions: dict[str, str] = {}
    """Of the libraries that computed it."""
    seconds: float = 0.0
    """Wall time of the call that judged."""
    cpu_seconds: float = 0.0
    """Processor time of all runs."""
    code: dict[str, str] = {}
    """All files of ours that it rests on, each with a digest of its code."""
    changed_code: tuple[str, ...] = ()
    """Of these, the files that were changed between its runs, or before it was judged."""
    variants: dict[str, VariantRecord] = {}

    @property
    def headline(self) -> PartRecord:
        """The part that the lecture's sentence states."""
        return next(iter(self.parts.values()))

    @property
    def level(self) -> Level:
        return self.headline.level

    @property
    def because(self) -> str:
        return self.headline.because

    @property
    def effects(self) -> tuple[EffectRecord, ...]:
        """The headline's: what decided, its conditions and what is shown besides."""
        part = self.headline
        return (*part.effects, *part.conditions, *part.shown)

    @property
    def checks(self) -> tuple[CheckRecord, ...]:
        """Of all parts."""
        return tuple(check for part in self.parts.values() for check in part.checks)

    @property
    def is_at_any_scale(self) -> bool:
        """Whether it is an identity, which no scale changes."""
        return self.device == "any"

    @property
    def day(self) -> str:
        """``2026-11-24``."""
        return self.date.date().isoformat()

    def as_json(self) -> str:
        """Indented, with what fits on a line on one; what is as it would be read without it is left out."""
        return readable_json(json.loads(self.model_dump_json(exclude_defaults=True)))


def read_record(path: Path) -> Record | None:
    """A verdict's record; None where there is none, it is damaged, or an older version made it."""
    content = _content(path)
    return None if content is None else parse_record(content)


def parse_record(content: bytes) -> Record | None:
    """A record from its file's content, as :func:`read_record` reads it."""
    if _is_older(content):
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
