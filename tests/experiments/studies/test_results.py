"""What the runs of a study say of themselves before they are judged."""

from __future__ import annotations

from experiments.studies.results import Run, Runs


def test_a_lr_at_the_edge_of_its_grid_is_named() -> None:
    tried = [Run("slow", 0, lr, {}) for lr in (0.1, 0.01, 0.001)]
    least = Runs(tried, {"slow": 0.001, "given": None}, {"slow": False}).tuned()
    assert not least.passed and least.detail == "slow: 0.001 is the best and the least of 3"
    greatest = Runs(tried, {"slow": 0.1}, {"slow": False}).tuned()
    assert greatest.detail == "slow: 0.1 is the best and the greatest of 3"
    assert Runs(tried, {"slow": 0.01}, {"slow": True}).tuned().passed
