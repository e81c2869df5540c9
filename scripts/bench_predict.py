"""What an image costs in ``lectern predict``, beside a plain loop: read, resize, network, suppression, drawing, writing.

``python scripts/bench_predict.py [--repeats 5] [--images FOLDER]``
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torchvision.ops import batched_nms

from experiments.training.cli import LecternCLI
from lightning_modules import Detection
from lightning_modules.networks import YOLO
from scripts.bench_rows import Row, quiet

SIDE = 224
FEW, MANY = 10, 60
"""Images of the two predictions whose difference is what an image costs: the start of a command is in both."""


def photographs(folder: Path) -> Path:
    """A folder of :data:`MANY` photographs of LECTERN_DATA's COCO; of noise and squares, where there is none."""
    found = sorted(Path(os.environ.get("LECTERN_DATA", "/none"), "coco").glob("*2017/*.jpg"))
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(MANY):
        target = folder / f"{i:03}.jpg"
        if found:
            target.write_bytes(found[i % len(found)].read_bytes())
            continue
        blurred = cv2.GaussianBlur(rng.integers(0, 256, (480, 640, 3), np.uint8), (0, 0), 2)
        cv2.imwrite(str(target), cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX))
    return folder


def checkpoint(path: Path) -> Path:
    """An untrained YOLO's, made so that it finds some twenty boxes an image: drawing is to have something to do."""
    from datamodules.drawing import Style, metadata

    torch.manual_seed(0)
    task = Detection(network=partial(YOLO, score_threshold=0.3), metadata=metadata(Style(image_size=(SIDE, SIDE))).as_dict())
    head: Any = task.network.head
    bias: torch.Tensor = head.layers[-1].bias
    with torch.no_grad():
        bias[[2, 3]] = 0.7  # the roots of the first box's sides: half of its neighbours are suppressed
        bias[4] = 0.7  # its confidence
        bias[10] = 0.5  # of the first class
    arguments = {"network": {"class_path": "lightning_modules.networks.YOLO", "init_args": {"score_threshold": 0.3}}}
    content = {
        "state_dict": task.state_dict(),
        "hyper_parameters": {"metadata": task.metadata.as_dict()},
        "experiment": {"model": {"class_path": "Detection", "init_args": arguments}},
        "pytorch-lightning_version": "2.6.6",
    }
    torch.save(content, path)
    return path


def plain_loop(path: Path, images: list[Path], output: Path, pictures: bool) -> None:
    """The same by hand, from the files to pictures with boxes and their names."""
    from datamodules.drawing import Style, metadata

    names = metadata(Style()).classes
    task = Detection(network=partial(YOLO, score_threshold=0.3), metadata=metadata(Style(image_size=(SIDE, SIDE))).as_dict())
    task.load_state_dict(torch.load(path, weights_only=True)["state_dict"])
    network: Any = task.eval().network
    output.mkdir(parents=True, exist_ok=True)
    found = []
    for image in images:
        pixels: Any = cv2.imread(str(image))
        height, width = pixels.shape[:2]
        small = cv2.cvtColor(cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
        with torch.inference_mode():
            x = (torch.from_numpy(small).permute(2, 0, 1)[None] - task.mean) / task.std
            grid = network(x).grid
            boxes, scores = _decoded(grid, network)
            best, labels = scores.max(1)
            keep = best > 0.3
            boxes, best, labels = boxes[keep], best[keep], labels[keep]
            kept = batched_nms(boxes, best, labels, 0.5)[:100]
        scale = np.array([width / SIDE, height / SIDE] * 2)
        corners = (boxes[kept].numpy() * scale).astype(int)
        for (x1, y1, x2, y2), label, score in zip(corners, labels[kept].tolist(), best[kept].tolist(), strict=True):
            found.append({"file": image.name, "bbox": [int(x1), int(y1), int(x2), int(y2)], "score": score})
            if pictures:
                cv2.rectangle(pixels, (x1, y1), (x2, y2), (0, 159, 230), 2)
                cv2.putText(pixels, f"{names[label]} {score:.2f}", (x1, y1 + 12), 0, 0.45, (0, 159, 230), 1)
        if pictures:
            cv2.imwrite(str(output / image.name), pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])


def _decoded(grid: torch.Tensor, network: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes (N, 4) in pixels of the batch's image and scores (N, C) of YOLO's grid (1, S, S, 5B + C)."""
    predicted, classes = network._split(grid[0])
    step = torch.arange(network.grid)
    corner = torch.stack(torch.meshgrid(step, step, indexing="xy"), -1)[:, :, None]
    centre, side = (predicted[..., :2] + corner) / network.grid, predicted[..., 2:4] ** 2
    boxes = torch.cat([centre - side / 2, centre + side / 2], -1) * SIDE
    scores = predicted[..., 4:].clamp(0, 1) * classes.clamp(0, 1).unsqueeze(-2)
    return boxes.reshape(-1, 4), scores.reshape(-1, scores.shape[-1])


def predict(path: Path, folder: Path, runs: Path, *options: str) -> None:
    """``lectern predict``, in this process and without workers, so that its CPU time is all there."""
    arguments = ["predict", "--ckpt_path", str(path), "--data", "ImageFiles", "--data.root", str(folder), "--runs", str(runs)]
    arguments += ["--data.workers", "0", "--trainer.enable_progress_bar", "false", "--trainer.accelerator", "cpu", *options]
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        LecternCLI(arguments)


def seconds(function: Callable[[], Any]) -> float:
    """CPU seconds of this process."""
    began = time.process_time()
    function()
    return time.process_time() - began


def rows(repeats: int, images: Path | None = None) -> Iterator[Row]:
    """CPU ms an image, with pictures and without."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        many = images or photographs(place / "many")
        paths = sorted(many.iterdir())
        (few := place / "few").mkdir()
        for path in paths[:FEW]:
            (few / path.name).symlink_to(path)
        extra = len(paths) - FEW
        model = checkpoint(place / "yolo.ckpt")
        for what, options, wanted in (
            ("predict, YOLO 224, an image, pictures included", (), "<= 25 ms"),
            ("predict, YOLO 224, an image, --pictures false", ("--pictures", "false"), "<= 14 ms"),
        ):
            ours, peer = [], []
            for turn in range(repeats + 1):
                with torch.random.fork_rng():
                    times = [seconds(partial(predict, model, f, place / "runs", *options)) for f in (few, many)]
                    loops = [seconds(partial(plain_loop, model, p, place / "loop", not options)) for p in (paths[:FEW], paths)]
                if turn:  # the first warms up
                    ours.append(1000 * (times[1] - times[0]) / extra)
                    peer.append(1000 * (loops[1] - loops[0]) / extra)
            yield Row(what, statistics.median(ours), statistics.median(peer), "ms", wanted)


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--images", type=Path, help="a folder of photographs")
    options = parser.parse_args()
    quiet()
    cv2.setNumThreads(1)
    for row in rows(options.repeats, options.images):
        print(f"{row.what} | {row.ours:.1f} {row.unit} | {row.peer:.1f} {row.unit} | {row.ours / row.peer:.2f} | {row.wanted}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
