"""What grows with the number of processes: seconds of the clock, for the same work."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from datamodules.shapes import Shapes
from experiments import command
from experiments.runs.files import read_summary


def with_workers(workers: int) -> float:
    """Seconds of the clock to draw 512 scenes with so many processes beside this one, their start left out."""
    data = Shapes(image_size=64, batch_size=32, workers=workers, train=1024)
    loader = iter(data.train_dataloader())
    for _ in range(8):
        next(loader)
    began = time.perf_counter()
    for _ in range(16):
        next(loader)
    return time.perf_counter() - began


def with_ranks(ranks: int) -> float:
    """Seconds of the clock that ``lectern fit`` trains on the same 60 batches with so many processes, a thread each."""
    with tempfile.TemporaryDirectory() as folder:
        options = [
            "fit",
            "-c",
            "segmentation/small_shapes",
            "--trainer.max_steps=60",
            "--data.train=960",
            "--data.batch_size=12",
            "--test_at_end=false",
        ]
        options += [f"--trainer.devices={ranks}", "--trainer.accelerator=cpu", "--data.workers=0", "--runs", folder]
        options += [f"--trainer.strategy={'ddp' if ranks > 1 else 'auto'}", "--name", "scale"]
        quiet = {"WANDB_MODE": "disabled", "OMP_NUM_THREADS": "1"}
        subprocess.run(command(*options), check=True, env=os.environ | quiet, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        run = next((Path(folder) / "scale").iterdir())
        return 720 / float(read_summary(run)["images_per_second"])
