"""What somebody may have meant who typed a command or an option of another program. A guess is said, and never done."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

COMMANDS = (
    *("fit", "validate", "test", "predict", "doctor", "data", "explain", "export"),
    *("reproduce", "sweep", "show", "present", "dashboard", "list", "completion"),
)

COMMAND_MEANT = {
    "train": "fit",
    "run": "fit",
    "resume": "fit --ckpt_path last",
    "eval": "validate` or `lectern test",
    "evaluate": "validate` or `lectern test",
    "val": "validate` or `lectern test",
    "score": "validate` or `lectern test",
    "infer": "predict",
    "inference": "predict",
    "detect": "predict",
    "visualize": "explain",
    "visualise": "explain",
    "gradcam": "explain",
    "saliency": "explain",
    "onnx": "export",
    "convert": "export",
    "check": "doctor",
    "dataset": "data",
    "inspect": "data",
    "stats": "data",
    "tensorboard": "dashboard",
    "ui": "dashboard",
    "serve": "dashboard",
    "ls": "list",
    "tune": "sweep",
    "search": "sweep",
    "hpo": "sweep",
    "optuna": "sweep",
    "demo": "show",
    "slides": "present",
    "recipes": "list",
    "claims": "reproduce --list",
    "study": "reproduce",
}
"""What other programs call a command."""

OPTION_MEANT = {
    "lr": "--model.optimizer.lr",
    "learning_rate": "--model.optimizer.lr",
    "weight_decay": "--model.optimizer.weight_decay",
    "momentum": "--model.optimizer.momentum",
    "optimizer": "--model.optimizer",
    "network": "--model.network",
    "epochs": "--trainer.max_epochs",
    "max_epochs": "--trainer.max_epochs",
    "max_steps": "--trainer.max_steps",
    "steps": "--trainer.max_steps",
    "batch": "--data.batch_size",
    "batch_size": "--data.batch_size",
    "bs": "--data.batch_size",
    "gpus": "--trainer.devices",
    "devices": "--trainer.devices",
    "device": "--trainer.accelerator",
    "accelerator": "--trainer.accelerator",
    "strategy": "--trainer.strategy",
    "precision": "--trainer.precision",
    "amp": "--trainer.precision 16-mixed",
    "fast_dev_run": "--trainer.fast_dev_run",
    "seed": "--seed_everything",
    "workers": "--data.workers",
    "num_workers": "--data.workers",
    "resume": "--ckpt_path last",
    "image_size": "--data.image_size",
    "imgsz": "--data.image_size",
    "img_size": "--data.image_size",
    "root": "--data.root",
    "source": "--data ImageFiles --data.root",
    "images": "--data ImageFiles --data.root",
    "checkpoint_path": "--ckpt_path",
    "ckpt": "--ckpt_path",
    "weights": "--ckpt_path",
    "recipe": "--config",
    "cfg": "--config",
    "output_dir": "--runs",
    "out": "--runs",
    "wandb.project": "the environment variable WANDB_PROJECT",
    "wandb.name": "--name",
    "wandb.mode": "--wandb online",
    "wandb.entity": "the environment variable WANDB_ENTITY",
    "wandb.group": "the environment variable WANDB_RUN_GROUP",
    "wandb.run_group": "the environment variable WANDB_RUN_GROUP",
}
"""What other programs call an option of the trainings; none of these is one here. ``-`` is read as ``_``."""


def command_meant(word: str) -> str:
    """``; did you mean …?`` where a word is like a command, and nothing where it is not."""
    if word.startswith("-"):
        return "; the command comes first, as in `lectern fit --config NAME`"
    near = COMMAND_MEANT.get(word.lower()) or next(iter(close(word.lower(), [*COMMANDS, *COMMAND_MEANT])), "")
    return f"; did you mean `lectern {COMMAND_MEANT.get(near, near)}`?" if near else ""


def option_meant(argument: str, following: str = "") -> str:
    """The option that an argument of another program's stands for; empty where it is none that is known.

    Args:
        argument: ``--option`` or ``--option=value``.
        following: what comes after it.
    """
    name, equals, value = argument.lstrip("-").partition("=")
    name = name.replace("-", "_")
    if name == "checkpoint":  # also the name of KeepLast's settings, which are no file
        return "--ckpt_path" if (value if equals else following).endswith((".ckpt", ".pt", ".pth")) else ""
    return OPTION_MEANT.get(name, "")


GROUPS = (
    *(
        "config",
        "c",
        "recipes",
        "trust",
        "print_config",
        "seed_everything",
        "trainer",
        "model",
        "data",
        "runs",
        "name",
        "version",
    ),
    *("overwrite", "init_from", "wandb", "rank_timeout", "on_nan", "expect", "pictures", "checkpoint", "ckpt_path"),
    *("test_at_end", "findings", "weights_only", "verbose", "return_predictions", "help", "h", "run"),
)
"""What the options of the trainings and evaluations begin with, up to the first dot."""


def misspelt(argument: str, own: Iterable[str] = ()) -> str:
    """The option, with its dashes, that an argument is spelled like, where it is none itself; empty where it is like none.

    Args:
        argument: as it is typed.
        own: the options of the command, with their dashes, beside :data:`GROUPS`.
    """
    known = dict.fromkeys([*GROUPS, *(option.lstrip("-").partition(".")[0] for option in own)])
    name = argument.lstrip("-").partition("=")[0].rstrip("+")
    begin, dot, rest = name.replace("-", "_").partition(".")
    if not argument.startswith("--") or begin in known:
        return ""
    near = close(begin, known, 0.75)
    return f"--{near[0]}{dot}{rest}" if near else ""


def words_without_option(arguments: Iterable[str]) -> list[str]:
    """Those that follow no option: each of ours takes one value, but for flags that stand alone."""
    words, value_next = [], False
    for argument in arguments:
        if argument.startswith("-") and not argument[1:2].isdigit():
            value_next = "=" not in argument and argument not in FLAGS
        elif value_next:
            value_next = False
        else:
            words.append(argument)
    return words


FLAGS = ("--run", "-h", "--help", "--print_config")


def close(word: str, known: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """Up to three known words that are spelled like this one, the most alike first."""
    return get_close_matches(word, list(known), n=3, cutoff=cutoff)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean …?`` with the known words that are spelled like this one, and nothing where none is."""
    found = close(word, known)
    return f"; did you mean {' or '.join(found)}?" if found else ""
