"""The command ``lectern``: help at once, everything heavy only when it is used."""

from __future__ import annotations

import sys

HELP = """\
usage: lectern COMMAND [options]

Run what the slides show: train it, measure it, see whether the claim holds.

  fit        train an experiment:  lectern fit --config segmentation/fcn_transpose
  validate   score a checkpoint on the validation set
  test       score a checkpoint on the test set, and check what its recipe expects
  predict    apply a checkpoint to images:  lectern predict --ckpt_path … --data ImageFiles --data.root photos/
  doctor     what a configuration would do here, without training; with --run, one batch of it
  export     write a checkpoint's network as ONNX, checked against onnxruntime
  reproduce  the lectures' claims, each with its verdict:  lectern reproduce all
  dashboard  a local page: the verdicts, and the runs side by side
  list       tasks, data modules and recipes, and which fits which; your own too

lectern COMMAND --help shows a command's options; lectern fit --model.help NAME and --data.help NAME those of a class.
Recipes of your own are found by name in ./recipes, or in --recipes FOLDER; classes of your own in modules of the current
folder: --data my_data.MyCSV.
Any value of a recipe can be changed on the command line (--trainer.max_epochs 2); what it leaves open can be set by an
environment variable (LECTERN_FIT__TRAINER__DEVICES=2). LECTERN_TRACEBACK=1 shows where an error came from.
A configuration from a stranger is code: read it before you run it.
"""

TRAINER_COMMANDS = ("fit", "validate", "test", "predict")
COMMANDS = (*TRAINER_COMMANDS, "doctor", "export", "reproduce", "dashboard", "list")


def main() -> int:
    """Entry point; returns the exit code."""
    from . import own_folder_last

    own_folder_last()
    command = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if command in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if command == "--version":
        from importlib.metadata import version

        print(f"lectern {version('lectern')}")
        return 0
    if command in TRAINER_COMMANDS:
        from .training.cli import run

        return run()
    if command == "doctor":
        from .training.doctor import run as doctor

        return doctor()
    if command == "export":
        from .training.export import run as export

        return export(sys.argv[2:])
    if command == "reproduce":
        from .reproduction.reproduce import run as reproduce

        return reproduce(sys.argv[2:])
    if command == "dashboard":
        from .dashboard.launch import run as dashboard

        return dashboard(sys.argv[2:])
    if command == "list":
        import os

        from .training.catalog import run as list_all

        try:
            return list_all(sys.argv[2:])
        except BrokenPipeError:  # whoever reads has seen enough: lectern list | head
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            return 0
    print(f"lectern: no command '{command}'; there are {', '.join(COMMANDS)}", file=sys.stderr)
    return 2


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
