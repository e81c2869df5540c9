"""Made-up runs of studies that choose a setting with the tuning seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from experiments.studies.results import Run, Runs
from experiments.studies.study import TUNING_SEED


class ChosenBefore(Runs):
    """Runs whose exchange leaves those with tuning seeds where they are: what was chosen stays chosen, and the judged runs of
    two variants are exchanged."""

    def exchanged(self, variant: str, other: str) -> Runs:
        renamed = super().exchanged(variant, other)
        tuning = [run for run in self.all if run.seed == TUNING_SEED]
        judged = [run for run in renamed.all if run.seed != TUNING_SEED]
        return ChosenBefore([*tuning, *judged], self.lrs, self.inside, self.tuning)


def chosen_before(
    variants: Mapping[str, Mapping[str, Sequence[float]]], tuning: Mapping[str, Mapping[str, float]], **kwargs: dict[str, bool]
) -> ChosenBefore:
    """As :meth:`Runs.made_up`, with one run more of each variant, that of the tuning seed: ``{"none": {"val/error": 0.3}}``."""
    judged = Runs.made_up(variants).all
    chosen = [Run(variant, TUNING_SEED, None, values) for variant, values in tuning.items()]
    return ChosenBefore([*judged, *chosen], dict.fromkeys(variants), tuning=TUNING_SEED, **kwargs)
