"""Changes to studies that had been run before, common to many of them."""

from __future__ import annotations

from experiments.studies.study import Amendment

NEW_STATISTICS = Amendment(
    "2026-11-26",
    "levels come from 95 % t intervals over five seeds that draw new data, and rates are chosen on seeds that are not judged; "
    "before, from bootstrap intervals of three seeds on the same data",
)
FINALISTS = Amendment(
    "2026-11-26",
    "the two best rates are tried on three tuning seeds, after a run in which one seed chose them: without dropout (C02) the "
    "best rate of that seed left four of five judged nets at chance, which made dropout look better by 67 points",
)
"""Of the studies that had been run so: C01, C02 and C03."""
