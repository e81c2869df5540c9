"""The operations of a training, counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

from experiments.measures.cost import TrainingOperations
from tests.support.trained import trained


def test_each_epoch_is_counted_by_its_first_batch(tmp_path: Path) -> None:
    """One linear layer on 16 images: a forward pass, and in the backward one the gradient of its weights alone."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 6))
    batch = 2 * 2 * 16 * (3 * 16 * 16) * 6
    for steps, batches in ((1, 4), (4, 4), (6, 8)):
        values = trained(network, tmp_path / str(steps), TrainingOperations(), steps=steps)
        assert values["training/gflop"] == pytest.approx(batches * batch / 1e9)
