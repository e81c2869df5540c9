"""What a study changes in a recipe."""

from __future__ import annotations

from typing import Any

from torch.optim import SGD, AdamW

from experiments.studies.lazy import L
from experiments.studies.study import Measurement, Scale, Study, Training, Tune, Variant, configuration
from experiments.studies.verdict import Check, Part
from lightning_modules.networks import FullResolutionFCN

RECIPE = "segmentation/small_shapes"


def settings(**changes: Any) -> dict[str, Any]:
    """Of the recipe, with ``__`` for a dot."""
    return configuration(RECIPE, {key.replace("__", "."): value for key, value in changes.items()})


def test_a_key_goes_on_in_the_arguments_of_a_class_as_on_the_command_line() -> None:
    short = settings(model__network__encoder__widths=(8, 16), data__train=7, trainer__max_steps=3)
    whole = settings(
        model__init_args__network__init_args__encoder__init_args__widths=[8, 16],
        data__init_args__train=7,
        trainer__max_steps=3,
    )
    assert short == whole
    model = short["model"]["init_args"]
    assert model["network"]["init_args"]["encoder"]["init_args"] == {"widths": [8, 16]}
    assert short["data"]["init_args"]["train"] == 7 and short["trainer"]["max_steps"] == 3


def test_a_class_that_has_no_arguments_yet_is_given_them() -> None:
    assert "init_args" not in settings()["model"]["init_args"]["scheduler"]
    assert settings(model__scheduler__warmup=0.1)["model"]["init_args"]["scheduler"]["init_args"] == {"warmup": 0.1}


def test_a_class_alone_keeps_the_arguments_and_one_with_arguments_replaces_the_whole() -> None:
    alone = settings(model__optimizer=SGD)["model"]["init_args"]["optimizer"]
    assert alone == {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.01, "weight_decay": 1e-4}}
    whole = settings(model__optimizer=L(SGD)(lr=0.1))["model"]["init_args"]["optimizer"]
    assert whole == {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.1}}


def test_a_class_where_none_stands_is_its_path() -> None:
    assert settings(model__box_loss=SGD)["model"]["init_args"]["box_loss"] == "torch.optim.SGD"


def test_the_recipe_itself_is_left_as_it_is() -> None:
    before = settings()
    settings(model__optimizer=SGD, model__network__skips=[2], data__style__clutter=0.9)
    assert settings() == before


def _parts(runs: Any) -> Part:
    return Part(says="", checks=(Check("one", 1, 1),))


def test_a_scale_may_change_what_an_variant_has_named_by_class() -> None:
    study = Study(
        claim="F04",
        says="",
        slide="",
        work=Training(RECIPE),
        variants={"a": Variant({"model.network": L(FullResolutionFCN)(width=8)}), "b": {"model.optimizer": AdamW}},
        tune=Tune(start=0.1, by="train/loss"),
        scales={"cpu": Scale({"data.train": 10}, variants={"a": {"model.network.width": 4}})},
        parts=_parts,
    )
    a, b = (study.job("cpu", variant, 0.3, 1).settings for variant in study.variants)
    assert a["model"]["init_args"]["network"] == L(FullResolutionFCN)(width=4)
    assert a["model"]["init_args"]["optimizer"]["init_args"]["lr"] == 0.3
    assert a["data"]["init_args"]["train"] == b["data"]["init_args"]["train"] == 10 and a["seed_everything"] == 1
    measured = Study(claim="F04", says="", slide="", work=Measurement(print), variants={"a": {"size": 3}}, parts=_parts)  # type: ignore[arg-type]
    assert measured.job("cpu", "a", None, 2).settings == {"size": 3, "seed": 2}
