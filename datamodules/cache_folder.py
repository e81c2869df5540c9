"""Where Lectern keeps what it could make again; nothing heavy is imported."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Where caches lie that are given no folder: what ``LECTERN_CACHE`` names, or else ``~/.cache/lectern``."""
    return Path(os.environ.get("LECTERN_CACHE") or "~/.cache/lectern").expanduser()
