"""The exact studies: each computes what it claims, and each of their checks can fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from experiments.reproduction.claims import Claim, claims
from experiments.studies.study import Exact
from experiments.studies.verdict import Check, Level, judge_checks

EXACT = [claim for claim in claims().values() if isinstance(claim.study, Exact)]


def perturbed(check: Check) -> Check:
    """The check as it would be had something else been computed: twice its tolerance away."""
    if isinstance(check.computed, str) or isinstance(check.expected, str):
        return replace(check, computed=f"not {check.computed}")
    step = 2 * check.tolerance * max(1.0, abs(check.expected)) or 1.0
    return replace(check, computed=check.expected + step)


@pytest.mark.parametrize("claim", EXACT, ids=lambda claim: claim.name)
def test_an_exact_study_computes_what_it_claims(claim: Claim) -> None:
    assert isinstance(claim.study, Exact)
    checks = claim.study.checks()
    verdict = judge_checks(claim.study.says, checks, claim.study.erratum)
    for part in verdict.parts.values():
        wrong = any(check.wrong for check in part.checks)
        assert part.level is (Level.ERRATUM if wrong else Level.EXACT), part.reason
        assert not wrong or all(check.lecture for check in part.checks), "an erratum says what the slide has"
    assert (Level.ERRATUM in {part.level for part in verdict.parts.values()}) <= bool(claim.study.erratum)
    assert len({check.what for check in checks}) == len(checks)
    for i, check in enumerate(checks):
        others = [*checks[:i], perturbed(check), *checks[i + 1 :]]
        found = judge_checks(claim.study.says, others)
        (broken,) = [part for part in found.parts.values() if part.level is Level.NOT_REPRODUCED]
        assert check.what in broken.reason
