"""Run folders and recipes that somebody else made: read, or read as nothing, in bounded time and memory."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from experiments.runs.bounded import DEEPEST, LOADER, NODES, parse_yaml, read_json
from experiments.runs.files import differences, flat, read_columns, read_config, read_curves, read_metrics, read_summary
from experiments.runs.report import write_report
from tests.conftest import Lectern
from tests.support.hostile import NOT_PLAIN, PAYLOADS, anything, examples, nothing_written, read_or_refused, replaced, text
from tests.support.made_up_runs import write_run


def laughs(line: str, levels: int = 9) -> str:
    """A few lines whose aliases, written out, are a billion values."""
    return "a0: &a0 {x: 1, y: 2}\n" + "\n".join(
        f"a{i}: &a{i} {line.format(', '.join([f'*a{i - 1}'] * 9))}" for i in range(1, levels + 1)
    )


YAML = {
    "aliases of aliases": laughs("[{}]"),
    "merged aliases": laughs("{{<<: [{}]}}"),
    "an alias of itself": "a: &a {b: *a}",
    "deep in brackets": "[" * 100_000,
    "deep in lines": "- " * 100_000 + "x",
    "deep keys": "? " * 100_000 + "x",
    "a number of a million digits": "a: " + "1" * 1_000_000,
    "a number to the base of 60": "a: !!int '1" + ":59" * 300_000 + "'",
    "a function": "a: !!python/object/apply:os.system ['touch PWNED']",
    "a truth that is none": "a: !!bool maybe",
    "a date that is none": "a: !!timestamp soon",
    "an empty number": "a: !!int ''",
    "a list as a key": "{[1]: 2}",
    "two documents": "a: 1\n---\nb: 2",
    "a zero byte": "a: \0",
    "a long line": "a: " + "x" * 3_000_000,
}


@pytest.mark.parametrize("content", YAML.values(), ids=YAML)
def test_yaml_that_is_no_configuration_is_refused_in_one_line(content: str, tmp_path: Path, lectern: Lectern) -> None:
    """In a process of its own, since what reads YAML deeply ends it."""
    write_run(tmp_path / "run")
    (tmp_path / "run/config.yaml").write_text(content)
    code = "import sys; from pathlib import Path; from experiments.runs.files import read_config; "
    code += "print(read_config(Path(sys.argv[1])))"
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "run")], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "{}\n") and time.monotonic() - began < 10
    (tmp_path / "mine.yaml").write_text(content)
    result = lectern("fit", "--config", str(tmp_path / "mine.yaml"))
    assert result.code == 2 and result.err.count("\n") == 1 and "mine.yaml" in result.err and len(result.err) < 1000
    assert not (tmp_path / "PWNED").exists() and not (tmp_path / "runs").exists()


yaml_text = st.lists(
    st.sampled_from(
        [
            "a",
            "b",
            ": ",
            "- ",
            "\n",
            "  ",
            "&x ",
            "*x",
            "<<: ",
            "[",
            "]",
            "{",
            "}",
            ", ",
            "!!int ",
            "!!set ",
            "? ",
            "'",
            '"',
            "|",
            "1",
        ]
    )
    | st.text(max_size=4),
    max_size=25,
).map("".join)


@given(yaml_text)
@examples(300)
def test_yaml_is_read_as_it_is_or_refused(content: str) -> None:
    try:
        value = parse_yaml(content)
    except ValueError as error:
        assert "\n" not in str(error)
        return
    assert repr(value) == repr(LOADER(content).get_single_data())


def test_a_configuration_may_repeat_itself_within_bounds() -> None:
    assert parse_yaml("a: &a [1, 2]\nb: *a") == {"a": [1, 2], "b": [1, 2]}
    assert len(parse_yaml("[" + "1," * (NODES - 2) + "]")) == NODES - 2
    parse_yaml("[" * DEEPEST + "]" * DEEPEST)


@given(data=st.data())
@examples(100)
def test_a_stranger_s_run_is_read_and_reported(data: st.DataObject, tmp_path: Path) -> None:
    """Its report is written, into its own folder alone, and holds nothing that is taken for markup."""
    folder = write_run(tmp_path / "runs" / "run", steps=40)
    summary = json.loads((folder / "summary.json").read_text())
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["expect"] = {"test/error": "<= 0.5"}
    (folder / "summary.json").write_text(json.dumps(replaced(summary, data.draw)))
    (folder / "config.yaml").write_text(
        yaml.safe_dump(replaced(config, data.draw, anything.filter(_is_yaml)), allow_unicode=True)
    )
    rows = data.draw(st.lists(st.lists(text | st.sampled_from(["step", "1", "nan"]), max_size=5).map(",".join), max_size=4))
    if rows:
        (folder / "metrics.csv").write_bytes("\n".join(rows).encode("utf-8", "surrogatepass"))
    (folder / "curves.json").write_text(json.dumps(data.draw(anything)))
    for row in read_metrics(folder):
        assert all(isinstance(value, float) for value in row.values())
    read_columns(folder), read_curves(folder)
    settings = flat(read_config(folder))
    assert all(len(repr(value)) < 100_000 for value in settings.values())
    differences({"a": read_config(folder), "b": {}})
    for part in ("metrics", "test"):
        assert all(math.isfinite(float(v or 0)) or True for v in read_summary(folder).get(part, {}).values())
    with nothing_written(tmp_path, within=folder):
        report = read_or_refused(lambda: write_report(folder))
    shown = report.read_text(encoding="utf-8") if report else ""
    for line in shown.replace("\\<", "").replace("\\[", "").replace("\\`", "").splitlines():
        assert "<" not in line.replace("| <= ", "") or (line.startswith("![") and "`" not in line)
        assert "[" not in line or line.startswith("![")


def _is_yaml(value: Any) -> bool:
    try:
        yaml.safe_dump(value).encode()
        return True
    except (UnicodeEncodeError, ValueError, yaml.YAMLError):
        return False


@given(content=anything)
@examples(100)
def test_json_comes_back_as_it_was_written_or_is_refused(content: Any, tmp_path: Path) -> None:
    (path := tmp_path / "a.json").write_text(json.dumps(content))
    try:
        assert json.dumps(read_json(path)) == json.dumps(content)
    except ValueError:
        with pytest.raises((UnicodeEncodeError, ValueError)):
            str(json.loads(path.read_text())).encode()
            json.dumps(content, ensure_ascii=False).encode()


@pytest.mark.parametrize("make", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_files_that_are_no_plain_files_read_as_none(make: Callable[[Path], None], tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", pictures=["a"])
    for name in ("summary.json", "config.yaml", "metrics.csv", "curves.json"):
        make(folder / name)
    assert (read_summary(folder), read_config(folder), read_metrics(folder), read_curves(folder)) == ({}, {}, [], {})
    assert write_report(folder).is_file()


@pytest.mark.parametrize("line", ["a" * 20_000_000, "," * 20_000_000, "step," * 1_000_000, '"' + "x\n" * 1_000_000])
def test_metrics_of_one_endless_line_read_as_none(line: str, tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(line)
    began = time.monotonic()
    assert read_metrics(tmp_path) == [] and read_columns(tmp_path) in ({}, {"step": []})
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_run_may_be_called_anything(name: str, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", name=name, device=name, commit=name, test={name: 0.5})
    with nothing_written(tmp_path, within=folder):
        shown = write_report(folder).read_text(encoding="utf-8")
    assert "<img" not in shown.replace("\\<", "") and "\x1b" not in shown and "](javascript" not in shown.replace("\\]", "")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
