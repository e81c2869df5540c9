"""What finished runs say: values, curves, and comparisons of variants by seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.runs.files import read_curves, read_metrics, read_summary

from .verdict import Bound, Effect, ValidityCheck

_Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Run:
    """One finished run of a study."""

    variant: str
    seed: int
    lr: float | None
    values: Mapping[str, float]
    """The last value of each metric, the test set's included."""
    curves: Mapping[str, _Points] = field(default_factory=dict)
    """(step, value) of each metric, in order."""
    folder: Path | None = None
    seconds: float = 0.0

    def value(self, measure: Quantity) -> float:
        """A metric by name, or what a function makes of the run; NaN where the run has none."""
        return float(self.values.get(measure, math.nan)) if isinstance(measure, str) else float(measure(self))

    def steps_to(self, name: str, threshold: float) -> float:
        """The first step at which a falling curve is at or below ``threshold``; infinite where it never is."""
        return next((x for x, y in self.curves.get(name, ()) if y <= threshold), math.inf)


Quantity = str | Callable[[Run], float]
"""What is read of a run: a metric by name, or what a function makes of the run."""


class Runs:
    """The runs of a study: those at each variant's best learning rate, which decide, and those of the tuning.

    Args:
        runs: all that finished.
        lrs: each variant's best learning rate; None where it is not tuned.
        inside: whether that learning rate lies inside the grid that was walked.
    """

    def __init__(
        self, runs: Iterable[Run], lrs: Mapping[str, float | None] | None = None, inside: Mapping[str, bool] | None = None
    ) -> None:
        self.all = list(runs)
        self.lrs: dict[str, float | None] = dict(lrs) if lrs is not None else {run.variant: run.lr for run in self.all}
        self.inside = dict(inside or {})

    @classmethod
    def made_up(cls, variants: Mapping[str, Mapping[str, Sequence[float]]], **kwargs: Any) -> Runs:
        """Runs that nobody made, for trying a verdict: ``{"relu": {"test/error": [0.1, 0.12, 0.11]}}``, one number a seed."""
        runs = []
        for variant, measures in variants.items():
            for seed in range(max(len(v) for v in measures.values())):
                runs.append(Run(variant, seed, None, {name: values[seed] for name, values in measures.items()}))
        return cls(runs, **kwargs)

    @property
    def variants(self) -> list[str]:
        return list(self.lrs)

    def of(self, variant: str) -> list[Run]:
        """The variant's runs at its best learning rate, by seed."""
        return sorted((r for r in self.all if r.variant == variant and r.lr == self.lrs[variant]), key=lambda run: run.seed)

    def values(self, variant: str, measure: Quantity) -> list[float]:
        """One number a seed."""
        return [run.value(measure) for run in self.of(variant)]

    def quantity(
        self, name: str, variant: str, measure: Quantity, *, scale: float = 1, unit: str = "", **kwargs: Any
    ) -> Effect:
        """A measure of one variant."""
        return Effect(name, tuple(scale * v for v in self.values(variant, measure)), unit, **kwargs)

    def difference(
        self, name: str, variant: str, other: str, measure: Quantity, *, scale: float = 100, unit: str = "points", **kwargs: Any
    ) -> Effect:
        """``variant`` - ``other``, seed by seed, each at its own best learning rate; in percentage points unless said."""
        return Effect(name, tuple(scale * (a - b) for a, b in self._pairs(variant, other, measure)), unit, **kwargs)

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
        return Effect(name, tuple(values), "x", bounds=tuple(bounds) if any(bounds) else (), **kwargs)

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
        first = {run.seed: run for run in self.all if run.variant == variant and run.lr == lr}
        second = {run.seed: run for run in self.all if run.variant == other and run.lr == lr}
        return [(first[s].value(measure), second[s].value(measure)) for s in sorted(first.keys() & second.keys())]

    # Validity checks --------------------------------------------------------------------------------------------------

    def tuned(self) -> ValidityCheck:
        """Each variant's best learning rate lies inside the grid."""
        outside = [variant for variant, inside in self.inside.items() if not inside]
        details = ", ".join(self._at_the_edge(variant) for variant in outside)
        return ValidityCheck("every variant's best learning rate lies inside its grid", not outside, details)

    def _at_the_edge(self, variant: str) -> str:
        """The variant, and at which end of the learning rates that were tried its best one lies."""
        lr, tried = self.lrs.get(variant), {run.lr for run in self.all if run.variant == variant and run.lr is not None}
        if lr is None:
            return variant
        return f"{variant}: {lr:.3g} is the best and the {'least' if lr == min(tried) else 'greatest'} of {len(tried)}"

    def complete(self, seeds: int) -> ValidityCheck:
        """Every variant has all its seeds."""
        short = [variant for variant in self.variants if len(self.of(variant)) < seeds]
        return ValidityCheck(f"{seeds} seeds of every variant", not short, ", ".join(short))

    def beats(
        self, measure: Quantity, baseline: float, *, by: float = 0.10, greater: bool = True, variants: Any = None
    ) -> ValidityCheck:
        """Every variant is better than a trivial baseline by a margin, in every seed."""
        weak = []
        for variant in variants or self.variants:
            gains = [(v - baseline) * (1 if greater else -1) for v in self.values(variant, measure)]
            # Written so that NaN fails.
            if not all(gain >= by for gain in gains):
                weak.append(f"{variant}: {min(gains) if gains else math.nan:+.3f}")
        return ValidityCheck(f"every variant beats the trivial baseline ({baseline:.3g}) by {by:g}", not weak, ", ".join(weak))


def read_run(folder: Path, variant: str, seed: int, lr: float | None) -> Run:
    """A finished run, from its folder."""
    summary = read_summary(folder)
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in read_metrics(folder):
        for name, value in row.items():
            if name not in ("step", "epoch", "seconds"):
                curves.setdefault(name, []).append((row["step"], value))
    values: dict[str, Any] = {name: points[-1][1] for name, points in curves.items()}
    for part in ("metrics", "test", "measured"):
        values |= {k: math.nan if v is None else float(v) for k, v in summary.get(part, {}).items()}
    seconds = summary.get("seconds") or 0.0
    return Run(variant, seed, lr, values, curves | _stored_curves(folder), folder, float(seconds))


def _stored_curves(folder: Path) -> dict[str, _Points]:
    return {name: list(zip(xs.tolist(), ys.tolist(), strict=True)) for name, (xs, ys) in read_curves(folder).items()}
