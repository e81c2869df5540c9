"""A user's own recipes: found by name, before Lectern's, and never by a study."""

from __future__ import annotations

from pathlib import Path

import pytest

from datamodules.scene import InputError
from experiments import recipes
from experiments.command_line.early import read_early
from tests.conftest import Lectern

NAME = "segmentation/fcn_transpose"


@pytest.fixture
def own(workdir: Path) -> Path:
    for name in (NAME, "mine"):
        path = workdir / "recipes" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("trainer: {max_epochs: 1}\n")
    return workdir / "recipes"


def test_own_recipes_are_found_by_name_and_first(own: Path) -> None:
    found = recipes.own_folder()
    assert found is not None and found.resolve() == own
    assert recipes.path_of("mine", found).resolve() == own / "mine.yaml"
    assert recipes.path_of(NAME, found).resolve() == own / f"{NAME}.yaml"
    assert recipes.name_of(own / f"{NAME}.yaml", found) == NAME
    assert recipes.hides(own / f"{NAME}.yaml", found) == NAME
    assert recipes.hides(own / "mine.yaml", found) == ""
    assert recipes.hides(recipes.path_of(NAME), found) == ""


def test_without_a_folder_of_own_ones_a_name_is_lectern_s(own: Path) -> None:
    """As the studies look recipes up, wherever they are run."""
    assert recipes.path_of(NAME) == recipes.FOLDER / f"{NAME}.yaml"
    with pytest.raises(InputError, match="--config mine: no such file and no such recipe"):
        recipes.path_of("mine")


def test_a_name_that_is_none_is_answered_with_own_ones_too(own: Path) -> None:
    with pytest.raises(InputError, match="did you mean mine"):
        recipes.path_of("min", own)


@pytest.mark.parametrize("spelled", [["--recipes", "other"], ["--recipes=other"]])
def test_the_folder_is_no_setting_of_the_experiment(spelled: list[str], own: Path) -> None:
    own.rename("other")
    for arguments in (["fit", *spelled, "--config", "mine"], ["fit", "-cmine", *spelled]):
        early = read_early(arguments)
        assert early.own_recipes == Path("other")
        assert early.arguments == [a for a in arguments if a not in spelled]
    with pytest.raises(InputError, match="--recipes gone: no such folder"):
        read_early(["fit", "--recipes", "gone"])


def test_an_own_recipe_before_ours_is_said(own: Path, lectern: Lectern) -> None:
    small = ["--trainer.fast_dev_run=1", "--data.train=8", "--data.val=4", "--data.batch_size=4", "--data.workers=0"]
    result = lectern("fit", "--config", "segmentation/small_shapes", "--config", NAME, *small)
    assert result.code == 0, result.err
    assert f"--config {NAME} is recipes/{NAME}.yaml, and not Lectern's own recipe of that name" in result.err
    assert "small_shapes is" not in result.err


def test_list_shows_own_recipes_first(own: Path, lectern: Lectern) -> None:
    own.rename("other")
    result = lectern("list", "--recipes", "other")
    assert result.code == 0, result.err
    mine, ours = result.out.split("RECIPES in other")[1].split("RECIPES (")
    assert "mine" in mine and "no task on no data" in mine
    assert "segmentation/small_shapes" in ours
    assert lectern("list", "--recipes", "gone").code == 2
