"""A process with the libraries loaded and none of our code, which runs ``lectern reproduce --check`` in a fork for each line.

Run as a program in a copy of the tree: each check imports that copy's code as it then is. A line of stdin is a file to write
to; the answer is a line with the exit code.
"""

from __future__ import annotations

import compileall
import os
import py_compile
import runpy
import sys
from pathlib import Path


def serve() -> None:
    """Until stdin ends."""
    import albumentations  # noqa: F401
    import pydantic  # noqa: F401
    import pytorch_lightning.cli  # noqa: F401
    import scipy.stats  # noqa: F401
    import skimage.segmentation  # noqa: F401
    import sklearn.svm  # noqa: F401
    import torchmetrics.detection  # noqa: F401
    import torchvision  # noqa: F401
    import wandb  # noqa: F401

    for package in ("datamodules", "lightning_modules", "experiments"):  # by content: an edit within a second has the same time
        compileall.compile_dir(package, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    for line in sys.stdin:
        if (pid := os.fork()) == 0:
            output = os.open(line.strip(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(output, 1)
            os.dup2(output, 2)
            sys.dont_write_bytecode = True
            sys.argv = ["lectern", "reproduce", "--check"]
            runpy.run_path(str(Path("experiments", "__main__.py")), run_name="__main__")
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
