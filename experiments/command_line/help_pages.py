"""``lectern fit --help`` and its like on one screen, without any library: our own options first, and where the rest is.

``--help.trainer`` and the others show a part of the parser's own page, which has every option: some six hundred lines.
"""

from __future__ import annotations

import re

from datamodules.errors import InputError

from .guesses import did_you_mean

PARTS = ("trainer", "model", "data", "pictures", "checkpoint", "all")
"""What ``--help.PART`` shows."""

Rows = tuple[tuple[str, str], ...]

GIVEN: Rows = (
    ("--config NAME, -c NAME", "a recipe's name (lectern list has them) or a YAML file; may be repeated"),
    ("--recipes FOLDER", "of your own recipes, for --config NAME; ./recipes by default"),
    ("--model CLASS", "the task, or --model.KEY VALUE: a value of its (--model.help CLASS)"),
    ("--data CLASS", "the data module, or --data.KEY VALUE (--data.help CLASS)"),
    ("--data.root FOLDER", "where the data lie"),
    ("--data.batch_size N", "images a step; --data.image_size N, --data.workers N"),
)
PLACE: Rows = (("--runs FOLDER", "of all runs; ./runs by default"),)
SHOWN: Rows = (
    ("--pictures false", "draws none; --pictures.count N, --pictures.every_n_epochs N"),
    ("--pictures.min_score S", "objects of a lower score are not drawn (0.3)"),
)
LOOKED_AT: Rows = (
    ("--trainer.accelerator A", "cpu, gpu, mps, auto"),
    ("--trainer.devices N", "GPUs or processes"),
    ("--trainer.precision P", "32-true, bf16-mixed, 16-mixed"),
)
MACHINE: Rows = (*LOOKED_AT, ("--trainer.fast_dev_run 1", "one batch of everything, and nothing is written"))
CHECKPOINT = ("--ckpt_path PATH", "a checkpoint, an exported network (.onnx), or a run's folder (its best)")
EXPLAINED = ("--ckpt_path PATH", "a checkpoint, or a run's folder (its best)")
TRUST = ("--trust PACKAGE", "a package of your own whose classes the checkpoint may name")

FINDINGS = ("--findings false", "does not write what went wrong, and where")

PAGES: dict[str, tuple[str, tuple[tuple[str, Rows], ...]]] = {
    "fit": (
        "Trains an experiment: a recipe, with whatever is changed on the command line.",
        (
            ("what is trained, on what", GIVEN),
            (
                "the run",
                (
                    ("--name NAME", "of the run; the recipe's by default"),
                    ("--version NAME", "of the run's folder; the time by default; --overwrite true replaces it"),
                    *PLACE,
                    ("--ckpt_path last", "goes on with an unfinished run (or PATH, a last.ckpt)"),
                    ("--init_from PATH", "begins a new run with the weights of a checkpoint or state dict"),
                    ("--seed_everything N", "of weights, data and augmentation (0)"),
                    ("--trainer.max_epochs N", "or --trainer.max_steps N, --trainer.max_time 00:01:00:00"),
                ),
            ),
            (
                "what it shows and keeps",
                (
                    *SHOWN,
                    ("--checkpoint.minutes N", "between two checkpoints to go on from; --checkpoint.steps N"),
                    ("--wandb MODE", "auto (online where you are logged in), online, offline, disabled"),
                    ("--test_at_end false", "does not test best.ckpt and last.ckpt at its end; --findings false"),
                    ("--on_nan stop", "where a loss is not finite; or continue"),
                    ("--expect", "what lectern test checks, such as {test/miou: '>= 0.8'}"),
                ),
            ),
            ("the machine", (*MACHINE, ("--rank_timeout N", "minutes until a silent rank ends the run (5)"))),
        ),
    ),
    "validate": (
        "Scores a checkpoint on its validation set.",
        (
            ("what is scored", (CHECKPOINT, TRUST, *GIVEN[3:])),
            ("where", PLACE),
            ("pictures", (*SHOWN, FINDINGS)),
            ("the machine", MACHINE),
        ),
    ),
    "test": (
        "Scores a checkpoint on its test set, and checks what its recipe expects.",
        (
            ("what is scored", (CHECKPOINT, TRUST, *GIVEN[3:], ("--expect null", "expects nothing"))),
            ("where", PLACE),
            ("pictures", (*SHOWN, FINDINGS)),
            ("the machine", MACHINE),
        ),
    ),
    "predict": (
        "Applies a checkpoint to images: a picture of each, and one JSON.",
        (
            ("what is applied, to what", (CHECKPOINT, TRUST, ("--data ImageFiles", "a folder of images, or one"), *GIVEN[4:])),
            ("where", PLACE),
            ("pictures", (("--pictures false", "draws none"), SHOWN[1])),
            ("the machine", MACHINE),
        ),
    ),
    "doctor": (
        "Says what lectern fit would do here with the same options, without training.",
        (
            ("what would be trained, on what (every option of lectern fit may stand here)", GIVEN),
            (
                "the run",
                (
                    ("--run", "also takes a step on one batch, and measures it with other options"),
                    ("--runs FOLDER", "whose disk is looked at; ./runs by default"),
                    ("--trainer.max_epochs N", "or --trainer.max_steps N: how many steps that is"),
                    ("--wandb MODE", "says whether W&B would be online or offline"),
                ),
            ),
            ("the machine", LOOKED_AT),
        ),
    ),
    "explain": (
        "Draws what a checkpoint looks at, beside the same network with random weights, on one page.",
        (
            ("what is explained, on what", (EXPLAINED, TRUST, ("--data ImageFiles", "a folder of images, or one"), *GIVEN[4:])),
            (
                "how",
                (
                    ("--methods A,B", "by default all: gradients, guided_backpropagation, deconvnet, grad_cam,"),
                    ("", "occlusion, filters, feature_maps, activation_maximisation, nine_images"),
                    ("--layer NAME", "whose maps are shown, as features.28; by default the last convolution"),
                    ("--target CLASS", "that is explained, by name or number; by default each image's own"),
                    ("--limit N", "images that are explained, the first of the test set (4)"),
                    ("--search N", "of how many images those that excite a channel most are shown (256)"),
                ),
            ),
            ("where", (("--output FOLDER", "of the page; by default evaluations/<time>/ of the run"), *PLACE)),
            ("the machine", LOOKED_AT[:1]),
        ),
    ),
}

USAGES = {"fit": "--config NAME", "validate": "--ckpt_path PATH", "test": "--ckpt_path PATH"}
USAGES["predict"] = "--ckpt_path PATH --data ImageFiles --data.root FOLDER"
USAGES |= {"doctor": "--config NAME", "explain": "--ckpt_path PATH"}


def asked(command: str, arguments: list[str]) -> str | None:
    """The part of the help that a command line asks for, empty for the page of one screen; None where it asks for none.

    Raises:
        InputError: there is no such part.
    """
    if command not in PAGES:
        return None
    for argument in arguments:
        if argument in ("-h", "--help"):
            return ""
        if argument.startswith("--help."):
            if (part := argument.removeprefix("--help.")) not in PARTS:
                raise InputError(
                    f"{argument}: no such part of the help{did_you_mean(part, PARTS)}; there are {', '.join(PARTS)}"
                )
            return part
    return None


def page(command: str) -> str:
    """The help of one screen."""
    says, groups = PAGES[command]
    lines = [f"usage: lectern {command} {USAGES[command]} [options]", "", says]
    for title, rows in groups:
        lines += ["", f"{title}:", *(f"  {option:26} {text}" for option, text in rows)]
    lines += [
        "",
        "all options:",
        f"  {'--help.trainer':26} those of the trainer; also --help.model, .data, .pictures, .checkpoint",
        f"  {'--help.all':26} every option of this command",
        f"  {'--print_config':26} the configuration that would be used, as YAML",
    ]
    return "\n".join(lines) + "\n"


def part_of(text: str, part: str) -> str:
    """A part of the parser's page, without the names of environment variables, which are the options' own in capitals."""
    kept = [re.sub(r"^  ARG:   ", "  ", line) for line in text.splitlines() if not line.startswith("  ENV:")]
    if part == "all":
        return "\n".join(kept) + "\n"
    starts = [i for i, line in enumerate(kept) if line[:1].strip() and line.rstrip().endswith(":")]
    for begin, end in zip(starts, [*starts[1:], len(kept)], strict=True):
        if any(line.startswith((f"  --{part} ", f"  --{part}.")) for line in kept[begin:end]):
            return "\n".join(kept[begin:end]).rstrip() + "\n"
    return "\n".join(kept) + "\n"


def options(command: str) -> list[str]:
    """The options that a command's page names, as they are typed."""
    _, groups = PAGES[command]
    rows = [text for _, pairs in groups for pair in pairs for text in pair]
    found = re.findall(r"(?<![\w-])--?[a-z][\w.]*", " ".join(rows))
    return list(dict.fromkeys(option.rstrip(".") for option in found if option not in ("--model.KEY", "--data.KEY")))
