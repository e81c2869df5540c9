"""Batches prepared by a thread, while the program goes on with those before them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any, TypeVar

_Item = TypeVar("_Item")


def ahead(items: Iterator[_Item], count: int = 2) -> Iterator[_Item]:
    """The same items in the same order, up to ``count`` of them taken before they are asked for.

    What the iterator raises is raised where its item would have come. The thread ends with the iteration, also where that is
    left early.
    """
    ready: queue.Queue[tuple[str, Any]] = queue.Queue(count)
    left = threading.Event()
    thread = threading.Thread(target=_take, args=(items, ready, left), name="ahead", daemon=True)
    thread.start()
    try:
        while True:
            what, item = ready.get()
            if what == "end":
                return
            if what == "error":
                raise item
            yield item
    finally:
        left.set()
        while not ready.empty():  # it may wait for a place
            ready.get_nowait()
        thread.join()


def _take(items: Iterator[Any], ready: queue.Queue[tuple[str, Any]], left: threading.Event) -> None:
    try:
        for item in items:
            ready.put(("item", item))
            if left.is_set():
                return
        ready.put(("end", None))
    except BaseException as error:  # whatever it is, who waits for the item is told
        ready.put(("error", error))
