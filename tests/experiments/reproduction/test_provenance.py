"""Which files a study rests on."""

from __future__ import annotations

import sys

import experiments.lectures.cnn.deeper_residual_nets_are_better
import experiments.lectures.cnn.every_stage_of_rcnn_adds
import experiments.lectures.cs231n.skips_refine_segmentation  # noqa: F401  (found by name)
from experiments.reproduction.provenance import sources


def rests_on(name: str) -> set[str]:
    """The lectures' files among the sources of a study."""
    found = sources([sys.modules[f"experiments.lectures.{name}"]])
    return {path.removeprefix("experiments/lectures/") for path in found if path.startswith("experiments/lectures/")}


def test_a_study_rests_on_the_files_that_it_takes_constants_from() -> None:
    # Of these it takes strings, dictionaries and a partial, none of which says which file made it.
    assert rests_on("cs231n.skips_refine_segmentation") == {
        "cs231n/skips_refine_segmentation.py",
        "cs231n/_segmentation.py",
        "_augmentations.py",
    }


def test_also_on_those_of_another_lecture_and_not_on_other_studies() -> None:
    found = rests_on("cnn.every_stage_of_rcnn_adds")
    assert {"cs231n/_regions.py", "cs231n/_pretraining.py", "_length.py"} <= found
    assert [path for path in found if not path.rpartition("/")[2].startswith("_")] == ["cnn/every_stage_of_rcnn_adds.py"]


def test_a_study_rests_on_the_networks_that_it_names() -> None:
    found = sources([sys.modules["experiments.lectures.cnn.deeper_residual_nets_are_better"]])
    assert "lightning_modules/networks/cifar.py" in found and "lightning_modules/networks/yolo.py" not in found
