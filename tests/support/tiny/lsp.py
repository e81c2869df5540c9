"""Leeds Sports Poses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import scipy.io

from .common import Tiny, picture, save


def write_lsp(root: Path, count: int = 40, original: bool = False, size: tuple[int, int] = (40, 30)) -> Path:
    """joints.mat and images/: keypoint k of image i at (k + 1.25, 2 k + 1.75) by MATLAB's count; the first is flagged."""
    keypoints = np.zeros((14, 3, count))
    keypoints[:, 0] = (np.arange(14) + 1.25)[:, None]
    keypoints[:, 1] = (2 * np.arange(14) + 1.75)[:, None]
    keypoints[0, 2] = 1
    if not original:
        keypoints[:, 2] = 1 - keypoints[:, 2]  # its flag says labelled, the original's hidden
    for i in range(count):
        save(root / "images" / (f"im{i + 1:04d}.jpg" if original else f"im{i + 1:05d}.jpg"), picture(size, [], seed=i))
    scipy.io.savemat(root / "joints.mat", {"joints": keypoints.transpose(1, 0, 2) if original else keypoints})
    return root


TINY = {"LSP": Tiny(write_lsp, image_size=20)}
