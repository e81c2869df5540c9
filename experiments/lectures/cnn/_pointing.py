"""How often maps of a small net point at the object, over drawn scenes with one object each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from datamodules import Shapes
from datamodules.drawing import Style
from experiments.measures.pointing import centre_hits, hits, random_hits
from experiments.studies.study import Measured
from lightning_modules.explanations import maps
from lightning_modules.explanations.deconvnet import deconvnet
from lightning_modules.explanations.layers import explainable

from ._explained import Origin, accuracy, digest_of, net, normalised, scenes, shuffled, train

SIDE, WIDTHS, STEPS, LR, SCENES, TEST = 32, (16, 32, 64), 800, 0.1, 4000, 1000
"""The learning rate is no part of the comparison: how well the net does is a validity check."""
WINDOW, STRIDE = 8, 4
"""Of the occlusion, in pixels: a square as large as the smallest object."""
STYLE = Style(objects=(1, 1), object_size=(0.25, 0.4), color_cue=0.6, clutter=0.3, texture=0.3, thin=0)
"""One small object: a point at the centre of the default scenes is on an object in two scenes of three."""
GUIDED, DECONVNET, OCCLUSION = "guided backpropagation", "deconvnet", "occlusion"


def explained(network: nn.Sequential) -> dict[str, Callable[[nn.Module, Tensor, Tensor], Tensor]]:
    """The maps by their names; Grad-CAM's at the last convolution."""
    last = next(module for module in reversed(list(network.modules())) if isinstance(module, nn.Conv2d))
    return {
        OCCLUSION: partial(maps.occlusion, window=WINDOW, stride=STRIDE),
        "Grad-CAM": lambda n, images, target: maps.grad_cam(n, last, images, target),
        "gradient": maps.gradients,
        GUIDED: maps.guided_backpropagation,
        DECONVNET: deconvnet,
    }


def pointing(*, seed: int, folder: Path, weights: Origin) -> Measured:
    """How often each map of the true class has its highest place on the object, over the test scenes."""
    data = Shapes(image_size=SIDE, style=STYLE, train=SCENES, test=TEST, workers=0, data_seed=seed)
    drawn, test = (scenes(data, *split, frozenset({"label", "mask"})) for split in (("train", SCENES), ("test", TEST)))
    images, labels = normalised(drawn["image"], data), drawn["label"]
    torch.manual_seed(seed)
    network = net(len(STYLE.classes), WIDTHS, 3)
    if weights != "random":
        train(network, images, shuffled(labels, seed) if weights == "random labels" else labels, steps=STEPS, lr=LR, seed=seed)
    copy = explainable(network)
    seen, target, masks = normalised(test["image"], data), test["label"], test["mask"] > 0
    values = {"accuracy": accuracy(copy, seen, target)}
    for name, method in explained(copy).items():  # type: ignore[arg-type]
        parts_ = zip(seen.split(250), target.split(250), strict=True)
        found = torch.cat([maps.heat(method(copy, own, label)) for own, label in parts_])
        values[name] = float(hits(found, masks).double().mean())
    values |= {"centre": float(centre_hits(masks).double().mean()), "random point": float(random_hits(masks).mean())}
    return Measured(values, data=digest_of(drawn["image"]))
