"""What runs can be sorted, grouped and compared by: their metrics, their settings, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from experiments.command_line.declared import Monitor, monitors
from experiments.dashboard.library import RunInfo
from experiments.dashboard.naming import differing, title_of, value_of
from experiments.runs.files import OWN

COSTS = ("seconds", "images_per_second", "peak_memory_mib", "parameters", "steps", "epochs")
"""Entries of a summary that are numbers of a whole run."""
GROUPS = ("recipe", "study", "sweep", "task", "data", "folder", "tag")
"""What runs are grouped by, besides any setting."""


def quantities_of(runs: Sequence[RunInfo]) -> dict[str, dict[str, Any]]:
    """Everything that a run can be sorted or compared by: name of the quantity, and each run's value."""
    table: dict[str, dict[str, Any]] = {"state": {}, **{name: {} for name in COSTS}, "device": {}}
    for run in runs:
        table["state"][run.name] = run.state
        for key in (*COSTS, "device"):
            table[key][run.name] = run.summary.get(key)
        for key, value in {**run.metrics, **{k: v for k, v in run.settings.items() if k not in OWN}}.items():
            table.setdefault(key, {})[run.name] = value
    return table


def varying(runs: Sequence[RunInfo]) -> list[str]:
    """The quantities in which runs differ, metrics first."""
    table = quantities_of(runs)
    metrics = dict.fromkeys(name for run in runs for name in run.metrics)
    names = [*sorted(metrics, key=lambda name: (not name.startswith("test/"), name)), *(n for n in table if n not in metrics)]
    return [name for name in names if len({repr(table[name].get(run.name)) for run in runs}) > 1]


def monitor_of(run: RunInfo) -> Monitor | None:
    """What the run's task is judged by while it trains; None of a task of the user's own, and of a measurement."""
    return monitors().get(value_of(run.settings.get("model")))


def main_metrics(runs: Sequence[RunInfo]) -> list[str]:
    """The quantities that say most of these runs: each task's monitor, and its value on the test set."""
    found: dict[str, None] = {}
    for run in runs:
        monitor = monitor_of(run)
        metric = monitor.metric if monitor else ""
        kinds = [metric, metric.replace("val/", "test/")] if metric else []
        own = [name for name in kinds if name in run.metrics]
        if not any(name.startswith("test/") for name in own):  # a study's own test has a name of its own
            own += [name for name in run.metrics if name.startswith("test/") and name.count("/") == 1][:1]
        found |= dict.fromkeys(own or list(run.metrics)[:1])
    return list(found)


def default_curves(runs: Sequence[RunInfo], names: Sequence[str]) -> list[str]:
    """The curves that are drawn where nobody has chosen: what the tasks are judged by, and the loss."""
    judged = [monitor.metric for run in runs if (monitor := monitor_of(run)) and monitor.metric in names]
    validated = [] if judged else [name for name in names if name.startswith(("val/", "trainset/"))][:1]
    losses = [name for name in ("train/loss", "val/loss") if name in names][:1]
    return list(dict.fromkeys([*judged, *validated, *losses]))[:3] or list(names[:1])


def group_of(run: RunInfo, by: str) -> Any:
    """What group a run is in, by one of :data:`GROUPS` or by a quantity; None where it is in none."""
    match by:
        case "recipe":
            return title_of(run)
        case "study":
            return str(run.study["name"]) if run.study.get("name") else None
        case "sweep":
            return run.sweep
        case "task":
            return value_of(run.settings["model"]) if "model" in run.settings else None
        case "data":
            return value_of(run.settings["data"]) if "data" in run.settings else None
        case "folder":
            return run.name.rpartition("/")[0] or None
        case "tag":
            return ", ".join(run.tags) or None
    value = run.metrics.get(by, run.settings.get(by, run.state if by == "state" else run.summary.get(by)))
    return value_of(value) if isinstance(value, str) else value


def groupings(runs: Sequence[RunInfo]) -> list[str]:
    """What these runs can be grouped by so that there are at least two groups, and fewer than there are runs."""

    def splits(by: str) -> bool:
        groups = {repr(group_of(run, by)) for run in runs}
        return len(groups) > 1 and (by in GROUPS or len(groups) < len(runs) or len(runs) < 4)

    return [by for by in [*GROUPS, *differing(runs)] if splits(by)]


def numbers_of(values: Sequence[Any]) -> list[float]:
    """Those that are numbers."""
    return [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
