"""Items taken ahead by a thread are the same, and the thread ends when nobody asks any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import torch

from datamodules import loading
from datamodules.ahead import ahead
from tests.support.squares import SquaresData, epochs, on_rank, same


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "ahead"]


def test_items_come_in_their_order_and_are_taken_before_they_are_asked_for() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for i in range(6):
            taken.append(i)
            yield i

    found = ahead(items(), 2)
    assert next(found) == 0
    deadline = time.monotonic() + 10
    while len(taken) < 3 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert len(taken) >= 3
    assert list(found) == [1, 2, 3, 4, 5] and not threads()


def test_who_leaves_early_ends_the_thread() -> None:
    found = ahead(iter(range(100)), 2)
    assert next(found) == 0 and threads()
    found.close()  # type: ignore[attr-defined]
    assert not threads()


def test_an_error_is_raised_where_its_item_would_have_come() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("the second")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="the second"):
        next(found)
    assert not threads()


def test_a_loader_for_a_gpu_has_the_same_batches_and_goes_on_behind_what_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = epochs(SquaresData(workers=0))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(loading, "pinning", lambda batches, device: batches)
    assert same(epochs(SquaresData(workers=0)), expected)
    assert same(epochs(on_rank(SquaresData(workers=0), 0, 1, seen=2), count=1)[0], expected[0][2:])
