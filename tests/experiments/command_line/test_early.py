"""What is said before torch is loaded: what to type, what is not there, what may have been meant."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments import ROOT
from experiments.command_line.early import check, newest_best, read_early
from experiments.command_line.guesses import COMMAND_MEANT, COMMANDS, OPTION_MEANT, words_without_option
from experiments.command_line.mistakes import LONGEST
from tests.conftest import Lectern

WITHOUT_TORCH = """
import json, sys, time
began = time.perf_counter()
from experiments.__main__ import main
answers = []
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["lectern", *arguments]
    answers.append(main())
print(json.dumps([answers, time.perf_counter() - began, "torch" in sys.modules]))
"""

TOO_LITTLE = [
    ("fit", "no recipe given: `lectern fit --config NAME`, `lectern list` shows them"),
    ("doctor", "no recipe given: `lectern doctor --config NAME`, `lectern list` shows them"),
    ("fit --data Shapes", "no task given"),
    ("fit --model Segmentation", "no data module given"),
    ("test", "lectern test --ckpt_path runs/…/checkpoints/best.ckpt"),
    ("validate", "lectern validate --ckpt_path"),
    ("predict", "lectern predict --ckpt_path"),
    ("export", "lectern export --ckpt_path"),
    ("export --output x.onnx", "lectern export --ckpt_path"),
    ("test --ckpt_path gone.ckpt", "gone.ckpt: no such checkpoint"),
    ("export --ckpt_path gone.ckpt", "gone.ckpt: no such checkpoint"),
    ("fit --config segmentation/fcn_transpose --ckpt_path gone.ckpt", "gone.ckpt: no such checkpoint"),
    ("fit --config segmentation/fcn_transpos", "did you mean segmentation/fcn_transpose"),
    ("fit --config fcn_transpose", "did you mean segmentation/fcn_transpose?"),
    ("fit --config broken.yaml", "broken.yaml, line 2, column 7: "),
    ("fit --config latin.yaml", "latin.yaml: not a text file in UTF-8"),
    ("fit --config deep.yaml", "deep.yaml: nested more than 100 levels deep"),
    ("fit --config segmentation/fcn_transpose --recipes gone", "--recipes gone: no such folder"),
    ("train", "did you mean `lectern fit`?"),
    ("tets", "did you mean `lectern test`?"),
    ("evaluate", "did you mean `lectern validate` or `lectern test`?"),
    ("tensorboard", "did you mean `lectern dashboard`?"),
    ("xyzzy", "there are fit, validate, test"),
    ("--config segmentation/fcn_transpose", "the command comes first"),
    ("fit segmentation/fcn_transpose", "--config segmentation/fcn_transpose"),
    ("fit --config segmentation/fcn_transpose --lr 0.1", "did you mean --model.optimizer.lr?"),
    ("fit --config segmentation/fcn_transpose --batch-size=3", "did you mean --data.batch_size?"),
    ("fit --config segmentation/fcn_transpose --wandb.project x", "WANDB_PROJECT"),
    ("fit --config segmentation/fcn_transpose --resume", "--ckpt_path last"),
    ("test --checkpoint best.ckpt", "did you mean --ckpt_path?"),
    ("test best.ckpt", "--ckpt_path best.ckpt"),
    ("predict --ckpt_path here.ckpt photos/", "--data ImageFiles --data.root photos/"),
    ("predict --ckpt_path here.ckpt photos/a.jpg", "--data ImageFiles --data.root photos/"),
]


def test_all_that_needs_no_torch_is_said_without_it(workdir: Path) -> None:
    Path("broken.yaml").write_text("model: Segmentation\ndata: [\n")
    Path("broken.yaml").write_text("trainer:\n  a: b: c\n")
    Path("latin.yaml").write_bytes("name: é\n".encode("latin-1"))
    Path("deep.yaml").write_text("[" * 3000)
    Path("here.ckpt").touch()
    Path("photos").mkdir()
    Path("photos/a.jpg").touch()
    asked = json.dumps([line.split() for line, _ in TOO_LITTLE])
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, asked],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
    )
    codes, seconds, torch = json.loads(result.stdout)
    assert codes == [2] * len(TOO_LITTLE)
    assert not torch
    assert seconds < 5, "all of them, on a busy machine; one takes some hundredths"
    lines = result.stderr.splitlines()
    assert len(lines) == len(TOO_LITTLE), "one line each"
    for line, (asked_for, said) in zip(lines, TOO_LITTLE, strict=True):
        assert line.startswith("lectern: ") and said in line, f"{asked_for}: {line}"
        assert len(line) <= LONGEST + len("lectern: ")


def test_the_newest_checkpoint_is_named(workdir: Path, lectern: Lectern) -> None:
    for name, age in (("new", 1), ("old", 2)):
        path = workdir / "runs" / "pose" / name / "checkpoints" / "best.ckpt"
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path, (1e9 - age, 1e9 - age))
    newest = Path("runs/pose/new/checkpoints/best.ckpt")
    assert newest_best([]) == newest
    assert f"lectern test --ckpt_path {newest}" in lectern("test").err
    assert f"the newest is {newest}" in lectern("test", "--ckpt_path", "gone.ckpt").err


def test_a_folder_stands_for_its_best_checkpoint(workdir: Path) -> None:
    best = workdir / "run" / "checkpoints" / "best.ckpt"
    best.parent.mkdir(parents=True)
    best.touch()
    for given in (best, best.parent, best.parent.parent):
        assert read_early(["test", "--ckpt_path", str(given)]).checkpoint == str(best)
    check("export", ["--ckpt_path", "run"])
    with pytest.raises(ValueError, match=r"a folder, and without checkpoints/best\.ckpt"):
        check("test", ["--ckpt_path", str(workdir)])
    with pytest.raises(ValueError, match=r"did you mean run/checkpoints/best\.ckpt"):
        check("fit", ["--config", "pose/shapes", "--ckpt_path", "run"])  # which of its checkpoints, a resume must be told


def test_what_is_complete_passes(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workdir / "x.yaml").write_text("ckpt_path: here.ckpt\n")
    (workdir / "here.ckpt").touch()
    check("fit", ["--model", "Pose", "--data.root=x", "--trainer.max_epochs", "-1"])
    check("fit", ["--config", "pose/shapes", "--ckpt_path", "last", "--data.root", "photos/"])
    check("fit", ["--help"])
    check("fit", ["--data.help", "Shapes"])
    check("test", ["--config", "x.yaml"])
    check("doctor", ["--run", "--config", "pose/shapes"])
    monkeypatch.setenv("LECTERN_TEST__CKPT_PATH", "here.ckpt")
    check("test", [])


@pytest.mark.parametrize("spelled", ["--config t.yaml", "--config=t.yaml", "-c t.yaml"])
def test_a_file_is_read_however_it_is_spelled(workdir: Path, spelled: str) -> None:
    Path("t.yaml").write_text("ckpt_path: a.ckpt\n")
    assert read_early(["test", *spelled.split()]).checkpoint == "a.ckpt"
    assert read_early(["test", "--ckpt_path=b.ckpt", *spelled.split()]).checkpoint == "a.ckpt", "the later one wins"


def test_words_that_belong_to_no_option() -> None:
    assert words_without_option(["--a", "1", "x", "--b=2", "y", "--run", "z", "--c", "-1"]) == ["x", "y", "z"]


def test_no_guess_is_a_command_or_an_option_of_ours(lectern: Lectern) -> None:
    from experiments.training.catalog import data_modules
    from experiments.training.cli import LecternCLI

    assert not set(COMMAND_MEANT) & set(COMMANDS)
    assert {meant.split("`")[0].split()[0] for meant in COMMAND_MEANT.values()} <= set(COMMANDS)
    parser_of = {}

    class Looked(LecternCLI):
        def parse_arguments(self, parser, args) -> None:  # type: ignore[no-untyped-def]
            parser_of["fit"] = self.parser_of("fit")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        Looked(["fit"])
    from experiments.lightning_compat import keys_of

    keys = set(keys_of(parser_of["fit"]))
    assert not set(OPTION_MEANT) & keys
    for meant in OPTION_MEANT.values():
        if meant.startswith("--"):
            first = meant.split()[0].lstrip("-")
            assert first in {*keys, "config"} or first.partition(".")[0] in ("model", "data"), meant
    assert data_modules()
