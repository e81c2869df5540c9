"""Where randomness that enters a loss comes from: the run's seed, the epoch and the image, not the batch or the process."""

from __future__ import annotations

import os

import numpy as np
import torch


def generator(*key: int) -> torch.Generator:
    """A generator on the CPU, seeded by the run's seed and whole numbers from 0; the same for the same ``key``."""
    # Lightning's seed_everything (--seed_everything on the command line) keeps the seed there.
    seed = int(os.environ.get("PL_GLOBAL_SEED", 0))
    state = np.random.SeedSequence([seed, *key]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]) >> 1)
