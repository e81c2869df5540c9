"""A fully convolutional network at full resolution is too expensive: going down and up again costs a fifth, for the same mIoU.

CS231n 2017, lecture 11, “Semantic Segmentation Idea: Fully Convolutional”; no figure in the lecture. Both networks have seven
layers of 3 × 3 convolutions in a row, about as many weights, and see about as far (through dilations, at full resolution).
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.study import Scale, Study, Training, Tune
from experiments.studies.verdict import Gate, Rule, Verdict

FULL, DOWN_UP = "full resolution", "down and up"
MIOU = "test/miou"
TRIVIAL = 0.25
"""mIoU that one class for all pixels cannot exceed, of four."""
SAME = 0.2
"""Parts by which the numbers of weights may differ."""


def verdict(runs: Runs) -> Verdict:
    """Reproduced: at least 5 times fewer operations at no more than 1 point less mIoU. Direction only: cheaper, but worse."""
    flops = runs.ratio(
        "operations of a forward pass, full resolution / down and up", FULL, DOWN_UP, "cost/gflop", needs="≥ 5 x"
    )
    miou = runs.difference("mIoU, down and up − full resolution", DOWN_UP, FULL, MIOU, needs="≥ −1 point")
    memory = runs.ratio("memory kept for the backward pass, full resolution / down and up", FULL, DOWN_UP, "cost/saved_mib")
    weights = runs.ratio("", FULL, DOWN_UP, "cost/parameters").estimate
    naive = runs.naive("mIoU, down and up − full resolution", DOWN_UP, FULL, MIOU)
    fair = Gate("about as many weights", abs(weights - 1) <= SAME, f"{weights:.2f} times")
    rule = Rule((flops, miou, memory), (runs.tuned(), runs.beats(MIOU, TRIVIAL), fair), naive)
    cheap = flops.above(1) and flops.estimate >= 5
    return rule.judge(
        reproduced=cheap and miou.above(-1),
        direction=flops.above(1),
        refuted=flops.excludes_above(1),
        because=f"At full resolution an image takes {flops.estimate:.1f} times the operations and {memory.estimate:.1f} times "
        f"the memory; going down and up changes mIoU by {miou.estimate:+.1f} points.",
    )


_NETWORK = "model.init_args.network"

study = Study(
    claim="F04",
    says="Convolutions at the image's full resolution are too expensive.",
    slide="Semantic Segmentation Idea: Fully Convolutional",
    paper="No figure.",
    work=Training("segmentation/small_shapes"),
    arms={
        DOWN_UP: {
            _NETWORK: {
                "class_path": "lightning_modules.networks.FCN",
                "init_args": {
                    "skips": [4, 2],
                    "encoder": {"class_path": "lightning_modules.networks.ConvEncoder", "init_args": {"widths": [8, 16, 16]}},
                },
            }
        },
        FULL: {
            _NETWORK: {
                "class_path": "lightning_modules.networks.FullResolutionFCN",
                "init_args": {"width": 16, "depth": 7, "dilations": [1, 2, 4, 8, 4, 2, 1]},
            }
        },
    },
    held="layers in a row (7), number of weights within a fifth, receptive field (about 45 pixels), data, order, steps",
    tune=Tune(start=1e-2, by="trainset/miou", greatest=True),
    scales={
        "cpu": Scale(
            {
                "trainer.max_steps": 400,
                "trainer.callbacks": [
                    {"class_path": "experiments.measures.training.TrainingSet", "init_args": {"samples": 300}},
                    {"class_path": "experiments.measures.cost.Cost"},
                ],
            },
            departures=("drawn scenes of 32 × 32 pixels with three classes", "400 steps of 16 images"),
        ),
        "gpu": Scale(
            {
                "trainer.max_steps": 4000,
                "trainer.callbacks": [
                    {"class_path": "experiments.measures.training.TrainingSet", "init_args": {"samples": 100}},
                    {"class_path": "experiments.measures.cost.Cost"},
                ],
                "data": {
                    "class_path": "CamVid",
                    "init_args": {"root": "data/camvid", "image_size": [360, 480], "batch_size": 8},
                },
            },
            departures=("CamVid at 360 × 480, networks as narrow as on drawn scenes", "4,000 steps of 8 images"),
        ),
    },
    departures=("the network that goes down and up has skips",),
    verdict=verdict,
)
