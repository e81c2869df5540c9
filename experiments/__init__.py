"""Which code runs: Lectern's own in each of its processes, also in a folder that has packages of the same names.

And whom it calls: nobody. What would tell a vendor of its use is told not to here, before it can be imported.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

PACKAGES = ("datamodules", "lightning_modules", "experiments")
ROOT = Path(__file__).resolve().parents[1]
"""The folder of the three packages: a checkout, or site-packages."""

SILENCE = {
    # onnxruntime's Linux wheels ask a host of the vendor's some seconds after the import, whoever imports it: torchmetrics does
    # where librosa is installed too. Its own disable_telemetry_events() comes too late.
    "ORT_DISABLE_TELEMETRY": "1",
    # W&B reports its use to its server, also from runs that are offline, and of people who have no account.
    "WANDB_ERROR_REPORTING": "false",
}
"""Environment variables that keep libraries from calling home; a value of the user's own is left as it is."""
for _name, _value in SILENCE.items():
    os.environ.setdefault(_name, _value)


def own_folder_last() -> None:
    """Puts the current folder at the end of ``sys.path``, and behind this code what has packages of its names.

    A class of the user's is then found in a module of the current folder (``--data my_data.MyCSV``), and nothing there takes
    the place of Lectern's own or of an installed package. Processes that :mod:`multiprocessing` starts inherit the path, and
    ranks that Lightning starts go through ``main`` again. ``PYTHONPATH`` may name the current folder: it is moved all the same.
    """
    if sys.flags.safe_path:  # the ranks that Lightning starts get the environment, but not the options
        os.environ["PYTHONSAFEPATH"] = "1"
    here = Path.cwd()
    places = [(entry, Path(entry or ".").resolve()) for entry in sys.path]
    behind = [entry for entry, place in places if place != ROOT and (place == here or _has_our_names(place))]
    before = [entry for entry, _ in places if entry not in behind]
    if not any(place == ROOT for _, place in places):
        before.append(str(ROOT))
    sys.path[:] = [*before, *(entry for entry in behind if entry and Path(entry).resolve() != here)]
    if here != ROOT:
        sys.path.append(str(here))


def python(*arguments: str) -> list[str]:
    """This interpreter as a process of its own that runs code of ours, and does not look into the current folder for it."""
    return [sys.executable, "-P", *arguments]


def command(*arguments: str) -> list[str]:
    """``lectern`` with these arguments, as a process of its own: the same code as this one's, whatever the folder has.

    Its path stands for it and not its name, since ``python -m experiments`` runs the folder's own ``experiments``.
    """
    return python(str(ROOT / "experiments" / "__main__.py"), *arguments)


def _has_our_names(place: Path) -> bool:
    return any((place / name).exists() or (place / f"{name}.py").exists() for name in PACKAGES)
