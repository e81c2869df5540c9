"""The exact studies: each computes what it claims, and each of their checks can fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from experiments.reproduction.claims import Claim, claims
from experiments.studies.study import Exact
from experiments.studies.verdict import Check, Level, judge_checks

EXACT = [claim for claim in claims().values() if isinstance(claim.study, Exact)]

FINDINGS: dict[str, Level] = {"B03": Level.ERRATUM}
"""Exact studies whose headline the lecture has wrong, by id; all others come out exact."""


def perturbed(check: Check) -> Check:
    """The check as it would be had something else been computed: twice its tolerance away."""
    if isinstance(check.computed, str) or isinstance(check.expected, str):
        return replace(check, computed=f"not {check.computed}")
    step = 2 * check.tolerance * max(1.0, abs(check.expected)) or 1.0
    return replace(check, computed=check.expected + step)


@pytest.mark.parametrize("claim", EXACT, ids=lambda claim: claim.name)
def test_an_exact_study_computes_what_it_claims(claim: Claim) -> None:
    study = claim.study
    assert isinstance(study, Exact)
    checks = study.checks()
    verdict = judge_checks(study.says, checks, study.erratum)
    assert verdict.level == FINDINGS.get(claim.id, Level.EXACT), verdict.because
    for part in verdict.parts.values():
        assert part.level == (Level.ERRATUM if part.checks[0].wrong else Level.EXACT), part.reason
    assert len({check.what for check in checks}) == len(checks)
    for i, check in enumerate(checks):
        changed = perturbed(check)
        found = judge_checks(study.says, [*checks[:i], changed, *checks[i + 1 :]], study.erratum)
        (part,) = (part for part in found.parts.values() if changed in part.checks)
        assert part.level == Level.NOT_REPRODUCED, check.what
        assert check.what in part.reason
        assert [p.level for p in found.parts.values()].count(Level.NOT_REPRODUCED) == 1
