"""What a record has to say on its slide's picture: its numbers in words, and the strip that they stand in."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Mapping

from experiments.studies.record import EffectRecord, Record

from ..labels import is_fraction, metric_title
from ..meanings import SIGNS
from ..wording import corrected, number, one_line
from .sheet import FAINT, GREEN, WIDTH, Sheet, short_text, tint

MOST = 4
"""Lines of the strip."""
LINE = 19


class Measurements:
    """The numbers of a verdict; of none, where the claim was not run: every word is empty then."""

    def __init__(self, record: Record | None, others: Mapping[str, Record] | None = None) -> None:
        """``others`` are the verdicts on further claims that the picture has numbers of, by their ids."""
        self.record = record
        self.others = dict(others or {})

    def __bool__(self) -> bool:
        return self.record is not None

    @property
    def lines(self) -> list[str]:
        """What decided, a line or two each: effects, or what the lecture has wrong, or identities; if nothing did, why."""
        if self.record is None:
            return []
        part = self.record.headline
        found = [one_line(effect) for effect in part.effects if effect.estimate is not None][:2]
        if not found and (wrong := corrected(part)):
            found = [wrong]
        if not found:
            found = [f"{check.what}: {number(check.computed)}" for check in part.checks[:2]] or [part.because]
        lines = [line for text in found for line in textwrap.wrap(text, 128)]
        return [*lines[:MOST]]

    def mean(self, variant: str, name: str = "") -> float | None:
        """Over the seeds of a variant, of a value by its name, else of that which the study shows; None where there is none."""
        if self.record is None or variant not in self.record.variants:
            return None
        values = [run.values.get(name or self.shown, math.nan) for run in self.record.variants[variant].runs]
        return sum(v / len(values) for v in values) if values and all(map(math.isfinite, values)) else None

    def beside(self, claim: str) -> Measurements:
        """The numbers of the verdict on another claim; of none, where it is not there."""
        return Measurements(self.others.get(claim))

    def of(self, *variants: str, name: str = "") -> str:
        """The mean of the first of these variants that the record has, in words."""
        for variant in variants:
            if (found := self.mean(variant, name)) is not None:
                return in_words(found, name or self.shown)
        return ""

    @property
    def shown(self) -> str:
        """The value that most variants have, that of the study's curve before others."""
        if self.record is None:
            return ""
        counted = Counter(name for v in self.record.variants.values() for name in {n for run in v.runs for n in run.values})
        if self.record.figure in counted:
            return self.record.figure
        return max(counted, key=lambda name: (counted[name], is_fraction(name)), default="")

    def effect(self, *words: str) -> EffectRecord | None:
        """The first effect of any part whose name has all of these words."""
        parts = self.record.parts.values() if self.record else ()
        for effect in (e for part in parts for e in (*part.effects, *part.conditions, *part.shown)):
            if all(word in effect.name for word in words) and effect.estimate is not None:
                return effect
        return None

    def check(self, *words: str) -> str:
        """What was computed in the first check whose name has all of these words."""
        checks = self.record.checks if self.record else ()
        return next((number(check.computed) for check in checks if all(word in check.what for word in words)), "")

    @property
    def variants(self) -> dict[str, str]:
        """The mean of what the study shows, in words, by variant; without those that have none."""
        found = {name: self.of(name) for name in self.record.variants} if self.record else {}
        return {name: words for name, words in found.items() if words}

    def means(self, most: int) -> dict[str, float]:
        """The mean of what the study shows, by variant, of so many at most: those that the verdict compares before others."""
        found = {name: value for name in self.variants if (value := self.mean(name)) is not None}
        parts = self.record.parts.values() if self.record else ()
        compared = {name for part in parts for effect in part.effects for name in effect.variants}
        kept = sorted(found, key=lambda name: name not in compared)[:most]
        return {name: value for name, value in found.items() if name in kept}


def in_words(value: float, name: str) -> str:
    """``12.3 %`` of a share, else a number as it is."""
    return f"{100 * value:.3g} %" if is_fraction(name) else number(value)


PANEL = (664.0, 276.0)
"""Where the bars of a picture with a panel begin, and how wide they are."""
ROW = 34
BARS = 8


def panel(sheet: Sheet, numbers: Measurements) -> bool:
    """A bar for each variant, right of the picture; whether there is any."""
    name, shown = numbers.shown, numbers.means(BARS)
    if not shown:
        return False
    left, width = PANEL
    more = len(numbers.variants) - len(shown)
    y = max(10.0, (sheet.height - 26 - ROW * len(shown)) / 2)
    title = short_text(metric_title(name), 40)
    sheet.text(left, y + 8, f"measured: {title}", size=13, ha="left", weight="bold", color=GREEN)
    greatest = max(map(abs, shown.values())) or 1.0
    for i, (variant, value) in enumerate(shown.items()):
        top = y + 26 + ROW * i
        sheet.text(left, top + 7, short_text(variant, 34), size=12, ha="left")
        sheet.text(left + width, top + 7, in_words(value, name), size=12, ha="right", weight="bold")
        sheet.square(left, top + 17, width, 9, fill=tint(FAINT, 0.15), linewidth=0)
        sheet.square(left, top + 17, max(1.0, width * abs(value) / greatest), 9, fill=tint(GREEN, 0.75), linewidth=0)
    if more:
        sheet.text(left, y + 30 + ROW * len(shown), f"and {more} more", size=12, ha="left")
    return True


def room(numbers: Measurements) -> float:
    """Units that the strip takes below a picture."""
    return 22 + LINE * len(numbers.lines) if numbers.lines else 0


def strip(sheet: Sheet, numbers: Measurements) -> None:
    """The verdict below the picture: its level, and what decided."""
    if not numbers.lines or numbers.record is None:
        return
    top = sheet.height + 6
    sheet.line((20, top), (WIDTH - 20, top), colour=FAINT, width=0.8)
    level = numbers.record.level
    sheet.text(20, top + LINE, f"{SIGNS[level]} {level}", ha="left", weight="bold")
    for i, line in enumerate(numbers.lines):
        sheet.text(158, top + LINE * (i + 1), line, size=12.5, ha="left")
