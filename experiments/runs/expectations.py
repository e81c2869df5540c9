"""What a recipe expects of its result, checked by ``lectern test``."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from torch import Tensor

from datamodules.scene import InputError, quoted

OPERATORS: dict[str, Callable[[float, float], bool]] = {">=": operator.ge, "<=": operator.le}


def parse_expectations(expect: Mapping[str, str]) -> dict[str, tuple[str, float]]:
    """``{"test/miou": ">= 0.80"}`` as ``{"test/miou": (">=", 0.8)}``."""
    parsed = {}
    for name, text in expect.items():
        sign, _, number = str(text).strip().partition(" ")
        try:
            parsed[name] = (sign, float(number))
            OPERATORS[sign]
        except (ValueError, KeyError):
            which, said = (quoted(str(value))[1:-1] for value in (name, text))
            raise InputError(f'expect.{which}: "{said}" is no expectation; write for example ">= 0.80"') from None
    return parsed


def check_expectations(expect: Mapping[str, str], measured: Mapping[str, float | Tensor]) -> bool:
    """Prints each expectation beside what was measured; False where one is missed or was not measured."""
    passed = True
    for name, (sign, bound) in parse_expectations(expect).items():
        if name not in measured:
            print(f"expected  {name} {sign} {bound:g}: not measured")
            passed = False
            continue
        value = float(measured[name])
        kept = OPERATORS[sign](value, bound)
        print(f"expected  {name} {sign} {bound:g}: {value:.4f} {'ok' if kept else 'MISSED'}")
        passed &= kept
    return passed
