"""What eight-bit grey values mean, and a net that was trained on digits as they are."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageColor
from sklearn.datasets import load_digits
from torch import Tensor, nn

from datamodules.images import read_image
from experiments.measures.small_training import classifier, cross_entropy, error, seeded, train
from experiments.studies.study import Measured

from ._drawn import digest

AS_IS, INVERTED = "as it is", "inverted"
TEST_ERROR = "test error"
LR = 0.1
"""One net is shown both test sets, so that its rate favours neither."""


def grey_png(path: Path, values: bytes) -> None:
    """A PNG of one row of eight-bit grey values, byte by byte, so that no library's view of black is in it."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", len(values), 1, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0" + values)), chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def light(value: float) -> float:
    """The light that a screen gives for an eight-bit value, of that of its white: IEC 61966-2-1 (sRGB)."""
    share = value / 255
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)


def digits(seed: int) -> tuple[Tensor, Tensor]:
    """1,797 scanned digits of 8 × 8 pixels, uint8 (N, 1, 8, 8), their ink 255, in an order of ``seed``; and their classes."""
    found = load_digits()
    order = np.random.default_rng(seed).permutation(len(found.target))
    images = np.rint(found.images[order] * (255 / 16)).astype(np.uint8)[:, None]
    return torch.from_numpy(images), torch.from_numpy(found.target[order]).long()


def net_of(images: Tensor) -> nn.Module:
    return classifier(images, 10, widths=(16, 32))


def measure(*, seed: int, folder: Path, shown: str) -> Measured:
    """Test error of a net that was trained on digits as they are; and what a PNG of 0 and 255 decodes to."""
    images, labels = digits(seed)
    split = 1000
    net = seeded(lambda: net_of(images[:split]), seed)
    train(net, images[:split], cross_entropy(labels[:split]), steps=300, lr=LR, seed=seed)
    test = images[split:] if shown == AS_IS else 255 - images[split:]
    folder.mkdir(parents=True, exist_ok=True)
    grey_png(folder / "grey.png", bytes([0, 255]))
    black, white = read_image(folder / "grey.png")[:, 0].T.tolist()
    values = {"of 0": light(black[0]), "of 255": light(white[0]), "named black": float(ImageColor.getrgb("black")[0])}
    values["drawn black"] = float(np.asarray(Image.new("L", (1, 1), "black"))[0, 0])
    return Measured({TEST_ERROR: error(net, test, labels[split:]), **values}, data=digest(test))
