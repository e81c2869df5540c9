"""Fast R-CNN computes the convolutions once an image; regions cut out of the map share them, and are detected as well.

Deck “CNN, R-CNN”, key idea 1; CS231n 2017, lecture 11, “Fast R-CNN”; Girshick 2015, tables 1 and 4.
"""

from __future__ import annotations

import torch

from experiments.studies.results import Runs
from experiments.studies.study import Amendment
from experiments.studies.verdict import Check, Needs, Part
from lightning_modules import networks
from lightning_modules.networks.regions import RegionDetector

from ._image_time import AMENDED, BOUND, DEVIATIONS, ORDER, TIMED, VARIANT, proposed, ratio
from ._regions import AP, FAST, RCNN, STAGES_AMENDED, RegionStudy, fast, learns, rcnn

REGIONS = 10


def passes(network: RegionDetector) -> float:
    """Pictures that go through the backbone for one image with :data:`REGIONS` proposals."""
    seen: list[int] = []
    network.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    corners = torch.rand(REGIONS, 2, 2, generator=torch.Generator().manual_seed(0)).sort(1).values.flatten(1)
    boxes = 40 * corners + torch.tensor([0.0, 0.0, 8.0, 8.0])
    with torch.no_grad():
        network.eval()
        network.features(network(torch.zeros(1, 3, 48, 48), [boxes]).shared, [boxes])
    return float(sum(seen))


def checks() -> tuple[Check, ...]:
    """How often the backbone runs."""
    with torch.random.fork_rng(devices=[]):
        shared, staged = networks.FastRCNN(3), networks.RCNN(3)
    return (
        Check(f"images through Fast R-CNN's backbone, {REGIONS} regions", passes(shared), 1.0),
        Check(f"crops through R-CNN's backbone, {REGIONS} regions", passes(staged), float(REGIONS)),
    )


def parts(runs: Runs) -> dict[str, Part]:
    """a: the backbone runs once an image, where R-CNN's runs once a region; so R-CNN takes at least half as many times the
    operations as it looks at pixels, and more CPU time. b, beyond the lecture: the AP is at most a point below R-CNN's."""
    flops = ratio(runs, "gflop", "R-CNN", "Fast R-CNN", "operations", needs=Needs(low=BOUND / 2, null=1))
    cpu = ratio(runs, "cpu", "R-CNN", "Fast R-CNN", "CPU time", needs=ORDER, paper=146)
    ap = runs.difference("AP, Fast R-CNN − R-CNN", FAST, RCNN, AP, needs=Needs(low=-1))
    sizes = ", ".join(
        f"{name} {runs.difference('', FAST, RCNN, f'test/mAP_{size}').estimate:+.1f}"
        for name, size in (("below 32² pixels", "small"), ("up to 96²", "medium"))
    )
    return {
        "a": Part(
            says=study.says,
            effects=(flops, cpu),
            checks=checks(),
            validity_checks=(proposed(runs),),
            because=f"Shared, the convolutions take {flops.estimate:.0f} times fewer operations for an image of 2,000 regions "
            f"({BOUND:.0f} times fewer pixels), and {cpu.estimate:.0f} times less CPU time here.",
        ),
        "b": Part(
            says="Does it detect as well as R-CNN?",
            effects=(ap,),
            validity_checks=(runs.tuned(), learns(runs, RCNN)),
            shared_lr=runs.shared_lr(ap.name, FAST, RCNN, AP),
            also=(f"COCO's mAP by size of the object, Fast R-CNN − R-CNN: {sizes} points.",),
            because=f"AP changes by {ap.estimate:+.1f} points.",
            beyond=True,
        ),
    }


study = RegionStudy(
    claim="G14",
    says="이미지에서 ROI를 뜯어내지 않고, CNN Feature Map에 ROI를 Projection 하고 Feature Map에서 뜯어낸다. 그러므로 CNN "
    "Feature를 여러 ROI가 공유할 수 있다. … 속도를 보면, Fast R-CNN이 중복 계산이 없어 시간이 매우 빠르다.",
    translation="The RoIs are not cut out of the image: they are projected onto the CNN's feature map and cut out of that. So "
    "many RoIs can share the CNN's features. … As to speed, Fast R-CNN computes nothing twice and is very fast.",
    slide="Fast R-CNN, …pdf-0073 and …pdf-0080; Key Idea 1: CNN을 이미지에 한 번만 수행",
    paper="VGG-16: 146 times faster than R-CNN at test time (213 with truncated SVD); mAP 66.9 % on VOC 2007, R-CNN 66.0 %.",
    variants={RCNN: rcnn(), TIMED: VARIANT, FAST: fast()},
    controlled="backbone and its pre-training, fully connected layers, proposals, data",
    deviations=(*DEVIATIONS, "AP is of the small networks and scenes of the training, time of the larger ones above"),
    parts=parts,
    amendments=(
        *STAGES_AMENDED,
        *AMENDED[1:],
        Amendment(
            "2026-11-26",
            "speed, which the lecture states, is judged without the validity check of learning rates; AP lies beyond it. "
            "Before, one rule for both",
        ),
    ),
)
