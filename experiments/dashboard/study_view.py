"""One study: its verdict, and all that the verdict rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from experiments.dashboard import library
from experiments.dashboard.parts import badge, pictures_in_a_row, plain, show
from experiments.reports import figures
from experiments.reports.evidence import arm_measures, configs, folders, shown_curves, speeds, study_curves, study_pictures
from experiments.reports.figures import Measure
from experiments.reports.labels import is_fraction, metric_title
from experiments.reports.overview import Record, changes, command, deciding, interval, level, number, seeds, short, with_unit
from experiments.runs.files import differences


def study_view(record: Record) -> None:
    """The page of a verdict."""
    if st.button("← All claims"):
        st.query_params.clear()
        st.rerun()
    st.title(f"{plain(record.get('claim'))} {plain(record.get('title'))}")
    st.markdown(f"{badge(level(record))} &nbsp; {plain(record.get('because'))}")
    _effects(record)
    _checks(record)
    _lecture(record)
    _curves(record)
    _pictures(record)
    _arms(record)
    _gates(record)
    st.subheader("Run it again")
    st.code(command(str(record.get("name")), str(record.get("scale"))), language=None)


def _effects(record: Record) -> None:
    named = [(effect, "") for effect in record.get("effects") or []]
    if record.get("naive"):
        named.append((record["naive"], "naive: one learning rate for all"))
    if not named:
        return
    show(figures.intervals([Measure.of(effect) for effect in deciding(record)]), "effects")
    _table(
        [
            {
                "measured": effect.get("name"),
                "mean": with_unit(effect.get("estimate"), str(effect.get("unit") or "")),
                "95 % interval": interval(effect),
                "needed": effect.get("needs") or "",
                "each seed": seeds(effect),
                "": note,
            }
            for effect, note in named
        ]
    )


def _checks(record: Record) -> None:
    _table(
        [
            {
                "identity": check.get("what"),
                "computed": number(check.get("computed")),
                "must be": number(check.get("expected")),
                "the lecture has": check.get("lecture") or "",
                "holds": "yes" if check.get("holds") else "NO",
            }
            for check in record.get("checks") or []
        ]
    )


def _lecture(record: Record) -> None:
    lines = [f"- The lecture says: “{plain(record.get('says'))}” (slide “{plain(record.get('slide'))}”)"]
    lines += [f"- The paper: {plain(record.get('paper'))}"]
    lines += [f"- **The lecture errs:** {plain(record['erratum'])}"] if record.get("erratum") else []
    lines += [f"- Departs from the lecture: {plain(item)}" for item in record.get("departures") or []]
    lines += [f"- Also found: {plain(item)}" for item in record.get("also") or [] if item != record.get("erratum")]
    lines += [f"- The same in all arms: {plain(record['held'])}"] if record.get("held") else []
    device = [record["device"]] if record.get("device") not in (None, "", "any") else []
    made = [*device, str(record.get("date", ""))[:10], f"commit {record.get('commit')}"]
    lines += [f"- Made with: {plain(', '.join(map(str, made)))}"]
    changed = record.get("changed_code") or []
    lines += [f"- **Made before changes in** {plain(', '.join(map(str, changed)))}"] if changed else []
    st.markdown("\n".join(lines))


def _curves(record: Record) -> None:
    place = library.root()
    curves = study_curves(place, record)
    if curves:
        st.subheader("Curves")
        first = shown_curves(record, curves)
        names = list(dict.fromkeys([*first, *curves]))
        name = st.selectbox("Quantity", names, format_func=metric_title, key="quantity")
        x_title = "optimizer steps" if "/" in name else "along the measurement"
        show(figures.curves_with_bands(curves[name], x_title, metric_title(name), percent=is_fraction(name)), "curves")
        st.caption("A line is the mean over seeds; its band reaches from the lowest seed to the highest.")
    figure = str(record.get("figure") or "")
    measures = arm_measures(record, figure) if figure else {}
    if measures:
        st.subheader("At the end, arm by arm")
        show(figures.arms_with_intervals(measures, metric_title(figure), percent=is_fraction(figure)), "arms")
    fast = speeds(place, record, figure) if figure else {}
    if len(fast) > 1:
        st.subheader("Speed against accuracy")
        show(figures.speed_against_accuracy(fast, metric_title(figure), percent=is_fraction(figure)), "speed")


def _pictures(record: Record) -> None:
    found = study_pictures(library.root(), record, most=12)
    if not found:
        return
    st.subheader("Pictures")
    for name, by_arm in found.items():
        st.markdown(plain(name.replace("_", " ")))
        pictures_in_a_row(dict(by_arm))


def _arms(record: Record) -> None:
    arms = record.get("arms")
    if not isinstance(arms, dict) or not arms:
        return
    st.subheader("The arms")
    _table(
        [
            {
                "arm": name,
                "differs in": changes(arm),
                "learning rate": number(arm["rate"]) if arm.get("rate") is not None else "",
                "tried (rate: score)": ", ".join(f"{k}: {number(v)}" for k, v in (arm.get("tried") or {}).items()),
                "runs": len(arm.get("runs") or []),
            }
            for name, arm in arms.items()
        ]
    )
    differing = differences(configs(library.root(), record))
    if differing:
        st.markdown("Where their configurations differ:")
        _table([{"setting": key} | {arm: short(v) for arm, v in values.items()} for key, values in differing.items()])
    gone = [arm for arm, places in folders(library.root(), record).items() if not places]
    if gone:
        st.warning(f"The runs of {plain(', '.join(gone))} are gone from the folder; the verdict's own numbers are above.")


def _gates(record: Record) -> None:
    gates = record.get("gates") or []
    if gates:
        st.subheader("Conditions of the experiment")
    _table(
        [
            {"": "met" if gate.get("passed") else "FAILED", "condition": gate.get("name"), "detail": gate.get("detail") or ""}
            for gate in gates
        ]
    )


def _table(lines: Sequence[dict[str, Any]]) -> None:
    """A table of text, empty columns left out: its cells take nothing for markup."""
    kept = [key for key in (lines[0] if lines else ()) if any(line.get(key) not in ("", None) for line in lines)]
    if kept:
        st.dataframe([{k: str(line.get(k, "")) for k in kept} for line in lines], hide_index=True, width="stretch")
