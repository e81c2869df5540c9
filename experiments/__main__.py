"""The command ``lectern``: help at once, everything heavy only when it is used."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .command_line.answer import Signals

HELP = """\
usage: lectern COMMAND [options]

Run what the slides show: train it, measure it, see whether the claim holds.

  fit        train an experiment:  lectern fit --config segmentation/fcn_transpose
             --ckpt_path last goes on with an unfinished run, --init_from X.ckpt begins one with
             X's weights
  validate   score a checkpoint on the validation set
  test       score a checkpoint on the test set, and check what its recipe expects
  predict    apply a checkpoint to images:
             lectern predict --ckpt_path … --data ImageFiles --data.root photos/
             --pictures false draws none; an exported network (.onnx) is as good as a checkpoint
  doctor     what a configuration would do here, without training; with --run, one batch of it
  data       what a folder holds, what is wrong with it, what fits:  lectern data --data.root X
  explain    draw what a checkpoint looks at, beside random weights:  lectern explain --ckpt_path …
  export     write a checkpoint's network as ONNX, checked against onnxruntime
  reproduce  the lectures' claims, each with its verdict:  lectern reproduce all
  sweep      train with many values and say which are best:  lectern sweep --config NAME
             --search 'model.optimizer.lr=log(1e-4,1e-1)' --trials 20
  show       a live demonstration, or a study step by step:  lectern show relu, lectern show --list
  present    a lecture's claims, one a screen:  lectern present cnn
  dashboard  a local page: the verdicts, and the runs side by side
  list       tasks, data modules and recipes, and which fits which; your own too
  completion what a shell needs to complete all this:  eval "$(lectern completion bash)"

lectern COMMAND --help shows a command's options, --help.trainer and others all of a part;
lectern fit --model.help NAME and --data.help NAME those of a class.
Recipes of your own are found by name in ./recipes, or in --recipes FOLDER; classes of your own in
modules of the current folder: --data my_data.MyCSV.
Any value of a recipe can be changed on the command line (--trainer.max_epochs 2); what it leaves
open can be set by an environment variable (LECTERN_FIT__TRAINER__DEVICES=2).
LECTERN_TRACEBACK=1 shows where an error came from.
A run's folder stands for its best checkpoint: --ckpt_path runs/…/2026-01-31_12-00-00
Exit codes: 1 an expectation was missed or the loss diverged, 2 something given is wrong (one line
says what), 130 Ctrl-C, 143 SIGTERM.
A configuration from a stranger is code: read it before you run it. A checkpoint is data: what it
names of your own classes is built only with --trust my_package.
"""


def main() -> int:
    """Entry point; returns the exit code."""
    from . import own_folder_last

    own_folder_last()
    command = sys.argv[1] if len(sys.argv) > 1 else "--help"
    from .command_line.answer import STOPPED, answer

    return answer(
        lambda signals: _run(command, sys.argv[2:], signals),
        "stopped; the same command goes on from here" if command in ("reproduce", "sweep") else STOPPED,
    )


def _run(command: str, arguments: list[str], signals: Signals) -> int:
    if command in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if command in ("-V", "--version", "version"):
        from importlib.metadata import version

        print(f"lectern {version('lectern')}")
        return 0
    if (static := _static(command, arguments)) is not None:
        return static()

    from .command_line.help_pages import asked, page

    if (part := asked(command, arguments)) == "":
        print(page(command), end="")
        return 0
    if part:
        return _help_of(command, part, signals)
    from .command_line.early import check

    check(command, arguments)

    from .command_line.remembered import is_fixed, remembered

    run = _loading(command, arguments, signals)
    return remembered(command, arguments, run) if is_fixed(command, arguments) else run()


def _loading(command: str, arguments: list[str], signals: Signals) -> Callable[[], int]:
    """What answers a command with its libraries, which it imports."""
    from .command_line.waiting import waiting

    def run() -> int:
        with waiting():
            answered_by = _command(command)
        signals.importing = False
        return answered_by(arguments)

    return run


def _help_of(command: str, part: str, signals: Signals) -> int:
    """Prints a part of the page that the parser has of all options."""
    from contextlib import redirect_stdout
    from io import StringIO

    from .command_line.help_pages import part_of
    from .command_line.remembered import remembered

    sys.argv[1:] = [command, "--help"]  # where the parser looks
    with redirect_stdout(StringIO()) as said:
        code = remembered(command, ["--help"], _loading(command, ["--help"], signals))
    print(part_of(said.getvalue(), part), end="")
    return code


def _static(command: str, arguments: list[str]) -> Callable[[], int] | None:
    """What answers without any library: lists of what comes with Lectern; None where more is to be known."""
    if command == "completion":
        from .command_line.completion import run as completion

        return lambda: completion(arguments)
    if (command, arguments) == ("reproduce", ["--list"]):
        from .reproduction.overview import run as overview

        return overview
    if (command, arguments) == ("list", []):
        from . import recipes
        from .command_line.catalogue import run_static
        from .command_line.own_files import any_derives_from_ours

        return None if recipes.own_folder() or any_derives_from_ours() else run_static
    return None


def _command(command: str) -> Callable[[list[str]], int]:
    """A command's function; its libraries are imported here."""
    if command in ("fit", "validate", "test", "predict"):
        from .training.cli import run as train

        return lambda arguments: train()
    if command == "doctor":
        from .training.doctor import run as doctor

        return doctor
    if command == "data":
        from .inspecting.inspect import run as inspect

        return inspect
    if command == "explain":
        from .explaining.explain import run as explain

        return explain
    if command == "export":
        from .training.export import run as export

        return export
    if command == "reproduce":
        from .reproduction.reproduce import run as reproduce

        return reproduce
    if command == "sweep":
        from .sweeping.sweep import run as sweep

        return sweep
    if command == "show":
        from .showing.show import run as show

        return show
    if command == "present":
        from .showing.present import run as present

        return present
    if command == "dashboard":
        from .dashboard.launch import run as dashboard

        return dashboard
    if command == "list":
        from .training.catalog import run as list_all

        return list_all
    from datamodules.errors import InputError

    from .command_line.guesses import COMMANDS, command_meant

    known = f"; there are {', '.join(COMMANDS)}"
    raise InputError(f"no command '{command}'{command_meant(command) or known}")


if __name__ == "__main__":
    if not __package__:
        # Started by its path (experiments.command): the packages beside it are meant, whatever others sys.path has.
        root = __file__.rpartition("experiments")[0] or "."
        sys.path.insert(0, root)
        import experiments

        sys.path.remove(root)
        experiments.own_folder_last()
        import experiments.__main__ as here

        sys.exit(here.main())
    sys.exit(main())
