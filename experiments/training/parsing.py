"""The command line as it is parsed: recipes by name, and mistakes in one line."""

from __future__ import annotations

import sys
from copy import deepcopy
from pathlib import Path
from typing import Any, ClassVar

import torch
import yaml
from jsonargparse import ActionConfigFile
from jsonargparse.typing import register_type
from pytorch_lightning.cli import LightningArgumentParser

from datamodules.errors import InputError
from experiments import recipes
from experiments.command_line.early import Early
from experiments.lightning_compat import int_before_float

from .errors import Mistake, mistake_in, place_of

register_type(torch.device)  # a callback's argument; otherwise a saved configuration says that it cannot be written


class Parser(LightningArgumentParser):
    """Says what is wrong in one line, without the page of usage before it; ``--config`` takes a recipe's name too."""

    own_recipes: Path | None = None
    """The folder of the user's own recipes."""
    early: Early | None = None
    """What of the command line is known; the parsers of classes, which jsonargparse makes, have none."""
    command: Parser | None = None
    """The subcommand's, of the parser above it."""
    said: ClassVar[list[Mistake]] = []
    """What parsers of classes have said, which is a part of the message of the parser above them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # The beginning of an option would be taken for it, but not where the command line is read early.
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})
        self._dumped: tuple[str, dict[str, Any]] = ("", {})

    def parse_args(self, args: Any = None, *more: Any, **options: Any) -> Any:
        """jsonargparse's; of a value two classes down (``--model.network.weights=null``) null stays null.

        It hands such an option on to the parser of the class as text, in which null has become the word ``None``.
        """
        if self.early is None and isinstance(args, list) and len(args) == 1 and str(args[0]).endswith("=None"):
            args = [f"{args[0].removesuffix('None')}null"]
        return super().parse_args(args, *more, **options)

    def plain(self, settings: Any) -> dict[str, Any]:
        """Settings as they are saved: nothing but words, numbers, lists and dictionaries.

        As long as they stay the same they are dumped once: it takes as long as a dozen steps of a small net, and the run's
        configuration and each of its checkpoints ask for it.
        """
        if self._dumped[0] != (said := repr(settings)):
            self._dumped = said, dict(yaml.safe_load(self.dump(settings, skip_none=False)))
        return deepcopy(self._dumped[1])

    def saved(self, plain: dict[str, Any]) -> str:
        """The text of a configuration file, as :meth:`dump` writes it, of settings that are plain already."""
        header = "".join(f"# {line}\n" for line in self.dump_header or ())
        return header + yaml.safe_dump(plain, default_flow_style=False, allow_unicode=True, sort_keys=False)

    def error(self, message: str, ex: Exception | None = None) -> Any:
        mistake = mistake_in(self, message, self.said, self.early is not None, self.command)
        if self.early is None:
            self.said.append(mistake)
            raise InputError(str(mistake))
        raise InputError(f"{place_of(mistake, self.early.layers, self.early.arguments)}{mistake}")

    def add_argument(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("action") is ActionConfigFile:
            kwargs |= {"action": Recipe, "help": "A recipe's name (lectern list shows them), or a YAML file; may be repeated."}
        int_before_float(kwargs)
        return super().add_argument(*args, **kwargs)


class Recipe(ActionConfigFile):  # type: ignore[misc]
    """A configuration file, by path or by a recipe's name, in each spelling that argparse has for an option."""

    def __call__(self, parser: Any, cfg: Any, values: Any, option_string: str | None = None) -> None:
        super().__call__(parser, cfg, str(recipes.path_of(values, parser.own_recipes)), option_string)


def say_what_is_hidden(files: list[Path], own: Path | None) -> None:
    """One line where a recipe of the user's own stands in front of Lectern's of the same name."""
    for path in files:
        if name := recipes.hides(path, own):
            print(f"lectern: --config {name} is {path}, and not Lectern's own recipe of that name", file=sys.stderr)
