"""What would change a verdict's mind: the effect that lies nearest to a bound of its need, and how far."""

from __future__ import annotations

import math

from experiments.reports.wording import number, with_unit
from experiments.studies.levels import Level
from experiments.studies.record import EffectRecord, PartRecord, Record
from experiments.studies.verdict import level_together


def nearest(record: Record) -> tuple[Level, EffectRecord] | None:
    """The level that a record's headline would change to with least, and the effect that would have to be another for it.

    Least is measured in half the effect's interval. None where no effect of it would change it.
    """
    part = record.headline
    found = [(near, level, effect) for effect in (*part.effects, *part.conditions) for near, level in _changes(part, effect)]
    best = min(found, key=lambda entry: entry[0], default=None)
    return best and best[1:]


def nearest_line(record: Record) -> str:
    """``would be direction only if a − b were 1.3 points less``; empty of an identity."""
    part = record.headline
    if failed := [check.name for check in part.validity_checks if not check.passed]:
        return f"would be judged if it held that {'; '.join(failed)}"
    if not part.effects:
        return ""
    if not (found := nearest(record)):
        return "no change of a single effect would give another level"
    level, effect = found
    assert effect.nearest is not None
    return f"would be {level} if {effect.name} were {_moved(effect, effect.nearest.shift)}{_reach(effect)}"


def _changes(part: PartRecord, effect: EffectRecord) -> list[tuple[float, Level]]:
    """How far the effect is from what would change the part's level, and to which; empty where it does not decide it."""
    if effect.nearest is None or effect.interval is None:
        return []
    own = {id(e): e.level or Level.INCONCLUSIVE for e in (*part.effects, *part.conditions)}
    then = own | {id(effect): effect.nearest.level}
    now, moved = (
        level_together([levels[id(e)] for e in part.effects], [levels[id(e)] for e in part.conditions])
        for levels in (own, then)
    )
    low, high = effect.interval
    if effect.unit == "x":
        shift, half = abs(math.log(effect.nearest.shift)), (math.log(high / low) / 2 if low > 0 else math.inf)
    else:
        shift, half = abs(effect.nearest.shift), (high - low) / 2
    return [(shift / half if half else math.inf, moved)] if moved is not now else []


def _moved(effect: EffectRecord, shift: float) -> str:
    if effect.unit == "x":
        return f"{number(shift)} times as large"
    return f"{with_unit(abs(shift), effect.unit)} {'greater' if shift > 0 else 'less'}"


def _reach(effect: EffectRecord) -> str:
    """How wide its interval is, beside which a distance is near or far."""
    if effect.interval is None or effect.unit == "x":
        return ""
    return f" (its interval reaches {number((effect.interval[1] - effect.interval[0]) / 2)} to either side)"
