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
    AP,
    FAST,
    FROZEN,
    IN_STAGES,
    NOT_TUNED,
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
from experiments.studies.verdict import Check, Level
from tests.support.configurations import printed
from tests.support.made_up_verdicts import APART, Options, Values, three, untuned

NAN = float("nan")


# The stages of R-CNN: G06, G07, G08 -----------------------------------------------------------------------------------


def staged(tuned: float, bare: float, softmax: float, boxes: float) -> dict[str, Values]:
    return {
        RCNN: {SVM: three(tuned), SOFTMAX: three(softmax), AP: three(boxes)},
        NOT_TUNED: {SVM: three(bare), SOFTMAX: three(0.05), AP: three(bare)},
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
        ({**staged(0.4, 0.4, 0.3, 0.45), RCNN: {SVM: APART, SOFTMAX: three(0.3), AP: three(0.6)}}, {}, Level.INCONCLUSIVE),
        (staged(0.08, 0.02, 0.05, 0.09), {}, Level.INCONCLUSIVE),
        (staged(NAN, 0.40, 0.47, 0.55), {}, Level.INCONCLUSIVE),
        (staged(0.50, 0.40, 0.47, 0.55), untuned(RCNN), Level.INCONCLUSIVE),
    ],
)
def test_every_stage_adds(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert stages.verdict(Runs.made_up(variants, **options)).level == level


def few(tuned: float, bare: float, scratch: float, apart: bool = False) -> dict[str, Values]:
    return {
        RCNN: {SVM: APART if apart else three(tuned), AP: three(tuned)},
        NOT_TUNED: {SVM: three(bare)},
        SCRATCH: {SVM: three(scratch)},
    }


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (few(0.50, 0.40, 0.45), {}, Level.REPRODUCED),
        (few(0.50, 0.40, 0.55), {}, Level.DIRECTION_ONLY),
        (few(0.50, 0.48, 0.45), {}, Level.DIRECTION_ONLY),
        (few(0.50, 0.20, 0.45), {}, Level.DIRECTION_ONLY),
        (few(0.50, 0.60, 0.45), {}, Level.NOT_REPRODUCED),
        (few(0.50, 0.40, 0.45, apart=True), {}, Level.INCONCLUSIVE),
        (few(0.09, 0.02, 0.01), {}, Level.INCONCLUSIVE),
        (few(0.50, 0.40, NAN), {}, Level.INCONCLUSIVE),
        (few(0.50, 0.40, 0.45), untuned(SCRATCH), Level.INCONCLUSIVE),
    ],
)
def test_pretraining(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert pretraining.verdict(Runs.made_up(variants, **options)).level == level


def corrected(before: float, after: float, outward: float = 0.4, gained: float = 0.1, apart: bool = False) -> dict[str, Values]:
    measures = {"outward": outward, "outward_gain": gained, "small_gain": 0.1, "iou_before": 0.6, "iou_after": 0.7}
    values = {f"corrections/{name}": three(value) for name, value in measures.items()}
    values |= {SVM: APART if apart else three(before, 0), AP: three(after), "test/mAP75": three(0.3), "svm/mAP75": three(0.2)}
    return {RCNN: values, NOT_TUNED: values}


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (corrected(0.50, 0.54), {}, Level.REPRODUCED),
        (corrected(0.50, 0.62), {}, Level.DIRECTION_ONLY),
        (corrected(0.50, 0.51), {}, Level.DIRECTION_ONLY),
        (corrected(0.50, 0.54, gained=-0.1), {}, Level.DIRECTION_ONLY),
        (corrected(0.50, 0.54, outward=0.0), {}, Level.DIRECTION_ONLY),
        (corrected(0.50, 0.50), {}, Level.NOT_REPRODUCED),
        (corrected(0.50, 0.45), {}, Level.NOT_REPRODUCED),
        (corrected(0.50, 0.45, apart=True), {}, Level.INCONCLUSIVE),
        (corrected(0.01, 0.05), {}, Level.INCONCLUSIVE),
        (corrected(0.50, 0.54, gained=NAN), {}, Level.INCONCLUSIVE),
        (corrected(0.50, 0.54), untuned(RCNN), Level.INCONCLUSIVE),
    ],
)
def test_correction_of_boxes(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert correction.verdict(Runs.made_up(variants, **options)).level == level


# At once and in stages: G09, G16 --------------------------------------------------------------------------------------


def both(fast: float, unmoved: float, softmax: float, svm: float, with_boxes: float, apart: bool = False) -> dict[str, Values]:
    return {
        TWO_STAGES: {SOFTMAX: APART if apart else three(softmax), AP: APART if apart else three(with_boxes)},
        IN_STAGES: {SOFTMAX: three(softmax), SVM: three(svm), AP: three(with_boxes)},
        FAST: {AP: three(fast), UNMOVED: three(unmoved)},
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
        (both(0.55, 0.5, 0.5, 0.5, NAN), {}, Level.INCONCLUSIVE),
        (both(0.55, 0.5, 0.5, 0.5, 0.52), untuned(TWO_STAGES), Level.INCONCLUSIVE),
    ],
)
def test_a_pipeline_of_stages(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert pipeline.verdict(Runs.made_up(variants, **options)).level == level


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (both(0.55, 0.52, 0.50, 0.49, 0.5), {}, Level.REPRODUCED),
        (both(0.55, 0.48, 0.50, 0.49, 0.5), {}, Level.DIRECTION_ONLY),
        (both(0.55, 0.52, 0.50, 0.55, 0.5), {}, Level.NOT_REPRODUCED),
        (both(0.55, 0.52, 0.50, 0.49, 0.5, apart=True), {}, Level.INCONCLUSIVE),
        (both(0.55, 0.52, 0.50, 0.49, 0.05), {}, Level.INCONCLUSIVE),
        (both(0.55, NAN, 0.50, 0.49, 0.5), {}, Level.INCONCLUSIVE),
        (both(0.55, 0.52, 0.50, 0.49, 0.5), untuned(FAST), Level.INCONCLUSIVE),
    ],
)
def test_one_network(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert one_network.verdict(Runs.made_up(variants, **options)).level == level


# Disk: G10 ------------------------------------------------------------------------------------------------------------


def written(factor: float = 1.0, all_bytes: float = 33e6) -> dict[str, Values]:
    return {
        variant: {
            "numbers": [n := float(options["proposals"] * options["width"])],
            "bytes": [factor * 4 * n],
            "all_bytes": [all_bytes],
            "cpu_seconds": [1.0],
        }
        for variant, options in disk.study.variants.items()
        if isinstance(options, dict)
    }


@pytest.mark.parametrize(
    ("variants", "level"),
    [
        (written(), Level.REPRODUCED),
        (written(all_bytes=1e7), Level.DIRECTION_ONLY),
        (written(factor=0.5), Level.NOT_REPRODUCED),
        (written(all_bytes=1e6), Level.NOT_REPRODUCED),
        (written(all_bytes=NAN), Level.INCONCLUSIVE),
    ],
)
def test_features_on_disk(variants: dict[str, Values], level: Level) -> None:
    verdict = disk.verdict(Runs.made_up(variants))
    assert verdict.level == level
    assert len(verdict.checks) == 5


def test_features_are_written_and_removed(tmp_path: Path) -> None:
    values = disk.written(seed=0, folder=tmp_path, proposals=4, width=8).values
    assert values["bytes"] == 4 * 4 * 8 + 128  # a header of numpy's
    assert values["all_bytes"] > values["bytes"]
    assert list(tmp_path.iterdir()) == []


# Frozen backbones, and time to train: G13, G12 ---------------------------------------------------------------------------


def backbones(trained: float, kept: float, apart: bool = False) -> dict[str, Values]:
    return {FAST: {AP: three(trained)}, PYRAMID: {AP: three(kept)}, FROZEN: {AP: APART if apart else three(kept)}}


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (backbones(0.50, 0.40), {}, Level.REPRODUCED),
        (backbones(0.50, 0.48), {}, Level.DIRECTION_ONLY),
        (backbones(0.50, 0.50), {}, Level.NOT_REPRODUCED),
        (backbones(0.50, 0.55), {}, Level.NOT_REPRODUCED),
        (backbones(0.50, 0.50, apart=True), {}, Level.INCONCLUSIVE),
        (backbones(0.08, 0.02), {}, Level.INCONCLUSIVE),
        (backbones(0.50, NAN), {}, Level.INCONCLUSIVE),
        (backbones(0.50, 0.40), untuned(PYRAMID), Level.INCONCLUSIVE),
    ],
)
def test_frozen_backbones(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert frozen.verdict(Runs.made_up(variants, **options)).level == level


def budgets(rcnn: list[float], fast: list[float], cost: float) -> dict[str, Values]:
    """AP by budget, of R-CNN at ``cost`` times 1, 2 and 3 seconds, of Fast R-CNN at 1, 2 and 3 seconds."""
    variants = {}
    for names, found, each in ((training_time.STAGED, rcnn, cost), (training_time.AT_ONCE, fast, 1.0)):
        for i, (name, value) in enumerate(zip(names, found, strict=True), 1):
            variants[name] = {training_time.REACHED: three(value, 0.0), training_time.SECONDS: three(each * i)}
    return variants


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (budgets([0.3, 0.4, 0.5], [0.3, 0.4, 0.5], 8), {}, Level.REPRODUCED),
        (budgets([0.3, 0.4, 0.5], [0.6, 0.7, 0.8], 2), {}, Level.REPRODUCED),
        (budgets([0.3, 0.4, 0.5], [0.3, 0.4, 0.5], 2), {}, Level.DIRECTION_ONLY),
        (budgets([0.3, 0.4, 0.5], [0.3, 0.4, 0.5], 30), {}, Level.DIRECTION_ONLY),
        (budgets([0.3, 0.4, 0.5], [0.3, 0.4, 0.5], 1), {}, Level.NOT_REPRODUCED),
        (budgets([0.6, 0.4, 0.5], [0.3, 0.4, 0.5], 2), {}, Level.NOT_REPRODUCED),
        (budgets([0.01, 0.02, 0.03], [0.3, 0.4, 0.5], 8), {}, Level.INCONCLUSIVE),
        (budgets([0.3, 0.4, 0.5], [NAN, NAN, NAN], 8), {}, Level.INCONCLUSIVE),
        (budgets([0.3, 0.4, 0.5], [0.3, 0.4, 0.5], NAN), {}, Level.INCONCLUSIVE),
        (budgets([0.3, 0.4, 0.5], [0.3, 0.4, 0.5], 8), untuned(RCNN), Level.INCONCLUSIVE),
    ],
)
def test_time_to_train(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert training_time.verdict(Runs.made_up(variants, **options)).level == level


# RoI pooling: G15 -----------------------------------------------------------------------------------------------------


def aligned(at_75: float, at_50: float, ap: float = 0.5) -> dict[str, Values]:
    return {
        pooling.ALIGN: {"test/mAP75": three(0.3 + at_75, 0.0), "test/mAP50": three(0.5 + at_50, 0.0), AP: three(ap)},
        FAST: {"test/mAP75": three(0.3, 0.0), "test/mAP50": three(0.5, 0.0), AP: three(ap)},
    }


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (aligned(0.05, 0.02), {}, Level.REPRODUCED),
        (aligned(0.02, 0.05), {}, Level.DIRECTION_ONLY),
        (aligned(0.05, -0.02), {}, Level.DIRECTION_ONLY),
        (aligned(0.05, 0.02, ap=0.05), {}, Level.INCONCLUSIVE),
        (aligned(NAN, 0.02), {}, Level.INCONCLUSIVE),
        (aligned(0.05, 0.02), untuned(FAST), Level.INCONCLUSIVE),
    ],
)
def test_roi_pooling(variants: dict[str, Values], options: Options, level: Level) -> None:
    verdict = pooling.verdict(Runs.made_up(variants, **options))
    assert verdict.level == level
    assert len(verdict.checks) == 6 and all(check.holds for check in verdict.checks)


def test_a_pooling_that_is_not_what_a_loop_computes_refutes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooling, "checks", lambda: (Check("loop", 2, 1),))
    assert pooling.verdict(Runs.made_up(aligned(0.05, 0.02))).level == Level.NOT_REPRODUCED


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
