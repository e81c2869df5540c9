"""What studies measure, against a count by hand."""

from __future__ import annotations

import pytest

from experiments.lectures.cs231n import sliding_window_wastes_computation as sliding


def test_the_forecast_of_a_sliding_windows_cost_counts_each_layers_places() -> None:
    from lightning_modules.networks import PatchClassifier

    classifier = PatchClassifier(3, patch_size=6, widths=(2,), hidden=4)  # 4 × 4 places, then 2 × 2 × 2 features
    conv, linear = 3 * 9 * 2, 8 * 4 + 4 * 3
    assert sliding.predicted(classifier, 6) == pytest.approx((16 * conv + linear) / (conv + linear))
