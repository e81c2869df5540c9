"""Changes to studies that had been run before, common to many of them."""

from __future__ import annotations

from experiments.studies.study import Amendment

NEW_STATISTICS = Amendment(
    "2026-11-26",
    "levels come from 95 % t intervals over five seeds that draw new data, and rates are chosen on a seed that is not judged; "
    "before, from bootstrap intervals of three seeds on the same data",
)
