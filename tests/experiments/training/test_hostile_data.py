"""Commands on data that a stranger wrote: one line, exit code 2, and nothing written or read elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import Lectern
from tests.support import tiny
from tests.support.hostile import nothing_written
from tests.support.small_runs import SMALL, one_run

DATA = ["--data", "VOC", "--data.root=data", "--data.year=2007", "--data.image_size=32", "--data.batch_size=1"]
DATA += ["--data.classes=[aeroplane,person,a,b,c,d]"]  # as many as Shapes has


@pytest.mark.parametrize("workers", [0, 1])
def test_predictions_on_names_that_lead_out(workers: int, lectern: Lectern, workdir: Path) -> None:
    assert lectern("fit", "--config", "segmentation/fcn_transpose", *SMALL, "--trainer.max_steps=1").code == 0
    checkpoint = one_run(workdir / "runs") / "checkpoints" / "last.ckpt"
    path = tiny.write_voc(workdir / "data") / "VOCdevkit/VOC2007/ImageSets/Main/test.txt"
    path.write_text("../../../../secret\n000007\n")
    Image.new("RGB", (50, 40), (255, 0, 0)).save(workdir / "secret.jpg")
    predict = [
        "predict",
        "--ckpt_path",
        str(checkpoint),
        *DATA,
        "--trainer.enable_progress_bar=false",
        f"--data.workers={workers}",
    ]
    with nothing_written(workdir, within=workdir / "runs"):
        result = lectern(*predict)
        assert result.code == 2
        errors = [line for line in result.err.splitlines() if line.startswith("lectern: ") and "was trained on" not in line]
        assert errors == [
            "lectern: data/VOCdevkit/VOC2007/ImageSets/Main/test.txt: file name '../../../../secret.jpg' leads "
            "out of its folder; the path of a file below data/VOCdevkit/VOC2007/JPEGImages expected"
        ]
        with pytest.warns(UserWarning, match=r"left out \(1 so far\): data/VOCdevkit/.*/test\.txt: file name"):
            assert lectern(*predict, "--data.invalid=skip").code == 0
    (entries,) = (json.loads(found.read_text()) for found in workdir.rglob("predictions.json"))
    assert [entry["file"] for entry in entries] == ["JPEGImages/000007.jpg"]
    assert all((found.parent / entry["picture"]).is_file() for found in workdir.rglob("predictions.json") for entry in entries)
