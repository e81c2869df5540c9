"""The verdict on selective search, on runs that nobody made, and what it is measured with."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from experiments.lectures.cs231n import selective_search_is_noisy_and_misses_little as proposals
from experiments.studies.results import Runs
from experiments.studies.verdict import Level
from tests.support import tiny

NAN = float("nan")


@pytest.mark.parametrize(
    ("recall", "useful", "cpu", "number", "chance", "level"),
    [
        ([0.95, 0.93, 0.9], 0.02, 1.6, 2100, 0.5, Level.REPRODUCED),
        ([0.95, 0.93, 0.89], 0.02, 1.6, 2100, 0.5, Level.DIRECTION_ONLY),
        ([0.95, 0.93, 0.9], 0.25, 1.6, 2100, 0.5, Level.DIRECTION_ONLY),
        ([0.95, 0.93, 0.9], 0.02, 7.0, 2100, 0.5, Level.DIRECTION_ONLY),
        ([0.95, 0.93, 0.9], 0.02, 0.2, 2100, 0.5, Level.DIRECTION_ONLY),
        ([0.7, 0.7, 0.7], 0.02, 7.0, 2100, 0.5, Level.NOT_REPRODUCED),
        ([0.7, 0.7, 0.7], 0.25, 7.0, 2100, 0.5, Level.NOT_REPRODUCED),
        ([0.95, 0.93, 0.9], 0.02, 1.6, 300, 0.5, Level.INCONCLUSIVE),  # images that are too easy
        ([0.95, 0.93, 0.9], 0.02, 1.6, 2100, 0.85, Level.INCONCLUSIVE),  # any boxes would do
        ([NAN, 0.93, 0.9], 0.02, 1.6, 2100, 0.5, Level.INCONCLUSIVE),
        ([0.95, 0.93, 0.9], 0.02, NAN, 2100, 0.5, Level.INCONCLUSIVE),
    ],
)
def test_selective_search(recall: list[float], useful: float, cpu: float, number: float, chance: float, level: Level) -> None:
    same = {"useful": useful, "cpu": cpu, "wall": cpu, "proposals": number, "recall of random boxes": chance}
    same |= {"recall at IoU 0.7": 0.6, "recall of all proposals": 0.95, "mean best overlap of all proposals": 0.8}
    values = {name: [value] * 3 for name, value in same.items()} | {"recall": recall}
    assert proposals.verdict(Runs.made_up(dict.fromkeys(proposals.study.variants, values))).level == level


@pytest.mark.parametrize("scale", ["cpu", "gpu"])
def test_what_is_measured(scale: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast variant of either scale, on one small image: ``gpu`` reads VOC 2007's layout, without difficult objects."""
    monkeypatch.chdir(tmp_path)
    tiny.write_voc(tmp_path / "data", test=3)
    monkeypatch.setattr(proposals, "SIZE", (60, 80))
    job = proposals.study.job("gpu" if scale == "gpu" else "cpu", "fast", None, 0)
    measured = proposals.search(**dict(job.settings) | {"images": 1, "folder": tmp_path})
    assert measured.values["objects"] == (1 if scale == "gpu" else pytest.approx(5.5, abs=1.5))
    assert 0 <= measured.values["useful"] <= 1 and measured.values["cpu"] > 0
    assert measured.values["recall"] == dict(measured.curves[proposals.RECALL])[2000]
    assert (tmp_path / "pictures" / "proposals.png").is_file()


def test_random_boxes_lie_in_the_image() -> None:
    image = torch.zeros(3, 20, 50, dtype=torch.uint8)
    boxes = proposals.random_boxes({"image": image}, torch.Generator().manual_seed(0))
    assert len(boxes) == 2000 and (boxes[:, 2:] >= boxes[:, :2]).all() and (boxes >= 0).all()
    assert boxes[:, 2].max() <= 50 and boxes[:, 3].max() <= 20 and boxes[:, 0].min() < 1 < 49 < boxes[:, 2].max()
