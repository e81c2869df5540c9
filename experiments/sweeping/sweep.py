"""``lectern sweep``: many trainings of one experiment with other values, proposed and pruned by Optuna."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datamodules.errors import InputError
from experiments.command_line.early import check, content_of, read_early
from experiments.command_line.options import Options

from .search import EXAMPLE, Searched, searched

OF_ONE_RUN = ("--version", "--overwrite", "--ckpt_path")
"""Options of the trainings that a sweep gives itself, or that make no sense for many runs."""


def parser() -> Options:
    parser = Options(
        "lectern sweep",
        "Trains an experiment many times with other values, and says which are best. Run again, it goes on where it was "
        "stopped. All other options are those of lectern fit.",
    )
    parser.add_argument(
        "--search", action="append", default=[], metavar="NAME=SPACE", help=f"{EXAMPLE}; uniform(a,b), int(a,b), choice(a,b,c)"
    )
    parser.add_argument("--trials", type=int, default=20, help="trainings in all, those of an earlier call included (20)")
    parser.add_argument("--jobs", type=int, help="trainings side by side; one a GPU by default, one without; 4 of a scheduler")
    parser.add_argument("--launcher", choices=("processes", "slurm", "local"), default="processes", help="through submitit")
    parser.add_argument("--slurm", nargs="*", default=[], metavar="KEY=VALUE", help="for submitit: slurm_partition=gpu")
    parser.add_argument("--monitor", help="the metric that is to become best; the task's own by default")
    parser.add_argument("--mode", choices=("min", "max"), help="whether its least or its greatest value is best")
    parser.add_argument("--prune", choices=("true", "false"), default="true", help="ends what the other trials leave behind")
    parser.add_argument("--search_seed", type=int, default=0, help="of the search; trainings have --seed_everything")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="the folder of all runs")
    parser.add_argument("--name", help="of the sweep; sweeps/<recipe> by default")
    return parser


def run(arguments: list[str]) -> int:
    """The command; returns its exit code: 1 where no trial came to its end.

    Raises:
        InputError: what is searched, or the experiment, is wrong; said before anything is trained.
    """
    options, training = parser().parse_known_args(arguments)
    spaces = searched(options.search)
    for name, least in (("trials", 1), ("jobs", 1), ("search_seed", 0)):
        if (value := getattr(options, name)) is not None and value < least:
            raise InputError(f"--{name} {value}: {least} or more expected")
    if bool(options.monitor) != bool(options.mode):
        raise InputError("--monitor and --mode belong together: which metric, and whether its min or max is best")
    _check_training(training, spaces)
    check("fit", [*training, *(f"--{one.name}={one.values[0]}" for one in spaces)])
    from .trials import sweep_of

    return sweep_of(options, training, spaces, options.name or default_name(training))


def _check_training(training: list[str], spaces: list[Searched]) -> None:
    given = [argument.partition("=")[0] for argument in training]
    if alone := next((argument for argument in given if argument in OF_ONE_RUN), None):
        raise InputError(f"{alone}: is of one run, and a sweep makes many")
    for one in spaces:
        if f"--{one.name}" in given:
            raise InputError(f"--{one.name}: is searched, and given too")


def default_name(training: list[str]) -> str:
    """``sweeps/<recipe>``, or the names of task and data module.

    Raises:
        InputError: a configuration file cannot be read.
    """
    from experiments import recipes

    early = read_early(["fit", *training])
    named = [layer.source for layer in early.layers if layer.source]
    if named and (recipe := recipes.name_of(Path(named[0]), early.own_recipes)):
        return f"sweeps/{recipe}"
    parts: dict[str, Any] = {}
    for layer in (content_of(name, early.own_recipes) for name in named):
        parts |= {key: layer[key] for key in ("model", "data") if key in layer}
    words = [str(p.get("class_path") if isinstance(p, dict) else p).rsplit(".", 1)[-1].lower() for p in parts.values() if p]
    return f"sweeps/{'_'.join(words) or 'sweep'}"
