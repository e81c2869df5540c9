"""Leeds Sports Poses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import scipy.io

from .common import Tiny, picture, save


def write_lsp(root: Path, count: int = 40, original: bool = False, size: tuple[int, int] = (40, 30)) -> Path:
    """joints.mat and images/: joint k of image i at (k + 1.25, 2 k + 1.75) by MATLAB's count; the first joint is flagged."""
    joints = np.zeros((14, 3, count))
    joints[:, 0] = (np.arange(14) + 1.25)[:, None]
    joints[:, 1] = (2 * np.arange(14) + 1.75)[:, None]
    joints[0, 2] = 1
    if not original:
        joints[:, 2] = 1 - joints[:, 2]  # its flag says labelled, the original's hidden
    for i in range(count):
        save(root / "images" / (f"im{i + 1:04d}.jpg" if original else f"im{i + 1:05d}.jpg"), picture(size, [], seed=i))
    scipy.io.savemat(root / "joints.mat", {"joints": joints.transpose(1, 0, 2) if original else joints})
    return root


TINY = {"LSP": Tiny(write_lsp, image_size=20)}
