"""What ``--search`` says: an option of the training, and the values that are tried for it. A grammar of four words, no code.

Nothing here imports torch or Optuna.
"""

from __future__ import annotations

import math
import re
from typing import Any, Literal, NamedTuple, cast, get_args

from datamodules.errors import InputError
from experiments.command_line.guesses import did_you_mean

Space = Literal["log", "uniform", "int", "choice"]

EXAMPLE = "model.optimizer.lr=log(1e-4,1e-1)"
SPACES = "log(a,b), uniform(a,b), int(a,b), choice(a,b,c)"

NOT_SEARCHED = ("config", "runs", "name", "version", "overwrite", "ckpt_path", "init_from", "recipes", "trust", "print_config")
"""Options that say what a run is, and nothing that could be better or worse."""

_SAID = re.compile(r"\s*(?:--)?([A-Za-z_][\w.]*)\s*=\s*([A-Za-z_]\w*)\s*\((.*)\)\s*", re.DOTALL)


class Searched(NamedTuple):
    """One option, and the values that are tried for it."""

    name: str
    """As it is typed, without its dashes: ``model.optimizer.lr``."""
    space: Space
    values: tuple[str, ...]
    """The two ends, or the choices, as they were typed."""

    @classmethod
    def of_text(cls, text: str) -> Searched:
        """``model.optimizer.lr=log(1e-4,1e-1)``, read.

        Raises:
            InputError: it is none of the four spaces, or its values are none of that space.
        """
        said = _SAID.fullmatch(text)
        if not said:
            raise InputError(f"--search {text!r}: NAME=SPACE expected, such as {EXAMPLE}; the spaces are {SPACES}")
        name, space, inner = said.groups()
        if space not in get_args(Space):
            raise InputError(
                f"--search {name}: no space {space!r}{did_you_mean(space, get_args(Space))}; the spaces are {SPACES}"
            )
        if name.split(".")[0] in NOT_SEARCHED:
            raise InputError(f"--search {name}: says what a run is, and is not searched")
        values = tuple(_split(inner, name))
        found = cls(name, cast(Space, space), values)
        if wrong := found._fault():
            raise InputError(f"--search {name}: {space}({inner}): {wrong}")
        return found

    def _fault(self) -> str:
        if self.space == "choice":
            if len(self.values) < 2 or not all(self.values):
                return "two or more values expected"
            return "a value stands there twice" if len(set(self.values)) < len(self.values) else ""
        if len(self.values) != 2:
            return f"two numbers expected, the least and the greatest, as in {self.space}(1,10)"
        try:
            low, high = (int(value) if self.space == "int" else float(value) for value in self.values)
        except ValueError:
            return "whole numbers expected" if self.space == "int" else "numbers expected"
        if not (math.isfinite(low) and math.isfinite(high)) or abs(high) > 1e300 or abs(low) > 1e300:
            return "finite numbers expected"
        if low >= high:
            return "the least comes first, and is below the greatest"
        return "a logarithm needs numbers above 0" if self.space == "log" and low <= 0 else ""

    @property
    def inner(self) -> str:
        """A number between the two ends, with a fraction, as it is typed; empty where only whole numbers or choices are."""
        if self.space in ("int", "choice"):
            return ""
        low, high, share = *map(float, self.values), 0.618034
        return self.typed(low * (high / low) ** share if self.space == "log" else low + (high - low) * share)

    def typed(self, value: Any) -> str:
        """A value that the search has taken, as it is typed: numbers with six digits."""
        return str(value) if self.space in ("int", "choice") else f"{float(value):.6g}"

    def distribution(self) -> Any:
        """Optuna's."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if self.space == "choice":
            return CategoricalDistribution(self.values)
        if self.space == "int":
            return IntDistribution(int(self.values[0]), int(self.values[1]))
        return FloatDistribution(float(self.values[0]), float(self.values[1]), log=self.space == "log")

    def __str__(self) -> str:
        return f"{self.name}={self.space}({','.join(self.values)})"


def searched(texts: list[str]) -> list[Searched]:
    """All that is searched.

    Raises:
        InputError: see :meth:`Searched.of_text`; or nothing is, or an option twice.
    """
    if not texts:
        raise InputError(f"lectern sweep needs --search NAME=SPACE, such as --search '{EXAMPLE}'; the spaces are {SPACES}")
    found = [Searched.of_text(text) for text in texts]
    names = [one.name for one in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"--search {twice}: searched twice")
    return found


def _split(text: str, name: str) -> list[str]:
    """The values between commas; those inside brackets or quotes do not part any.

    Raises:
        InputError: a bracket or a quote is not closed.
    """
    parts, waiting, quote = [""], list[str](), ""
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "([{":
            waiting.append(")]}"["([{".index(sign)])
        elif sign in ")]}":
            if not waiting or waiting.pop() != sign:
                raise InputError(f"--search {name}: ({text}): {sign!r} closes nothing")
        elif sign == "," and not waiting:
            parts.append("")
            continue
        parts[-1] += sign
    if waiting or quote:
        raise InputError(f"--search {name}: ({text}): {quote or waiting[-1]!r} is missing")
    return [part.strip() for part in parts]
