"""Numbers, effects and settings in words: one way to say each, on every page and in every table."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.studies.record import EffectRecord, PartRecord, Record, VariantRecord

MOST = 100
"""Seeds of an effect that are written out."""
LARGEST = 10**100
"""Of a whole number that is written out."""


def number(value: Any) -> str:
    """A number as one reads it; thousands are set apart, and what is no number is a dash."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value) if isinstance(value, str) else "–"
    if isinstance(value, int) and abs(value) > LARGEST:
        return f"{'−' if value < 0 else ''}10^{len(str(abs(value))) - 1} or more"
    if not math.isfinite(value):
        return "–" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if isinstance(value, int) or abs(value) >= 1_000:
        return f"{value:,.0f}".replace(",", "\u202f").replace("-", "−")
    return f"{value:.3g}".replace("-", "−")


def with_unit(value: float | None, unit: str) -> str:
    """``34 points``, ``6.1 ×``."""
    return f"{number(value)} {'×' if unit == 'x' else unit}".strip()


def estimate(effect: EffectRecord) -> str:
    """``34 points``; with ``≥`` or ``≤`` before it where some seeds are only a bound."""
    mark = "≥ " if ">" in effect.bounds else "≤ " if "<" in effect.bounds else ""
    return f"{mark}{with_unit(effect.estimate, effect.unit)}"


def interval(effect: EffectRecord) -> str:
    """``31 to 38``; a dash where it is not known."""
    if len(effect.by_seed) == 1:
        return "one seed, no interval"
    return f"{number(effect.interval[0])} to {number(effect.interval[1])}" if effect.interval else "–"


def seeds(effect: EffectRecord, named: Sequence[int] = ()) -> str:
    """Each seed's number, with the sign of a bound before it; with the seed before both where they are ``named``."""
    bounds = effect.bounds or ("",) * len(effect.by_seed)
    pairs = list(zip(effect.by_seed, bounds, strict=True))[:MOST]
    texts = [f"{bound} {number(value)}".strip() for value, bound in pairs]
    if named:
        texts = [f"seed {seed}: {text}" for seed, text in zip(named, texts, strict=False)]
    more = len(effect.by_seed) - len(pairs)
    return ", ".join(texts) + (f" and {number(more)} more" if more else "")


def change(effect: EffectRecord, is_open: bool = False) -> str:
    """What would change where it stands; of one that ``is_open``, also what its design can tell, and what would decide it."""
    found = []
    if near := effect.nearest:
        shift = with_unit(abs(near.shift), effect.unit)
        side = (
            f"{number(near.shift)} times as large" if effect.unit == "x" else f"{shift} {'more' if near.shift > 0 else 'less'}"
        )
        found.append(f"{near.level}, were it {side}")
    if is_open and effect.detectable is not None:
        found.append(f"{with_unit(effect.detectable, effect.unit)} from a bound is the least that these seeds tell")
    if is_open and effect.seeds_needed is not None:
        found.append(f"{number(effect.seeds_needed)} seeds would decide it")
    elif is_open and effect.detectable is not None:
        found.append("no number of seeds that one could run would decide it")
    return "; ".join(found)


def one_line(effect: EffectRecord) -> str:
    """``training error, a − b: 34 points (95 % interval 31 to 38; needed > 0)``."""
    sure = interval(effect) if len(effect.by_seed) == 1 else f"95 % interval {interval(effect)}"
    needs = f"; needed {effect.needs.words}" if effect.needs else ""
    return f"{effect.name}: {estimate(effect)} ({sure}{needs})"


def headline(record: Record, effects: int = 1) -> str:
    """What decided, in one line; empty where nothing was measured.

    The first effects that the headline was judged on; or what the lecture has and what was computed, where it is wrong; or how
    many identities hold.
    """
    part = record.headline
    if measured := [effect for effect in part.effects if effect.estimate is not None][:effects]:
        return "; ".join(map(one_line, measured))
    if wrong := corrected(part):
        return wrong
    broken = "".join(f"; does not hold: {check.what}" for check in record.checks if not check.holds)
    return f"{sum(c.holds for c in record.checks)} of {len(record.checks)} identities hold{broken}" if record.checks else ""


def corrected(part: PartRecord) -> str:
    """What was computed where the lecture has something else; empty where it has nothing wrong."""
    wrong = [check for check in part.checks if check.wrong and check.holds and check.lecture]
    return "; ".join(f"{check.what}: {number(check.computed)}, and not {check.lecture}" for check in wrong[:2])


def setting(key: str) -> str:
    """The last words of a dotted setting: ``model.init_args.network`` is “network”."""
    parts = [part for part in key.split(".") if part not in ("init_args", "class_path")]
    return parts[-1] if parts else key


def short(value: Any, length: int = 90) -> str:
    """A setting's value on one line: a class by its name, with its arguments."""
    if isinstance(value, Mapping) and "class_path" in value:
        arguments = value.get("init_args") or {}
        inner = ", ".join(f"{k}={short(v, 40)}" for k, v in arguments.items()) if isinstance(arguments, Mapping) else ""
        text = f"{str(value['class_path']).rpartition('.')[2]}({inner})"
    elif isinstance(value, Mapping):
        text = ", ".join(f"{k}={short(v, 40)}" for k, v in value.items())
    elif isinstance(value, list | tuple):
        text = "[" + ", ".join(short(v, 40) for v in value) + "]"
    else:
        text = number(value) if isinstance(value, float) else str(value)
    return text if len(text) <= length else text[: length - 1] + "…"


def changes(variant: VariantRecord) -> str:
    """What a variant changes, in words."""
    return "; ".join(f"{setting(key)}: {short(value)}" for key, value in variant.changes.items())


def command(study: str, scale: str) -> str:
    """What makes this verdict again."""
    return f"lectern reproduce {shlex.quote(study.rpartition('/')[2])}" + (f" --scale {scale}" if scale != "cpu" else "")
