"""``lectern explain``: what a checkpoint looks at, on one page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonargparse.typing import PositiveInt
from pytorch_lightning.cli import LightningArgumentParser

from datamodules.scene import COMPUTED, Batch, InputError, unbind
from experiments.command_line.early import read_early
from experiments.training.checkpoint_io import check_weights, load
from experiments.training.cli import LecternCLI, run_cli
from experiments.training.exported import SUFFIX
from experiments.training.rebuilding import run_folder_of

from .explanation import Explainer, Explanation
from .methods import METHODS, chosen
from .page import place_for, write_page
from .strips import add_channels, add_feature_maps, add_filters


class Explain(LecternCLI):
    """Builds what ``lectern predict`` builds with the same arguments, and draws what the network looks at."""

    def __init__(self, args: list[str]) -> None:
        super().__init__(["predict", *args])

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        super().add_arguments_to_parser(parser)
        parser.add_argument("--layer", type=str, default="", help="whose maps are shown; by default the last convolution")
        parser.add_argument(
            "--target", type=str, default="", help="the class that is explained, by name or number; by default each image's own"
        )
        parser.add_argument("--methods", type=str, default="", help=f"some of {','.join(METHODS)}; by default all")
        parser.add_argument("--limit", type=PositiveInt, default=4, help="images that are explained, the first of the test set")
        parser.add_argument(
            "--search", type=PositiveInt, default=256, help="images among which those that excite a channel most are looked for"
        )
        parser.add_argument("--output", type=str | None, default=None, help="the page's folder; by default in the run's folder")

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        path = read_early(list(args)).checkpoint or ""
        if Path(path).suffix == SUFFIX:
            raise InputError(f"{path}: an exported network has no gradients; explain its checkpoint")
        super().parse_arguments(parser, args)

    def before_instantiate_classes(self) -> None:
        config = self.config["predict"]
        config["wandb"], config["trainer"]["logger"] = "disabled", False
        super().before_instantiate_classes()
        self.methods = chosen(config.methods)
        run = run_folder_of(Path(config.ckpt_path)) or Path(config.runs) / config.name
        self.place = place_for(Path(config.output) if config.output else None, run)
        self.take_folder: Any = lambda: None  # the page is written whole, when all of it is there

    def run_subcommand(self, subcommand: str) -> None:
        config, task, data = self.config["predict"], self.model, self.datamodule
        path = Path(config.ckpt_path)
        self._load(path)
        task.to(self.trainer.strategy.root_device)
        known = task.needs <= data.provides | COMPUTED
        data.require(task.needs | (task.uses & data.provides) if known else task.needs & COMPUTED)
        data.originals = False
        batches = list(self._batches(max(config.limit, config.search if self._searches else 0)))
        explainer = Explainer(task, config.layer, batches[0])
        page = Explanation(explainer.layer, {name: m for name, m in self.methods.items() if m.draw})
        left = config.limit
        for batch in batches:
            if left > 0 and page.maps:
                explainer.add_maps(page, _first(batch, left), config.target)
                left -= len(batch["image"])
        if "filters" in self.methods:
            add_filters(page, explainer)
        if "feature_maps" in self.methods:
            add_feature_maps(page, explainer, explainer.sample)
        if self._searches:
            add_channels(
                page,
                explainer,
                [scene["image"] for batch in batches for scene in unbind(batch)],
                maximise="activation_maximisation" in self.methods,
                nine="nine_images" in self.methods,
            )
        facts = {
            "checkpoint": str(path),
            "task": type(task).__name__,
            "network": type(task.network).__name__,
            "data": f"{type(data).__name__} ({data.metadata.name})",
            "image_size": " x ".join(map(str, data.image_size)),
        }
        print(f"page  {write_page(self.place, page, self.methods, facts)}")

    def _load(self, path: Path) -> None:
        """Gives the task its weights.

        Raises:
            InputError: they are not of its shapes, as where a linear layer was trained on images of another size.
        """
        weights = load(path)["state_dict"]
        trained_on = tuple(self.saved.metadata.get("image_size", ())) if self.saved else ()
        try:
            check_weights(self.model, weights, path)
        except InputError as error:
            if trained_on in ((), self.datamodule.image_size):
                raise
            size = " x ".join(map(str, trained_on))
            raise InputError(f"data.image_size: the network takes images of {size} pixels (H x W) alone ({error})") from None
        self.model.load_state_dict(weights)

    @property
    def _searches(self) -> bool:
        return bool({"activation_maximisation", "nine_images"} & self.methods.keys())

    def _batches(self, most: int) -> Iterator[Batch]:
        """Batches of the test set, with ``most`` scenes together."""
        self.datamodule.prepare_data()
        self.datamodule.setup("predict")
        left = most
        for batch in self.datamodule.predict_dataloader():
            if batch is None:  # every scene of it was left out
                continue
            yield _first(batch, left)
            left -= len(batch["image"])
            if left <= 0:
                break
        if left == most:
            raise InputError(f"{type(self.datamodule).__name__}: no scene of the test split can be used")


def _first(batch: Batch, count: int) -> Batch:
    """The first scenes of a batch."""
    found: Any = {field: values[:count] for field, values in batch.items()}  # type: ignore[index]
    return found  # type: ignore[no-any-return]


def run(arguments: list[str]) -> int:
    """The command; returns its exit code."""
    return run_cli(lambda: Explain(arguments))
