"""Help and lists at once, and never an old one."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments import command, python
from experiments.command_line import remembered as module
from experiments.command_line.remembered import is_fixed, remembered
from tests.conftest import Lectern


class Answer:
    """A command that says how often it was called."""

    def __init__(self, code: int = 0, leaves: bool = False) -> None:
        self.code, self.leaves, self.calls = code, leaves, 0

    def __call__(self) -> int:
        self.calls += 1
        print(f"call {self.calls}")
        if self.leaves:
            raise SystemExit(self.code)
        return self.code


@pytest.mark.parametrize("leaves", [False, True])
def test_what_was_said_is_said_again(leaves: bool, workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Answer(leaves=leaves)  # argparse leaves behind a page of help
    assert [remembered("list", [], run) for _ in range(3)] == [0, 0, 0]
    assert (run.calls, capsys.readouterr().out) == (1, "call 1\n" * 3)
    remembered("list", ["--help"], run)
    assert run.calls == 2, "another command line"


def of_a_checkout(folder: Path) -> Path:
    (folder / "datamodules").mkdir()
    (file := folder / "datamodules" / "mnist.py").write_text("provides = {'label'}\n")
    return file


CHANGES: dict[str, Callable[[Path, pytest.MonkeyPatch], object]] = {
    "a file": lambda file, _: file.write_text("provides = {'label', 'mask'}\n"),
    "a file's name": lambda file, _: file.rename(file.with_name("mnist2.py")),
    "a file more": lambda file, _: file.with_name("new.py").touch(),
    "a library": lambda _, patched: patched.setattr(module, "version", lambda name: f"{name} 2"),
    "a setting": lambda _, patched: patched.setenv("LECTERN_FIT__TRAINER__DEVICES", "2"),
    "the width": lambda _, patched: patched.setenv("COLUMNS", "61"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_changed_is_asked_again(change: str, workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROOT", workdir)
    file, run = of_a_checkout(workdir), Answer()
    remembered("list", [], run)
    CHANGES[change](file, monkeypatch)
    remembered("list", [], run)
    remembered("list", [], run)
    assert run.calls == 2


def test_an_error_is_not_kept(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Answer(code=1)
    assert [remembered("list", [], run), remembered("list", [], run)] == [1, 1]
    with pytest.raises(SystemExit, match="2"):
        remembered("list", [], Answer(code=2, leaves=True))
    assert capsys.readouterr().out == "call 1\ncall 2\ncall 1\n"


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"other\ntext"])
def test_a_damaged_file_is_made_again(damage: bytes, workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Answer()
    remembered("list", [], run)
    (file,) = (workdir / "cache" / "said").iterdir()
    file.write_bytes(damage)
    assert (remembered("list", [], run), run.calls) == (0, 2)
    assert remembered("list", [], run) == 0 and run.calls == 2


def test_without_a_cache_it_works(workdir: Path) -> None:
    (workdir / "cache").touch()  # no folder can be made there
    run = Answer()
    assert [remembered("list", [], run) for _ in range(2)] == [0, 0]
    assert run.calls == 2


FIXED = ["list", "reproduce --help", "fit --help", "test -h", "doctor --help", "fit -c segmentation/fcn_transpose --help"]
FIXED += ["fit --model.help Segmentation", "predict --data.help ImageFiles", "export --help"]
OWN = ["fit", "fit -c mine --help", "fit -c a.yaml --help", "fit --model.help my_model.Net", "list --recipes mine"]
OWN += [
    "reproduce all",
    "reproduce --list",
    "fit --print_config",
    "dashboard --help",
    "test --ckpt_path x --help",
    "fit --seed 1 --help",
]


def test_what_is_the_users_is_never_remembered(workdir: Path) -> None:
    assert all(is_fixed(words[0], words[1:]) for words in map(str.split, FIXED))
    assert not any(is_fixed(words[0], words[1:]) for words in map(str.split, OWN))
    (mine := workdir / "mine.py").write_text("from datamodules.base import DataModule\nclass Mine(DataModule): ...\n")
    assert not is_fixed("list", []), "it shows classes of the current folder"
    mine.unlink()
    (workdir / "recipes").mkdir()
    assert not any(is_fixed(words[0], words[1:]) for words in map(str.split, FIXED))


def test_the_second_list_loads_no_library(lectern: Lectern, workdir: Path) -> None:
    """From the real command, which says what it said in another process: Lectern's own list starts in a moment."""
    first = lectern("list")
    assert first.code == 0 and "TASKS x DATA MODULES" in first.out
    again = subprocess.run(
        [*python("-X", "importtime"), *command("list")[2:]],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    assert again.stdout == first.out
    assert "torch" not in again.stderr and "numpy" not in again.stderr
