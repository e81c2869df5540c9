"""Figures of 14 keypoints, in the order of the Leeds Sports Pose data set (Johnson and Everingham, BMVC 2010).

Left and right are the figure's own. Its right limbs are light and its left limbs dark, so they can be told apart in the
picture whichever way it faces. PointArray of the plane are complex numbers here, x + iy with y down.
"""

from __future__ import annotations

from cmath import rect
from math import pi, radians

import numpy as np
from numpy.typing import NDArray

from .colors import RGB, rgb
from .rng import Rng
from .sprite import PointArray

KEYPOINTS = (
    *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
    *("right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist"),
    *("neck", "head_top"),
)
SKELETON = (
    *((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (2, 8), (3, 9)),
    *((6, 7), (7, 8), (8, 12), (12, 9), (9, 10), (10, 11), (12, 13)),
)
FLIP_PAIRS = ((0, 5), (1, 4), (2, 3), (6, 11), (7, 10), (8, 9))

# Lengths and radii as fractions of the height.
_NECK, _HEAD, _SHOULDER, _HIP = 0.31, 0.19, 0.115, 0.075
_ARM, _LEG = (0.17, 0.16), (0.24, 0.24)
_HEAD_RADIUS = 0.072

_RIGHT_LEG = ((2, 1, 0.045, 0.036), (1, 0, 0.036, 0.026))
_LEFT_LEG = ((3, 4, 0.045, 0.036), (4, 5, 0.036, 0.026))
_RIGHT_ARM = ((8, 7, 0.034, 0.028), (7, 6, 0.028, 0.022))
_LEFT_ARM = ((9, 10, 0.034, 0.028), (10, 11, 0.028, 0.022))
_TORSO = ((2, 8, 0.05, 0.05), (3, 9, 0.05, 0.05), (8, 9, 0.05, 0.05), (15, 12, 0.08, 0.08))
_FACE = ((12, 14, 0.03, 0.03), (14, 14, _HEAD_RADIUS, _HEAD_RADIUS))
"""Parts of the body: from one keypoint to another, with a radius at each. 14 is the middle of the head, 15 that of the hips."""


def pose(rng: Rng, articulation: float) -> NDArray[np.complex128]:
    """The keypoints (14,) of a figure of height 1, with its hips about the origin."""

    def bend(standing: float, low: float, high: float) -> float:
        """An angle in radians, between its standing value and any in its range (degrees)."""
        return radians(standing + articulation * (rng.uniform(low, high) - standing))

    lean = rect(1, -bend(0, -25, 25))
    neck = -1j * _NECK * lean
    keypoints = [0j] * 14
    keypoints[12], keypoints[13] = neck, neck - 1j * _HEAD * lean * rect(1, bend(0, -30, 30))
    for side, shoulder, elbow, wrist, hip, knee, ankle in ((-1, 8, 7, 6, 2, 1, 0), (1, 9, 10, 11, 3, 4, 5)):
        keypoints[shoulder], keypoints[hip] = 0.93 * neck + side * _SHOULDER * lean, side * _HIP * lean
        arm, thigh = bend(10, -20, 175), bend(5, -15, 85)
        bones = (
            (shoulder, elbow, arm, _ARM[0]),
            (elbow, wrist, arm + bend(8, -60, 130), _ARM[1]),
            (hip, knee, thigh, _LEG[0]),
            (knee, ankle, thigh - bend(2, 0, 100), _LEG[1]),
        )
        for start, stop, angle, length in bones:
            # The angle is from straight down, outwards; a bone that points to the viewer is seen shorter.
            keypoints[stop] = keypoints[start] + 1j * rect(length * (1 - articulation * rng.uniform(0, 0.35)), -side * angle)
    turned = np.array(keypoints) * rect(1, bend(0, -40, 40))
    # Seen from the front, a figure's right is on the left of the picture.
    from_behind = rng.uniform() < articulation / 2
    return -turned.conj() if from_behind else turned


def parts(keypoints: NDArray[np.complex128], height: float, hue: float, rng: Rng) -> tuple[PointArray, list[RGB]]:
    """Outlines (P, 16, 2) and colours of the body's parts, back to front, of the 14 keypoints of a figure ``height`` tall."""
    light, body, dark = rgb(hue, 0.3, 1.0), rgb(hue, 0.85, 0.8), rgb(hue, 1.0, 0.4)
    skin = rgb(0.9, rng.uniform(0.25, 0.55), rng.uniform(0.55, 0.95))
    legs = rng.shuffled([(_RIGHT_LEG, light), (_LEFT_LEG, dark)])
    arms = rng.shuffled([(_RIGHT_ARM, light), (_LEFT_ARM, dark)])
    stack = [(part, color) for limb, color in (*legs, (_TORSO, body), (_FACE, skin), *arms) for part in limb]
    middle_of_head = keypoints[13] + (keypoints[12] - keypoints[13]) * (_HEAD_RADIUS / _HEAD)
    points = np.append(keypoints, (middle_of_head, (keypoints[2] + keypoints[3]) / 2))
    table = np.array([part for part, _ in stack])
    start, stop = points[table[:, 0].astype(int)], points[table[:, 1].astype(int)]
    return _tapered(start, stop, table[:, 2] * height, table[:, 3] * height), [color for _, color in stack]


_CAP = np.exp(1j * np.linspace(-pi / 2, pi / 2, 8))


def _tapered(start: NDArray[np.complex128], stop: NDArray[np.complex128], first: PointArray, second: PointArray) -> PointArray:
    """The outlines (P, 16, 2) of lines from start to stop (P,) with round ends of two radii (P,)."""
    length = np.abs(stop - start)
    ahead = np.where(length > 1e-9, (stop - start) / np.maximum(length, 1e-9), 1)[:, None] * _CAP
    outline = np.concatenate([stop[:, None] + ahead * second[:, None], start[:, None] - ahead * first[:, None]], 1)
    return outline.view(np.float64).reshape(len(start), -1, 2)
