"""The options of a command that has few: argparse's, whose mistakes are one line."""

from __future__ import annotations

import argparse
import re
from typing import NoReturn

from datamodules.errors import InputError

from .guesses import did_you_mean


class Options(argparse.ArgumentParser):
    """Says what is wrong without the page of usage before it, and takes no option by its beginning alone."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Raises InputError, which names the option that is spelled most like an unknown one."""
        hint = ""
        if unknown := re.match(r"unrecognized arguments: (\S+)", message):
            hint = did_you_mean(unknown[1].partition("=")[0], self._option_string_actions)
        elif choice := re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message):
            hint = did_you_mean(choice[1], re.findall(r"[\w-]+", choice[2]))
        raise InputError(f"{self.prog}: {message}{hint}")
