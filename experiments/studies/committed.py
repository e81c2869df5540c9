"""The committed records: the verdicts that ship with Lectern."""

from __future__ import annotations

from .record import Record


def committed_records(scale: str | None = None) -> list[Record]:
    """All of them, or those of one scale."""
    return []


def committed_record(name: str, scale: str) -> Record | None:
    """That of one study; None where it has none at this scale. An identity's holds at every scale."""
    return next((r for r in committed_records() if r.name == name and (r.scale == scale or r.is_at_any_scale)), None)
