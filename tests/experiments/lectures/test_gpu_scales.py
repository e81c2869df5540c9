"""The scale ``gpu`` of the studies of localization, pose and segmentation: it cannot be run here, but it must be understood."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from experiments.lectures.cs231n import (
    full_resolution_is_too_expensive,
    max_unpooling_keeps_positions,
    one_box_per_category,
    one_trunk_serves_class_and_box,
    pose_is_regressed_as_numbers,
    robust_losses_bear_wrong_targets,
    skips_refine_segmentation,
)
from experiments.studies.study import Study
from experiments.training.cli import LecternCLI

STUDIES = (
    full_resolution_is_too_expensive.study,
    max_unpooling_keeps_positions.study,
    one_box_per_category.study,
    one_trunk_serves_class_and_box.study,
    pose_is_regressed_as_numbers.study,
    robust_losses_bear_wrong_targets.study,
    skips_refine_segmentation.study,
)


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.claim)
def test_the_command_line_takes_its_first_and_last_arm(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arm in (next(iter(study.arms)), list(study.arms)[-1]):
        path = tmp_path / "experiment.yaml"
        path.write_text(yaml.safe_dump(dict(study.job("gpu", arm, 0.01, 0).settings)))
        with pytest.raises(SystemExit) as ended:
            LecternCLI(["fit", "--config", str(path), "--print_config"])
        assert ended.value.code == 0
        printed = yaml.safe_load(capsys.readouterr().out)
        assert printed["data"]["class_path"] != "datamodules.Shapes"
        assert printed["model"]["init_args"]["optimizer"]["init_args"]["lr"] == 0.01
