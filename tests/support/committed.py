"""The verdicts that come with Lectern, exchanged for those that a test makes up."""

from __future__ import annotations

import pytest

from experiments.studies.record import Record


@pytest.fixture(autouse=True)
def committed(monkeypatch: pytest.MonkeyPatch) -> list[Record]:
    """None, and a test may add some: what the real ones say changes with every run of a study."""
    found: list[Record] = []

    def record(name: str, scale: str) -> Record | None:
        return next((one for one in found if (one.name, one.scale) == (name, scale)), None)

    monkeypatch.setattr("experiments.studies.committed.committed_records", lambda scale=None: found)
    monkeypatch.setattr("experiments.studies.committed.committed_record", record)
    return found
