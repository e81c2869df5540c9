"""A study: one claim of a lecture, the experiments that differ in one thing, and the rule for its verdict."""

from __future__ import annotations

import datetime
import hashlib
import inspect
import json
import math
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from experiments import recipes

from .lazy import path_of, plain
from .results import Run, Runs
from .verdict import Check, Part

ScaleName = Literal["cpu", "gpu", "paper"]
SCALES: tuple[ScaleName, ...] = ("cpu", "gpu", "paper")

LR = "model.optimizer.lr"
TUNING_SEED = 10_000
"""The seed, of data and weights, that learning rates are chosen with. No verdict is judged on it."""


@dataclass(frozen=True)
class Training:
    """Runs are trainings: ``recipe``, with the changes of scale and variant, through the command line's own ``main``.

    Changes are what :func:`configuration` takes: dotted keys, as on the command line, and plain values or what
    :func:`~experiments.studies.lazy.L` makes of a class.
    """

    recipe: str


@dataclass(frozen=True)
class Measurement:
    """Runs are calls of ``function(seed=…, folder=…, **variant)``, for what takes no training by a recipe.

    The function may write pictures into ``folder / "pictures"``; it returns its figures by name.
    """

    function: Callable[..., Measured]


@dataclass(frozen=True)
class Measured:
    """What a measurement found."""

    values: Mapping[str, float]
    curves: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    """(x, y) points by name."""
    data: str = ""
    """A digest of the data that it saw, where the function has one."""


@dataclass(frozen=True)
class Variant:
    """One of the things compared.

    ``lr_of`` names the variant whose best learning rate this one takes over, multiplied by ``times``, and is not tuned itself.
    ``work`` is the variant's own where it is not the study's: a claim may be measured in one part and trained in another. Such
    a variant has nothing of the scale's changes, and a measured one no learning rate.
    """

    changes: Mapping[str, Any] = field(default_factory=dict)
    lr_of: str | None = None
    times: float = 1.0
    work: Training | Measurement | None = None


@dataclass(frozen=True)
class Tune:
    """Each variant gets its own learning rate: from ``start`` a grid of steps of √10 is walked until the best is inside it.

    Judged with :data:`TUNING_SEED` by ``by`` (a value of the run that is measured on training or validation data, never on the
    test set), the least being best unless ``greatest``. All variants get the same number of tries. The two best rates are tried
    on two more tuning seeds, and the one with the lower mean is taken: a rate may win by one lucky run. Where the least rate of
    a whole walk is the best, and better than no training at all by no more than one standard deviation over seeds, the rate is
    0: the effect of training is none there.
    """

    start: float
    by: str | Callable[[Run], float]
    greatest: bool = False
    key: str = LR
    own_start: Mapping[str, float] = field(default_factory=dict)
    """Where a variant's walk begins, if not at ``start``: it saves steps and changes nothing else."""
    seeds: int = 1
    """Tuning seeds, from :data:`TUNING_SEED` on, whose mean score decides where the walk goes."""

    def score(self, run: Run) -> float:
        """The less the better; a run that diverged is worse than any other."""
        value = run.value(self.by)
        return math.inf if not math.isfinite(value) else -value if self.greatest else value


@dataclass(frozen=True)
class Scale:
    """The same study with other numbers: the embedded data in minutes, the real data on a GPU, or the original set-up."""

    changes: Mapping[str, Any] = field(default_factory=dict)
    seeds: int | None = None
    deviations: tuple[str, ...] = ()
    """How this scale differs from the lecture's set-up."""
    start: float | None = None
    """Where the walk over learning rates begins, if not where the study says."""
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By variant, what this scale changes in it alone, after the variant's own changes."""
    requires: Mapping[str, str] = field(default_factory=dict)
    """Folders and files that have to be there, by their path, such as ``data/bccd``, and where each is to be had. Without one
    of them the study is not run, and says so."""


@dataclass(frozen=True)
class Amendment:
    """A change to a study after it was run once: of its rule, a metric, a variant, a scene."""

    date: str
    """``2026-11-26``."""
    what: str
    """What was so before, what is now, and why."""

    def __post_init__(self) -> None:
        datetime.date.fromisoformat(self.date)


@dataclass(frozen=True, kw_only=True)
class Study:
    """One claim, its experiments and its verdict. One file under ``experiments/lectures/<lecture>/`` holds one.

    Raises:
        ValueError: a variant takes its learning rate from one that is not there, or there is nothing to run.
    """

    claim: str
    """Its id, such as ``D09``."""
    says: str
    """The lecture's sentence, in its own words and its own language."""
    translation: str = ""
    """In English, where the lecture's language is another."""
    slide: str
    """Where it stands: the slide's title in the deck; of CS231n the image in the notes, ``…pdf-0080``."""
    paper: str = "No figure in the lecture."
    """The paper's figure, or that there is none."""
    work: Training | Measurement
    variants: Mapping[str, Mapping[str, Any] | Variant]
    """What varies: by name, the changes to the recipe or the arguments of the measurement."""
    parts: Callable[[Runs], Part | Mapping[str, Part]]
    """What the runs say, in parts of the claim by their letters; the first is what the lecture's sentence states. Its docstring
    is the rule in words, and is shown."""
    tune: Tune | None = None
    seeds: int = 5
    """That are judged. A seed decides the weights, the order, the augmentation and the data: which scenes are drawn, which
    images of a data set on disk are taken for training."""
    same_data: bool = False
    """Whether all seeds have the data of seed 0: for claims about the weights alone."""
    scales: Mapping[ScaleName, Scale] = field(default_factory=lambda: {"cpu": Scale()})
    controlled: str = ""
    """What is the same in all variants."""
    deviations: tuple[str, ...] = ()
    """How all scales differ from the lecture's set-up."""
    erratum: str = ""
    """What the lecture has wrong or claims too much of, shown to the reader."""
    figure: str = ""
    """The curve that shows it: the name of a metric over steps, if there is one."""
    figure_axes: Literal["linear", "log-x", "log-y", "log-log"] = "linear"
    """The scale of the law that it shows: a power law is a line on ``log-log``."""
    figure_x: str = ""
    """What the curve of a measurement is drawn along, with its unit, where that is no optimizer step: the axis' title."""
    amendments: tuple[Amendment, ...] = ()
    """What was changed after a run, oldest first."""

    def __post_init__(self) -> None:
        for name, variant in self.variants.items():
            if (
                isinstance(variant, Variant)
                and variant.lr_of is not None
                and (self.tune is None or variant.lr_of not in self.variants)
            ):
                raise ValueError(
                    f"{self.claim}: variant {name} takes its learning rate from {variant.lr_of}, which is not tuned here"
                )
        if not self.variants or self.seeds < 1:
            raise ValueError(f"{self.claim}: a study needs a variant and a seed")

    def variant(self, name: str) -> Variant:
        variant = self.variants[name]
        return variant if isinstance(variant, Variant) else Variant(variant)

    def work_of(self, variant: str) -> Training | Measurement:
        return self.variant(variant).work or self.work

    @property
    def tuned_variants(self) -> list[str]:
        """The variants whose learning rate is walked."""
        trained = [name for name in self.variants if isinstance(self.work_of(name), Training)]
        return [name for name in trained if self.tune is not None and self.variant(name).lr_of is None]

    def job(self, scale: ScaleName, variant: str, lr: float | None, seed: int) -> Job:
        """The run of this variant at this learning rate with this seed."""
        work = self.work_of(variant)
        here = self.scales[scale]
        changes = {
            **(here.changes if work is self.work else {}),
            **self.variant(variant).changes,
            **here.variants.get(variant, {}),
        }
        if isinstance(work, Measurement):
            return Job(variant, lr, seed, {**changes, "seed": seed}, work.function)
        if lr is not None and self.tune is not None:
            changes[self.tune.key] = lr
        config = configuration(work.recipe, changes) | {"seed_everything": seed}
        if not self.same_data:
            _arguments(config["data"], "data_seed").setdefault("data_seed", seed)
        return Job(variant, lr, seed, config)


@dataclass(frozen=True)
class Exact:
    """A claim that is an identity: ``checks`` computes both sides, in seconds, and the verdict is whether they agree."""

    claim: str
    says: str
    slide: str
    paper: str
    checks: Callable[[], list[Check]]
    translation: str = ""
    """In English, where the lecture's language is another."""
    deviations: tuple[str, ...] = ()
    erratum: str = ""
    """What the lecture has wrong: what the checks that are marked so compute."""
    amendments: tuple[Amendment, ...] = ()
    """What was changed after a run, oldest first."""


@dataclass(frozen=True)
class Job:
    """One run that a study needs: a training's whole configuration, or a measurement and its arguments."""

    variant: str
    lr: float | None
    seed: int
    settings: Mapping[str, Any]
    function: Callable[..., Measured] | None = None

    @property
    def hash(self) -> str:
        """What determines the result, as 12 hexadecimal digits: two jobs with the same are the same run."""
        what = f"{self.function.__module__}.{self.function.__qualname__}" if self.function else "fit"
        return digest({"what": what, "settings": self.settings})

    @property
    def version(self) -> str:
        """The run folder's name."""
        lr = "" if self.lr is None else f"-lr{self.lr:g}"
        variant = "".join(c if c.isalnum() or c in "-+." else "_" for c in self.variant)
        return f"{variant}{lr}-seed{self.seed}-{self.hash}"


def digest(value: Any) -> str:
    """12 hexadecimal digits that stand for plain data."""
    text = json.dumps(value, sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def configuration(recipe: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe's configuration with what stands at each dotted key replaced.

    Keys are as on the command line: behind a class come its arguments, ``model.network.widths``. A class without arguments,
    ``{"model.network": FastRCNN}``, takes the place of the class that stands there and leaves the arguments, as
    ``--model.network FastRCNN`` does; any other value replaces what stands there as a whole, so that one optimizer's
    arguments never leak into another's.
    """
    merged = deepcopy(_recipe(recipe))
    merged.pop("expect", None)
    for key, value in changes.items():
        *path, last = key.split(".")
        place = merged
        for part in path:
            place = _arguments(place, part).setdefault(part, {})
        place = _arguments(place, last)
        if inspect.isclass(value) and isinstance(there := place.get(last), dict) and "class_path" in there:
            there["class_path"] = path_of(value)
        else:
            place[last] = plain(value)
    return merged


def _arguments(place: dict[str, Any], part: str) -> dict[str, Any]:
    """Where the next part of a key is looked for: among the arguments of a class, unless it says ``init_args`` itself."""
    if "class_path" not in place or part in ("class_path", "init_args"):
        return place
    arguments: dict[str, Any] = place.setdefault("init_args", {})
    return arguments


@cache
def _recipe(name: str) -> dict[str, Any]:
    content = yaml.safe_load(Path(recipes.path_of(name)).read_text(encoding="utf-8"))
    return dict(content)
