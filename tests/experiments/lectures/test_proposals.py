"""The verdict on selective search, on runs that nobody made, and what it is measured with."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from experiments.lectures.cs231n import selective_search_is_noisy_and_misses_little as proposals
from experiments.studies.results import Runs
from experiments.studies.verdict import Level
from tests.support import tiny
from tests.support.made_up_verdicts import five
from tests.support.within import assert_swap_turns

NAN = float("nan")


def searched(recall: list[float], useful: float = 0.02, cpu: float = 1.6, number: float = 2100.0, chance: float = 0.5) -> Runs:
    same = {"useful": useful, "cpu": cpu, "wall": cpu, "proposals": number, "recall of random boxes": chance}
    same |= {"recall at IoU 0.7": 0.6, "recall of all proposals": 0.95, "mean best overlap of all proposals": 0.8}
    same |= {"recall of objects above 32²": 0.95}
    values = {name: [value] * 5 for name, value in same.items()} | {"recall": recall}
    return Runs.made_up(dict.fromkeys(proposals.study.variants, values))


@pytest.mark.parametrize(
    ("runs", "level"),
    [
        (searched(five(0.95)), Level.REPRODUCED),
        (searched(five(0.9)), Level.DIRECTION_ONLY),
        (searched(five(0.75)), Level.DIRECTION_ONLY),
        (searched(five(0.95), number=300), Level.DIRECTION_ONLY),
        (searched(five(0.95), number=9000), Level.DIRECTION_ONLY),
        (searched(five(0.95), useful=0.25), Level.INCONCLUSIVE),  # a threshold that is missed refutes nothing
        (searched(five(0.7), chance=0.85), Level.NOT_REPRODUCED),  # any boxes do better
        (searched([0.95, 0.45, 0.6, 0.45, 0.95]), Level.INCONCLUSIVE),
        (searched([NAN, 0.93, 0.9, 0.9, 0.9]), Level.INCONCLUSIVE),
    ],
)
def test_selective_search(runs: Runs, level: Level) -> None:
    assert proposals.parts(runs)["a"].level == level


@pytest.mark.parametrize(
    ("cpu", "level"), [(1.6, Level.REPRODUCED), (0.2, Level.REPRODUCED), (7.0, Level.INCONCLUSIVE), (NAN, Level.INCONCLUSIVE)]
)
def test_a_few_seconds(cpu: float, level: Level) -> None:
    assert proposals.parts(searched(five(0.95), cpu=cpu))["b"].level == level


def test_exchanged_with_random_boxes_it_misses_more() -> None:
    assert_swap_turns(proposals.study, searched(five(0.95)), "a", ("recall", "recall of random boxes"))


@pytest.mark.parametrize("scale", ["cpu", "gpu"])
def test_what_is_measured(scale: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast variant of either scale, on small images: ``cpu`` reads COCO's layout without crowds, ``gpu`` VOC 2007's
    without difficult objects."""
    monkeypatch.chdir(tmp_path)
    tiny.write_coco(tmp_path / "data" / "coco", train=4, val=2)
    tiny.write_voc(tmp_path / "data", test=3)
    monkeypatch.setattr(proposals, "LONG_SIDE", 80)
    job = proposals.study.job("gpu" if scale == "gpu" else "cpu", "fast", None, 0)
    measured = proposals.search(**dict(job.settings) | {"images": 3, "folder": tmp_path})
    assert 1 <= measured.values["objects"] <= 3
    assert 0 <= measured.values["useful"] <= 1 and measured.values["cpu"] > 0
    assert measured.values["recall"] == dict(measured.curves[proposals.RECALL])[2000]
    assert (tmp_path / "pictures" / "proposals.png").is_file()


def test_no_two_seeds_have_the_same_photograph(tmp_path: Path) -> None:
    root = str(tiny.write_coco(tmp_path, train=6, val=4))
    found = [scene["name"] for seed in range(5) for scene in proposals.scenes(seed, 2, "coco", root)]
    assert len(set(found)) == 10
    assert sorted(found) == sorted(scene["name"] for seed in range(5, 10) for scene in proposals.scenes(seed, 2, "coco", root))


def test_random_boxes_lie_in_the_image() -> None:
    image = torch.zeros(3, 20, 50, dtype=torch.uint8)
    boxes = proposals.random_boxes({"image": image}, torch.Generator().manual_seed(0))
    assert len(boxes) == 2000 and (boxes[:, 2:] >= boxes[:, :2]).all() and (boxes >= 0).all()
    assert boxes[:, 2].max() <= 50 and boxes[:, 3].max() <= 20 and boxes[:, 0].min() < 1 < 49 < boxes[:, 2].max()
