"""Features by hand, features that are learned, and the hierarchy that they form."""

from __future__ import annotations

import numpy as np

from .numbers import Measurements
from .scenes import digit, grey, scene
from .sheet import BLUE, DASH, FAINT, GREEN, ORANGE, RED, SKY, Sheet, tint
from .slide import Slide

LEVELS = {
    "vision": ("pixels", "edge", "texton", "motif", "part", "object"),
    "speech": ("sample", "spectral\nband", "formant", "motif", "phone", "word"),
    "NLP": ("character", "word", "NP / VP", "clause", "sentence", "story"),
}


def traditional(sheet: Sheet, numbers: Measurements) -> None:
    """Features by hand and a trained classifier, above a net that is trained from end to end."""
    from skimage.feature import hog

    image = scene(3)
    _, edges = hog(grey(image), pixels_per_cell=(8, 8), cells_per_block=(2, 2), visualize=True)
    sheet.text(20, 20, "traditional: features by hand, then a trained classifier", ha="left", size=15, weight="bold")
    _pipeline(sheet, 40, image, ("HOG, SIFT, MFCC", "fixed"), "linear SVM", FAINT)
    sheet.image(edges / edges.max(), 340, 44, 84, 84)
    sheet.text(20, 176, "deep learning: all of it is learned, end to end", ha="left", size=15, weight="bold")
    sheet.image(image, 24, 200, 84, 84)
    sheet.arrow((114, 242), (140, 242))
    for i in range(3):
        sheet.box(142 + 106 * i, 206, 84, 72, f"layer {i + 1}", colour=BLUE, size=15)
        sheet.arrow((226 + 106 * i, 242), (248 + 106 * i, 242))
    sheet.box(460, 206, 84, 72, "classifier", colour=BLUE)
    sheet.arrow((544, 242), (568, 242))
    sheet.text(596, 242, "“star”", size=15)
    sheet.arrow((568, 296), (142, 296), colour=RED, linestyle=DASH)
    sheet.text(356, 312, "gradient", color=RED)


def _pipeline(sheet: Sheet, y: float, image: np.ndarray, features: tuple[str, str], classifier: str, colour: str) -> None:
    sheet.image(image, 24, y + 4, 84, 84)
    sheet.arrow((114, y + 46), (140, y + 46))
    sheet.box(142, y + 10, 168, 72, "\n".join(features), colour=colour, linestyle=DASH, size=14)
    sheet.arrow((310, y + 46), (336, y + 46))
    sheet.arrow((428, y + 46), (458, y + 46))
    sheet.box(460, y + 10, 84, 72, classifier, colour=BLUE, size=12.5)
    sheet.arrow((544, y + 46), (568, y + 46))
    sheet.text(596, y + 46, "“star”", size=15)


def hierarchy(sheet: Sheet, numbers: Measurements) -> None:
    """The slide's three rows."""
    for i, (field, levels) in enumerate(LEVELS.items()):
        y = 30 + 96 * i
        sheet.text(20, y + 32, field, ha="left", size=16, weight="bold")
        for j, level in enumerate(levels):
            x = 110 + 142 * j
            sheet.box(
                x,
                y,
                106,
                64,
                level,
                colour=(SKY, BLUE, GREEN)[i],
                size=14,
                facecolor=tint((SKY, BLUE, GREEN)[i], 0.1 + 0.07 * j),
            )
            if j < 5:
                sheet.arrow((x + 106, y + 32), (x + 142, y + 32))
    sheet.text(110, 318, "near the input", ha="left")
    sheet.arrow((216, 318), (806, 318), colour=FAINT)
    sheet.text(926, 318, "near the output", ha="right")


def cascade(sheet: Sheet, numbers: Measurements) -> None:
    """Nonlinear functions of nonlinear functions, trained together."""
    sheet.text(36, 126, "x", size=17)
    for i in range(4):
        x = 66 + 140 * i
        sheet.arrow((x - (36 if i else 18), 126), (x, 126))
        sheet.box(x, 76, 104, 100, f"W{'₁₂₃₄'[i]} x + b{'₁₂₃₄'[i]}", colour=BLUE)
        t = np.linspace(-1, 1, 21)
        curve = [(x + 52 + 30 * u, 154 - 14 * max(0.0, u)) for u in t]
        sheet.line(*curve, colour=ORANGE, width=2.4)
        sheet.text(x + 52, 58, f"f{'₁₂₃₄'[i]}", color=BLUE, size=16)
    sheet.arrow((590, 126), (614, 126))
    sheet.text(630, 126, "y", size=17)
    sheet.arrow((620, 214), (60, 214), colour=RED, width=2.2, linestyle=DASH)
    sheet.text(340, 234, "end-to-end learning: one gradient reaches every layer", color=RED, size=14)
    sheet.text(340, 24, "y = f₄(f₃(f₂(f₁(x)))): a cascade of nonlinear transformations", size=15)


def examples(sheet: Sheet, numbers: Measurements) -> None:
    """What goes in and what comes out, for the slide's three examples."""
    rng = np.random.default_rng(0)
    clean = scene(1)
    noisy = np.clip(clean + rng.normal(0, 0.22, clean.shape), 0, 1)
    sheet.text(20, 20, "classification", ha="left", size=15, weight="bold")
    sheet.image(scene(3), 20, 40, 110, 110)
    sheet.arrow((136, 95), (176, 95))
    sheet.box(180, 74, 92, 42, "“star”", colour=BLUE, size=15)
    sheet.text(330, 20, "denoising", ha="left", size=15, weight="bold")
    sheet.image(noisy, 330, 40, 110, 110)
    sheet.arrow((446, 95), (486, 95))
    sheet.image(clean, 490, 40, 110, 110)
    sheet.text(20, 184, "OCR", ha="left", size=15, weight="bold")
    for i, number in enumerate((2, 0, 1, 8)):
        sheet.image(1 - digit(number), 20 + 66 * i, 204, 64, 64)
    sheet.arrow((290, 236), (330, 236))
    sheet.box(336, 214, 120, 44, "2 0 1 8", colour=BLUE, size=18)
    sheet.text(20, 296, "shallow: one layer of learned weights · deep: several, with as many weights in all", ha="left")


def preprocessing(sheet: Sheet, numbers: Measurements) -> None:
    """A convolution makes the features: a filter that finds upright edges, one that finds level ones, one that blurs."""
    from scipy.ndimage import convolve

    image = grey(scene(3))
    sobel = np.array([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
    filters = {"upright edges": sobel, "level edges": sobel.T, "blur": np.ones((3, 3)) / 9}
    sheet.text(84, 22, "input image", size=14)
    sheet.image(image, 24, 102, 120, 120)
    sheet.text(226, 22, "filters (3 × 3)", size=14)
    sheet.text(382, 22, "feature maps", size=14)
    for i, (name, kernel) in enumerate(filters.items()):
        y = 44 + 86 * i
        sheet.arrow((148, 162), (194, y + 36))
        sheet.grid(198, y + 8, 19, kernel * (9 if i == 2 else 1), colour=ORANGE)
        sheet.arrow((262, y + 36), (338, y + 36))
        sheet.text(300, y + 22, name, size=10.5)
        found = convolve(image, kernel)
        sheet.image(np.abs(found) / np.abs(found).max(), 344, y, 74, 74)
        sheet.arrow((424, y + 36), (482, 162))
    sheet.box(486, 126, 92, 72, "classifier", colour=BLUE, size=14)
    sheet.arrow((578, 162), (602, 162))
    sheet.text(628, 162, "“star”", size=14)
    sheet.line((186, 306), (426, 306), colour=ORANGE, width=2)
    sheet.text(306, 322, "the “pre-processing” is inside, and is learned", color=ORANGE, size=14)


SLIDES = {
    "A01": Slide(
        traditional,
        "Above, the traditional way: an image, features that somebody designed (here its histogram of oriented gradients, "
        "computed), and a trained classifier. Below, layers that are all learned from end to end.",
        has_panel=True,
        height=326,
    ),
    "A02": Slide(
        hierarchy,
        "The slide's rows: from pixels over edges, textons, motifs and parts to objects, and the same in speech and language.",
        height=336,
    ),
    "A03": Slide(
        cascade,
        "An input goes through four functions, each a matrix and a bend; one gradient goes back through all of them.",
        has_panel=True,
        height=256,
    ),
    "A04": Slide(
        examples,
        "The slide's three examples: an image and its class, a noisy image and the clean one, written digits and their text.",
        has_panel=True,
    ),
    "B11": Slide(
        preprocessing,
        "An image, three filters of a convolution and the feature maps that they make of it (computed), and a classifier on "
        "these: extracting features is a layer, and no step before.",
        has_panel=True,
        height=340,
    ),
}
