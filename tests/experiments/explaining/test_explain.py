"""``lectern explain`` through the real ``main()``: a page in the run's folder, or one line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from experiments.__main__ import main
from tests.conftest import Lectern
from tests.support.small_runs import everything_below, one_run

SHAPES = [
    "--data.image_size=[24,32]", "--data.train=8", "--data.val=4", "--data.test=4", "--data.batch_size=4", "--data.workers=0",
    "--data.style.objects=[1,1]", "--trainer.max_steps=1", "--trainer.enable_progress_bar=false", "--pictures=false",
    "--model.network.widths=[4,4]", "--trainer.callbacks+=FirstLayerFilters",
]  # fmt: skip


def trained(home: Path, *arguments: str) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("WANDB_MODE", "disabled")
        patch.setenv("PL_GLOBAL_SEED", "0")
        patch.setattr(sys, "argv", ["lectern", "fit", *arguments])
        assert main() == 0
    return one_run(home / "runs") / "checkpoints" / "last.ckpt"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("trained"), "--config", "classification/cuda_convnet_shapes", *SHAPES)


def test_a_page_lies_in_the_runs_folder(checkpoint: Path, lectern: Lectern) -> None:
    run = checkpoint.parents[1]
    assert (run / "pictures" / "filters.png").is_file(), "the callback"
    assert "filters.png" in (run / "report.md").read_text()
    before = everything_below(run)
    done = lectern(
        "explain", "--ckpt_path", str(checkpoint), "--limit", "2", "--search", "3", "--methods", "occlusion,nine-images"
    )
    assert done.code == 0, done.err
    (folder,) = (run / "evaluations").iterdir()
    assert f"page  {folder / 'explanations.html'}" in done.out
    found = json.loads((folder / "explanations.json").read_text())
    assert found["layer"] == "0.5" and found["image_size"] == "24 x 32"
    assert [image["truth"] != "" for image in found["images"]] == [True, True]
    assert everything_below(run) == before, "nothing else of the run changes"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--layer", "conv1"], "no layer 'conv1'; the convolutions are 0.0, 0.5"),
        (["--target", "house"], "--target house: no such class; there are circle, square"),
        (["--data.image_size", "48"], "data.image_size: the network takes images of 24 x 32 pixels (H x W) alone"),
    ],
)
def test_what_is_wrong_is_one_line_and_leaves_nothing(
    checkpoint: Path, arguments: list[str], line: str, lectern: Lectern
) -> None:
    run = checkpoint.parents[1]
    before = {path.name for path in (run / "evaluations").iterdir()} if (run / "evaluations").exists() else set()
    done = lectern("explain", "--ckpt_path", str(checkpoint), "--methods", "gradients", "--limit", "1", *arguments)
    assert done.code == 2
    (said,) = [text for text in done.err.splitlines() if text.startswith("lectern: error") or line in text]
    assert line in said and "Traceback" not in done.err
    after = {path.name for path in (run / "evaluations").iterdir()} if (run / "evaluations").exists() else set()
    assert after == before


def test_a_network_without_convolutions_is_refused(lectern: Lectern, workdir: Path) -> None:
    small = [a for a in SHAPES if "widths" not in a and "callbacks" not in a]
    flat = trained(workdir, "--config", "classification/perceptron_shapes", *small)
    done = lectern("explain", "--ckpt_path", str(flat))
    assert done.code == 2 and "MultilayerPerceptron: no convolution: there is no map of what it sees" in done.err


def test_an_exported_network_has_no_gradients(lectern: Lectern, workdir: Path) -> None:
    (workdir / "net.onnx").write_bytes(b"")
    done = lectern("explain", "--ckpt_path", "net.onnx")
    assert done.code == 2 and "net.onnx: an exported network has no gradients; explain its checkpoint" in done.err
