"""What is drawn of each image for a task that makes its own targets: noise, a rotation."""

from __future__ import annotations

import numpy as np
import torch

from datamodules.scene import Batch

from .base import Task
from .draws import generator


def image_rngs(task: Task, batch: Batch) -> list[torch.Generator]:
    """A generator on the CPU for each image of a batch.

    In training it is that of (the run's seed, the epoch, the image); in evaluation that of the image alone, whatever the seed,
    so that all runs are judged on the same draws. It depends neither on the batch nor on the process.
    """
    indices = batch["index"].tolist()
    if task.training:
        return [generator(task.current_epoch, index) for index in indices]
    states = [np.random.SeedSequence(index).generate_state(1, np.uint64)[0] for index in indices]
    return [torch.Generator().manual_seed(int(state) >> 1) for state in states]
