"""What can be shown is listed at once, in the lectures' order, and each name leads to something."""

from __future__ import annotations

import subprocess
from importlib import import_module

import pytest

from datamodules.errors import InputError
from experiments import python
from experiments.lectures import LECTURES, rows
from experiments.reports.moving.every import MOVING
from experiments.reports.moving.titles import TITLES
from experiments.showing import demonstrations
from experiments.showing.catalogue import DEMONSTRATIONS, STEP_BY_STEP, by_lecture, everything, in_lecture, named
from experiments.showing.levels import levels
from experiments.showing.show import WIDTH, listing
from experiments.studies.committed import committed_records


def test_every_moving_picture_has_a_name_and_a_title() -> None:
    assert sorted(STEP_BY_STEP.values()) == sorted(MOVING) == sorted(TITLES)
    names = [shown.name for shown in everything()]
    assert len(names) == len(set(names)), "two have one name"
    assert len(DEMONSTRATIONS) >= 15


@pytest.mark.parametrize("shown", DEMONSTRATIONS, ids=lambda shown: shown.name)
def test_a_demonstration_s_place_is_there(shown: object) -> None:
    module, _, function = getattr(shown, "place").partition(".")  # noqa: B009 (an id for pytest needs the object)
    assert callable(getattr(import_module(f"{demonstrations.__name__}.{module}"), function))


def test_the_list_follows_the_lectures_within_a_hundred_columns() -> None:
    lines = listing()
    assert max(map(len, lines)) <= WIDTH
    assert not [line for line in lines if "…" in line], "a title is cut short"
    assert [line for line in lines if line in LECTURES.values()] == list(LECTURES.values())
    for lecture, shown in by_lecture().items():
        order = in_lecture(lecture)
        places = [order.index(s.claim) for s in shown]
        assert places == sorted(places)
        assert all(lecture in rows()[s.claim].lecture.split() for s in shown)
    assert {s.name for shown in by_lecture().values() for s in shown} == {s.name for s in everything()}
    assert any("lectern reproduce" in line for line in lines)


def test_the_lectures_have_all_claims_between_them() -> None:
    assert set(in_lecture("cnn")) | set(in_lecture("cs231n")) == set(rows())
    assert in_lecture("cs231n")[0] == "F01"  # segmentation comes first there
    assert in_lecture("cnn")[0] == "A01"


def test_levels_are_those_of_the_records() -> None:
    assert levels() == {record.claim: str(record.level) for record in committed_records("cpu")}


def test_the_list_needs_neither_torch_nor_pydantic() -> None:
    code = (
        "import sys; from experiments.__main__ import main; sys.argv = ['lectern', 'show', '--list']; main(); "
        "heavy = {'torch', 'pydantic', 'numpy', 'plotly', 'matplotlib'} & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run(python("-c", code), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "checkerboard" in done.stdout


def test_a_name_a_claim_and_a_near_miss() -> None:
    assert named("relu").claim == "A17"
    assert named("f12").name == "transpose-convolution"
    assert named("F14").name == "overlaps", "of a claim that has both, the study's own picture"
    with pytest.raises(InputError, match="did you mean checkerboard"):
        named("chekerboard")
    with pytest.raises(InputError, match="lectern present"):
        named("H04")
