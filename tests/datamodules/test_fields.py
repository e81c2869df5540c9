"""A field is declared once, with its kind; what its kind says holds wherever scenes go. And a promised field is there."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from datamodules.base import DataModule, Split
from datamodules.checking import problems
from datamodules.drawing import Style
from datamodules.kinds import Areas, Boxes, Kind, Map, Masks, PerObject, Points, Regions, Scalar, Texts
from datamodules.loading import collate
from datamodules.resizing import ResizeMode
from datamodules.scene import FIELDS, IGNORE, Batch, DatasetMetadata, InputError, Scene, declared, keep_objects, of_kind, unbind
from datamodules.shapes import Shapes
from datamodules.transforms import SceneTransform
from tests.support.random_scenes import AUGMENTATIONS, PAIRS, RESIZE_MODES, counts, random_scene, same, seeds, sizes


@pytest.fixture
def heat(monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that nothing but its declaration knows: a quantity for each pixel."""
    monkeypatch.setitem(FIELDS, "heat", Map())


def test_the_types_of_a_scene_and_of_a_batch_hold_the_declared_fields() -> None:
    scene, batch = get_type_hints(Scene), get_type_hints(Batch)
    assert scene.keys() - {"image", "name", "size", "index"} == FIELDS.keys()
    assert batch.keys() == scene.keys()
    for field, kind in FIELDS.items():
        assert scene[field] == (list[str] if isinstance(kind, Texts) else Tensor)
        assert batch[field] == (Tensor if kind.stacked else list[scene[field]])  # type: ignore[valid-type]


@pytest.mark.parametrize(
    ("kind", "right", "wrong", "found"),
    [
        (Scalar(), torch.tensor(1.0), torch.tensor([1.0]), "float32 (1,)"),
        (Scalar(dtype=torch.int64), torch.tensor(1), torch.tensor(1.0), "float32 ()"),
        (Scalar(), torch.tensor(1.0), 1.0, "float"),
        (Map(dtype=torch.uint8), torch.zeros(3, 4, dtype=torch.uint8), torch.zeros(3, 4).long(), "int64 (3, 4)"),
        (Map(), torch.zeros(3, 4), torch.zeros(1, 3, 4), "float32 (1, 3, 4)"),
        (Boxes(), torch.zeros(0, 4), torch.zeros(0), "float32 (0,)"),
        (Boxes(), torch.zeros(2, 4), torch.zeros(2, 5), "float32 (2, 5)"),
        (Regions(), torch.zeros(2, 4), torch.zeros(2, 4).double(), "float64 (2, 4)"),
        (PerObject(dtype=torch.bool), torch.zeros(2).bool(), torch.zeros(2, dtype=torch.uint8), "uint8 (2,)"),
        (Areas(), torch.zeros(2), torch.zeros(2, 1), "float32 (2, 1)"),
        (Masks(), torch.zeros(2, 3, 4, dtype=torch.uint8), torch.zeros(2, 3, 4).bool(), "bool (2, 3, 4)"),
        (Points(), torch.zeros(2, 14, 3), torch.zeros(2, 14, 2), "float32 (2, 14, 2)"),
        (Texts(), ["a phrase"], "a phrase", "str"),
        (Texts(), [], [b"a phrase"], "list with bytes"),
    ],
)
def test_a_kind_knows_its_values(kind: Kind, right: Any, wrong: Any, found: str) -> None:
    assert kind.fault(right) == "" and kind.fault(wrong) == found


@given(sizes, sizes, st.sampled_from(RESIZE_MODES), counts, seeds, st.lists(st.sampled_from(AUGMENTATIONS), max_size=3))
@settings(deadline=None, max_examples=60)
def test_a_declared_map_moves_as_the_mask_does(
    size: tuple[int, int], image_size: tuple[int, int], mode: ResizeMode, count: int, seed: int, augment: list[Any]
) -> None:
    """Each pixel of the mask has its class as a quantity beside it; void pixels and what lies outside are unknown."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FIELDS, "heat", Map())
        scene = random_scene(size, count, seed)
        scene["mask"][0, 0] = IGNORE
        values = scene["mask"].float().where(scene["mask"] != IGNORE, float("nan")) * 1.5 + 0.25
        before = values.clone()
        moved = SceneTransform(augment, image_size, mode, PAIRS)({**scene, "heat": values}, (seed,))  # type: ignore[typeddict-unknown-key]
        alone = SceneTransform(augment, image_size, mode, PAIRS)(scene, (seed,))
    found = moved["heat"]  # type: ignore[typeddict-item]
    assert found.dtype == torch.float32 and found.shape == image_size
    assert torch.equal(found.isnan(), moved["mask"] == IGNORE)
    assert torch.equal(found[found.isfinite()], moved["mask"][found.isfinite()] * 1.5 + 0.25)
    assert torch.equal(values.nan_to_num(-1), before.nan_to_num(-1))
    assert same({field: value for field, value in moved.items() if field != "heat"}, dict(alone))


def test_a_declared_field_is_batched_and_checked_by_its_kind(heat: None) -> None:
    scenes: list[Any] = [random_scene((8, 9), n, n) | {"heat": torch.full((8, 9), float(n)), "index": n} for n in (2, 0)]
    batch = collate(scenes)
    assert batch is not None and batch["heat"].shape == (2, 8, 9)  # type: ignore[typeddict-item]
    metadata = DatasetMetadata("random", (8, 9), classes=("a", "b"), mask_classes=tuple("abc"), keypoints=tuple("01234"))
    assert problems(scenes[0], metadata) == ([], {})
    (wrong,), _ = problems(scenes[0] | {"heat": torch.zeros(9, 8)}, metadata)
    assert wrong == "heat is 9 x 8, its image 8 x 9 (H x W)"
    (wrong,), _ = problems(scenes[0] | {"heat": torch.zeros(8, 9).long()}, metadata)
    assert wrong == "heat is int64 (8, 9), expected float32 (H, W)"


def test_unbind_gives_the_scenes_that_were_batched() -> None:
    scenes = [random_scene((8, 9), n, n) for n in (2, 0, 1)]
    for i, scene in enumerate(scenes):
        scene |= {"index": 7 + i, "size": (20, 30), "label": torch.tensor(i)}
    batch = collate(scenes)
    assert batch is not None
    assert all(same(dict(one), dict(other)) for one, other in zip(unbind(batch), scenes, strict=True))
    assert unbind(batch)[1]["index"] == 8


def test_objects_are_kept_in_every_field_that_has_one_entry_an_object() -> None:
    scene = random_scene((8, 9), 4, 0)
    kept = keep_objects(scene, [2, 0])
    assert kept["labels"].tolist() == [2, 0] and kept["captions"] == ["object 2", "object 0"]
    assert {len(value) for _, kind, value in declared(kept) if kind.per_object} == {2}
    assert torch.equal(kept["mask"], scene["mask"]) and len(scene["labels"]) == 4
    assert [field for field, _, _ in of_kind(kept, Masks)] == ["masks"]


class Promising(DataModule):
    """Two scenes; what each has beside its image is given."""

    provides = frozenset({"boxes", "labels"})

    def __init__(self, *found: dict[str, Any], **options: Any) -> None:
        super().__init__(image_size=16, batch_size=1, workers=0, **options)
        self.found = found

    @property
    def metadata(self) -> DatasetMetadata:
        return DatasetMetadata(name="promising", image_size=self.image_size, classes=("a", "b"))

    def scenes(self, split: Split) -> Any:
        image = torch.zeros(3, 16, 16, dtype=torch.uint8)
        return [{"image": image, "name": f"{i}.jpg"} | found for i, found in enumerate(self.found)]


BOX, LABEL = torch.tensor([[1.0, 1, 9, 9]]), torch.tensor([1])


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"boxes": BOX}, r"Promising promises labels, int64 \(N,\); its first scene, 0.jpg, has only boxes, image, name"),
        ({"bboxes": BOX, "labels": LABEL}, r"Promising promises boxes, float32 \(N, 4\); .* has only bboxes, image, labels"),
        (
            {"boxes": BOX.double(), "labels": LABEL},
            r"Promising promises boxes, .* its first scene, 0.jpg, has float64 \(1, 4\)",
        ),
        ({"boxes": BOX[0], "labels": LABEL}, r"Promising promises boxes, .* has float32 \(4,\)"),
        ({"boxes": BOX, "labels": [1]}, r"Promising promises labels, .* has list"),
    ],
)
@pytest.mark.parametrize("invalid", ["error", "skip"])
def test_a_promise_is_checked_on_the_first_scene(found: dict[str, Any], message: str, invalid: Any) -> None:
    """To leave out every scene would be no answer: the data module is wrong, and not one of its scenes."""
    with pytest.raises(InputError, match=message) as error:
        list(Promising(found, invalid=invalid).val_dataloader())
    assert "\n" not in str(error.value)


def test_what_is_not_asked_for_need_not_be_read() -> None:
    data = Promising({"boxes": BOX}, {"boxes": BOX})
    data.require(frozenset({"boxes"}))
    assert len(list(data.val_dataloader())) == 2


def test_a_later_scene_of_another_kind_is_named() -> None:
    data = Promising({"boxes": BOX, "labels": LABEL}, {"boxes": BOX.int(), "labels": LABEL})
    with pytest.raises(InputError, match=r"1\.jpg: boxes is int32 \(1, 4\), expected float32 \(N, 4\)"):
        list(data.val_dataloader())


def test_no_field_can_be_promised_that_a_scene_does_not_have() -> None:
    class Misspelt(Promising):
        provides = frozenset({"box"})

    with pytest.raises(InputError, match=r"Misspelt provides box; a scene's fields are area, boxes, .*"):
        Misspelt()


def test_shapes_promises_what_it_draws_and_not_whatever_is_declared() -> None:
    data = Shapes(style=Style(figures=(1, 1)), train=4)
    assert {field for field, _, _ in declared(data.scenes("train")[0])} == Shapes.provides < FIELDS.keys()
