"""What every comparison must stand: a verdict does not stay as it was where the compared variants are exchanged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from experiments.studies.effects import Effect
from experiments.studies.levels import Level
from experiments.studies.results import Runs
from experiments.studies.study import Study
from experiments.studies.verdict import Verdict

CLAIMED = (Level.REPRODUCED, Level.DIRECTION_ONLY)
Pairs = Sequence[tuple[str, str]]


def assert_exchange_turns(study: Study, runs: Runs, swaps: Mapping[str, Pairs] | None = None) -> None:
    """Each effect with a direction is on the claimed side in ``runs``, and is not once its variants are exchanged.

    Nor is the part that it decides. Effects that claim no difference, or allow one, have no direction and are left out, and so
    are those of one variant alone.

    Args:
        study: whose ``parts`` are tried.
        runs: made-up runs in which the claim holds.
        swaps: by the effect's name, the pairs to exchange, where they are not the two that :attr:`Effect.variants` names: for a
            difference of differences, a slope over variants.
    """
    given = dict(swaps or {})
    compared = 0
    for key, effect, decides in _effects(study, runs):
        if not _has_direction(effect) or (len(effect.variants) == 1 and effect.name not in given):
            continue
        assert effect.level in CLAIMED, f"{key}, {effect.name}: {effect.level} before any exchange"
        if effect.name not in given:
            assert len(effect.variants) == 2, f"{key}, {effect.name}: say in `swaps` which variants to exchange"
        pairs = given.pop(effect.name, None) or [(effect.variants[0], effect.variants[1])]
        exchanged = runs
        for variant, other in pairs:
            exchanged = exchanged.exchanged(variant, other)
        found = {(k, e.name): e for k, e, _ in _effects(study, exchanged)}[key, effect.name]
        assert found.level not in CLAIMED, f"{key}, {effect.name}: {found.level} with {pairs} exchanged"
        if decides:
            level = Verdict.of(study.parts(exchanged)).parts[key].level
            assert level not in CLAIMED, f"part {key}: {level} with {pairs} exchanged"
        compared += 1
    assert compared, "no comparison with a direction"
    assert not given, f"no such effects: {', '.join(given)}"


def _effects(study: Study, runs: Runs) -> Iterator[tuple[str, Effect, bool]]:
    """The part's letter, the effect, and whether the part falls with it."""
    for key, part in Verdict.of(study.parts(runs)).parts.items():
        yield from ((key, effect, True) for effect in part.effects)
        yield from ((key, effect, False) for effect in part.conditions)


def _has_direction(effect: Effect) -> bool:
    return effect.needs is not None and effect.needs.direction(effect.is_ratio) != 0
