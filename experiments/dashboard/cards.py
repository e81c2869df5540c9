"""The claims as one piece of HTML: a browser has all of it at once, where a widget for each would take seconds.

All text in it may be a stranger's, and is escaped; Streamlit cleans the whole once more. A card is a list's entry with a
heading, so that a screen reader and a keyboard go from one to the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from urllib.parse import quote

from experiments.dashboard.parts import key_of
from experiments.reports.comparison import Pair, made
from experiments.reports.meanings import SIGNS
from experiments.reports.overview import Entry
from experiments.reports.wording import command, headline
from experiments.runs.markup import without_controls
from experiments.studies.record import Record
from experiments.studies.verdict import Level

COLOURS = {
    Level.EXACT: ("#0b4f8a", "#8ec5f5"),
    Level.REPRODUCED: ("#0d5c2b", "#7fd8a0"),
    Level.DIRECTION_ONLY: ("#7a4300", "#f3b96b"),
    Level.NOT_REPRODUCED: ("#9b1c1c", "#ffa3a3"),
    Level.ERRATUM: ("#6b5200", "#e8d06a"),
    Level.INCONCLUSIVE: ("#5b2a86", "#cda9f2"),
    Level.NOT_RUN: ("#4a4a4a", "#c4c4c4"),
}
"""Of a verdict's word, on white and on black: 7 : 1 and more, so that it is read on a projector too."""


def cards(pairs: Iterable[Pair], stale: Mapping[str, str], is_dark: bool) -> str:
    """A card for each verdict.

    Args:
        pairs: one's own beside the committed one.
        stale: by :func:`~experiments.dashboard.parts.key_of` of the first of a pair, whose code was changed since.
        is_dark: whether the page is.
    """
    lines = "".join(f"<li>{_sound(pair, stale, is_dark)}</li>" for pair in pairs)
    return f'<ul class="lectern-cards">{lines}</ul>'


def text(value: object, longest: int = 2_000) -> str:
    """Text as HTML shows it: nothing in it counts."""
    line = without_controls(value)
    return escape(f"{line[:longest]}…" if len(line) > longest else line)


def level(place: Level, is_dark: bool) -> str:
    """A verdict as a coloured word with its sign."""
    return f'<span class="lectern-level" style="color: {COLOURS[place][is_dark]}">{SIGNS[place]} {escape(place)}</span>'


def _sound(pair: Pair, stale: Mapping[str, str], is_dark: bool) -> str:
    """A verdict's card, or its name: what a stranger's record may hold takes no other from the page."""
    try:
        return _card(pair, stale, is_dark)
    except Exception as error:
        record = pair.first
        return f"<p>{text(record.name)} at scale {text(record.scale)} cannot be shown ({type(error).__name__})</p>"


def _card(pair: Pair, stale: Mapping[str, str], is_dark: bool) -> str:
    record = pair.first
    key = key_of(record, record is not pair.own)
    title = text(f"{record.claim} {record.title}")
    lines = [level(record.level, is_dark), f"<h3>{title}</h3>"]
    if pair.own and pair.committed:
        word = text(pair.agreement.partition(":")[0].lower())
        rest = text(pair.agreement.partition(": ")[2])
        committed = f"{level(pair.committed.level, is_dark)} {text(headline(pair.committed))}"
        lines.append(f"<p>Committed: {committed}</p><p><strong>{word}</strong> {rest}</p>")
    if measured := headline(record):
        lines.append(f"<p>Measured: {text(measured)}</p>")
    translated = f" ({text(record.translation)})" if record.translation else ""
    inner = [f"<p>The lecture says: “{text(record.says)}”{translated}</p>"]
    inner += [f"<p>Verdict: {text(record.because)}</p>"] if record.headline.effects else []
    inner.append(f"<p>{text(' · '.join(_facts(pair)))}</p>")
    lines.append(f"<details><summary>Slide and details of {text(record.claim)}</summary>{''.join(inner)}</details>")
    if key in stale:
        lines.append(f"<p><strong>stale</strong> {text(stale[key])}: code that it rests on was changed since</p>")
    address = f"?study={quote(key, safe='/@')}"
    lines.append(f'<p><a href="{escape(address)}" target="_self">Open the study: {text(record.claim)}</a></p>')
    return "".join(lines)


def _facts(pair: Pair) -> list[str]:
    record = pair.first
    facts = [whose(pair), f"{record.seeds} {'seed' if record.seeds == 1 else 'seeds'}" if record.seeds else ""]
    facts.append("at any scale" if record.is_at_any_scale else f"scale {record.scale}")
    facts.append(f"again: {command(record.name, record.scale)}")
    return [fact for fact in facts if fact]


def whose(pair: Pair) -> str:
    """Who made it, on what and when."""

    def committed(record: Record) -> str:
        return f"committed results, {made(record)}"

    if pair.own and pair.committed:
        return f"yours, {made(pair.own)} · {committed(pair.committed)}"
    return committed(pair.committed) if pair.committed else made(pair.first)


def not_run(missing: Iterable[Entry]) -> str:
    """The claims without a verdict, as a table that opens when it is asked for."""
    entries = list(missing)
    rows = "".join(
        f"<tr><td>{text(entry.row.id)}</td><td>{text(entry.row.says)}</td>"
        f"<td>{text(' '.join(filter(None, (entry.why_not, entry.how_to_run('cpu')))))}</td></tr>"
        for entry in entries
    )
    head = "<tr><th>claim</th><th>the lecture says</th><th>to run it</th></tr>"
    title = f"{SIGNS[Level.NOT_RUN]} not run: {len(entries)} claims of this lecture"
    return (
        f'<details><summary>{text(title)}</summary><table class="lectern-not-run"><thead>{head}</thead>'
        f"<tbody>{rows}</tbody></table></details>"
    )
