"""SegNet and DeconvNet: networks that go down and come back up through unpooling, which are the papers', and segment.

CS231n 2017, lecture 11, “In-Network Upsampling: Max Unpooling”; Noh et al. 2015; Badrinarayanan et al. 2017.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from experiments.measures.cost import Cost
from experiments.measures.training import TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale, Tune
from experiments.studies.verdict import Check, Needs, Part
from lightning_modules.networks import FCN, VGG16, ConvEncoder, DeconvNet, SegNet

from ._segmentation import BASELINE, MIOU, STREETS, SegmentationStudy

SEGNET, DECONVNET, CONTROL = "SegNet", "DeconvNet", "FCN"
WIDTHS, DEPTHS = [16, 32, 64], [1, 1, 2]
AHEAD = Needs(low=0, margin=1)
SAYS = "Bed of Nails와 같이 0을 추가하지만, Max Pooling의 위치를 기억하여 Unpooling에 적용한다."


def weights(network: nn.Module) -> int:
    """Parameters but those of batch normalisation, which the papers' counts leave out."""
    of_norms = sum(p.numel() for m in network.modules() if isinstance(m, nn.BatchNorm2d) for p in m.parameters())
    return sum(p.numel() for p in network.parameters()) - of_norms


def the_papers() -> tuple[Check, ...]:
    """The networks at the papers' own size, of which no weight is allocated."""
    with torch.device("meta"):
        segnet, deconvnet = SegNet(11), DeconvNet(21)
        maps = [tuple(network(torch.zeros(1, 3, 224, 224)).shape[1:]) for network in (segnet, deconvnet.eval())]
    layers = [sum(isinstance(m, nn.Conv2d) for m in half.modules()) for half in (segnet.encoder, segnet.decoder)]
    return (
        Check("convolutions down and up, SegNet", str(layers), "[13, 13]"),
        Check("millions of weights, SegNet", weights(segnet) / 1e6, 29.4, 0.01),
        Check("millions of weights, DeconvNet", weights(deconvnet) / 1e6, 252.0, 0.01),
        Check("outputs for 224 × 224 pixels", str(maps), "[(11, 224, 224), (21, 224, 224)]"),
    )


def parts(runs: Runs) -> dict[str, Part]:
    """a, exact: the networks have the papers' layers, weights and output sizes. b and c, beyond the lecture: SegNet's and
    DeconvNet's mIoU is above that of an FCN with skips, at equal steps. A difference within ±1 point counts as none."""
    gains = {
        network: runs.difference(f"mIoU, {network} − FCN", network, CONTROL, MIOU, needs=AHEAD)
        for network in (SEGNET, DECONVNET)
    }
    found = {v: 100 * runs.quantity("", v, MIOU).estimate for v in runs.variants}
    cost = "; ".join(f"{v} {runs.quantity('', v, 'cost/gflop').estimate:.2g}" for v in runs.variants)

    def beyond(network: str) -> Part:
        return Part(
            says=f"Does {network} segment better than an FCN that adds features from the way down?",
            effects=(gains[network],),
            validity_checks=(runs.tuned(network, CONTROL), runs.beats(MIOU, BASELINE, variants=[CONTROL])),
            shared_lr=runs.shared_lr(gains[network].name, network, CONTROL, MIOU),
            also=(f"10⁹ operations of a forward pass: {cost}.",),
            because=f"mIoU in percent: {network} {found[network]:.1f}, FCN {found[CONTROL]:.1f}.",
            beyond=True,
        )

    return {"a": Part(says=SAYS, checks=the_papers()), "b": beyond(SEGNET), "c": beyond(DECONVNET)}


def network(built: Any) -> dict[str, Any]:
    return {"model.network": built}


_FCN = L(FCN)(encoder=L(ConvEncoder)(widths=WIDTHS), skips=[4, 2])

study = SegmentationStudy(
    claim="F17",
    says=SAYS,
    translation="As in the bed of nails zeros are added, but the places of the max pooling are remembered and used to unpool.",
    slide="In-network Upsampling, …pdf-0027; the networks: slide image, from the papers",
    paper="CamVid, mIoU: SegNet 60.1 %; PASCAL VOC 2012: DeconvNet 69.6 % (from memory).",
    variants={
        SEGNET: network(L(SegNet)(widths=WIDTHS, depths=DEPTHS)),
        # Four places a side are all that 32 × 32 pixels have at the bottom.
        DECONVNET: network(L(DeconvNet)(widths=WIDTHS, depths=DEPTHS, hidden=128, bottom=4)),
        CONTROL: network(_FCN),
    },
    tune=Tune(start=1e-2, by="trainset/miou", greatest=True),
    controlled="data, order, steps, widths of the way down",
    scales={
        "cpu": Scale(
            {"trainer.callbacks": [L(TrainingSet)(samples=300), L(Cost)()]},
            deviations=(
                "drawn scenes of 32 × 32 pixels with three classes; what CamVid's streets give, the recipes segnet_camvid and "
                "deconvnet_camvid say",
                "16 to 64 features and three poolings, from random weights, in place of VGG-16's",
            ),
        ),
        "gpu": Scale(
            {
                "data": STREETS,
                "trainer.max_steps": 4000,
                "trainer.callbacks": [L(TrainingSet)(samples=100), L(Cost)()],
            },
            deviations=("CamVid at 360 × 480", "4,000 steps of 8 images, from random weights"),
            variants={
                SEGNET: {"model.network": L(SegNet)()},
                DECONVNET: {"model.network": L(DeconvNet)()},
                CONTROL: {"model.network": L(FCN)(encoder=L(VGG16)())},
            },
        ),
    },
    deviations=("DeconvNet is trained end to end at once, and averages no proposals",),
    parts=parts,
)
