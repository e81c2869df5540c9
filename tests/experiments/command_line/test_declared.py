"""What is read of the tasks' source without importing them is what they say."""

from __future__ import annotations

import lightning_modules
from experiments.command_line.declared import monitors, tasks


def test_what_a_task_is_judged_by_is_what_its_class_has() -> None:
    assert monitors().keys() >= tasks().keys()
    for name, monitor in monitors().items():
        task = getattr(lightning_modules, name)
        assert (monitor.metric, monitor.mode) == (task.monitor, task.mode), name
