"""What finished runs say: values, curves, and comparisons of variants by seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .effects import Bound, Effect
from .verdict import ValidityCheck

_Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Run:
    """One finished run of a study.

    What a verdict reads of it is kept in :attr:`read`, so that a record can hold it, and be judged again from it.
    """

    variant: str
    seed: int
    lr: float | None
    values: Mapping[str, float]
    """The last value of each metric, the test set's included."""
    curves: Mapping[str, _Points] = field(default_factory=dict)
    """(step, value) of each metric, in order."""
    folder: Path | None = None
    seconds: float = 0.0
    read: dict[str, float] = field(default_factory=dict, compare=False)
    """By name, every value that was asked for: NaN where the run has none."""

    def value(self, measure: Quantity) -> float:
        """A metric by name, or what a function makes of the run; NaN where the run has none."""
        return self._read(measure, lambda: math.nan) if isinstance(measure, str) else float(measure(self))

    def steps_to(self, name: str, threshold: float) -> float:
        """The first step at which a falling curve is at or below ``threshold``; infinite where it never is, NaN where there is
        no such curve."""
        points = self.curves.get(name, ())
        never = math.inf if points else math.nan
        return self._read(f"steps to {name} {threshold:g}", lambda: next((x for x, y in points if y <= threshold), never))

    def last_step(self, name: str) -> float:
        """The step of a curve's last point; NaN where there is none."""
        points = self.curves.get(name, ())
        return self._read(f"last step of {name}", lambda: points[-1][0] if points else math.nan)

    def _read(self, name: str, otherwise: Callable[[], float]) -> float:
        found = float(self.values[name]) if name in self.values else float(otherwise())
        self.read[name] = found
        return found

    @property
    def missing(self) -> list[str]:
        """What was asked for and is not there, not even as NaN: a run that lost it has to be made again."""
        return [name for name, value in self.read.items() if math.isnan(value) and name not in self.values]


Quantity = str | Callable[[Run], float]
"""What is read of a run: a metric by name, or what a function makes of the run."""


class Runs:
    """The runs of a study: those at each variant's best learning rate, which decide, and those of the tuning.

    Args:
        runs: all that finished.
        lrs: each variant's best learning rate; None where it is not tuned.
        inside: whether that learning rate lies inside the grid that was walked, or training is known to add nothing.
        tuning: the first of the seeds that rates were chosen with; from it on none is judged. None: all are.
    """

    def __init__(
        self,
        runs: Iterable[Run],
        lrs: Mapping[str, float | None] | None = None,
        inside: Mapping[str, bool] | None = None,
        tuning: int | None = None,
    ) -> None:
        self.all = list(runs)
        self.lrs: dict[str, float | None] = dict(lrs) if lrs is not None else {run.variant: run.lr for run in self.all}
        self.inside = dict(inside or {})
        self.tuning = tuning

    @classmethod
    def made_up(cls, variants: Mapping[str, Mapping[str, Sequence[float]]], **kwargs: Any) -> Runs:
        """Runs that nobody made, for trying a verdict: ``{"relu": {"test/error": [0.1, 0.12, 0.11]}}``, one number a seed."""
        runs = []
        for variant, measures in variants.items():
            for seed in range(max(len(v) for v in measures.values())):
                runs.append(Run(variant, seed, None, {name: values[seed] for name, values in measures.items()}))
        return cls(runs, **kwargs)

    def exchanged(self, variant: str, other: str) -> Runs:
        """The same runs with two variants' names exchanged: a verdict that stays as it was does not compare them."""
        names = {variant: other, other: variant}
        runs = [Run(names.get(r.variant, r.variant), r.seed, r.lr, r.values, r.curves, r.folder, r.seconds) for r in self.all]
        lrs = {names.get(name, name): lr for name, lr in self.lrs.items()}
        ordered = {name: lrs[name] for name in self.lrs}
        return Runs(runs, ordered, {names.get(name, name): value for name, value in self.inside.items()}, self.tuning)

    @property
    def variants(self) -> list[str]:
        return list(self.lrs)

    def of(self, variant: str) -> list[Run]:
        """The variant's judged runs at its best learning rate, by seed."""
        own = [r for r in self.all if r.variant == variant and r.lr == self.lrs[variant] and self._judged(r)]
        return sorted(own, key=lambda run: run.seed)

    def _judged(self, run: Run) -> bool:
        return self.tuning is None or run.seed < self.tuning

    def values(self, variant: str, measure: Quantity) -> list[float]:
        """One number a seed."""
        return [run.value(measure) for run in self.of(variant)]

    def quantity(
        self, name: str, variant: str, measure: Quantity, *, scale: float = 1, unit: str = "", **kwargs: Any
    ) -> Effect:
        """A measure of one variant."""
        numbers = tuple(scale * v for v in self.values(variant, measure))
        return Effect(name, numbers, unit, variants=(variant,), **kwargs)

    def difference(
        self, name: str, variant: str, other: str, measure: Quantity, *, scale: float = 100, unit: str = "points", **kwargs: Any
    ) -> Effect:
        """``variant`` - ``other``, seed by seed, each at its own best learning rate; in percentage points unless said."""
        numbers = tuple(scale * (a - b) for a, b in self._pairs(variant, other, measure))
        return Effect(name, numbers, unit, variants=(variant, other), **kwargs)

    def ratio(
        self, name: str, variant: str, other: str, measure: Quantity, *, budget: float = math.inf, **kwargs: Any
    ) -> Effect:
        """``variant`` / ``other``, seed by seed. A run that missed its threshold (infinite) counts as > ``budget``."""
        values: list[float] = []
        bounds: list[Bound] = []
        for a, b in self._pairs(variant, other, measure):
            missed = (math.isinf(a), math.isinf(b))
            kinds: dict[tuple[bool, bool], Bound] = {(False, False): "", (True, False): ">", (False, True): "<"}
            bounds.append(kinds.get(missed, "?"))
            top, bottom = (budget if m else v for m, v in zip(missed, (a, b), strict=True))
            values.append(top / bottom if bottom else math.nan)
        return Effect(
            name, tuple(values), "x", bounds=tuple(bounds) if any(bounds) else (), variants=(variant, other), **kwargs
        )

    def combined(self, name: str, measure: Callable[[Mapping[str, Run]], float], **kwargs: Any) -> Effect:
        """What a function makes of all variants' runs with one seed: a difference of differences, a slope over variants."""
        by_seed: dict[int, dict[str, Run]] = {}
        for variant in self.variants:
            for run in self.of(variant):
                by_seed.setdefault(run.seed, {})[variant] = run
        whole = [runs for _, runs in sorted(by_seed.items()) if len(runs) == len(self.variants)]
        return Effect(name, tuple(float(measure(runs)) for runs in whole), **kwargs)

    def shared_lr(self, name: str, variant: str, other: str, measure: Quantity, **kwargs: Any) -> Effect | None:
        """The difference with one learning rate for both variants, the best of ``other``, in the seeds that were run so."""
        pairs = self._shared_lr_pairs(variant, other, measure)
        scale, unit = kwargs.pop("scale", 100), kwargs.pop("unit", "points")
        return (
            Effect(f"{name}, shared learning rate", tuple(scale * (a - b) for a, b in pairs), unit, **kwargs) if pairs else None
        )

    def shared_lr_ratio(self, name: str, variant: str, other: str, measure: Quantity) -> Effect | None:
        """As :meth:`shared_lr`, of the ratio; seeds in which a run missed its threshold are left out."""
        pairs = [
            (a, b) for a, b in self._shared_lr_pairs(variant, other, measure) if math.isfinite(a) and math.isfinite(b) and b
        ]
        return Effect(f"{name}, shared learning rate", tuple(a / b for a, b in pairs), "x") if pairs else None

    def _pairs(self, variant: str, other: str, measure: Quantity) -> list[tuple[float, float]]:
        others = {run.seed: run for run in self.of(other)}
        return [(r.value(measure), others[r.seed].value(measure)) for r in self.of(variant) if r.seed in others]

    def _shared_lr_pairs(self, variant: str, other: str, measure: Quantity) -> list[tuple[float, float]]:
        lr = self.lrs[other]
        judged = [run for run in self.all if run.lr == lr and self._judged(run)]
        first, second = ({run.seed: run for run in judged if run.variant == name} for name in (variant, other))
        return [(first[s].value(measure), second[s].value(measure)) for s in sorted(first.keys() & second.keys())]

    # Validity checks --------------------------------------------------------------------------------------------------

    def tuned(self, *variants: str) -> ValidityCheck:
        """Each variant's best learning rate lies inside its grid, or its least rate is no better than none: of all, or some."""
        outside = [v for v, inside in self.inside.items() if not inside and (not variants or v in variants)]
        details = ", ".join(self._at_the_edge(variant) for variant in outside)
        return ValidityCheck("every variant's best learning rate lies inside its grid", not outside, details)

    def _at_the_edge(self, variant: str) -> str:
        """The variant, and at which end of the learning rates that were tried its best one lies."""
        lr, tried = self.lrs.get(variant), {run.lr for run in self.all if run.variant == variant and run.lr}
        if lr is None or not tried:
            return variant
        return f"{variant}: {lr:.3g} is the best and the {'least' if lr == min(tried) else 'greatest'} of {len(tried)}"

    def beats(
        self, measure: Quantity, baseline: float, *, by: float = 0.10, greater: bool = True, variants: Any = None
    ) -> ValidityCheck:
        """These variants, the control above all, are better than a trivial baseline by a margin, in the mean over seeds."""
        weak = []
        for variant in variants or self.variants:
            gains = [(v - baseline) * (1 if greater else -1) for v in self.values(variant, measure)]
            mean = sum(gains) / len(gains) if gains else math.nan
            # Written so that NaN fails.
            if not mean >= by:
                weak.append(f"{variant}: {mean:+.3f}")
        named = "every variant" if variants is None else " and ".join(variants)
        return ValidityCheck(f"{named} beats the trivial baseline ({baseline:.3g}) by {by:g}", not weak, ", ".join(weak))
