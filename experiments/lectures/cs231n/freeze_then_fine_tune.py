"""Freeze the backbone, train the two heads, then fine-tune all: better than the heads alone, and no worse than all at once.

CS231n 2017, lecture 11, “Classification + Localization”, question “what about fixing the big network?”. The backbone has
learned to classify other shapes before.
"""

from __future__ import annotations

from typing import Any

from experiments.lectures._length import epochs
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.verdict import Rule, Verdict
from lightning_modules import FreezeBackbone

from ._localization import ERROR, LocalizationStudy, learns, scales
from ._pretraining import pretrained

FROZEN, TUNED, JOINT = "frozen", "frozen, then fine-tuned", "all from the start"
EPOCHS = 16


def verdict(runs: Runs) -> Verdict:
    """Reproduced: fine-tuning 2 points above frozen, and not below all at once. Direction only: the first of these."""
    gain = runs.difference("localization accuracy, fine-tuned − frozen", FROZEN, TUNED, ERROR, needs="≥ 2 points")
    start = runs.difference("localization accuracy, fine-tuned − all from the start", JOINT, TUNED, ERROR, needs="≥ 0")
    shared_lr = runs.shared_lr(
        "localization accuracy, fine-tuned − all from the start", TUNED, JOINT, lambda run: -run.value(ERROR)
    )
    helps = gain.above(0) and gain.estimate >= 2
    return Rule((gain, start), (runs.tuned(), learns(runs)), shared_lr).judge(
        reproduced=helps and min(start.by_seed) >= 0,
        direction=helps,
        refuted=gain.shows_no_rise(2),
        because=f"Fine-tuning after the heads adds {gain.estimate:+.1f} points of localization accuracy to heads on a frozen "
        f"backbone; against training all from the start it makes {start.estimate:+.1f} points, at equal steps.",
    )


def variant(frozen_epochs: int) -> dict[str, Any]:
    backbone = pretrained(drawings=4000, object_size=(0.35, 0.7))
    return {"trainer.callbacks": [backbone, *([L(FreezeBackbone)(epochs=frozen_epochs)] if frozen_epochs else [])]}


study = LocalizationStudy(
    claim="E05",
    says="Freeze the network and train the two fully connected layers; when they have converged, join them and fine-tune all.",
    paper="Fast R-CNN, VOC 2007 mAP: convolutions frozen 61.4 %, fine-tuned 66.9 %. FCN-32s: fixed 45.4 %, tuned 59.4 %.",
    variants={FROZEN: variant(10 * EPOCHS), TUNED: variant(EPOCHS // 2), JOINT: variant(0)},
    controlled="pre-trained backbone, data, order, steps",
    seeds=5,
    scales={
        "cpu": scales(
            {**epochs(EPOCHS), "data.train": 1000},
            departs=(
                "the backbone has classified 4,000 drawings of six other shapes, in place of ImageNet",
                f"{EPOCHS} epochs of 1,000 scenes, the first half frozen where they are fine-tuned after",
            ),
        )["cpu"]
    },
    deviations=(
        "one learning rate, with one rise and fall, for both phases",
        "equal steps, not equal work: a step is cheaper while the backbone is frozen",
        "each run trains its backbone itself before it begins, by a callback, so that no run rests on another's files",
    ),
    parts=verdict,
)
