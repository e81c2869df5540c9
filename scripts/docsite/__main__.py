"""Builds the docs site, or serves it on this machine alone."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments import ROOT

CONFIG = Path(__file__).parent / "mkdocs.yml"
HOST = "127.0.0.1"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("scripts/docs", description=__doc__)
    parser.add_argument("what", choices=["build", "serve"], nargs="?", default="build")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "site", help="the folder to build into")
    parser.add_argument("--port", type=int, default=8530, help="of the page that `serve` shows (default: 8530)")
    options = parser.parse_args(arguments)
    try:
        from mkdocs.commands.build import build
        from mkdocs.commands.serve import serve
        from mkdocs.config import load_config
        from mkdocs.exceptions import Abort
    except ImportError as error:
        print(f"{error.name} is missing: pip install 'lectern[docs]'", file=sys.stderr)
        return 2
    if options.what == "serve":
        serve(str(CONFIG), dev_addr=f"{HOST}:{options.port}", watch=[str(Path(__file__).parent)])
        return 0
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    config = load_config(str(CONFIG), site_dir=str(options.output))
    config.plugins.on_startup(command="build", dirty=False)
    try:
        build(config)
    except Abort as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        config.plugins.on_shutdown()
    print(f"docs  {options.output / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
