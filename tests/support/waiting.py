"""Waiting for what another process does."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable


def wait_for(happens: Callable[[], object], process: subprocess.Popen[str], seconds: float = 240) -> None:
    """Until it happens; fails where the process ends before it does."""
    deadline = time.monotonic() + seconds
    while not happens():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
