"""``lectern completion bash``: what a shell needs to complete commands, options, recipes, classes and studies.

shtab makes such scripts from a parser, but a parser of ours has to import torch to know its options, which takes seconds at
each key; what is completed here is read from source, in a tenth of one.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress

from datamodules.errors import InputError
from experiments import ROOT, recipes

from .declared import data_modules, tasks
from .guesses import COMMANDS, did_you_mean
from .help_pages import PAGES, PARTS, options

BASH = """\
_lectern() {
    local IFS=$'\\n' line="${COMP_LINE:0:COMP_POINT}"
    COMPREPLY=($(lectern completion words "$line" 2>/dev/null))
}
complete -o default -F _lectern lectern
"""
SCRIPTS = {"bash": BASH, "zsh": f"autoload -U +X bashcompinit && bashcompinit\n{BASH}"}
SWEEP = (
    *("--search", "--trials", "--jobs", "--launcher", "--slurm", "--monitor", "--mode", "--prune", "--search_seed"),
    *("--runs", "--name"),
)
"""The options of ``lectern sweep`` beside those of ``lectern fit``; a test compares them with its parser's."""
USAGE = 'usage: eval "$(lectern completion bash)" (or zsh), in ~/.bashrc (~/.zshrc) for good\n'


def run(arguments: list[str]) -> int:
    """Prints a shell's script, or for ``words LINE`` what may follow; returns the exit code.

    Raises:
        InputError: another shell is named.
    """
    if arguments[:1] == ["words"]:
        print("\n".join(candidates(arguments[1] if len(arguments) > 1 else "")))
        return 0
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stdout.write(USAGE)
        return 0
    if arguments[0] not in SCRIPTS:
        raise InputError(f"lectern completion {arguments[0]}: bash or zsh expected{did_you_mean(arguments[0], SCRIPTS)}")
    sys.stdout.write(SCRIPTS[arguments[0]])
    return 0


def candidates(line: str) -> list[str]:
    """What the last word of a command line may become.

    Args:
        line: up to the cursor, ``lectern`` included; a word that is yet to begin is empty.
    """
    words = line.split()[1:] + ([""] if line[-1:].isspace() or not line.split()[1:] else [])
    if len(words) < 2:
        return _beginning([*COMMANDS, "completion"], words[-1] if words else "")
    command, before, current = words[0], words[-2], words[-1]
    return _beginning(_possible(command, before, current), current)


def _possible(command: str, before: str, current: str) -> list[str]:
    if before in ("--config", "-c"):
        own = None
        with suppress(InputError):
            own = recipes.own_folder()
        return [*(recipes.names(own) if own else ()), *recipes.names()]
    if before in ("--model", "--model.help"):
        return list(tasks())
    if before in ("--data", "--data.help"):
        return list(data_modules())
    if command == "completion":
        return list(SCRIPTS)
    if command == "present":
        return [name for name in studies() if (ROOT / "experiments" / "lectures" / name).is_dir()]
    if command == "show":
        return ["--list", "--page", "--help"] if current.startswith("-") else demonstrations()
    if command == "reproduce":
        return ["--list", "--help"] if current.startswith("-") else ["all", *studies()]
    if current.startswith("-") and command == "sweep":
        return [*SWEEP, *(option for option in options("fit") if option not in SWEEP), "--help"]
    if command == "sweep" and before == "--launcher":
        return ["processes", "slurm", "local"]
    if current.startswith("-") and command in PAGES:
        known = dict.fromkeys([*options(command), *(options("fit") if command == "doctor" else ())])
        return [*known, *(f"--help.{part}" for part in PARTS), "--help", "--print_config"]
    return ["--help"] if current.startswith("-") else []


def demonstrations() -> list[str]:
    """The names of live demonstrations, as their list has them: it lies above this, and is read and not imported."""
    text = (ROOT / "experiments" / "showing" / "catalogue.py").read_text(encoding="utf-8")
    return re.findall(r'(?m)^    Shown\("([^"]+)"', text)


def studies() -> list[str]:
    """The names of lectures and studies: those of their folders and files."""
    found = sorted((ROOT / "experiments" / "lectures").glob("*/[!_]*.py"))
    return [*dict.fromkeys(path.parent.name for path in found), *(path.stem for path in found)]


def _beginning(words: list[str], start: str) -> list[str]:
    return [word for word in words if word.startswith(start)]
