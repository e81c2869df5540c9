"""Which data: ``data_seed`` decides, and the run's own seed does not."""

from __future__ import annotations

import numpy as np
import pytest

from datamodules import Shapes
from datamodules.base import PreparedScenes
from datamodules.errors import InputError


def chosen(**options: int) -> list[int] | None:
    data = Shapes(image_size=32, train=50, train_samples=10, workers=0, **options)  # type: ignore[arg-type]
    data.require(frozenset({"label"}))
    return PreparedScenes(data, "train", augment=False).chosen


def test_it_decides_which_training_samples_are_taken() -> None:
    first, second = chosen(), chosen(data_seed=1)
    assert first == np.random.default_rng(0).permutation(50)[:10].tolist()
    assert second == np.random.default_rng(1).permutation(50)[:10].tolist() != first


def test_a_negative_one_is_refused() -> None:
    with pytest.raises(InputError, match="data_seed is -1"):
        Shapes(data_seed=-1)
