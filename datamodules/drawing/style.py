"""Style: how the scenes look, and how hard they are."""

from __future__ import annotations

from dataclasses import dataclass

from ..scene import DatasetMetadata
from .figure import FLIP_PAIRS, KEYPOINTS, SKELETON
from .language import vocabulary
from .outlines import OUTLINES

FIGURE = "figure"
"""Name of the class of the 14-keypoint figures; it is the last class, where a style draws figures."""

MAIN_TO_OTHERS = 0.6
"""The other shapes of a scene are at most this many times as large as its main object."""


@dataclass(frozen=True)
class Style:
    """The difficulty of drawn scenes: what there is to see, and what hides it.

    The defaults are meant to be hard for a linear classifier and within a minute's reach of a small network.
    Numbers without a unit run from 0 (none) to 1 (as much as there is).

    Raises:
        ValueError: a value is out of its range; the message names the field and the range.
    """

    image_size: tuple[int, int] = (64, 64)
    """(H, W) in pixels, at least 16."""
    classes: tuple[str, ...] = ("circle", "square", "triangle", "cross", "ring", "star")
    """Names of the outlines that are drawn, out of :data:`OUTLINES`."""
    objects: tuple[int, int] = (1, 3)
    """Least and greatest number of shapes in a scene. Where there is no room for one, it is left out."""
    object_size: tuple[float, float] = (0.2, 0.55)
    """Least and greatest size. The size of an object is the side of the square that has the area of its convex
    hull, as a fraction of the image's shorter side."""
    color_cue: float = 0.2
    """Probability that a shape has the hue of its class; else its hue is drawn independently of its class."""
    combinations: str = "all"
    """Which pairs of class and hue are drawn: ``all``, the ``seen`` three quarters, or the ``unseen`` rest. A model
    trained on ``seen`` and tested on ``unseen`` meets only new combinations of known words."""
    rotation: float = 30.0
    """Greatest angle in degrees by which a shape is turned, to either side."""
    aspect: float = 0.2
    """Spread of the width to height ratio, in 0 .. 0.5: by 0.2, a class's own ratio times or over up to 1.2."""
    clutter: float = 0.5
    """Amount of strokes, blobs and patches that belong to no class; up to 12 of them at 1."""
    occlusion: float = 0.3
    """Greatest share of an object's box that another object's box may overlap; at 0, no two boxes overlap."""
    texture: float = 0.5
    """Strength of the textures of backgrounds and objects; at 0, both are plain."""
    thin: float = 0.1
    """Probability that a shape is drawn hollow: its outline only."""
    noise: float = 0.02
    """Standard deviation of the pixel noise, of values in [0, 1], in 0 .. 0.5."""
    lighting: float = 0.3
    """Strength of the change of brightness from scene to scene and from side to side."""
    figures: tuple[int, int] = (0, 0)
    """Least and greatest number of 14-keypoint figures in a scene."""
    articulation: float = 0.5
    """How freely the figures move: 0 is a standing figure that faces the viewer, 1 is any pose, from front or back."""

    def __post_init__(self) -> None:
        # A configuration file gives lists.
        for field in ("image_size", "classes", "objects", "object_size", "figures"):
            object.__setattr__(self, field, tuple(getattr(self, field)))
        for field in ("color_cue", "clutter", "occlusion", "texture", "thin", "lighting", "articulation"):
            self._hold(field, 0 <= getattr(self, field) <= 1, "expected 0 to 1")
        large_enough = len(self.image_size) == 2 and min(self.image_size) >= 16
        self._hold("image_size", large_enough, "expected (H, W), both at least 16")
        known = len(set(self.classes)) == len(self.classes) > 0 and set(self.classes) <= set(OUTLINES)
        self._hold("classes", known, "expected different names out of " + ", ".join(OUTLINES))
        for field in ("objects", "figures"):
            low, high = getattr(self, field)
            self._hold(field, 0 <= low <= high, "expected (least, greatest), 0 <= least <= greatest")
        smallest, largest = self.object_size
        self._hold("object_size", 0 < smallest <= largest <= 1, "expected (least, greatest), 0 < least <= greatest <= 1")
        pixels = smallest * min(self.image_size)
        self._hold("object_size", pixels >= 4, f"at least 4 pixels expected, got {pixels:.3g} of {min(self.image_size)}")
        if self.objects[1] + self.figures[1] > 1:
            expected = f"expected a least of at most {MAIN_TO_OTHERS} times the greatest, for a scene of several objects"
            self._hold("object_size", smallest <= MAIN_TO_OTHERS * largest, expected)
        self._hold("aspect", 0 <= self.aspect <= 0.5, "expected 0 to 0.5")
        self._hold("noise", 0 <= self.noise <= 0.5, "expected 0 to 0.5")
        self._hold("rotation", 0 <= self.rotation <= 180, "expected 0 to 180 degrees")
        self._hold("combinations", self.combinations in ("all", "seen", "unseen"), "expected all, seen or unseen")

    def _hold(self, field: str, right: bool, expected: str) -> None:
        if not right:
            raise ValueError(f"Style.{field} is {getattr(self, field)}: {expected}")


def metadata(style: Style) -> DatasetMetadata:
    """What a task must know of the scenes of a style. Class 0 of ``mask`` is the background."""
    classes = (*style.classes, FIGURE) if style.figures[1] > 0 else style.classes
    return DatasetMetadata(
        name="Shapes",
        image_size=style.image_size,
        classes=classes,
        mask_classes=("background", *classes),
        keypoints=KEYPOINTS,
        skeleton=SKELETON,
        flip_pairs=FLIP_PAIRS,
        vocabulary=vocabulary(classes),
        mean=(0.436, 0.434, 0.423),
        std=(0.187, 0.187, 0.186),
    )
