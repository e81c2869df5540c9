"""What a command's settings are saved as: one dump, for as long as they stay the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonargparse import Namespace

from experiments.runs.files import CONFIG
from experiments.training.cli import LecternCLI
from experiments.training.parsing import Parser
from tests.conftest import Lectern
from tests.support.small_runs import one_run
from tests.support.spy import ONCE


@pytest.fixture(scope="module")
def parser() -> Parser:
    parser = Parser(dump_header=["a header"])
    for name in ("batches", "name"):
        parser.add_argument(f"--{name}", type=int | float | str | None, default=None)
    return parser


def test_what_is_saved_is_what_the_parser_dumps(parser: Parser) -> None:
    settings = parser.parse_args(["--name", "ä: # 'x'\n", "--batches", "1e-3"])
    assert parser.saved(parser.plain(settings)) == parser.dump(settings, skip_none=False)


def test_a_change_is_seen(parser: Parser) -> None:
    """A finder's value, or one batch in place of all of them: equal to Python, and another setting."""
    settings = Namespace(batches=1, name=None)
    assert repr(parser.plain(settings)["batches"]) == "1"
    for value in (1.0, "one", 2):
        settings["batches"] = value
        assert repr(parser.plain(settings)["batches"]) == repr(value)


def test_whoever_changes_what_it_got_changes_no_setting(parser: Parser) -> None:
    settings = Namespace(batches=1, name=None)
    parser.plain(settings)["batches"] = 5
    assert parser.plain(settings)["batches"] == 1


def test_a_run_dumps_its_settings_once(lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a tenth of a small study's run: the configuration, W&B, the arguments of task and data, and every checkpoint."""
    dumped: list[str] = []
    dump = Parser.dump

    def counted(self: Parser, *args: object, **kwargs: object) -> str:
        dumped.append(text := dump(self, *args, **kwargs))
        return text

    monkeypatch.setattr(Parser, "dump", counted)
    result = lectern(*ONCE, "--name", "r")
    assert result.code == 0, result.err
    of_the_run = [text for text in dumped if "max_epochs" in text]
    assert len(of_the_run) == 1
    saved, plain = yaml.safe_load((one_run(workdir) / CONFIG).read_text()), yaml.safe_load(of_the_run[0])
    assert saved == plain | {"ckpt_path": None, "version": None, "overwrite": False}


@pytest.mark.parametrize("verb", ["fit", "test"])
def test_only_the_command_that_is_given_has_a_parser(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        LecternCLI([verb, "--help"])
    assert f"lectern [options] {verb}" in capsys.readouterr().out
