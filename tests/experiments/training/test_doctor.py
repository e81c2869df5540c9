"""``lectern doctor`` looks at the data that a training would have."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.training.doctor import Doctor
from tests.support.tiny.camvid import write_camvid

SMALL = ["--data.batch_size=2", "--data.workers=0", "--trainer.precision=64-true"]


def test_how_much_of_the_data_is_kept_between_epochs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_camvid(tmp_path, train=4, val=2, size=(360, 480))  # with their masks a little under 4 MiB
    for mib, said in ((512, "(512) keeps them\n"), (1, "(1) keeps so much of them, and the rest is read again each epoch\n")):
        Doctor(["--config=segmentation/camvid", f"--data.root={tmp_path}", f"--data.cache_mib={mib}", *SMALL])
        out = capsys.readouterr().out
        assert f"cache      train and val take about 4 MiB once they are read; data.cache_mib {said}" in out


def test_drawn_scenes_have_a_cache_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    Doctor(["--config=segmentation/small_shapes", "--data.train=8", "--data.val=4", "--data.test=4", *SMALL])
    assert "cache " not in capsys.readouterr().out
