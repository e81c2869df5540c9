"""The dashboard answers this machine alone, unless another address is said: in a container, whose port is published."""

from __future__ import annotations

from itertools import pairwise

import pytest

from datamodules.errors import InputError
from experiments.dashboard import launch


def flag(line: list[str], name: str) -> list[str]:
    return [value for key, value in pairwise(line) if key == f"--{name}"]


def test_it_is_bound_to_this_machine_unless_it_is_told_otherwise() -> None:
    assert flag(launch.command(8600), "server.address") == ["127.0.0.1"]
    line = launch.command(8600, "0.0.0.0")
    assert flag(line, "server.address") == ["0.0.0.0"]
    assert flag(line, "server.allowedHosts") == ["127.0.0.1", "localhost"], "by its own names alone, all the same"


def test_an_address_that_is_none_of_this_machine_s_is_one_line() -> None:
    with pytest.raises(InputError, match=r"--address 203\.0\.113\.7 --port 8600: cannot be used"):
        launch.run(["--address", "203.0.113.7", "--port", "8600"])
