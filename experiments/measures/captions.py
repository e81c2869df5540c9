"""What studies of captions measure beyond DenseCap's AP: how much of a drawn scene's grammar is said right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import pytorch_lightning as pl
import torch

from datamodules.base import PreparedScenes
from datamodules.drawing.slots import PhraseSlots, slots
from datamodules.held_out_shapes import is_held_out
from lightning_modules.base import Prediction
from lightning_modules.distributed import gather_objects
from lightning_modules.metrics.dense_captions import CaptionAP, iou

from .training import most


class SlotAP(CaptionAP):
    """Average precision over IoU and over the share of size, colour, fill and class that is said right.

    As :class:`CaptionAP`, of which it is the mean over IoU 0.3, 0.4 ... 0.7 and shares of at least 1/4, 1/2, 3/4 and 1, for the
    phrases of drawn scenes. Each word there is one that can be right or wrong, where most pairs of phrases resemble one another
    by METEOR. ``compute`` returns ``slot_mAP``.
    """

    thresholds = (0.125, 0.375, 0.625, 0.875)  # a share is in quarters, and has to be greater
    name = "slot_mAP"

    def similarity(self, candidate: str, reference: str) -> float:
        return slots(candidate).share(slots(reference))


class CaptionSlots(pl.Callback):
    """Scores what is said of drawn scenes by its words, and what two baselines would say of the same boxes.

    In the run's log, with the task's own metrics: ``val/slot_mAP`` and ``test/slot_mAP`` (:class:`SlotAP`); and on test
    scenes ``test/template_slot_mAP``, of a phrase that has each object's true class and else the commonest words of training,
    for a box that lies on none the commonest class; ``test/constant_slot_mAP``, of the commonest words for every box. Of
    phrases that are said of the objects' own boxes ``test/named_seen`` and ``test/named_held_out``, the share with colour,
    class and relation right, of combinations that training scenes hold and of those that they do not; ``test/named_chance``,
    what words drawn independently would have of the latter; ``test/color_right``, ``test/class_right``,
    ``test/relation_right``.

    Args:
        samples: how many training scenes words are counted in.
    """

    def __init__(self, samples: int = 300) -> None:
        self.samples = samples

    def on_validation_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.metrics = {"": SlotAP()}

    def on_test_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.metrics = {"": SlotAP(), "template_": SlotAP(), "constant_": SlotAP()}
        self.named: list[tuple[PhraseSlots, PhraseSlots]] = []
        self.common = Commonest(training_slots(trainer, self.samples))

    def on_validation_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, *args: Any) -> None:
        if outputs is not None:
            self.metrics[""].update(**pl_module.metric_inputs(outputs, batch))

    def on_test_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, *args: Any) -> None:
        if outputs is None:
            return
        constant: list[Any] = [{**each, "captions": [self.common.phrase()] * len(each["boxes"])} for each in outputs]
        template = [
            self.common.template(each, boxes, phrases)
            for each, boxes, phrases in zip(outputs, batch["boxes"], batch["captions"], strict=True)
        ]
        for prefix, predictions in (("", outputs), ("template_", template), ("constant_", constant)):
            self.metrics[prefix].update(**pl_module.metric_inputs(predictions, batch))
        network = pl_module.network
        with torch.no_grad():
            tokens = network.language.generate(network.codes(pl_module.respond(batch), batch["boxes"]))
        said = pl_module.tokens.decode(tokens)
        truth = [phrase for phrases in batch["captions"] for phrase in phrases]
        self.named += [(slots(phrase), slots(true)) for phrase, true in zip(said, truth, strict=True)]

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._log("val", pl_module)

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._log("test", pl_module)
        named = [pair for own in gather_objects(self.named) for pair in own]
        pl_module.log_dict({f"test/{name}": value for name, value in naming(named, self.common).items()})

    def _log(self, stage: str, pl_module: pl.LightningModule) -> None:
        for prefix, metric in self.metrics.items():
            pl_module.log_dict({f"{stage}/{prefix}{name}": value for name, value in metric.compute().items()})
            metric.reset()


def training_slots(trainer: pl.Trainer, samples: int) -> list[PhraseSlots]:
    """What is said of the objects of training scenes."""
    scenes: Any = PreparedScenes(trainer.datamodule, "train", augment=False)  # type: ignore[attr-defined]
    count = min(len(scenes), samples, most(trainer))
    return [slots(phrase) for i in range(count) for phrase in scenes[(0, i)]["captions"]]


class Commonest:
    """The commonest word of each slot, and how common every word is."""

    def __init__(self, known: Iterable[PhraseSlots]) -> None:
        self.counts = [Counter(words) for words in zip(*known, strict=True)]
        self.words = PhraseSlots(*(counts.most_common(1)[0][0] for counts in self.counts))

    def phrase(self, name: str = "") -> str:
        """The commonest words, with a class of one's own where one is given."""
        words = self.words._replace(name=name or self.words.name)
        return " ".join(filter(None, ("a", words.size, words.color, words.fill, words.name)))

    def template(self, prediction: Prediction, boxes: torch.Tensor, phrases: Sequence[str]) -> Any:
        """The prediction with the phrase that knows the class of the object under each box, and nothing else of it."""
        overlap = iou(prediction["boxes"].cpu().numpy(), boxes.cpu().numpy())
        said = [self.phrase(slots(phrases[j]).name) if phrases and row[j] > 0 else self.phrase() for row, j in _best(overlap)]
        return {**prediction, "captions": said}

    def chance(self, truth: PhraseSlots) -> float:
        """How often words drawn independently, as often as they are in training, would name colour, class and relation."""
        shares = [counts[word] / max(1, counts.total()) for counts, word in zip(self.counts, truth, strict=True)]
        return shares[1] * shares[3] * shares[4]


def _best(overlap: Any) -> list[tuple[Any, int]]:
    return [(row, int(row.argmax()) if row.size else 0) for row in overlap]


def naming(named: Sequence[tuple[PhraseSlots, PhraseSlots]], common: Commonest) -> dict[str, float]:
    """What :class:`CaptionSlots` says of pairs of what was said and what is so; NaN where there is no such pair."""

    def mean(values: Iterable[float]) -> float:
        found = list(values)
        return sum(found) / len(found) if found else float("nan")

    related = [(said, true) for said, true in named if true.relation]
    held_out = [is_held_out(true.color, true.name, true.relation) for _, true in related]
    right = [(said.color, said.name, said.relation) == (true.color, true.name, true.relation) for said, true in related]
    return {
        "named_seen": mean(ok for ok, out in zip(right, held_out, strict=True) if not out),
        "named_held_out": mean(ok for ok, out in zip(right, held_out, strict=True) if out),
        "named_chance": mean(common.chance(true) for (_, true), out in zip(related, held_out, strict=True) if out),
        "color_right": mean(said.color == true.color for said, true in named),
        "class_right": mean(said.name == true.name for said, true in named),
        "relation_right": mean(said.relation == true.relation for said, true in related),
    }
