"""What the studies set, at every scale: it cannot all be run here, but each class and each argument must be there."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.lectures.cs231n import (
    full_resolution_is_too_expensive,
    max_unpooling_keeps_positions,
    one_backbone_serves_class_and_box,
    one_box_per_category,
    pose_is_regressed_as_numbers,
    robust_losses_bear_wrong_targets,
    skips_refine_segmentation,
)
from experiments.reproduction.claims import Claim, claims
from experiments.studies.lazy import L
from experiments.studies.study import Study
from lightning_modules.networks import CifarNet, MapsNet
from tests.support.configurations import components, imported, printed, unknown

ALL = [claim for claim in claims().values() if isinstance(claim.study, Study)]


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.name)
def test_every_class_and_argument_that_a_study_names_is_there(claim: Claim) -> None:
    study = claim.study
    assert isinstance(study, Study)
    for scale in study.scales:
        for variant in study.variants:
            job = study.job(scale, variant, 0.01, 0)
            assert not unknown(job.settings), f"{scale}, {variant}"
            assert job.function is not None or len(list(components(job.settings))) >= 4  # model, network, optimizer, data


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.name)
def test_variants_that_are_compared_do_not_differ_by_the_memory_format(claim: Claim) -> None:
    study = claim.study
    assert isinstance(study, Study)
    for scale in study.scales:
        jobs = [study.job(scale, variant, 0.01, 0) for variant in study.variants]
        models = [job.settings["model"]["init_args"] for job in jobs if job.function is None]
        own = {getattr(imported(model["network"]["class_path"]), "channels_last", False) for model in models}
        asked = {model.get("channels_last") for model in models}
        assert len(own) <= 1 or (len(asked) == 1 and asked != {None}), f"{scale}: set model.channels_last for all variants"


def test_a_class_or_an_argument_that_is_not_there_is_found() -> None:
    inner = {"class_path": "lightning_modules.networks.CifarNets", "init_args": {"depth": 20}}
    outer = {"class_path": "lightning_modules.networks.PermutedPixels", "init_args": {"network": inner, "image_sizes": 3}}
    argument, name = unknown({"trainer": {"callbacks": [outer]}})
    assert argument == "lightning_modules.networks.PermutedPixels: PermutedPixels has no argument image_sizes"
    assert name.startswith("lightning_modules.networks.CifarNets: ") and "has no attribute" in name
    assert not unknown([L(CifarNet)(depth=56), L(MapsNet)(image_size=(16, 16))])


STUDIES = (
    full_resolution_is_too_expensive.study,
    max_unpooling_keeps_positions.study,
    one_box_per_category.study,
    one_backbone_serves_class_and_box.study,
    pose_is_regressed_as_numbers.study,
    robust_losses_bear_wrong_targets.study,
    skips_refine_segmentation.study,
)


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.claim)
def test_the_command_line_takes_the_first_and_last_variant_at_scale_gpu(study: Study, tmp_path: Path) -> None:
    for variant in (next(iter(study.variants)), list(study.variants)[-1]):
        found = printed(study.job("gpu", variant, 0.01, 0).settings, tmp_path)
        assert found["data"]["class_path"] != "datamodules.Shapes"
        assert found["model"]["init_args"]["optimizer"]["init_args"]["lr"] == 0.01
