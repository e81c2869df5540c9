"""What an evaluation leaves, made up: one section of each kind."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def write_findings(folder: Path, names: Sequence[str] = ("cat", "dog"), **changes: object) -> Path:
    """``findings/`` of a run or an evaluation; the second picture of its gallery is gone."""
    place = folder / "findings"
    place.mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(place / "worst_0.png")
    counts = [[40 if i == k else 3 + i for k in range(len(names))] for i in range(len(names))]
    recall = [0.0, 0.5, 1.0]
    sections = [
        {
            "kind": "table",
            "title": "By class",
            "columns": ["class", "accuracy"],
            "rows": [[n, 0.5] for n in names],
            "note": "n.",
        },
        {"kind": "matrix", "title": "Confusion", "names": list(names), "rows": counts},
        {
            "kind": "curves",
            "title": "Precision over recall",
            "x": "recall",
            "y": "precision",
            "series": [{"name": name, "x": recall, "y": [1.0, None, 0.25]} for name in names],
        },
        {
            "kind": "gallery",
            "title": "Worst predictions",
            "items": [{"file": "worst_0.png", "caption": f"{names[-1]} missed"}, {"file": "worst_1.png", "caption": "gone"}],
        },
        {
            "kind": "baseline",
            "title": "Beside the trivial answer",
            "metric": "test/accuracy",
            "value": 0.9,
            "baseline": 0.4,
            "name": "the most frequent class",
        },
    ]
    content = {"version": 1, "split": "test", "checkpoint": "best", "scenes": 80, "sections": sections}
    (place / "findings.json").write_text(json.dumps(content | changes))
    return folder


def write_evaluation(run: Path, name: str = "2026-11-25_10-00-00") -> Path:
    """The folder of a ``lectern test`` on other data."""
    folder = run / "evaluations" / name
    folder.mkdir(parents=True)
    content = {
        "command": "test",
        "date": "2026-11-25T10:00:00+00:00",
        "checkpoint": "checkpoints/best.ckpt",
        "data": "datamodules.Shapes",
        "split": "test",
        "scenes": 100,
        "own_data": False,
        "metrics": {"test/accuracy": 0.625},
    }
    (folder / "evaluation.json").write_text(json.dumps(content))
    return folder
