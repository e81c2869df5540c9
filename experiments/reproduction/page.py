"""The page of all committed verdicts, ``docs/verdicts.md``: every part with its rule, needs and numbers, and their making."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from experiments.lectures import LECTURES, rows
from experiments.reports.wording import estimate, number, seeds, with_unit
from experiments.runs.markup import code, plain
from experiments.studies.record import EffectRecord, PartRecord, Record

STALE = " (stale)"
"""Behind a level: the code that it rests on was changed since."""

HEAD = """# The verdicts

Made by `lectern reproduce --table` from the records that come with Lectern, `experiments/results/`, and from nothing else;
`lectern reproduce --check` judges them again. Intervals are 95 % Student t intervals over seeds, of ratios in logarithms.
*Reproduced*: the whole interval lies inside what is needed. *Direction only*: it lies on the claimed side of no effect.
*Not reproduced*: it lies at no effect or beyond, or shows that there is none within the margin. *Inconclusive*: neither.
*Exact*: an identity, computed. *Erratum*: computed, and the lecture's sentence is not so.
What the lecture does not say stands apart, and counts in no table. *(stale)*: code that it rests on was changed since."""


def page(records: Sequence[Record], old: Collection[str] = (), glance: str = "") -> str:
    """All verdicts as Markdown.

    Args:
        records: of all scales.
        old: the names of the studies that are stale.
        glance: what stands before them, such as a table of all.
    """
    lines = [HEAD, *(["", glance] if glance else [])]
    for lecture, title in LECTURES.items():
        own = [record for record in records if record.name.startswith(f"{lecture}/")]
        lines += ["", f"## {title}", "", *([] if own else ["Nothing was run.", ""])]
        for record in own:
            lines += [*_claim(record, record.name in old), ""]
    ids = {record.claim for record in records}
    missing = [row.id for row in rows().values() if row.id not in ids]
    return "\n".join([*lines, "## Not run", "", ", ".join(missing) or "All were.", ""])


def _claim(record: Record, is_old: bool) -> Iterator[str]:
    yield f"### {record.claim} · {plain(record.title)}"
    translated = f" ({plain(record.translation)})" if record.translation else ""
    yield f"\n> {plain(record.says)}{translated}\n>\n> {plain(record.slide)} · {plain(record.paper)}"
    yield f"\n**{record.level}**{STALE if is_old else ''} · {' · '.join(_made(record))}"
    if record.rule:
        yield f"\nRule: {plain(record.rule)}"
    for letter, part in record.parts.items():
        if not part.beyond:
            yield from _part(letter, part)
    if beyond := {letter: part for letter, part in record.parts.items() if part.beyond}:
        yield "\n#### Beyond the lecture"
        for letter, part in beyond.items():
            yield from _part(letter, part)
    yield from _list("Changed after a run", (f"{change.date}: {change.what}" for change in record.amendments))
    yield from _list("Found the same with later code", (f"{note.date}: {note.what}" for note in record.confirmed))
    yield from _list("Unlike the lecture", record.deviations)
    if record.controlled:
        yield from _list("The same in all variants", [record.controlled])
    yield from _list("Learning rates, each with its score (the less the better)", _rates(record))


def _made(record: Record) -> Iterator[str]:
    """How it was measured."""
    yield f"scale {record.scale}"
    if not record.is_at_any_scale:
        yield f"seeds {record.first_seed} to {record.first_seed + record.seeds - 1}"
        yield plain(record.processor or record.device or "processor unknown")
        yield f"{number(record.cpu_seconds / 60)} CPU-minutes"
    yield record.day
    yield f"commit {plain(record.commit or 'unknown')}"
    if record.versions:
        yield plain(", ".join(f"{name} {version}" for name, version in record.versions.items()))
    yield code(record.name)


def _part(letter: str, part: PartRecord) -> Iterator[str]:
    yield f"\n**{plain(letter)} · {part.level}**: {plain(part.says)}"
    if part.because:
        yield f"\n{plain(part.because)}"
    if part.erratum:
        yield f"\nErratum: {plain(part.erratum)}"
    kinds = (("decides", part.effects), ("besides", part.conditions), ("shown", part.shown))
    effects = [_effect(kind, effect) for kind, found in kinds for effect in found]
    if part.shared_lr:
        effects.append(_effect("one learning rate", part.shared_lr))
    if effects:
        yield "\n| | | needed | mean | 95 % interval | level | each seed |\n|---|---|---|---|---|---|---|"
        yield from effects
    if part.checks:
        yield "\n| identity | computed | expected | holds | the lecture says |\n|---|---|---|---|---|"
        for check in part.checks:
            cells = (check.what, number(check.computed), number(check.expected), "yes" if check.holds else "no", check.lecture)
            yield f"| {' | '.join(map(plain, cells))} |"
    conditions = (
        f"{'met' if c.passed else 'NOT MET'}: {c.name}{f' ({c.detail})' if c.detail else ''}" for c in part.validity_checks
    )
    yield from _list("Validity", conditions)
    yield from _list("Also", part.also)
    yield from _list("What would change it", filter(None, map(_nearest, part.effects)))


def _effect(kind: str, effect: EffectRecord) -> str:
    low, high = effect.interval or (None, None)
    cells = (
        kind,
        effect.name,
        effect.needs.words if effect.needs else "",
        estimate(effect),
        f"{number(low)} to {number(high)}" if low is not None else "",
        effect.level or "",
        seeds(effect),
    )
    return f"| {' | '.join(map(plain, cells))} |"


def _nearest(effect: EffectRecord) -> str:
    """``training error, a − b: direction only, were it 0.3 points less``."""
    if not effect.nearest:
        return ""
    shift, level = effect.nearest.shift, effect.nearest.level
    if effect.unit == "x":
        return f"{effect.name}: {level}, were it {number(shift)} times as large"
    size = with_unit(abs(shift), effect.unit)
    least = f"; {with_unit(effect.detectable, effect.unit)} is the least that it finds" if effect.detectable else ""
    return f"{effect.name}: {level}, were it {size} {'more' if shift > 0 else 'less'}{least}"


def _rates(record: Record) -> Iterator[str]:
    for name, variant in record.variants.items():
        if variant.tried:
            scores = ", ".join(f"{lr} → {number(score)}" for lr, score in variant.tried.items())
            yield f"{name}: {number(variant.lr)} of {scores}"


def _list(title: str, items: Iterable[str]) -> Iterator[str]:
    if found := list(items):
        yield f"\n{title}:\n"
        yield from (f"- {plain(item)}" for item in found)
