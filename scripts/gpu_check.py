"""What a GPU does with Lectern: every recipe for some steps, interruptions, CIFAR-10 in seconds; as Markdown for docs/log.md.

It needs what ``lectern fit`` needs: pip install torch torchvision pytorch-lightning torchmetrics jsonargparse[signatures]
albumentations faster-coco-eval scipy; wandb may be missing. Nothing is downloaded: a recipe whose data set is not drawn and
whose folder --data does not name is left out, by name; pretrained backbones begin with random weights.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

NEEDED = ("torch", "torchvision", "pytorch_lightning", "torchmetrics", "jsonargparse", "albumentations", "faster_coco_eval")
PRECISIONS = ("32-true", "bf16-mixed")
FAST = "classification/cifar10_fast"
KILLED = (FAST, "classification/small_shapes", "segmentation/small_shapes", "detection/regions_small_shapes")
"""Of each kind one, and one whose network is recorded."""
PARTS = ("recipes", "kills", "two", "cifar10")


def main(arguments: list[str] | None = None) -> int:
    """The command; 2 where nothing can be measured, 1 where something failed."""
    parser = argparse.ArgumentParser(
        "scripts/gpu-check", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu tries the script itself")
    parser.add_argument("--steps", type=int, default=20, help="of each recipe")
    parser.add_argument("--recipes", nargs="+", metavar="NAME", help="those alone; all otherwise")
    parser.add_argument("--data", nargs="+", default=[], metavar="CLASS=FOLDER", help="where data sets lie: CIFAR10=/data")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what is measured")
    options = parser.parse_args(arguments)
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        return _nothing(f"{', '.join(missing)} missing: --help says what to install")
    import torch

    if options.device == "cuda" and not torch.cuda.is_available():
        return _nothing("this machine has no GPU that torch can use; --device cpu --steps 2 tries the script without")
    name = torch.cuda.get_device_name() if options.device == "cuda" else platform.machine()
    print(f"{name}, torch {torch.__version__}, {options.steps} steps\n", flush=True)
    failed = False
    for line in _lines(options):
        failed |= "failed" in line or "Error" in line
        print(line, flush=True)
    return int(failed)


def _nothing(why: str) -> int:
    print(f"gpu-check: {why}", file=sys.stderr)
    return 2


def _lines(options: argparse.Namespace) -> Iterator[str]:
    from experiments import recipes

    from . import gpu_check_runs as runs

    roots = dict(entry.split("=", 1) for entry in options.data)
    chosen = [runs.recipe(name) for name in options.recipes or recipes.names()]
    there = [recipe for recipe in chosen if recipe.data == "Shapes" or recipe.data in roots]
    device = options.device
    if "recipes" in options.parts:
        yield "| recipe | precision | images/s | plain loop | lectern ÷ plain | peak MiB | seconds in all |"
        yield "|---|---|---|---|---|---|---|"
        cases = [(recipe, precision) for recipe in there for precision in PRECISIONS]
        for (recipe, precision), got in zip(cases, runs.speeds(cases, device, options.steps, roots), strict=True):
            figures = (
                f"{got.images:.0f} | {got.plain:.0f} | {got.images / max(1e-9, got.plain):.2f} | {got.mib} | {got.seconds:.0f}"
            )
            yield f"| {recipe.name} | {precision} | {got.error + ' | | | |' if got.error else figures} |"
        yield ""
    for recipe in chosen:
        if recipe not in there:
            yield f"- {recipe.name}: left out, no {recipe.data} here (--data {recipe.data}=FOLDER)"
    steps = max(4, options.steps)
    killed = [recipe for recipe in there if "kills" in options.parts and recipe.name in KILLED]
    with ThreadPoolExecutor() as threads:  # side by side: what they cost is not measured
        ends = threads.map(lambda recipe: runs.killed_and_resumed(recipe, device, steps, roots), killed)
        yield from (f"- {recipe.name}: {end}" for recipe, end in zip(killed, ends, strict=True))
    if "two" in options.parts and there:
        yield f"- two runs of {there[0].name} at once: {runs.two_at_once(there[0], device, steps, roots)}"
    for recipe in there:
        if "cifar10" in options.parts and recipe.name == FAST:
            yield f"- {FAST}: {runs.cifar10_fast(recipe, device, roots)}"


if __name__ == "__main__":
    sys.exit(main())
