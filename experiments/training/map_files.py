"""Maps as files: what a pixel is, and in which colour it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from .legend import class_table


def write_map(path: Path, values: Tensor, names: Sequence[str]) -> Path:
    """Writes a map (H, W): of classes as a PNG, of a quantity as a NumPy array; returns the file, ``path`` with its ending.

    The PNG has a palette, the colours of the pictures: a viewer shows which class is where, and Pillow reads the class indices
    (``np.asarray(Image.open(path))``). OpenCV applies the palette, and reads colours.

    Args:
        path: without an ending.
        values: uint8 where it counts classes.
        names: of the classes; none of a quantity.
    """
    if names:
        picture = Image.fromarray(values.numpy().astype(np.uint8)).convert("P")
        picture.putpalette(class_table(names)[0].tobytes())
        picture.save(path := path.with_name(f"{path.name}.png"), compress_level=1)
    else:
        np.save(path := path.with_name(f"{path.name}.npy"), values.numpy())
    return path
