"""Where labels stand at their boxes: each beside its own, inside the image, and none over another where that can be."""

from __future__ import annotations

from collections.abc import Sequence

Corner = tuple[int, int]
"""x and y of a label's top left corner, in pixels."""
Rectangle = tuple[int, int, int, int]
"""x1, y1, x2, y2: the first pixel, and the one behind the last."""


def places(
    boxes: Sequence[Rectangle], sizes: Sequence[tuple[int, int]], canvas: tuple[int, int], taken: Sequence[Rectangle] = ()
) -> list[Corner]:
    """A place for each label, the first ones choosing first.

    A label stands above its box; where another one is there, at the next free place around or inside it; and where none is
    free, at the one where it covers least of the others.

    Args:
        boxes: what the labels belong to; they may reach beyond the canvas.
        sizes: width and height of each label.
        canvas: width and height of the picture.
        taken: where other things are written already.
    """
    placed, found = list(taken), []
    for box, size in zip(boxes, sizes, strict=True):
        best: tuple[int, Corner] | None = None
        for place in _around(box, size, canvas):
            own = _at(place, size)
            covered = sum(overlap(own, other) for other in placed)
            if best is None or covered < best[0]:
                best = covered, place
            if not covered:
                break
        assert best is not None
        found.append(best[1])
        placed.append(_at(best[1], size))
    return found


def overlap(a: Rectangle, b: Rectangle) -> int:
    """Pixels that two rectangles share."""
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


def _around(box: Rectangle, size: tuple[int, int], canvas: tuple[int, int]) -> list[Corner]:
    """The places of a label at its box, the best first, all inside the canvas."""
    (x1, y1, x2, y2), (w, h) = box, size
    above = y1 - h if y1 >= h else y1
    inside = [(x1, y1), (x1, y2 - h), (x2 - w, y1), (x2 - w, y2 - h), (x1, (y1 + y2 - h) // 2)]
    outside = [(x1, y2), (x2 - w, above), (x2 - w, y2), (x2, y1), (x1 - w, y1), (x2, y2 - h), (x1 - w, y2 - h)]
    # A label that is larger than its box hides it.
    beside = [*inside, *outside] if x2 - x1 >= w and y2 - y1 >= 2 * h else [*outside, *inside]
    further = [(x, y) for step in (1, 2) for x in (x1, x2 - w) for y in (y1 - (step + 1) * h, y2 + step * h)]
    every = [(x1, above), *beside, *further]
    return [(min(max(x, 0), max(0, canvas[0] - w)), min(max(y, 0), max(0, canvas[1] - h))) for x, y in every]


def _at(place: Corner, size: tuple[int, int]) -> Rectangle:
    return (*place, place[0] + size[0], place[1] + size[1])
