"""One run: what it is, what it cost, what was written about it, and what its evaluations found."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import streamlit as st

from experiments.dashboard import library
from experiments.dashboard.charts import Line, curve_chart
from experiments.dashboard.findings_view import findings_view
from experiments.dashboard.library import RunInfo, day, duration
from experiments.dashboard.naming import names_of, title_of
from experiments.dashboard.notes_view import notes_view
from experiments.dashboard.parts import described, pictures_in_a_row, show
from experiments.dashboard.quantities import default_curves, monitor_of
from experiments.reports.evidence import pictures
from experiments.reports.labels import is_fraction, is_system, metric_title
from experiments.reports.wording import number, short
from experiments.runs.files import CHECKPOINTS, EVALUATIONS, read_evaluations, test_metrics, tested_folder
from experiments.runs.findings import read_findings
from experiments.runs.markup import code, plain

PICTURES_SHOWN = 4
EVALUATIONS_SHOWN = 20


def one_of(chosen: list[RunInfo], grouped: str) -> None:
    """One of the runs that are compared."""
    called = names_of(chosen)
    by_name = {run.name: run for run in chosen}
    name = st.selectbox("Run", list(by_name), format_func=lambda one: called.get(one, one), key="one of")
    if name in by_name:
        run_view(by_name[name])


def run_view(run: RunInfo) -> None:
    """All that there is of a run."""
    st.markdown("\n".join(f"- {line}" for line in _facts(run)))
    _ended(run)
    notes_view(run)
    _metrics("Test", test_metrics(run.folder, run.summary), f"test {run.name}")
    tested = tested_folder(run.folder, run.summary)
    if found := read_findings(tested):
        st.subheader("What the test found")
        findings_view(found, tested, f"findings {run.name}")
    _evaluations(run)
    _curves(run)
    if own := pictures(run.folder):
        st.subheader("Pictures")
        pictures_in_a_row(dict(list(own.items())[-PICTURES_SHOWN:]), says="Input, truth and prediction: ")
    with st.expander("Settings"):
        lines = [{"setting": key, "value": short(value)} for key, value in run.settings.items() if value is not None]
        st.dataframe(lines, hide_index=True, width="stretch", alt="The run's settings")


def _facts(run: RunInfo) -> list[str]:
    """What it is and what it cost, a line each."""
    summary = run.summary
    lines = [f"**{plain('died' if run.is_dead else run.state)}** · {plain(title_of(run))} · folder {code(run.name)}"]
    began = f"started {day(summary.get('started'))}" if summary.get("started") else ""
    where = f"on {plain(summary['device'])}" if summary.get("device") else ""
    commit = f"commit {plain(summary['commit'])}" if summary.get("commit") else ""
    lines.append(" · ".join(filter(None, (began, where, commit))))
    costs = {
        "optimizer steps": summary.get("steps"),
        "epochs": summary.get("epochs"),
        "images per second": summary.get("images_per_second"),
        "MiB of memory at most": summary.get("peak_memory_mib"),
        "parameters": summary.get("parameters"),
    }
    took = f"{duration(run.seconds)} of training" if run.seconds is not None else ""
    lines.append(" · ".join(filter(None, (took, *(f"{number(v)} {name}" for name, v in costs.items() if v is not None)))))
    if best := _best(run):
        lines.append(best)
    return [line for line in lines if line]


def _best(run: RunInfo) -> str:
    """The best value of the task's monitor, and where it was reached."""
    monitor = monitor_of(run)
    series = library.curves(run).get(monitor.metric) if monitor else None
    if monitor is None or series is None or not len(series[1]):
        return ""
    i = int(series[1].argmin() if monitor.mode == "min" else series[1].argmax())
    return f"best {metric_title(monitor.metric)}: **{number(float(series[1][i]))}**, after {int(series[0][i]) + 1} steps"


def _ended(run: RunInfo) -> None:
    """Why a run is not finished, and how it goes on."""
    if reason := run.summary.get("reason"):
        st.warning(plain(reason, 600))
    if run.is_dead:
        st.warning("Its process is gone, and left no word: it was killed, or its machine stopped.")
    last = run.folder / CHECKPOINTS / "last.ckpt"
    if run.state in ("unfinished", "failed") and last.is_file():
        st.markdown("This goes on with it:")
        st.code(f"lectern fit --ckpt_path {shlex.quote(str(last))}", language=None)


def _metrics(heading: str, metrics: dict[str, Any], key: str) -> None:
    lines = [{"metric": metric_title(name), "value": value} for name, value in sorted(metrics.items()) if value is not None]
    if lines:
        st.subheader(heading)
        st.dataframe(lines, hide_index=True, width="stretch", alt=f"{heading}: the metrics", key=key)


def _evaluations(run: RunInfo) -> None:
    """What ``lectern test``, ``validate`` and ``predict`` have left, the newest first."""
    found = read_evaluations(run.folder)
    if found:
        st.subheader("Evaluations")
    for name in sorted(found, reverse=True)[:EVALUATIONS_SHOWN]:
        content, folder = found[name], run.folder / EVALUATIONS / name
        own = (
            "its own data" if content.get("own_data") is True else f"{content.get('data', 'data')} {content.get('root') or ''}"
        )
        with st.expander(plain(f"{content.get('command', 'evaluation')}, {day(content.get('date'))}, on {own}", 200)):
            _evaluation(content, folder, f"{run.name} {name}")


def _evaluation(content: dict[str, Any], folder: Path, key: str) -> None:
    facts = [f"{number(content[name])} {name}" for name in ("scenes",) if content.get(name) is not None]
    facts += [str(content[name]) for name in ("split", "checkpoint", "device") if content.get(name)]
    facts += ["a part of the split alone"] if content.get("limited") is True else []
    st.caption(plain(" · ".join(facts), 400))
    metrics = content.get("metrics")
    lines = [
        {"metric": metric_title(str(name)), "value": value}
        for name, value in sorted(metrics.items() if isinstance(metrics, dict) else ())
        if isinstance(value, int | float)
    ]
    if lines:
        st.dataframe(lines, hide_index=True, width="stretch", alt="The metrics of this evaluation", key=f"metrics {key}")
    if findings := read_findings(folder):
        findings_view(findings, folder, f"findings {key}")
    if own := pictures(folder):
        pictures_in_a_row(dict(list(own.items())[:PICTURES_SHOWN]), says="Input, truth and prediction: ")


def _curves(run: RunInfo) -> None:
    """The run's curves: what it is judged by and its loss; learning rate and machine where they were logged."""
    curves = library.curves(run)
    if not curves:
        return
    st.subheader("Curves")
    names = sorted(curves, key=lambda n: (n.count("/") > 1, not n.startswith("val/"), not n.startswith("train"), n))
    first = [
        *default_curves([run], names),
        *[n for n in names if n.startswith("lr-")][:1],
        *[n for n in names if is_system(n)][:1],
    ]
    drawn = st.multiselect(
        "Quantities of this run", names, list(dict.fromkeys(first)), format_func=metric_title, key=f"c {run.name}"
    )
    places = st.columns(2) if len(drawn) > 1 else [st.container()]
    for i, name in enumerate(drawn):
        line = Line(metric_title(name), curves[name])
        figure = curve_chart([line], "optimizer steps", metric_title(name), percent=is_fraction(name), inner=True)
        figure.update_layout(height=320, showlegend=False)
        with places[i % len(places)]:
            show(figure, f"curve {run.name} {name}", described(f"{metric_title(name)} over optimizer steps"))
