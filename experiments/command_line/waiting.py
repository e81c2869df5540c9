"""A word on the screen while libraries are imported, which takes seconds: silence looks like a fault."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

SAID = "importing torch …"


@contextmanager
def waiting() -> Iterator[None]:
    """Says on a terminal that libraries are imported, and takes it back behind that; a file or a pipe gets nothing."""
    shown = sys.stderr.isatty()
    if shown:
        print(SAID, end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        if shown:
            print(f"\r{' ' * len(SAID)}\r", end="", file=sys.stderr, flush=True)
