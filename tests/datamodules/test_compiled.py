"""Where numba is not there, all goes on, more slowly; that is said once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from datamodules.compiled import compiled, compiling, numba_is_there

WITHOUT = """
import sys, warnings
import torch
from lightning_modules.metrics import matching_loops
from lightning_modules.metrics.coco import CocoAP
from datamodules import SelectiveSearch
print("numba" in sys.modules)
sys.modules["numba"] = None
image = torch.arange(3 * 24 * 30).reshape(3, 24, 30).mul(7).to(torch.uint8)
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    boxes = [SelectiveSearch(cache=False)(image).tolist() for _ in range(2)]
    matching_loops.WORTH_COMPILING = 0
    metric, objects = CocoAP(["dog"]), {"boxes": torch.tensor([[2.0, 3, 9, 9]]), "labels": torch.tensor([0])}
    metric.update([{**objects, "scores": torch.tensor([0.5])}], [objects], torch.tensor([0]))
    assert metric.compute()["mAP"] == 1
print([str(w.message) for w in said if "numba" in str(w.message)])
print(boxes[0] == boxes[1], len(boxes[0]))
"""


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    numba_is_there.cache_clear()


def test_without_numba_all_is_computed_and_it_is_said_once() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True, timeout=600)
    imported, said, found = done.stdout.splitlines()
    assert imported == "False"  # it takes half a second, and few need it
    assert said.count("numba cannot be used") == 1 and "pip install numba" in said
    assert found.startswith("True ")


def test_a_broken_numba_is_one_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    numba_is_there.cache_clear()
    with pytest.warns(UserWarning, match="numba cannot be used"):
        assert not numba_is_there()
    assert not numba_is_there()


def test_where_nothing_can_be_kept_loops_are_compiled_nevertheless(monkeypatch: pytest.MonkeyPatch) -> None:
    numba = pytest.importorskip("numba")
    plain = numba.njit

    def njit(*args: object, cache: bool = False, **kwargs: object) -> object:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return plain(*args, **kwargs)

    monkeypatch.setattr(numba, "njit", njit)
    assert compiled("i8(i8)")(lambda number: number + 1)(2) == 3


def test_long_compiling_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.0, 5.0, 6.0, 6.1])
    monkeypatch.setattr("datamodules.compiled.time.thread_time", lambda: next(times))
    with compiling("selective search"):
        pass
    assert capsys.readouterr().err == "compiled the loops of selective search in 5 CPU-seconds\n"
    with compiling("selective search"):
        pass
    assert capsys.readouterr().err == ""
