"""Where each claim stands, read from the committed verdicts without the libraries that judge them."""

from __future__ import annotations

import json
from pathlib import Path

import experiments


def levels() -> dict[str, str]:
    """The level of each claim's first part at the scale ``cpu``; claims without a verdict are not in it."""
    found = {}
    for path in (Path(experiments.__file__).parent / "results" / "cpu").glob("*/*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        found[str(content["claim"])] = str(next(iter(content["parts"].values()))["level"])
    return found
