"""Growth with the size of the data: each cost at the small end, and that one which grows too fast is found."""

from __future__ import annotations

import pytest

from scripts import scale
from scripts.scale import Curve, figure, main, measure, worse_than_linear
from scripts.scale_costs import AXES, Axis


def squared(value: int) -> float:
    return value**2


def test_a_cost_that_grows_as_the_square_is_found(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fair = {"linear": ("s", float), "fixed": ("s", lambda n: 3.0)}
    monkeypatch.setattr(scale, "AXES", [Axis("images", (1, 10, 100), fair)])
    assert main(["--no-picture"]) == 0
    monkeypatch.setattr(scale, "AXES", [Axis("images", (1, 10, 100), fair | {"matching": ("s", squared)})])
    assert main(["--no-picture"]) == 1
    assert capsys.readouterr().err == "scale: matching grows as the number of images to the power of 2.00\n"


def test_more_processes_on_the_same_work_are_no_growth() -> None:
    assert worse_than_linear([Curve("workers", "a", "s", (1, 2), (1.0, 9.0))]) == []
    assert worse_than_linear([Curve("classes", "a", "s", (1, 2), (1.0, 9.0))]) != []


def test_each_cost_is_measured_and_drawn() -> None:
    at_the_small_end = [i for i, axis in enumerate(AXES) if axis.title in ("objects an image", "classes", "pixels")]
    curves = [curve for i in at_the_small_end for curve in measure(i, most=64)]
    assert len(curves) == sum(len(AXES[i].costs) for i in at_the_small_end)
    assert all(cost > 0 for curve in curves for cost in curve.costs)
    names = [trace.name for trace in figure(curves).data if trace.name]
    assert [name.split(" (")[0] for name in names] == [curve.cost for curve in curves]


def test_data_on_disk_is_listed_and_read() -> None:
    for name in ("index of an ImageFolder", "index of a COCO file", "memory of a COCO file", "order of an epoch"):
        assert AXES[0].costs[name][1](64) > 0
