"""The folder of one evaluation of a run: what was evaluated, on which data, and what came out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pytorch_lightning.utilities import rank_zero_only

from .files import EVALUATION, EVALUATIONS, read_config
from .folder import RunFolder, make_folder
from .writing import plain_json, write_atomically

SAME_DATA = frozenset({"workers", "cache_mib", "batch_size", "augment", "train_samples", "proposals"})
"""Arguments of a data module that change nothing of which scenes a test sees, or what is true of them."""


class EvaluationFolder(RunFolder):
    """``<run>/evaluations/<time>/``: the results of one test, validation or prediction, which change nothing of the run.

    A checkpoint that lies in no run's folder has its evaluations below the folder of all runs, under its name.
    """

    @classmethod
    def make_for(cls, place: Path, title: str) -> Self:
        """A new folder for an evaluation of what lies in ``place``: a run's folder, or a name below that of all runs."""
        return cls._made(make_folder(place, EVALUATIONS), title)

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """The results go into ``evaluation.json``, at the end."""

    @rank_zero_only
    def record(self, values: Mapping[str, Any]) -> None:
        """Writes ``evaluation.json``."""
        self.begun = True
        write_atomically(self.folder / EVALUATION, plain_json(dict(values)))


def is_own_data(run: Path, data: Mapping[str, Any]) -> bool:
    """Whether a test on these data says of the run what its own test would: the same scenes, prepared in the same way.

    Args:
        run: the folder of a run.
        data: ``data`` of a configuration: class_path and init_args.
    """
    own = read_config(run).get("data")
    return isinstance(own, dict) and _identity(own) == _identity(data)


def _identity(data: Mapping[str, Any]) -> str:
    arguments = data.get("init_args")
    kept = {k: v for k, v in dict(arguments if isinstance(arguments, Mapping) else {}).items() if k not in SAME_DATA}
    if isinstance(kept.get("root"), str):
        kept["root"] = str(Path(kept["root"]).resolve())
    return json.dumps([str(data.get("class_path")).rsplit(".", 1)[-1], kept], sort_keys=True, default=str)
