"""A user's own recipes: found by name, before Lectern's, and never by a study."""

from __future__ import annotations

from pathlib import Path

import pytest

from datamodules.scene import InputError
from experiments import recipes
from experiments.training.parsing import read_early

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
