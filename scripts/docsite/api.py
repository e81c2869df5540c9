"""The API pages: for each public class and function the directive that mkdocstrings makes its section of."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import NamedTuple

from experiments import ROOT
from experiments.command_line.declared import tasks


class Room(NamedTuple):
    """A page of the API."""

    title: str
    says: str
    names: Mapping[str, str]
    """For each name the module that it is written in."""

    @property
    def path(self) -> str:
        return f"api/{self.title.lower().replace(' ', '_')}.md"


def pages() -> dict[str, str]:
    """Every page's Markdown, by its path on the site."""
    found = {room.path: page(room) for room in rooms()}
    lines = [f"- [{room.title}]({room.path.removeprefix('api/')}): {room.says}" for room in rooms()]
    return {"api/index.md": "\n".join([INDEX, *lines, ""])} | found


INDEX = """# API

What can be named in a configuration, subclassed, or imported. These pages are made of the docstrings; shapes, dtypes, units and
the errors that are raised stand there. Everything else is private, and may change in any commit.

A configuration names a class by its path (`lightning_modules.networks.FCN`), the command line by its name alone
(`--model.network FCN`), and `lectern fit --model.help Segmentation` lists the arguments of a class.
"""


def page(room: Room) -> str:
    """One page: a heading, what is in it, and each name's section, by the alphabet."""
    sections = [f"::: {module}.{name}" for name, module in sorted(room.names.items(), key=lambda item: item[0].lower())]
    return "\n\n".join([f"# {room.title}", room.says, *sections]) + "\n"


def rooms() -> list[Room]:
    """The pages in their order."""
    every = exported("lightning_modules")
    own = {name: module for name, module in every.items() if name in tasks()}
    others = {name: module for name, module in every.items() if name not in own}
    return [
        Room("Scenes", "What a data module yields, and what is known of a data set before anything of it is read.", SCENES),
        Room("Data modules", "One data set or file format each, and the proposers of regions.", DATA | exported("datamodules")),
        Room("Tasks", "One problem of the lectures each, as a LightningModule.", TASKS | own),
        Room("Networks", "Plain modules, which know nothing of Lightning.", NETWORKS | exported("lightning_modules.networks")),
        Room("Metrics", "Exact on any number of processes: counts are gathered before they are divided.", metrics()),
        Room(
            "Optimization",
            "Schedules, an optimizer, callbacks around a training, and what fits the stages of R-CNN and of part models.",
            others | public("lightning_modules/schedules.py", "lightning_modules/optimizers.py"),
        ),
        Room("Explanations", "What `lectern explain` draws, as functions.", public(*below("lightning_modules/explanations"))),
        Room("Studies", "The vocabulary of a claim's file: what varies, what is needed, and what follows.", STUDIES),
        Room(
            "Measures", "What studies measure: callbacks in a training, and functions.", public(*below("experiments/measures"))
        ),
    ]


SCENES = {
    **dict.fromkeys(("Scene", "Batch", "DatasetMetadata", "unbind"), "datamodules.scene"),
    **dict.fromkeys(("InputError", "SceneError", "UnknownClassError"), "datamodules.errors"),
}
DATA = {"DataModule": "datamodules.base", "Proposer": "datamodules.proposals"}
TASKS = {"Task": "lightning_modules.base", "Mean": "lightning_modules.means", "Prediction": "lightning_modules.prediction"}
NETWORKS = {"Detector": "lightning_modules.networks.detector", "RegionDetector": "lightning_modules.networks.regions"}
STUDIES = {
    **dict.fromkeys(
        ("Study", "Exact", "Training", "Measurement", "Measured", "Variant", "Tune", "Scale", "Amendment"),
        "experiments.studies.study",
    ),
    **dict.fromkeys(("Run", "Runs"), "experiments.studies.results"),
    **dict.fromkeys(("Part", "Check", "ValidityCheck", "Verdict"), "experiments.studies.verdict"),
    **dict.fromkeys(("Record", "read_record"), "experiments.studies.record"),
    **dict.fromkeys(("t_interval", "median_interval", "detectable", "seeds_needed"), "experiments.studies.statistics"),
    "Effect": "experiments.studies.effects",
    "L": "experiments.studies.lazy",
    "Level": "experiments.studies.levels",
    "Needs": "experiments.studies.needs",
}


def metrics() -> dict[str, str]:
    """The metrics: the classes of their room that are measured with, or derived from."""
    found = public(*below("lightning_modules/metrics"))
    return {
        name: module for name, module in found.items() if name[0].isupper() and not module.endswith(("_loops", ".matching"))
    }


def exported(package: str) -> dict[str, str]:
    """What a package exports: for each name the module that it is written in. Nothing is imported."""
    folder = ROOT.joinpath(*package.split("."))
    exports = folder / "exports.py"
    tree = ast.parse((exports if exports.is_file() else folder / "__init__.py").read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module]
    return {alias.name: f"{package}.{node.module}" for node in imports for alias in node.names}


def public(*files: str) -> dict[str, str]:
    """Classes and functions of files that have a docstring and no underscore: for each the module."""
    found = {}
    for file in files:
        for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name[0] != "_" and ast.get_docstring(node):
                found[node.name] = file.removesuffix(".py").replace("/", ".")
    return found


def below(folder: str) -> list[str]:
    """The modules of a folder, as paths from the root."""
    return [f"{folder}/{path.name}" for path in sorted((ROOT / folder).glob("*.py")) if path.name != "__init__.py"]
