"""The one exchange between processes that metrics need."""

from __future__ import annotations

from typing import Any

import torch.distributed as dist


def gather_objects(own: Any) -> list[Any]:
    """What each process holds, in the order of their ranks; ``[own]`` where there is only one process.

    Unlike a gather of tensors it takes any number of items from each process, none included, and loses none.
    """
    if not (dist.is_available() and dist.is_initialized()):
        return [own]
    gathered: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(gathered, own)
    return gathered
