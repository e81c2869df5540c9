"""What is exported as a network is a network that the tests know."""

from __future__ import annotations

import inspect

import pytest
import torch

from lightning_modules import networks
from lightning_modules.networks.detector import Detector
from tests.support.registry import NETWORKS, PARTS
from tests.support.uneven import TASKS

EXPORTED = [name for name in networks.__all__ if not issubclass(getattr(networks, name), PARTS)]


@pytest.fixture(scope="module")
def entered() -> dict[str, str]:
    """By the class of each network in the tests' tables, its name there. They are built without allocating a weight."""
    with torch.device("meta"):
        return {type(build(3)).__name__: name for name, build in NETWORKS.items()}


@pytest.mark.parametrize("name", EXPORTED)
def test_every_exported_network_is_entered_where_the_tests_find_it(name: str, entered: dict[str, str]) -> None:
    (parameter, *_) = inspect.signature(getattr(networks, name)).parameters
    kind = "a network" if parameter.startswith("num_") else "a part of networks"
    assert name in entered, f"{name}, {kind}: enter it in tests/support/registry.py, in the table of its kind or in PARTS"


TRAINED = [name for name in EXPORTED if issubclass(getattr(networks, name), Detector) and name != "DPM"]
"""The detectors with a gradient to add up; a DPM has no parameter."""


@pytest.mark.parametrize("name", TRAINED)
def test_every_exported_detector_is_compared_on_ranks_and_micro_batches(name: str) -> None:
    built = [getattr(build, "func", build) for _, build in TASKS.values()]
    known = [kind for kind in built if inspect.isclass(kind) and issubclass(kind, getattr(networks, name))]
    assert known, f"{name}: enter it in TASKS of tests/support/uneven.py, without batch normalisation"
