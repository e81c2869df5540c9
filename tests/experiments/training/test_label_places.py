"""Where labels stand."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from experiments.training.label_places import overlap, places

CANVAS = (400, 300)
SIZE = (60, 14)


def rectangle(place: tuple[int, int], size: tuple[int, int] = SIZE) -> tuple[int, int, int, int]:
    return (*place, place[0] + size[0], place[1] + size[1])


def test_a_label_stands_above_its_box_where_nothing_else_is() -> None:
    assert places([(100, 100, 200, 200)], [SIZE], CANVAS) == [(100, 86)]
    assert places([(100, 5, 200, 200)], [SIZE], CANVAS) == [(100, 5)], "there is no room above"


def test_labels_of_overlapping_boxes_stand_apart_and_at_their_own() -> None:
    boxes = [(100, 100, 200, 200), (102, 101, 205, 198), (98, 99, 196, 205), (110, 104, 190, 190), (100, 100, 200, 200)]
    found = [rectangle(place) for place in places(boxes, [SIZE] * len(boxes), CANVAS)]
    assert not any(overlap(a, b) for a, b in combinations(found, 2))
    for (x1, y1, x2, y2), own in zip(boxes, found, strict=True):
        assert overlap((x1 - 30, y1 - 30, x2 + 30, y2 + 30), own), "further than two labels from its box"


def test_two_objects_at_one_place_in_a_corner_are_both_named() -> None:
    a, b = (rectangle(place) for place in places([(0, 0, 30, 20)] * 2, [SIZE] * 2, CANVAS))
    assert not overlap(a, b)


def test_what_is_written_already_is_left_free() -> None:
    ((x, y),) = places([(100, 100, 200, 200)], [SIZE], CANVAS, taken=[(90, 80, 170, 100)])
    assert not overlap(rectangle((x, y)), (90, 80, 170, 100))


sides = st.integers(-50, 450)
boxes = st.lists(st.tuples(sides, sides, st.integers(0, 300), st.integers(0, 300)), max_size=30)


@given(boxes)
def test_every_label_lies_inside_the_picture(corners: list[tuple[int, int, int, int]]) -> None:
    own = [(x, y, x + w, y + h) for x, y, w, h in corners]
    for x, y in places(own, [SIZE] * len(own), CANVAS):
        assert 0 <= x <= CANVAS[0] - SIZE[0] and 0 <= y <= CANVAS[1] - SIZE[1]
