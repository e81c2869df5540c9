"""The notes call selective search a “region proposal network”: it is none, and such a network is no signal processing.

CS231n 2017, lecture 11, “Region Proposals / Selective Search”; the slide says “region proposals”. Uijlings et al. 2013 group
segments by fixed rules; Ren et al. 2015 introduced the network, two years later, to take the rules' place.
"""

from __future__ import annotations

import torch
from torch import nn

from datamodules import SelectiveSearch
from datamodules.drawing import Style, draw
from experiments.studies.study import Exact
from experiments.studies.verdict import Check
from lightning_modules.networks.faster_rcnn import FasterRCNN

SAYS = "전통적인 신호처리 기법인 Region Proposal Network를 사용한다."


def checks() -> list[Check]:
    scene = draw(0, 0, Style(image_size=(48, 48), objects=(2, 2)))
    search = SelectiveSearch(cache=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = FasterRCNN(3)
    network.train()
    outputs = network(scene["image"][None].float() / 255)
    losses = network.losses(outputs, [scene["boxes"]], [torch.zeros(len(scene["boxes"]), dtype=torch.long)])
    of_rpn = losses["rpn_objectness"].value + losses["rpn_box"].value
    learned = [p for p in network.rpn.parameters() if p.requires_grad]
    gradients = torch.autograd.grad(of_rpn, learned)
    first, again = search(scene["image"]), search(scene["image"])
    return [
        Check.yes_or_no(
            "selective search has weights that could be learned",
            any(isinstance(value, nn.Parameter | nn.Module) for value in vars(search).values()),
            "no",
            lecture="a Region Proposal Network",
            wrong=True,
        ),
        Check.yes_or_no("it finds the same boxes each time, whatever was trained", torch.equal(first, again), "yes"),
        Check.yes_or_no(
            "a region proposal network's weights learn from boxes", all(bool((g != 0).any()) for g in gradients), "yes"
        ),
    ]


study = Exact(
    claim="G20",
    says=SAYS,
    translation="One uses a region proposal network, a traditional technique of signal processing.",
    slide="Object Detection, …pdf-0062",
    paper="Ren et al. 2015: the region proposal network takes the place of selective search.",
    checks=checks,
    erratum="Selective search is the traditional technique, and has nothing to learn; a “Region Proposal Network” is Faster "
    "R-CNN's, a small network that is trained. The slide itself says “Region Proposals”. The notes' “BPN” is an RPN too.",
)
