"""Small experiments that one process and several make alike, and their runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from .interrupted import wait
from .registry import PLAIN, SUMS_OVER_IMAGES, Config, experiment

COMMON = (
    "--data.train=48 --data.test=4 --data.workers=0 --trainer.enable_progress_bar=false --trainer.log_every_n_steps=1 "
    "--trainer.enable_model_summary=false --pictures.count=0 --trainer.num_sanity_val_steps=0 --trainer.precision=64-true "
    "--data.batch_size=6 --data.image_size=48 --data.style.figures=[1,1]"
).split()


def _network(name: str, **arguments: Any) -> Config:
    return {"class_path": f"lightning_modules.networks.{name}", "init_args": arguments}


def _regions(head: str) -> Config:
    layers = _network("FullyConnected", widths=[16])
    return {"backbone": PLAIN, "samples": 64, "head": _network(head, layers=layers)}


_FASTER = {**_regions("SoftmaxHead"), "anchor_scales": [2.0, 4.0], "rpn_samples": 20, "proposals": 30}
_BRANCHES = {
    "masks": _network("MaskBranch", size=4, layers=[4], hidden=4),
    "keypoints": _network("KeypointBranch", size=4, layers=[4]),
}
UNEVEN: dict[str, tuple[str, Config]] = {
    "multi-label": ("MultiLabelClassification", SUMS_OVER_IMAGES["Classification"]),
    "ssd": ("Detection", _network("SSD", backbone=PLAIN, width=8)),
    "staged": ("RegionDetection", _network("RCNN", **_regions("StagedHead"), crop=16)),
    "fast": ("RegionDetection", _network("FastRCNN", **_regions("SoftmaxHead"))),
    "faster": ("Detection", _network("FasterRCNN", **_FASTER)),
    "keypoints and masks": ("KeypointAndMaskDetection", _network("KeypointMaskRCNN", **_FASTER, **_BRANCHES)),
    "dense captioning": (
        "DenseCaptioning",
        _network("DenseCap", **_FASTER, language=_network("RegionLanguageModel", embedding=4, hidden=6, max_words=5)),
    ),
    "segmentation": ("Segmentation", SUMS_OVER_IMAGES["Segmentation"]),
    "pose": ("Pose", SUMS_OVER_IMAGES["Pose"]),
}
"""What counts other things than images; on :class:`Uneven` scenes, where images have very different numbers of them.

Mask R-CNN and Keypoint R-CNN are parts of the one with both, SPP-net has R-CNN's losses; ``test_accumulation.py`` has all.
"""
SOME_UNEVEN = ("ssd", "staged", "faster", "keypoints and masks", "segmentation")
"""LECTERN_KILLS asks for all."""


def config(task: str, folder: Path) -> list[str]:
    """A small experiment of the task, trained by plain SGD."""
    optimizer = {"class_path": "torch.optim.SGD", "init_args": {"lr": 1e-3}}
    data: Config = {"class_path": "Shapes"}
    if task in UNEVEN:
        name, network = UNEVEN[task]
        model = experiment(name, {name: network}, optimizer)
        proposals = {"class_path": "tests.support.uneven.Windows"}
        data = {"class_path": "tests.support.uneven.Uneven", "init_args": {"proposals": proposals}}
    else:
        model = experiment(task, SUMS_OVER_IMAGES, optimizer)
    path = folder / f"{task}.yaml"
    path.write_text(yaml.safe_dump(model | {"data": data}))
    return ["--config", str(path)]


def finish(pids: list[int], folder: Path) -> None:
    """Waits for all of them, none of which may fail."""
    codes = [wait(pid) for pid in pids]
    logs = "".join(p.read_text() for p in folder.glob("log*"))
    assert codes == [0] * len(pids), logs


def the_run(folder: Path, name: str) -> Path:
    """The only run of this name."""
    (run,) = (folder / "runs" / name).iterdir()
    return run
