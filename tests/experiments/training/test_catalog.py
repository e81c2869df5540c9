"""What ``lectern list`` knows, the tests know too."""

from __future__ import annotations

import pytest

from experiments.training.catalog import tasks
from tests.support.registry import TASKS


@pytest.mark.parametrize("name", tasks())
def test_every_task_is_entered_where_the_tests_find_it(name: str) -> None:
    assert name in TASKS, f"{name}: enter a small network for it in TASKS of tests/support/registry.py"
