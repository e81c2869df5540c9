"""Freeze the backbone, train the two heads, then fine-tune all: better than the heads alone, and no worse than all at once.

CS231n 2017, lecture 11, “Classification + Localization”, question “what about fixing the big network?”. The backbone has
learned to classify other shapes before.
"""

from __future__ import annotations

from typing import Any

from experiments.lectures._amended import NEW_STATISTICS
from experiments.lectures._length import epochs
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Amendment
from experiments.studies.verdict import Needs, Part
from lightning_modules import FreezeBackbone

from ._localization import ERROR, LocalizationStudy, learns, scales
from ._pretraining import pretrained

FROZEN, TUNED, JOINT = "frozen", "frozen, then fine-tuned", "all from the start"
EPOCHS = 16
SAYS = (
    "실제로 많이 하는 트릭으로, 네트워크를 Freeze하고 두 FC-layer만 학습시킨다. "
    "그리고 학습이 끝나면 다시 합치고 Fine Tune 한다."
)


def parts(runs: Runs) -> dict[str, Part]:
    """a: fine-tuning all after the heads localizes better than heads on a frozen backbone (direction), by at least 2 points
    (reproduced). b, beyond the lecture: it is better than training all from the start, at equal steps."""
    gain = runs.difference("localization accuracy, fine-tuned − frozen", FROZEN, TUNED, ERROR, needs=Needs(low=2))
    start = runs.difference("localization accuracy, fine-tuned − all from the start", JOINT, TUNED, ERROR, needs=Needs(low=0))
    return {
        "a": Part(
            says=SAYS,
            effects=(gain,),
            validity_checks=(runs.tuned(FROZEN, TUNED), learns(runs, FROZEN)),
            because=f"Fine-tuning after the heads adds {gain.estimate:+.1f} points of localization accuracy to heads on a "
            "frozen backbone.",
        ),
        "b": Part(
            says="Is it better to freeze first than to train all from the start?",
            effects=(start,),
            validity_checks=(runs.tuned(TUNED, JOINT), learns(runs, JOINT)),
            shared_lr=runs.shared_lr(start.name, TUNED, JOINT, lambda run: -run.value(ERROR)),
            beyond=True,
            because=f"Against training all from the start it makes {start.estimate:+.1f} points, at equal steps.",
        ),
    }


def variant(frozen_epochs: int) -> dict[str, Any]:
    backbone = pretrained(drawings=4000, object_size=(0.35, 0.7))
    return {"trainer.callbacks": [backbone, *([L(FreezeBackbone)(epochs=frozen_epochs)] if frozen_epochs else [])]}


study = LocalizationStudy(
    claim="E05",
    says=SAYS,
    translation="As a trick that is much used in practice, the network is frozen and only the two fully connected layers are "
    "trained. When that is done they are joined again and fine-tuned.",
    slide="Classification + Localization, …pdf-0049, question “앞 쪽의 큰 네트워크를 고정하고 …”",
    paper="Fast R-CNN, VOC 2007 mAP: convolutions frozen 61.4 %, fine-tuned 66.9 %. FCN-32s: fixed 45.4 %, tuned 59.4 %.",
    variants={FROZEN: variant(10 * EPOCHS), TUNED: variant(EPOCHS // 2), JOINT: variant(0)},
    controlled="pre-trained backbone, data, order, steps",
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
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        Amendment(
            "2026-11-26",
            "more than nothing is direction only, where less than 2 points was not reproduced; against training all from the "
            "start, of which the lecture says nothing, it is a part beyond the lecture",
        ),
    ),
)
