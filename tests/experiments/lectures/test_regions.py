"""The verdicts on R-CNN, SPP-net, Fast and Faster R-CNN, on runs that nobody made."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.lectures.cnn import every_stage_of_rcnn_adds as stages
from experiments.lectures.cnn import features_fill_hundreds_of_gigabytes as disk
from experiments.lectures.cnn import pretraining_and_fine_tuning_make_up_for_few_data as pretraining
from experiments.lectures.cnn import rcnn_trains_in_stages as pipeline
from experiments.lectures.cnn import softmax_and_box_head_make_one_network as one_network
from experiments.lectures.cs231n import box_regression_corrects_proposals as correction
from experiments.lectures.cs231n import faster_rcnn_proposes_by_itself as faster
from experiments.lectures.cs231n import frozen_convolutions_cost_accuracy as frozen
from experiments.lectures.cs231n import rcnn_takes_days_to_train as training_time
from experiments.lectures.cs231n import regions_share_the_feature_map as sharing
from experiments.lectures.cs231n import roi_pooling_has_a_fixed_size as pooling
from experiments.lectures.cs231n._regions import (
    ADAPTED,
    AP,
    FAST,
    FROZEN,
    IN_STAGES,
    NOT_TUNED,
    POOLED,
    PYRAMID,
    RCNN,
    SCRATCH,
    SOFTMAX,
    SVM,
    TWO_STAGES,
    UNMOVED,
)
from experiments.studies.results import Runs
from experiments.studies.study import Study
from experiments.studies.verdict import Check, Level, Part, judge_checks
from tests.support.configurations import printed
from tests.support.exchange import assert_exchange_turns
from tests.support.made_up_verdicts import Options, Values, five, untuned
from tests.support.within import assert_swap_turns

NAN = float("nan")
APART = [0.4, 0.6, 0.2, 0.7, 0.5]
"""Five seeds that do not agree with those of :func:`five`."""


def levels(parts: dict[str, Part]) -> tuple[Level, ...]:
    return tuple(part.level for part in parts.values())


# The stages of R-CNN: G06, G07, G08 -----------------------------------------------------------------------------------


ROOM = {"svm/mAP50": five(0.5), "svm/mAP75": five(0.2)}
"""As proposed, boxes leave something to be corrected."""
NO_ROOM = {"svm/mAP50": five(0.5), "svm/mAP75": five(0.45)}


def staged(tuned: float, bare: float, softmax: float, boxes: float, pooled: float | None = None) -> dict[str, Values]:
    return {
        RCNN: {SVM: five(tuned), SOFTMAX: five(softmax), AP: five(boxes), **ROOM},
        NOT_TUNED: {SVM: five(bare), SOFTMAX: five(0.05), AP: five(bare)},
        POOLED: {SVM: five(bare if pooled is None else pooled, 0.003)},
    }


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (staged(0.50, 0.40, 0.47, 0.55), {}, Level.REPRODUCED),
        (staged(0.50, 0.40, 0.503, 0.55), {}, Level.REPRODUCED),
        (staged(0.50, 0.40, 0.53, 0.55), {}, Level.DIRECTION_ONLY),
        (staged(0.50, 0.55, 0.47, 0.55), {}, Level.NOT_REPRODUCED),
        (staged(0.50, 0.40, 0.47, 0.48), {}, Level.NOT_REPRODUCED),
        (staged(0.50, 0.40, 0.47, 0.50), {}, Level.NOT_REPRODUCED),
        (staged(0.50, 0.40, 0.47, 0.55, pooled=0.55), {}, Level.NOT_REPRODUCED),  # what was random stood in the way
        (
            {**staged(0.4, 0.4, 0.3, 0.45), RCNN: {SVM: APART, SOFTMAX: five(0.3), AP: five(0.6), **ROOM}},
            {},
            Level.INCONCLUSIVE,
        ),
        (
            {**staged(0.4, 0.4, 0.3, 0.45), RCNN: {SVM: five(0.5), SOFTMAX: five(0.4), AP: five(0.5), **NO_ROOM}},
            {},
            Level.INCONCLUSIVE,
        ),
        (staged(0.08, 0.02, 0.05, 0.09), {}, Level.INCONCLUSIVE),
        (staged(NAN, 0.40, 0.47, 0.55), {}, Level.INCONCLUSIVE),
        (staged(0.50, 0.40, 0.47, 0.55), untuned(RCNN), Level.INCONCLUSIVE),
    ],
)
def test_every_stage_adds(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert levels(stages.parts(Runs.made_up(variants, **options))) == (level, Level.ERRATUM)


def test_exchanged_no_stage_adds() -> None:
    runs = Runs.made_up(staged(0.50, 0.40, 0.47, 0.55))
    assert_exchange_turns(stages.study, runs)
    assert_swap_turns(stages.study, runs, "a", (AP, SVM))


def few(tuned: float, bare: float, scratch: float, apart: bool = False, pooled: float | None = None) -> dict[str, Values]:
    return {
        RCNN: {SVM: APART if apart else five(tuned), AP: five(tuned)},
        NOT_TUNED: {SVM: five(bare)},
        POOLED: {SVM: five(bare if pooled is None else pooled, 0.003)},
        SCRATCH: {SVM: five(scratch)},
    }


@pytest.mark.parametrize(
    ("variants", "options", "found"),
    [
        (few(0.50, 0.40, 0.45), {}, (Level.REPRODUCED, Level.REPRODUCED)),
        (few(0.50, 0.40, 0.55), {}, (Level.REPRODUCED, Level.NOT_REPRODUCED)),
        (few(0.50, 0.48, 0.45), {}, (Level.DIRECTION_ONLY, Level.REPRODUCED)),
        (few(0.50, 0.40, 0.45, pooled=0.48), {}, (Level.DIRECTION_ONLY, Level.REPRODUCED)),
        (few(0.50, 0.20, 0.45), {}, (Level.DIRECTION_ONLY, Level.REPRODUCED)),
        (few(0.50, 0.60, 0.45), {}, (Level.NOT_REPRODUCED, Level.REPRODUCED)),
        (few(0.50, 0.40, 0.45, apart=True), {}, (Level.INCONCLUSIVE, Level.INCONCLUSIVE)),
        (few(0.09, 0.02, 0.01), {}, (Level.INCONCLUSIVE, Level.INCONCLUSIVE)),
        (few(0.50, 0.40, NAN), {}, (Level.REPRODUCED, Level.INCONCLUSIVE)),
        (few(0.50, 0.40, 0.45), untuned(SCRATCH), (Level.REPRODUCED, Level.INCONCLUSIVE)),
    ],
)
def test_pretraining(variants: dict[str, Values], options: Options, found: tuple[Level, Level]) -> None:
    assert levels(pretraining.parts(Runs.made_up(variants, **options))) == found


def test_exchanged_neither_step_adds() -> None:
    assert_exchange_turns(pretraining.study, Runs.made_up(few(0.50, 0.40, 0.45)))


def corrected(
    before: float,
    after: float,
    outward: float = 0.4,
    gained: float = 0.1,
    apart: bool = False,
    room: Values | None = None,
) -> dict[str, Values]:
    measures = {"outward": outward, "outward_gain": gained, "small_gain": 0.1, "iou_before": 0.6, "iou_after": 0.7}
    values = {f"corrections/{name}": five(value) for name, value in measures.items()}
    values |= {SVM: APART if apart else five(before, 0), AP: five(after), "test/mAP75": five(0.3), **(room or ROOM)}
    return {RCNN: values}


@pytest.mark.parametrize(
    ("variants", "options", "found"),
    [
        (corrected(0.50, 0.54), {}, (Level.REPRODUCED, Level.REPRODUCED)),
        (corrected(0.50, 0.62), {}, (Level.DIRECTION_ONLY, Level.REPRODUCED)),
        (corrected(0.50, 0.51), {}, (Level.DIRECTION_ONLY, Level.REPRODUCED)),
        (corrected(0.50, 0.54, gained=-0.1), {}, (Level.REPRODUCED, Level.NOT_REPRODUCED)),
        (corrected(0.50, 0.50), {}, (Level.NOT_REPRODUCED, Level.REPRODUCED)),
        (corrected(0.50, 0.45), {}, (Level.NOT_REPRODUCED, Level.REPRODUCED)),
        (corrected(0.50, 0.50, room=NO_ROOM), {}, (Level.INCONCLUSIVE, Level.REPRODUCED)),
        (corrected(0.50, 0.45, apart=True), {}, (Level.INCONCLUSIVE, Level.REPRODUCED)),
        (corrected(0.01, 0.05), {}, (Level.INCONCLUSIVE, Level.INCONCLUSIVE)),
        (corrected(0.50, 0.54, gained=NAN), {}, (Level.REPRODUCED, Level.INCONCLUSIVE)),
        (corrected(0.50, 0.54), untuned(RCNN), (Level.REPRODUCED, Level.REPRODUCED)),  # within one run
    ],
)
def test_correction_of_boxes(variants: dict[str, Values], options: Options, found: tuple[Level, Level]) -> None:
    assert levels(correction.parts(Runs.made_up(variants, **options))) == found


def test_exchanged_the_correction_takes_away() -> None:
    """What boxes that are moved outwards gain is a difference by itself: above, its sign is turned in place of an exchange."""
    assert_swap_turns(correction.study, Runs.made_up(corrected(0.50, 0.54)), "a", (AP, SVM))


# At once and in stages: G09, G16 --------------------------------------------------------------------------------------


def both(fast: float, unmoved: float, softmax: float, svm: float, with_boxes: float, apart: bool = False) -> dict[str, Values]:
    seconds = {f"stages/{stage}_cpu_seconds": five(3.0) for stage in pipeline.FITTED}
    return {
        TWO_STAGES: {SOFTMAX: APART if apart else five(softmax), AP: APART if apart else five(with_boxes)},
        IN_STAGES: {SOFTMAX: five(softmax), SVM: five(svm), AP: five(with_boxes), **seconds},
        FAST: {AP: five(fast), UNMOVED: five(unmoved)},
    }


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (both(0.55, 0.5, 0.5, 0.5, 0.52), {}, Level.REPRODUCED),
        (both(0.523, 0.5, 0.5, 0.5, 0.52), {}, Level.DIRECTION_ONLY),
        (both(0.52, 0.5, 0.5, 0.5, 0.52), {}, Level.NOT_REPRODUCED),
        (both(0.50, 0.5, 0.5, 0.5, 0.52), {}, Level.NOT_REPRODUCED),
        (both(0.55, 0.5, 0.5, 0.5, 0.52, apart=True), {}, Level.INCONCLUSIVE),
        (both(0.08, 0.5, 0.5, 0.5, 0.05), {}, Level.INCONCLUSIVE),
        (both(0.55, 0.5, 0.5, 0.5, 0.52), untuned(TWO_STAGES), Level.INCONCLUSIVE),
    ],
)
def test_a_pipeline_of_stages(variants: dict[str, Values], options: Options, level: Level) -> None:
    parts = pipeline.parts(Runs.made_up(variants, **options))
    assert levels(parts) == (Level.EXACT, level)
    assert parts["b"].beyond


def test_a_pipeline_of_which_a_stage_is_left_out_is_none() -> None:
    variants = both(0.55, 0.5, 0.5, 0.5, 0.52)
    variants[IN_STAGES]["stages/svms_cpu_seconds"] = five(0.0, 0.0)
    assert pipeline.parts(Runs.made_up(variants))["a"].level is Level.NOT_REPRODUCED


def test_exchanged_training_at_once_detects_less() -> None:
    assert_exchange_turns(pipeline.study, Runs.made_up(both(0.55, 0.5, 0.5, 0.5, 0.52)))


@pytest.mark.parametrize(
    ("variants", "options", "found"),
    [
        (both(0.55, 0.52, 0.50, 0.49, 0.5), {}, (Level.REPRODUCED, Level.REPRODUCED)),
        (both(0.55, 0.48, 0.50, 0.49, 0.5), {}, (Level.REPRODUCED, Level.NOT_REPRODUCED)),
        (both(0.55, 0.52, 0.50, 0.55, 0.5), {}, (Level.NOT_REPRODUCED, Level.REPRODUCED)),
        (both(0.55, 0.52, 0.50, 0.49, 0.5, apart=True), {}, (Level.INCONCLUSIVE, Level.INCONCLUSIVE)),
        (both(0.55, 0.52, 0.50, 0.49, 0.05), {}, (Level.INCONCLUSIVE, Level.INCONCLUSIVE)),
        (both(0.55, NAN, 0.50, 0.49, 0.5), {}, (Level.REPRODUCED, Level.INCONCLUSIVE)),
        (both(0.55, 0.52, 0.50, 0.49, 0.5), untuned(FAST), (Level.REPRODUCED, Level.INCONCLUSIVE)),
    ],
)
def test_one_network(variants: dict[str, Values], options: Options, found: tuple[Level, Level]) -> None:
    assert levels(one_network.parts(Runs.made_up(variants, **options))) == found


def test_exchanged_the_box_head_takes_away() -> None:
    """Each run has both measures, of which the study reads one. That the softmax is not below the SVMs has no direction."""
    variants = {
        TWO_STAGES: {SOFTMAX: five(0.5), UNMOVED: five(0.5), AP: five(0.5), SVM: five(0.5)},
        IN_STAGES: {SOFTMAX: five(0.5), SVM: five(0.5), AP: five(0.5)},
        FAST: {SOFTMAX: five(0.53), UNMOVED: five(0.53), AP: five(0.55)},
    }
    assert_exchange_turns(one_network.study, Runs.made_up(variants))


# Disk: G10 ------------------------------------------------------------------------------------------------------------


def test_features_on_disk() -> None:
    verdict = judge_checks(disk.study.says, disk.checks())
    assert verdict.level is Level.EXACT and len(verdict.headline.checks) == 6


def test_features_that_take_half_refute_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "written", lambda proposals, width: 2.0 * proposals * width)
    assert judge_checks(disk.study.says, disk.checks()).level is Level.NOT_REPRODUCED


# Frozen backbones, and time to train: G13, G12 ---------------------------------------------------------------------------


def backbones(trained: float, kept: float, apart: bool = False, adapted: float | None = None) -> dict[str, Values]:
    return {
        FAST: {AP: five(trained)},
        PYRAMID: {AP: five(kept)},
        ADAPTED: {AP: APART if apart else five(kept if adapted is None else adapted, 0.003)},
        FROZEN: {AP: APART if apart else five(kept)},
    }


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (backbones(0.50, 0.40), {}, Level.REPRODUCED),
        (backbones(0.50, 0.48), {}, Level.DIRECTION_ONLY),
        (backbones(0.50, 0.50), {}, Level.NOT_REPRODUCED),
        (backbones(0.50, 0.55), {}, Level.NOT_REPRODUCED),
        (backbones(0.50, 0.50, apart=True), {}, Level.INCONCLUSIVE),
        (backbones(0.08, 0.02), {}, Level.INCONCLUSIVE),
        (backbones(0.99, 0.92), {}, Level.INCONCLUSIVE),  # a frozen one that is perfect already
        (backbones(0.50, NAN), {}, Level.INCONCLUSIVE),
        (backbones(0.50, 0.40, adapted=0.48), {}, Level.DIRECTION_ONLY),  # most of it was the batch statistics
        (backbones(0.50, 0.40), untuned(PYRAMID), Level.REPRODUCED),  # which decides nothing
        (backbones(0.50, 0.40), untuned(ADAPTED), Level.INCONCLUSIVE),
    ],
)
def test_frozen_backbones(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert frozen.parts(Runs.made_up(variants, **options)).level == level


def test_exchanged_the_frozen_backbone_is_better() -> None:
    assert_exchange_turns(frozen.study, Runs.made_up(backbones(0.50, 0.40)))


def budgets(rcnn: list[float], fast: list[float], cost: float) -> dict[str, Values]:
    """AP by budget, of R-CNN at ``cost`` times 1, 2 and 3 operations, of Fast R-CNN at 1, 2 and 3."""
    variants = {}
    for names, found, each in ((training_time.STAGED, rcnn, cost), (training_time.AT_ONCE, fast, 1.0)):
        for i, (name, value) in enumerate(zip(names, found, strict=True), 1):
            spent = five(each * i, 0.01)
            variants[name] = {
                training_time.REACHED: five(value, 0.0),
                training_time.OPERATIONS: spent,
                training_time.SECONDS: spent,
            }
    return variants


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (budgets([0.3, 0.4, 0.5], [0.3, 0.4, 0.5], 8), {}, Level.REPRODUCED),
        (budgets([0.3, 0.4, 0.5], [0.6, 0.7, 0.8], 2), {}, Level.REPRODUCED),
        (budgets([0.3, 0.4, 0.5], [0.3, 0.4, 0.5], 2), {}, Level.DIRECTION_ONLY),
        (budgets([0.3, 0.4, 0.5], [0.3, 0.4, 0.5], 30), {}, Level.DIRECTION_ONLY),
        (budgets([0.3, 0.4, 0.5], [0.3, 0.4, 0.5], 0.9), {}, Level.NOT_REPRODUCED),
        (budgets([0.6, 0.4, 0.5], [0.3, 0.4, 0.5], 2), {}, Level.NOT_REPRODUCED),
        (budgets([0.01, 0.02, 0.03], [0.3, 0.4, 0.5], 8), {}, Level.INCONCLUSIVE),
        (budgets([0.3, 0.4, 0.5], [NAN, NAN, NAN], 8), {}, Level.INCONCLUSIVE),
        (budgets([0.3, 0.4, 0.5], [0.3, 0.4, 0.5], NAN), {}, Level.INCONCLUSIVE),
        (budgets([0.3, 0.4, 0.5], [0.3, 0.4, 0.5], 8), untuned(RCNN), Level.REPRODUCED),
    ],
)
def test_time_to_train(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert levels(training_time.parts(Runs.made_up(variants, **options))) == (level, Level.ERRATUM)


def test_exchanged_rcnn_trains_in_less() -> None:
    runs = Runs.made_up(budgets([0.3, 0.4, 0.5], [0.35, 0.45, 0.55], 6))
    pairs = list(zip(training_time.STAGED, training_time.AT_ONCE, strict=True))
    assert_exchange_turns(training_time.study, runs, {"operations to the same AP, R-CNN / Fast R-CNN": pairs})


def test_between_two_budgets_the_cost_lies_on_a_line() -> None:
    runs = Runs.made_up(budgets([0.1, 0.3, 0.5], [0.1, 0.2, 0.4], 10))
    first = {name: runs.of(name)[0] for name in runs.variants}
    assert training_time.target(first) == 0.4
    assert training_time.cost(first, training_time.STAGED, training_time.OPERATIONS) == pytest.approx(25)
    assert training_time.cost(first, training_time.AT_ONCE, training_time.OPERATIONS) == pytest.approx(3)


# RoI pooling: G15 -----------------------------------------------------------------------------------------------------


def aligned(at_75: float, at_50: float, ap: float = 0.5) -> dict[str, Values]:
    return {
        pooling.ALIGN: {"test/mAP75": five(0.3 + at_75, 0.0), "test/mAP50": five(0.5 + at_50, 0.0), AP: five(ap)},
        FAST: {"test/mAP75": five(0.3, 0.0), "test/mAP50": five(0.5, 0.0), AP: five(ap)},
    }


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (aligned(0.05, 0.02), {}, Level.REPRODUCED),
        (aligned(0.02, 0.05), {}, Level.NOT_REPRODUCED),
        (aligned(0.05, -0.02), {}, Level.NOT_REPRODUCED),
        (aligned(0.05, 0.02, ap=0.05), {}, Level.INCONCLUSIVE),
        (aligned(NAN, 0.02), {}, Level.INCONCLUSIVE),
        (aligned(0.05, 0.02), untuned(FAST), Level.INCONCLUSIVE),
    ],
)
def test_roi_pooling(variants: dict[str, Values], options: Options, level: Level) -> None:
    parts = pooling.parts(Runs.made_up(variants, **options))
    assert levels(parts) == (Level.EXACT, level)
    assert len(parts["a"].checks) == 6 and parts["b"].beyond


def test_exchanged_rounding_finds_better_boxes() -> None:
    assert_exchange_turns(pooling.study, Runs.made_up(aligned(0.05, 0.02)))


def test_a_pooling_that_is_not_what_a_loop_computes_refutes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooling, "checks", lambda: (Check("loop", 2, 1),))
    assert pooling.parts(Runs.made_up(aligned(0.05, 0.02)))["a"].level == Level.NOT_REPRODUCED


# The scale gpu --------------------------------------------------------------------------------------------------------

ON_VOC = [m.study for m in (stages, pipeline, one_network, correction, faster, frozen, sharing, pooling)]


@pytest.mark.parametrize("study", ON_VOC, ids=lambda study: study.claim)
def test_the_command_line_takes_its_first_and_last_variant_on_voc(study: Study, tmp_path: Path) -> None:
    for variant in (next(iter(study.variants)), list(study.variants)[-1]):
        found = printed(study.job("gpu", variant, 0.01, 0).settings, tmp_path)
        assert found["data"]["class_path"] == "datamodules.VOC"
        network = found["model"]["init_args"]["network"]
        assert network["init_args"]["backbone"]["class_path"].endswith("TorchvisionBackbone")
        if variant.startswith("R-CNN"):
            assert network["init_args"]["crop"] == 112
