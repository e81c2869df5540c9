"""The report of all studies as one HTML file: nothing is fetched, all text is escaped, and a phone can show it.

Plotly's script and the figures lie in it packed (gzip, base64) and are unpacked by the browser's own DecompressionStream:
2 MB where the script alone would take 4.8. A content security policy forbids every request and every script but the page's.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from experiments.lectures import LECTURES
from experiments.studies.verdict import Level

from . import figures
from .evidence import arm_measures, shown_curves, small_picture, speeds, study_curves, study_pictures
from .figures import Measure
from .labels import is_fraction, metric_title
from .overview import (
    MEANING,
    SCALES,
    SIGNS,
    Entry,
    Record,
    changes,
    command,
    counts,
    deciding,
    entries,
    interval,
    level,
    number,
    seeds,
    with_unit,
)

HERE = Path(__file__).parent
LIMIT = 5_000_000
"""Bytes of the whole file, with room left: pictures are made smaller, and in the end left out, to stay below it."""
PICTURES = ((520, 80), (400, 72), (300, 64), (220, 50))
"""Width in pixels and quality that are tried, in this order."""


class Page:
    """What is gathered while the text is written: figures by their place, and pictures with the mark that stands for them."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self.figures: dict[str, Any] = {}
        self.pictures: dict[str, Path] = {}

    def figure(self, figure: go.Figure) -> str:
        """Keeps a figure, and returns what stands for it in the text."""
        name = f"f{len(self.figures)}"
        self.figures[name] = json.loads(figure.to_json())
        return f'<div class="figure" data-figure="{name}" style="min-height:{figure.layout.height or 350}px"></div>'

    def picture(self, path: Path, caption: str) -> str:
        """Keeps a picture, and returns what stands for it in the text."""
        mark = f"@@picture-{len(self.pictures)}@@"
        self.pictures[mark] = path
        return f"<figure>{mark}<figcaption>{text(caption)}</figcaption></figure>"


def text(value: Any) -> str:
    """Text in which nothing counts as a tag."""
    return html.escape(str(value)).replace("@@", "@&#64;")  # so that no name is taken for the mark of a picture


def page(runs: Path, scale: str, records: Sequence[Record]) -> str:
    """The whole file."""
    kept = Page(runs)
    body = [_opening(scale, records)]
    for lecture, own in entries(records).items():
        body.append(f"<h2>{text(LECTURES.get(lecture, lecture))}</h2>")
        body += [_claim(kept, record) for entry in own for record in entry.records]
        body.append(_not_run([entry for entry in own if not entry.records], scale))
    content = "\n".join(body)
    packed = _packed(get_plotlyjs().encode()), _packed(json.dumps(kept.figures).encode())
    script = (HERE / "page.js").read_text(encoding="utf-8")
    style = (HERE / "page.css").read_text(encoding="utf-8")
    taken = len(content.encode()) + sum(map(len, packed)) + len(script) + len(style) + 4000
    content = _with_pictures(content, kept.pictures, LIMIT - taken)
    nonce = hashlib.sha256(content.encode()).hexdigest()[:24]
    policy = f"default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'nonce-{nonce}'"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>What the lectures claim, and what was measured</title>
<style>{style}</style>
</head>
<body>
<main>
{content}
</main>
<script type="application/octet-stream" id="plotly">{packed[0]}</script>
<script type="application/octet-stream" id="figures">{packed[1]}</script>
<script nonce="{nonce}">{script}</script>
</body>
</html>
"""


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def _with_pictures(content: str, pictures: Mapping[str, Path], room: int) -> str:
    """The text with its pictures in place, as large as there is room for; those that find none are named."""
    for side, quality in PICTURES:
        encoded = {mark: small_picture(path, side, quality) for mark, path in pictures.items()}
        if sum(len(data or b"") * 4 / 3 + 120 for data in encoded.values()) <= room:
            break
    for mark, data in encoded.items() if pictures else ():
        size = len(data or b"") * 4 // 3 + 120
        if data is None:
            image = '<span class="gone">a damaged picture</span>'
        elif size > room:
            image = '<span class="gone">left out, to keep this file small</span>'
        else:
            room -= size
            image = f'<img alt="" loading="lazy" src="data:image/webp;base64,{base64.b64encode(data).decode()}">'
        content = content.replace(mark, image, 1)
    return content


# Parts of the page --------------------------------------------------------------------------------------------------------


def chip(place: Level, count: int | None = None) -> str:
    """A verdict as a coloured word with its sign."""
    words = f"{SIGNS[place]} {place}" + (f" {count}" if count is not None else "")
    return f'<span class="chip {place.replace(" ", "-")}">{text(words)}</span>'


def _opening(scale: str, records: Sequence[Record]) -> str:
    found = {place: count for place, count in counts(records).items() if count}
    chips = " ".join(chip(place, count) for place, count in found.items())
    meanings = "".join(f"<dt>{chip(place)}</dt><dd>{text(MEANING[place])}</dd>" for place in Level)
    days = sorted({str(record.get("date", ""))[:10] for record in records} - {""})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}" if days else "never"
    devices = _all(records, "device")
    lines = "".join(
        f'<li>{chip(level(r))} <a href="#{_anchor(r)}">{text(r.get("claim"))} {text(r.get("title"))}</a></li>' for r in records
    )
    return f"""<h1>What the lectures claim, and what was measured</h1>
<p class="chips">{chips}</p>
<p>Scale <b>{text(scale)}</b>: {text(SCALES.get(scale, scale))}. Measured {text(when)} on {text(devices)}, commit
{text(_all(records, "commit"))}. Intervals are 95 % bootstrap intervals over seeds.</p>
<details><summary>What the verdicts mean</summary><dl class='facts'>{meanings}</dl></details>
<details open><summary>All that was run</summary><ul class="contents">{lines}</ul></details>"""


def _all(records: Sequence[Record], key: str) -> str:
    values = {v for r in records for v in str(r.get(key) or "").split(", ") if v and v != "any"}
    return ", ".join(sorted(values)) or "no device in particular"


def _anchor(record: Record) -> str:
    return "".join(c if c.isalnum() else "-" for c in f"{record.get('claim')}-{record.get('name')}")


def _not_run(own: Sequence[Entry], scale: str) -> str:
    if not own:
        return ""
    lines = []
    for entry in own:
        how = f"<code>{text(command(entry.study, scale))}</code>" if entry.study else '<span class="faint">no study yet</span>'
        lines.append(f"<li><b>{text(entry.row.id)}</b> {text(entry.row.says)} {how}</li>")
    return f"<details><summary>{chip(Level.NOT_RUN, len(own))}</summary><ul class='plain'>{''.join(lines)}</ul></details>"


def _claim(kept: Page, record: Record) -> str:
    study, scale = str(record.get("name")), str(record.get("scale"))
    facts = {
        "the lecture says": f"“{text(record.get('says'))}” <span class='faint'>slide “{text(record.get('slide'))}”</span>",
        "the paper": text(record.get("paper")),
        "the lecture errs": text(record.get("erratum") or ""),
        "also found": _list([t for t in record.get("also") or [] if t != record.get("erratum")]),
        "departs from the lecture": _list(record.get("departures") or []),
        "the same for all": text(record.get("held") or ""),
        "made with": text(_made_with(record)),
        "made before changes in": text(", ".join(map(str, record.get("changed_code") or []))),
        "again": f"<code>{text(command(study, scale))}</code>",
    }
    rows = "".join(f"<dt>{key}</dt><dd>{value}</dd>" for key, value in facts.items() if value)
    parts = [
        f"<h3>{chip(level(record))} {text(record.get('claim'))} {text(record.get('title'))}</h3>",
        f"<p>{text(record.get('because'))}</p>",
        _effects(kept, record),
        _checks(record),
        f"<dl class='facts'>{rows}</dl>",
        _gates(record),
        _curves(kept, record),
        _arms(record),
        _pictures(kept, record),
    ]
    return f'<article id="{_anchor(record)}">' + "\n".join(part for part in parts if part) + "</article>"


def _made_with(record: Record) -> str:
    parts = [f"{record['seeds']} seeds"] if record.get("seeds") else []
    parts += [str(record[key]) for key in ("device",) if record.get(key) not in (None, "", "any")]
    if record.get("cpu_seconds"):
        parts.append(f"{number(record['cpu_seconds'])} processor seconds")
    parts += [f"on {str(record['date'])[:10]}"] if record.get("date") else []
    parts += [f"commit {record['commit']}"] if record.get("commit") else []
    return ", ".join(parts)


def _list(items: Sequence[Any]) -> str:
    return "<ul>" + "".join(f"<li>{text(item)}</li>" for item in items) + "</ul>" if items else ""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already, empty columns left out; it scrolls where the screen is narrow."""
    if not rows:
        return ""
    kept = [i for i in range(len(head)) if any(row[i] for row in rows)]
    first = "".join(f"<th>{text(head[i])}</th>" for i in kept)
    lines = "".join("<tr>" + "".join(f"<td>{row[i]}</td>" for i in kept) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{first}</tr></thead><tbody>{lines}</tbody></table></div>'


def _effects(kept: Page, record: Record) -> str:
    effects = list(record.get("effects") or [])
    named = [(effect, "") for effect in effects]
    if record.get("naive"):
        named.append((record["naive"], "<br><span class='faint'>naive: one learning rate for all</span>"))
    if not named:
        return ""
    rows = []
    for effect, note in named:
        unit = str(effect.get("unit") or "")
        paper = with_unit(effect["paper"], unit) if effect.get("paper") is not None else ""
        cells = [text(effect.get("name")) + note, text(with_unit(effect.get("estimate"), unit)), text(interval(effect))]
        rows.append([*cells, text(effect.get("needs") or ""), text(paper), text(seeds(effect))])
    drawn = [Measure.of(effect) for effect in deciding(record)]
    return kept.figure(figures.intervals(drawn)) + table(
        ("measured", "mean", "95 % interval", "needed", "paper", "each seed"), rows
    )


def _checks(record: Record) -> str:
    rows = []
    for check in record.get("checks") or []:
        sign = "✓" if check.get("holds") else "<b>✗ no</b>"
        cells = [check.get("what"), number(check.get("computed")), number(check.get("expected")), check.get("lecture") or ""]
        rows.append([*(text(cell) for cell in cells), sign])
    return table(("identity", "computed", "must be", "the lecture has", "holds"), rows)


def _gates(record: Record) -> str:
    rows = [
        ["✓ met" if gate.get("passed") else "<b>✗ failed</b>", text(gate.get("name")), text(gate.get("detail") or "")]
        for gate in record.get("gates") or []
    ]
    return table(("", "condition of the experiment", ""), rows)


def _curves(kept: Page, record: Record) -> str:
    curves = study_curves(kept.runs, record)
    parts = []
    for name in shown_curves(record, curves):
        x_title = "optimizer steps" if "/" in name else "along the measurement"
        figure = figures.curves_with_bands(curves[name], x_title, metric_title(name), percent=is_fraction(name))
        note = "Lines are means over seeds; bands reach from the lowest seed to the highest."
        parts.append(f"<h4>{text(metric_title(name))}</h4>{kept.figure(figure)}<p class='faint'>{note}</p>")
    name = str(record.get("figure") or "")
    measures = arm_measures(record, name) if name else {}
    if measures:
        figure = figures.arms_with_intervals(measures, metric_title(name), percent=is_fraction(name))
        parts.append(f"<h4>At the end, arm by arm</h4>{kept.figure(figure)}")
    fast = speeds(kept.runs, record, name) if name else {}
    if len(fast) > 1:
        figure = figures.speed_against_accuracy(fast, metric_title(name), percent=is_fraction(name))
        parts.append(f"<details><summary>Speed against {text(metric_title(name))}</summary>{kept.figure(figure)}</details>")
    return "".join(parts)


def _arms(record: Record) -> str:
    rows = []
    arms = record.get("arms")
    for name, arm in arms.items() if isinstance(arms, Mapping) else ():
        tried = ", ".join(f"{rate}: {number(score)}" for rate, score in (arm.get("tried") or {}).items())
        rate = number(arm["rate"]) if arm.get("rate") is not None else ""
        places = "<br>".join(text(run.get("folder")) for run in arm.get("runs") or [])
        folders = f"<details><summary>{len(arm.get('runs') or [])}</summary><code>{places}</code></details>"
        rows.append([text(name), text(changes(arm)), text(rate), text(tried), folders])
    inside = table(("arm", "differs in", "learning rate", "tried (score of seed 0)", "runs"), rows)
    return f"<details><summary>The arms and their learning rates</summary>{inside}</details>" if inside else ""


def _pictures(kept: Page, record: Record) -> str:
    parts = []
    for name, by_arm in study_pictures(kept.runs, record).items():
        shown = "".join(kept.picture(path, arm) for arm, path in by_arm.items())
        parts.append(f'<h4>{text(name.replace("_", " "))}</h4><div class="pictures">{shown}</div>')
    return "".join(parts)
