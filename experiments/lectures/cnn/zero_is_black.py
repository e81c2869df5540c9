"""In an image of eight bits 0 is black and 255 is white; the slide has it the other way round.

Deck “CNN, R-CNN”, slide “Convolutional Neural Network (CNN)”. PNG, third edition, section 3.1: 0 is black. A net notices.
"""

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
from experiments.studies.results import Runs
from experiments.studies.study import Measured, Measurement, Study
from experiments.studies.verdict import Check, Needs, Part

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


SAYS = "픽셀 값 0 : 흰색; 픽셀 값 255 : 검정색"


def parts(runs: Runs) -> dict[str, Part]:
    """a. Erratum: a PNG of the bytes 0 and 255 decodes to no light and to all of it, and Pillow's black is 0. b, beyond the
    lecture: reproduced if a net that was trained on digits as they are errs more on inverted ones."""

    def found(name: str) -> float:
        return runs.values(AS_IS, name)[0]

    checks = (
        Check("light of the value 0, of white's", found("of 0"), 0.0, lecture="픽셀 값 0 : 흰색 (white)", wrong=True),
        Check("light of the value 255, of white's", found("of 255"), 1.0, lecture="픽셀 값 255 : 검정색 (black)", wrong=True),
        Check("what Pillow draws for “black”", found("drawn black"), 0, lecture="픽셀 값 255 : 검정색 (black)", wrong=True),
        Check("red of CSS' “black”", found("named black"), 0, lecture="픽셀 값 255 : 검정색 (black)", wrong=True),
    )
    worse = runs.difference("test error, inverted − as it is", INVERTED, AS_IS, TEST_ERROR, needs=Needs(low=0, margin=1))
    own = [runs.quantity(f"test error, {v}", v, TEST_ERROR, scale=100, unit="%") for v in (AS_IS, INVERTED)]
    return {
        "a": Part(says=SAYS, checks=checks, because=ERRATUM),
        "b": Part(
            says="Does it matter to a net which of the two is black?",
            effects=(worse,),
            shown=tuple(own),
            validity_checks=(runs.beats(TEST_ERROR, 0.9, greater=False, variants=[AS_IS]),),
            because=f"Trained on light ink on black paper, a net errs on {own[0].estimate:.1f} % of new digits, and on "
            f"{own[1].estimate:.0f} % of the same ones inverted: a loader that mistakes 0 for white fails silently.",
            beyond=True,
        ),
    }


ERRATUM = "0 is black and 255 is white. MNIST, where ink is 255, shows light digits on black paper."

study = Study(
    claim="B02",
    says=SAYS,
    translation="Pixel value 0: white; pixel value 255: black.",
    slide="Convolutional Neural Network (CNN)",
    paper="PNG, third edition: of greyscale samples 0 is black, and the greatest value white.",
    work=Measurement(measure),
    variants={INVERTED: {"shown": INVERTED}, AS_IS: {"shown": AS_IS}},
    controlled="the net, trained on 1,000 digits as they are, and the test digits",
    deviations=("digits of 8 × 8 pixels that come with scikit-learn (UCI), in place of MNIST",),
    erratum=ERRATUM,
    parts=parts,
)
