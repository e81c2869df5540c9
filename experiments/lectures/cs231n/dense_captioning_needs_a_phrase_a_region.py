"""Dense captioning needs a data set with a phrase for each region: neither boxes nor captions of whole images will do.

CS231n 2017, lecture 11, “Dense Captioning”; Krishna et al. 2017, “Visual Genome”; Johnson et al. 2016, “DenseCap”, section 4.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from datamodules import COCO, VOC, COCOCaptions, Shapes, VisualGenome
from experiments.studies.study import Exact
from experiments.studies.verdict import Check
from lightning_modules import DenseCaptioning, Detection
from lightning_modules.metrics.dense_captions import iou, merged

REGIONS = [
    {"x": 20, "y": 10, "width": 100, "height": 50, "phrase": "A man's red hat."},
    {"x": 22, "y": 10, "width": 100, "height": 50, "phrase": "hat on a man"},
    {"x": 300, "y": 200, "width": 40, "height": 60, "phrase": "the dog, running"},
    {"x": 5, "y": 5, "width": 9, "height": 9, "phrase": " "},
]
"""Of one image, as ``region_descriptions.json`` has them: two of one hat, and one without a word."""


def checks() -> list[Check]:
    feeds = {kind.__name__: DenseCaptioning.needs <= kind.provides for kind in (VisualGenome, Shapes, COCO, VOC, COCOCaptions)}
    with TemporaryDirectory() as folder:
        entries = [{"id": 1, "regions": [{"region_id": i, "image_id": 1, **r} for i, r in enumerate(REGIONS)]}]
        (Path(folder) / "region_descriptions.json").write_text(json.dumps(entries))
        read = VisualGenome(folder).regions[1]
    boxes, phrases = np.array([box for box, _ in read], np.float64), [phrase for _, phrase in read]
    objects, references = merged(boxes, phrases)
    return [
        *(
            Check.yes_or_no(f"{name} has a box and a phrase of each region", found, "yes" if name in ENOUGH else "no")
            for name, found in feeds.items()
        ),
        Check.yes_or_no("boxes and classes are enough for detection", Detection.needs <= COCO.provides, "yes"),
        Check("regions of four that are read: one has no word", len(read), 3),
        Check("x, y, width, height as two corners", str(boxes[0].tolist()), "[20.0, 10.0, 120.0, 60.0]"),
        Check("a phrase, word by word", phrases[0], "a mans red hat"),
        Check.yes_or_no("two regions of one thing overlap by more than 0.7", bool(iou(boxes, boxes)[0, 1] > 0.7), "yes"),
        Check("objects of three regions where these two are merged", len(objects), 2),
        Check("phrases of the merged object", " / ".join(references[0]), "a mans red hat / hat on a man"),
        Check("its box is their mean", str(objects[0].tolist()), "[21.0, 10.0, 121.0, 60.0]"),
    ]


ENOUGH = ("VisualGenome", "Shapes")

study = Exact(
    claim="H02",
    says="따라서 각 Region에 Caption이 있는 Data Set이 필요하다.",
    translation="So a data set is needed that has a caption for each region.",
    slide="Dense Captioning, …pdf-0086",
    paper="Visual Genome: 94 thousand images, 4.1 million regions with phrases; regions that overlap by more than 0.7 are one.",
    checks=checks,
    deviations=("the layout is read from four regions that are written for it; the shared sample is read by the tests",),
)
