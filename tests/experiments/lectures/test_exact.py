"""The exact studies: each computes what it claims, and each of their checks can fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from experiments.reproduction.claims import Claim, claims
from experiments.studies.study import Exact
from experiments.studies.verdict import Check, Level, judge_checks

EXACT = [claim for claim in claims().values() if isinstance(claim.study, Exact)]

FINDINGS: dict[str, Level] = {}
"""Exact studies that find the claim wrong, by id; all others come out exact."""


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
    verdict = judge_checks(checks)
    assert verdict.level == FINDINGS.get(claim.id, Level.EXACT), verdict.because
    assert len({check.what for check in checks}) == len(checks)
    for i, check in enumerate(checks):
        wrong = [*checks[:i], perturbed(check), *checks[i + 1 :]]
        found = judge_checks(wrong)
        assert found.level == Level.NOT_REPRODUCED, check.what
        assert check.what in found.because
