"""The page of an explanation: one HTML file and its pictures, in a folder that is there when all of it is."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from datamodules.scene import InputError
from datamodules.temporary import beside
from experiments.runs.files import EVALUATIONS, PICTURES
from experiments.runs.folder import new_run_name
from experiments.runs.writing import plain_json, writing
from experiments.training.drawing import write_picture

from .explanation import Explanation
from .methods import Method

PAGE, FACTS = "explanations.html", "explanations.json"
SAME = 0.5
"""A rank correlation with random weights from which on a map says as much of the image as of the network."""


def place_for(output: Path | None, run: Path) -> Path:
    """The folder that the page will be in: the one that is asked for, or a new one among the run's evaluations.

    Raises:
        InputError: there is something in it.
    """
    if output is None:
        return run / EVALUATIONS / new_run_name(run, EVALUATIONS)
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise InputError(f"--output {output}: is there already; a new folder is expected")
    return output


def write_page(place: Path, page: Explanation, methods: Mapping[str, Method], facts: Mapping[str, Any]) -> Path:
    """Writes the page and its pictures beside ``place``, and gives them that name when all of it is there.

    Returns:
        The page's file.

    Raises:
        InputError: it cannot be written.
    """
    draft = beside(place)
    with writing(place):
        shutil.rmtree(draft, ignore_errors=True)  # of a process of this number that was killed
        (draft / PICTURES).mkdir(parents=True)
        try:
            for name, picture in page.pictures.items():
                write_picture(picture, draft / PICTURES / f"{name}.png")
            (draft / PAGE).write_text(html(page, methods, facts), encoding="utf-8")
            found = {
                **facts,
                "layer": page.layer,
                "rank_correlation_with_random_weights": page.correlations,
                "images": [
                    {"file": row.name, "truth": row.truth, "prediction": row.prediction, "explained": row.explained}
                    for row in page.rows
                ],
            }
            (draft / FACTS).write_text(plain_json(found), encoding="utf-8")
            if place.is_dir():
                place.rmdir()  # an empty one that was there
            draft.rename(place)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    return place / PAGE


def html(page: Explanation, methods: Mapping[str, Method], facts: Mapping[str, Any]) -> str:
    """The page, in which all text is escaped; its pictures lie beside it."""
    folder = FileSystemLoader(Path(__file__).parent / "templates")
    environment = Environment(loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("page.html").render(
        page=page,
        methods=methods,
        facts=facts,
        pictures=PICTURES,
        number=lambda value: "–" if math.isnan(value) else f"{value:.2f}",
        same=SAME,
    )
