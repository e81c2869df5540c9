"""Dense captioning: what it trains on, what it says, and what its metrics are given."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from datamodules.resizing import resize_matrix
from datamodules.scene import DatasetMetadata, InputError
from experiments.training.drawing import draw
from experiments.training.export import export
from experiments.training.predictions import as_json
from lightning_modules import DenseCaptioning
from lightning_modules.means import values
from lightning_modules.networks import (
    ConvBackbone,
    DenseCap,
    DetectThenCaption,
    FullImageCaptioner,
    FullyConnected,
    RegionLanguageModel,
    SoftmaxHead,
)

METADATA = DatasetMetadata("x", (32, 32), vocabulary=("a", "red", "ring", "star")).as_dict()
LAYERS = partial(FullyConnected, widths=(8,))
SMALL: dict[str, Any] = {
    "backbone": partial(ConvBackbone, widths=(4, 8), depth=1),
    "head": partial(SoftmaxHead, layers=LAYERS),
    "language": partial(RegionLanguageModel, embedding=4, hidden=8, max_words=4),
}
APART = SMALL | {"caption_backbone": SMALL["backbone"], "caption_layers": LAYERS}
NETWORKS = {
    "DenseCap": partial(DenseCap, **SMALL),
    "apart": partial(DetectThenCaption, **APART),
    "full image": partial(FullImageCaptioner, **APART),
}
every = pytest.mark.parametrize("name", NETWORKS)


def task_of(name: str, **kwargs: Any) -> DenseCaptioning:
    torch.manual_seed(0)
    return DenseCaptioning(network=NETWORKS[name], optimizer=partial(torch.optim.SGD, lr=0.1), metadata=METADATA, **kwargs)


def batch() -> Any:
    """Two images, the second without an object; the first one's last object is a crowd, its second has no phrase."""
    torch.manual_seed(1)
    return {
        "image": torch.randint(0, 255, (2, 3, 32, 32), dtype=torch.uint8),
        "boxes": [torch.tensor([[2.0, 2, 14, 20], [12, 12, 30, 30], [0, 0, 32, 10]]), torch.zeros(0, 4)],
        "captions": [["a red ring", "", "a star"], []],
        "crowd": [torch.tensor([False, False, True]), torch.zeros(0, dtype=torch.bool)],
        "index": torch.arange(2),
    }


@every
def test_four_losses_are_faster_rcnns_and_the_fifth_is_of_words(name: str) -> None:
    task = task_of(name)
    losses = task.losses(task(batch()["image"]), batch())
    assert set(losses) == {"rpn_objectness", "rpn_box", "roi_class", "roi_box", "roi_captions"}
    assert all(torch.isfinite(value) for value in values(losses).values())
    # Of objects with a phrase, that are no crowd, each sampled region has "a", "red", "ring" and an end.
    assert int(losses["roi_captions"].count) % 4 == 0 and int(losses["roi_captions"].count) > 0


@every
def test_where_no_object_has_a_phrase_boxes_are_learned_alone(name: str) -> None:
    task, scenes = task_of(name), batch()
    scenes["captions"][0] = ["", "", "a star"]
    losses = task.losses(task(scenes["image"]), scenes)
    assert int(losses["roi_captions"].count) == 0 and float(losses["roi_captions"].value) == 0
    sum(mean.value for mean in losses.values()).backward()  # type: ignore[union-attr]
    assert all(p.grad is not None for p in task.network.parameters())


def gradients(name: str, loss: str) -> set[str]:
    """The parts of the network that a loss teaches."""
    task, scenes = task_of(name), batch()
    task.losses(task(scenes["image"]), scenes)[loss].value.backward()
    return {key.split(".")[0] for key, p in task.network.named_parameters() if p.grad is not None and p.grad.any()}


def test_words_teach_the_maps_that_boxes_are_found_on_and_only_where_they_share_them() -> None:
    assert {"backbone", "head", "language"} <= gradients("DenseCap", "roi_captions")
    for name in ("apart", "full image"):
        assert gradients(name, "roi_captions") == {"caption_backbone", "caption_layers", "language"}
        assert gradients(name, "roi_class") == {"backbone", "head"}


def test_the_weight_of_words_is_a_factor_of_their_loss() -> None:
    torch.manual_seed(0)
    heavy = DenseCaptioning(network=partial(NETWORKS["DenseCap"], caption_weight=3.0), metadata=METADATA)
    light, scenes = task_of("DenseCap"), batch()
    ours, theirs = (float(t.losses(t(scenes["image"]), scenes)["roi_captions"].value) for t in (heavy, light))
    assert ours == pytest.approx(3 * theirs, rel=1e-5)


def test_all_three_begin_with_the_same_detector() -> None:
    states = [task_of(name).network.state_dict() for name in NETWORKS]
    shared = [key for key in states[0] if not key.startswith("language")]
    assert shared and all(torch.equal(states[0][key], other[key]) for other in states[1:] for key in shared)


@every
def test_each_box_has_a_phrase_of_known_words(name: str) -> None:
    task = task_of(name).eval()
    with torch.no_grad():
        predictions = task.predict(task(batch()["image"]))
    assert len(predictions) == 2 and sum(len(p["boxes"]) for p in predictions)
    for prediction in predictions:
        assert prediction.keys() == {"boxes", "scores", "captions"}
        assert len(prediction["captions"]) == len(prediction["boxes"]) == len(prediction["scores"])
        assert {word for phrase in prediction["captions"] for word in phrase.split()} <= set(task.metadata.vocabulary)
    task.val_metrics.update(**task.metric_inputs(predictions, batch()))
    assert {"mAP", "mAP50", "dense_mAP", "dense_box_mAP", "meteor", "bleu4"} <= task.val_metrics.compute().keys()


def test_a_full_image_captioner_looks_at_what_is_inside_a_box_alone() -> None:
    task = task_of("full image").eval()
    image = batch()["image"][:1]
    other = image.clone()
    other[..., 16:, :] = 0

    def codes(box: list[float]) -> list[Any]:
        return [task.network.codes(task(each), [torch.tensor([box])]) for each in (image, other)]

    assert torch.allclose(*codes([2.0, 2.0, 20.0, 14.0]), atol=1e-6)
    assert not torch.allclose(*codes([2.0, 2.0, 20.0, 30.0]))


def test_an_empty_vocabulary_is_named() -> None:
    with pytest.raises(InputError, match=r"vocabulary of x is empty; a lower data\.min_count"):
        DenseCaptioning(network=NETWORKS["DenseCap"], metadata=METADATA | {"vocabulary": []})


def test_export_is_refused_in_one_line_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="DenseCap has no ONNX form: its phrases are text") as refused:
        export(task_of("DenseCap"), tmp_path / "x.onnx")
    assert "\n" not in str(refused.value) and not list(tmp_path.iterdir())


def test_regions_are_written_with_their_phrases_and_drawn() -> None:
    prediction: Any = {
        "boxes": torch.tensor([[2.0, 2, 14, 20], [1, 1, 9, 9]]),
        "scores": torch.tensor([0.9, 0.1]),
        "captions": ["a red ring", "a star"],
    }
    metadata = DatasetMetadata.from_dict(METADATA)
    written = as_json(prediction, resize_matrix((64, 64), (32, 32), "stretch"), (64, 64), metadata)
    assert written["objects"] == [
        {"bbox": [4.0, 4.0, 24.0, 36.0], "score": 0.9, "caption": "a red ring"},
        {"bbox": [2.0, 2.0, 16.0, 16.0], "score": 0.1, "caption": "a star"},
    ]
    image = torch.zeros(3, 160, 160, dtype=torch.uint8)
    shown, other = (
        draw(image, prediction | {"captions": [text, "a star"]}, metadata) for text in ("a red ring", "a blue ring")
    )
    assert shown.any() and not torch.equal(shown, other), "the phrase is in the picture"
    weak = draw(image, prediction | {"scores": torch.tensor([0.1, 0.1])}, metadata)
    assert not weak.any(), "what scores low is not drawn"
    assert draw(image, {"boxes": prediction["boxes"], "captions": prediction["captions"]}, metadata).any(), (
        "nor is truth without scores"
    )
