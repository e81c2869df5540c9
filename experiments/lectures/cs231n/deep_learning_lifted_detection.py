"""With ConvNets detection on PASCAL VOC rose quickly, after years in which it had stood still.

CS231n 2017, lecture 11, “Object Detection: Impact of Deep Learning”: Girshick's chart of PASCAL VOC's mAP by year. Felzenszwalb
et al. 2010; Girshick et al. 2014; Girshick 2015; Ren et al. 2015.
"""

from __future__ import annotations

from experiments.lectures._length import epochs
from experiments.studies.results import Runs
from experiments.studies.study import Measurement, Scale, Study, Training, Tune, Variant
from experiments.studies.verdict import Effect, Needs, Part

from . import _regions
from ._ladder import (
    AP,
    CHART,
    CURVE,
    DEFORMABLE,
    FAST,
    FASTER,
    IMAGES,
    LADDER,
    RCNN,
    SIDE,
    STYLE,
    SYSTEMS,
    TIMED,
    VOC_2007,
    deformable_parts,
    seconds_of,
    time_of_an_image,
)
from ._pretraining import pretrained

EPOCHS, RCNN_EPOCHS = 8, 4
"""Of Fast and Faster R-CNN, and of R-CNN's fine-tuning."""
AUDIT = (
    "The order is that of few images. With 1,200 scenes the four have 86.5, 81.6, 91.8 and 88.6 %, with 4,800 they have 89.1, "
    "91.9, 98.8 and 97.8 % (2026-11-27, one seed each, the rates of 240, not judged): there R-CNN passes the part models, as "
    "it does on VOC's 5,011 images."
)
"""What the verdict's rule does not see."""
SAYS = "PASCAL VOC는 2012년까지 정체되다가, Deep Learning의 등장으로 성능이 빠르게 증가하였다."


def parts(runs: Runs) -> Part:
    """Of the sentence's second half, on one data set. Reproduced: each rung of the ladder has a higher mAP than the one before,
    from deformable part models over R-CNN and Fast R-CNN to Faster R-CNN. Direction only: R-CNN, the first with a ConvNet, is
    above the part models, whatever comes after it; not reproduced: it is not. Whether the years to 2012 stood still is history:
    the published chart is shown beside it, and decides nothing."""

    def step(new: str, old: str) -> Effect:
        paper = VOC_2007[new] - VOC_2007[old]
        return runs.difference(f"mAP, {new} − {old}", new, old, AP, needs=Needs(low=0), paper=paper)

    first = step(RCNN, DEFORMABLE)
    each = tuple(runs.quantity(f"mAP, {name}", name, AP, scale=100, unit="%", paper=VOC_2007[name]) for name in LADDER)
    ladder = ", ".join(f"{effect.variants[0]} {effect.estimate:.1f} %" for effect in each)
    chart = ", ".join(f"{p.year} {p.mAP:g}" for p in CHART)
    seconds = {name: runs.quantity("", TIMED, seconds_of(name)).estimate for name in SYSTEMS}
    return Part(
        says=SAYS,
        effects=(first,),
        conditions=(step(FAST, RCNN), step(FASTER, FAST)),
        shown=(*each, runs.difference("mAP, Faster R-CNN − deformable part models", FASTER, DEFORMABLE, AP, paper=36.2)),
        validity_checks=(runs.tuned(), runs.beats(AP, 0.0, variants=[DEFORMABLE])),
        also=(
            f"The chart, PASCAL VOC mAP in %: {chart}. To 2011 it rose by about 6 points a year; it stood still in 2012 alone. "
            "Years, test sets and training data differ from point to point.",
            AUDIT,
            "CPU-seconds of a photograph, proposals included, random weights: "
            + ", ".join(f"{name} {value:.3g}" for name, value in seconds.items())
            + ".",
        ),
        because=f"mAP on the same drawn scenes: {ladder}. VOC 2007, each trained on its images alone, has "
        f"{', '.join(f'{name} {value:g} %' for name, value in VOC_2007.items())}.",
    )


study = Study(
    claim="G01",
    says=SAYS,
    translation="PASCAL VOC had stood still until 2012; then, with the coming of deep learning, performance rose quickly.",
    slide="Object Detection: Impact of Deep Learning, …pdf-0054",
    paper="; ".join(f"{p.year} {p.what} {p.mAP:g} %" for p in CHART)
    + " (chart: winners to 2012 in whole percents, each year's own test set; then VOC 2012). VOC 2007 alone: "
    + ", ".join(f"{name} {value:g} %" for name, value in VOC_2007.items())
    + ".",
    work=Training("detection/regions_small_shapes"),
    variants={
        DEFORMABLE: Variant(work=Measurement(deformable_parts)),
        RCNN: _regions.rcnn(RCNN_EPOCHS),
        FAST: _regions.fast(length=EPOCHS),
        FASTER: {**_regions.faster(), **epochs(EPOCHS)},
        TIMED: Variant(work=Measurement(time_of_an_image)),
    },
    tune=Tune(
        start=2e-3,
        by="val/mAP_voc07",
        greatest=True,
        own_start={FAST: 6.32e-3},  # where its walk begins in the family's other studies
    ),
    parts=parts,
    scales={
        "cpu": Scale(
            {
                **{f"data.{split}": count for split, count in IMAGES.items()},
                "data.image_size": SIDE,
                "data.style": {name: list(v) if isinstance(v, tuple) else v for name, v in STYLE.items()},
                "trainer.callbacks": [pretrained(drawings=2000, object_size=(0.5, 0.8))],
            },
            deviations=(
                f"{IMAGES['train']} drawn scenes of {SIDE} × {SIDE} pixels with one or two objects of three classes, in "
                "place of VOC 2007",
                "the ConvNets' backbone of four convolutions has classified 2,000 drawings of six other shapes, in place of "
                "ImageNet; the part models have no such thing, and had none then",
                "part models of one component, two rounds and six parts; boxes are the root's",
                "drawn objects of a class have one outline, which suits templates of gradients; photographed ones have many",
            ),
        )
    },
    controlled="scenes, eleven-point AP at an IoU of 0.5; of the ConvNets backbone, fully connected layers, flip, number of "
    "tries of the rate",
    deviations=(
        "the part models see each scene as it is, without flips; their C is the default",
        "an image's time: a part of a photograph, 256 × 256 pixels, 20 classes, 2,000 proposals, one thread of a CPU",
    ),
    figure=CURVE,
    figure_x="year",
)
