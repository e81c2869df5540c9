"""The tasks' pages: what each needs, its losses and metrics, its recipes, and the claims that are judged with it.

Read from the classes, the recipes' files and the studies' files.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

import lightning_modules
from experiments import lectures, recipes
from experiments.command_line import catalogue
from experiments.command_line.declared import data_modules, tasks
from experiments.reports.meanings import SIGNS
from experiments.reports.overview import study_names
from experiments.runs.markup import code, plain
from experiments.showing.claims import claim
from lightning_modules.base import Task

from . import api
from .roles import plain_names

INDEX = """# The tasks

A task is one problem of the lectures: a LightningModule that says what it needs of a scene, and any network and any
data set that go with it can be put into a recipe. The losses of a task are summed; each is a curve of its own in
`metrics.csv` and in W&B. The monitored metric decides which checkpoint is best. `lectern list` prints which data feed
which task.

| task | | needs | monitored |
|---|---|---|---|"""


def pages() -> dict[str, str]:
    """Every page's Markdown, by its path on the site: one that lists all, and one a task."""
    rows = []
    for name, known in tasks().items():
        task = getattr(lightning_modules, name)
        better = "more" if task.mode == "max" else "less"
        rows.append(
            f"| [{name}]({name}.md) | {plain(known.says)} | {_codes(known.fields)} | `{task.monitor}`, {better} is better |"
        )
    return {"tasks/index.md": "\n".join([INDEX, *rows, ""])} | {f"tasks/{name}.md": page(name) for name in tasks()}


def page(name: str) -> str:
    """A task's page."""
    task, known = getattr(lightning_modules, name), tasks()[name]
    words = inspect.getdoc(task) or ""
    paragraphs = [text for text in words.split("\n\n") if not text.startswith(("Args:", "Raises:"))]
    fitting = [own for own, data in data_modules().items() if catalogue.fits(known, data)]
    facts = [
        ("needs of a scene", _codes(known.fields) or "the image alone"),
        ("uses where a data set has them", _codes(task.uses)),
        ("losses", _codes(losses(task)) or "those of its network, by name"),
        ("metrics", ", ".join(f"[{own}](../api/metrics.md#{place}.{own})" for own, place in metrics(task).items())),
        ("monitored", f"`{task.monitor}`, {'more' if task.mode == 'max' else 'less'} is better"),
        ("data modules that feed it", ", ".join(f"`{own}`" for own in fitting)),
        ("arguments", f"[API](../api/tasks.md#{task.__module__}.{name}), or `lectern fit --model.help {name}`"),
    ]
    lines = [f"# {name}", "", plain_names("\n\n".join(paragraphs)), "", "| | |", "|---|---|"]
    lines += [f"| {what} | {said} |" for what, said in facts if said]
    own = [recipe for recipe in every_recipe() if recipe.task == name]
    if own:
        lines += ["", "## Recipes", "", "| `lectern fit --config` | what it is | network | expected of `lectern test` |"]
        lines += ["|---|---|---|---|", *map(_recipe_row, own)]
    judged = [id_ for id_, recipe in recipes_of_claims().items() if recipe in {one.name for one in own}]
    if judged:
        lines += ["", "## Claims that are judged with it", "", "| | claim | verdict |", "|---|---|---|"]
        for one in map(claim, judged):
            lines.append(f"| [{one.id}](../results/{one.id}.md) | {plain(one.title)} | {SIGNS[one.level]} {one.level} |")
    return "\n".join([*lines, ""])


class Recipe(NamedTuple):
    """A recipe that comes with Lectern, as a task's page shows it."""

    name: str
    says: str
    task: str
    network: str
    expect: dict[str, str]


@cache
def every_recipe() -> list[Recipe]:
    """All of them, by name."""
    found = []
    for name in recipes.names():
        content = yaml.safe_load((recipes.FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
        model = content["model"]
        network: Any = model.get("init_args", {}).get("network", "")
        path = network.get("class_path", "") if isinstance(network, dict) else network
        listed = catalogue.shipped(name)
        found.append(
            Recipe(name, listed.says, listed.model.rpartition(".")[2], path.rpartition(".")[2], content.get("expect", {}))
        )
    return found


def _recipe_row(recipe: Recipe) -> str:
    module = api.exported("lightning_modules.networks").get(recipe.network)
    network = f"[{recipe.network}](../api/networks.md#{module}.{recipe.network})" if module else code(recipe.network)
    expected = ", ".join(f"{key.removeprefix('test/')} {value}" for key, value in recipe.expect.items())
    return f"| {code(recipe.name)} | {plain(recipe.says)} | {network if recipe.network else ''} | {plain(expected)} |"


@cache
def recipes_of_claims() -> dict[str, str]:
    """The recipe that each study of a training begins with, by claim; what studies share stands in a file beside them."""
    known, folder = set(recipes.names()), Path(lectures.__file__).parent
    found = {}
    for id_, study in sorted(study_names().items()):
        named = list(_strings(folder / f"{study}.py") & known)
        if len(named) == 1:
            found[id_] = named[0]
    return found


def _strings(path: Path) -> set[str]:
    """All strings of a study's file, and of the files beside it that it imports from and whose names begin with ``_``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level == 1 and (node.module or "").startswith("_"):
            found |= _strings(path.with_name(f"{node.module}.py"))
    return found


def losses(task: type[Task]) -> list[str]:
    """The names that a task's own losses have; none where its network names them."""
    keys = (key for node in _returned(task.losses) if isinstance(node, ast.Dict) for key in node.keys)
    return [key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]


def metrics(task: type[Task]) -> dict[str, str]:
    """The metrics of a task that are Lectern's own: for each class the module."""
    known = api.metrics()
    source = ast.walk(ast.parse(textwrap.dedent(inspect.getsource(task.metrics))))
    names = [node.id for node in source if isinstance(node, ast.Name) and node.id in known]
    return {name: known[name] for name in dict.fromkeys(names)}


def _returned(function: Any) -> Iterator[ast.expr]:
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Return) and node.value is not None:
            yield node.value


def _codes(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
