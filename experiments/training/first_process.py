"""Whether this process speaks for all of a distributed run, before Lightning has set any of them up."""

from __future__ import annotations

import os


def is_first_process() -> bool:
    """Whether this is the first rank of a distributed run, or the only process.

    It is read from what torchrun (RANK), SLURM's srun (SLURM_PROCID) and Lightning's own launcher (LOCAL_RANK and NODE_RANK)
    tell a process, in this order; a job script that runs without srun is the first of its own.
    """
    for name in ("RANK", "SLURM_PROCID"):
        if name in os.environ:
            return os.environ[name] == "0"
    return os.environ.get("LOCAL_RANK", "0") == "0" and os.environ.get("NODE_RANK", os.environ.get("GROUP_RANK", "0")) == "0"
