"""What is read from source is what an import would say, and is there in a moment."""

from __future__ import annotations

import inspect
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from datamodules.scene import COMPUTED
from experiments import command, python, recipes
from experiments.command_line import declared
from experiments.command_line.catalogue import WIDTH, lines, read, shipped
from experiments.command_line.declared import Known, plain
from experiments.reproduction.claims import claims
from experiments.reproduction.overview import overview, studies
from experiments.studies.committed import committed_records
from experiments.training import catalog


def imported(classes: dict[str, Any], field: str) -> dict[str, Known]:
    return {n: Known(plain((inspect.getdoc(c) or "").splitlines()[0]), getattr(c, field)) for n, c in classes.items()}


def test_tasks_and_data_modules_are_those_of_an_import() -> None:
    assert declared.tasks() == imported(catalog.tasks(), "needs")
    assert declared.data_modules() == imported(catalog.data_modules(), "provides")
    assert declared.computed() == COMPUTED


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_is_read_by_its_lines_as_it_is_read_as_yaml(name: str) -> None:
    assert shipped(name) == read(name, recipes.FOLDER)


def test_the_list_fits_a_terminal_and_has_everything() -> None:
    said = "\n".join(lines(declared.tasks(), declared.data_modules(), list(map(shipped, recipes.names())), None)).splitlines()
    assert max(map(len, said)) <= WIDTH
    row = next(line for line in said if line.startswith("MNIST"))
    header = said[1]
    letter = next(line.split()[0] for line in said if line.split()[1:2] == ["Segmentation"])
    assert row[header.index(letter) - 1 : header.index(letter) + 2].strip() == "-", "MNIST has no masks"
    row = next(line for line in said if line.startswith("CamVid"))
    assert row[header.index(letter) - 1 : header.index(letter) + 2].strip() == "yes"
    assert {*declared.tasks(), *declared.data_modules(), *recipes.names()} <= set(" ".join(said).split())


def test_a_class_that_declares_its_set_in_another_way_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.py"
    path.write_text("class Task: ...\nclass Odd(Task):\n    needs = frozenset(sorted('ab'))\n__all__ = ['Odd']\n")
    with pytest.raises(ValueError, match=r"odd\.py: sorted\('ab'\): a set of names expected"):
        declared._exported(path, "Task", "needs")


# reproduce --list ---------------------------------------------------------------------------------------------------------


def test_the_overview_has_every_study_with_its_level(workdir: Path) -> None:
    assert studies() == {claim.id: (claim.name, claim.title) for claim in claims().values()}
    said = overview(Path("runs"))
    assert max(map(len, said)) <= WIDTH
    for record in committed_records("cpu"):
        (line,) = (line for line in said if line.startswith(f"  {record.claim}  "))
        assert line.split(record.name.rpartition("/")[2])[0].removeprefix(f"  {record.claim}").strip() == record.level


# Speed, and pipes ---------------------------------------------------------------------------------------------------------

STATIC = ["", "--help", "list", "reproduce --list", "fit --help", "predict -h", "completion bash", "completion words lectern"]


@pytest.mark.parametrize("line", STATIC)
def test_what_is_static_loads_no_heavy_library(line: str, workdir: Path) -> None:
    """What takes no torch takes some tenths of a second of a processor; the clock of a busy machine says nothing."""
    done = subprocess.run(
        [*python("-X", "importtime"), *command(*line.split())[2:]], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0 and done.stdout, done.stderr[-500:]
    modules = {row.rpartition("|")[2].strip() for row in done.stderr.splitlines()}
    assert modules.isdisjoint({"torch", "pytorch_lightning", "torchvision", "jsonargparse", "albumentations"})
    assert max(map(len, done.stdout.splitlines())) <= WIDTH


@pytest.mark.parametrize("line", ["list", "reproduce --list", "--help"])
def test_a_list_may_be_cut_short(line: str, workdir: Path) -> None:
    reading, writing = os.pipe()
    with subprocess.Popen(command(*line.split()), stdout=writing, stderr=subprocess.PIPE, text=True) as process:
        os.close(reading)  # before the first line
        os.close(writing)
        _, said = process.communicate(timeout=120)
    assert (process.returncode, said) == (0, "")
