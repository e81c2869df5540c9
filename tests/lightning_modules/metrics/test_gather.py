"""Each metric is the same, bit for bit, on one process and on many, and behaves as torchmetrics' own do."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor
from torch.multiprocessing.spawn import start_processes
from torch.utils.data import DataLoader
from torchmetrics import Metric, MetricCollection

from lightning_modules.metrics.coco import CocoAP
from lightning_modules.metrics.gather import ratio, to_steps
from lightning_modules.metrics.localization import LocalizationScores
from lightning_modules.metrics.oks import KeypointAP
from lightning_modules.metrics.pose import BoxPCK, KeypointError, PCKh, TorsoPCK
from lightning_modules.metrics.segmentation import BandAccuracy, SegmentationScores
from lightning_modules.metrics.voc import Voc2007AP, Voc2010AP

CLASSES = ("dog", "cat", "cow")
KEYPOINTS = ("left_shoulder", "right_hip", "neck", "head_top")
WORLD = 3
COUNTS = (1, 3, 5)  # samples: a process has none, one or more
Inputs = Callable[[list[int]], dict[str, Any]]


def generator(index: int) -> torch.Generator:
    return torch.Generator().manual_seed(index)


def boxes(count: int, random: torch.Generator) -> Tensor:
    corner = torch.rand(count, 2, generator=random) * 20
    return torch.cat([corner, corner + 5 + torch.rand(count, 2, generator=random) * 20], 1)


def detection(index: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    random, objects, found = generator(index), index % 3, 4
    target = {
        "boxes": boxes(objects, random),
        "labels": torch.randint(3, (objects,), generator=random),
        "masks": (torch.rand(objects, 6, 6, generator=random) > 0.4).to(torch.uint8),
    }
    prediction = {
        "boxes": torch.cat([target["boxes"] + 0.7, boxes(found, random)]),
        "labels": torch.cat([target["labels"], torch.randint(3, (found,), generator=random)]),
        "scores": torch.randint(4, (objects + found,), generator=random) / 4,  # many ties
        "masks": torch.cat([target["masks"], torch.ones(found, 6, 6, dtype=torch.uint8)]),
    }
    return prediction, target


def detections(indices: list[int]) -> dict[str, Any]:
    predictions, targets = zip(*map(detection, indices), strict=True)
    return {"predictions": list(predictions), "targets": list(targets), "index": torch.tensor(indices)}


def detected_instances(indices: list[int]) -> dict[str, Any]:
    given = detections(indices)
    for i, (prediction, target) in zip(indices, zip(given["predictions"], given["targets"], strict=True), strict=True):
        for objects in (prediction, target):
            places = torch.rand(len(objects["boxes"]), len(KEYPOINTS), 2, generator=generator(i))
            corner, far = objects["boxes"][:, None].split(2, -1)
            visible = torch.ones(*places.shape[:2], 1).index_fill_(1, torch.tensor([i % len(KEYPOINTS)]), 0)
            objects["keypoints"] = torch.cat([corner + places * (far - corner), visible], -1)
    return given


def instances(indices: list[int]) -> dict[str, Any]:
    points = torch.stack([torch.rand(2, len(KEYPOINTS), 3, generator=generator(i)) for i in indices]) * 50
    keypoints, target = points[:, 0], points[:, 1]
    target[..., 2] = (target[..., 2] > 15).float()
    found = target + (keypoints - 25) / 5
    return {"keypoints": found, "target": target}


def instances_in_boxes(indices: list[int]) -> dict[str, Any]:
    return instances(indices) | {"boxes": torch.cat([boxes(1, generator(i)) for i in indices])}


def main_boxes(indices: list[int]) -> dict[str, Any]:
    pairs = torch.stack([boxes(2, generator(i)) for i in indices])
    logits = torch.stack([torch.rand(3, generator=generator(i)) for i in indices])
    labels = torch.tensor(indices) % 3
    return {"label": logits, "box": pairs[:, 0], "target_label": labels, "target_box": (pairs[:, 0] + pairs[:, 1]) / 2}


def masks(indices: list[int]) -> dict[str, Any]:
    pairs = torch.stack([torch.randint(3, (2, 8, 9), generator=generator(i), dtype=torch.uint8) for i in indices])
    return {"preds": pairs[:, 0], "target": pairs[:, 1].masked_fill(pairs.sum(1) == 4, 255)}


CASES: dict[str, tuple[Callable[..., Metric], Inputs]] = {
    "coco": (lambda **kwargs: CocoAP(CLASSES, per_class=True, **kwargs), detections),
    "coco masks": (lambda **kwargs: CocoAP(CLASSES, iou_type="segm", **kwargs), detections),
    "coco keypoints": (lambda **kwargs: KeypointAP(CLASSES, KEYPOINTS, **kwargs), detected_instances),
    "voc07": (lambda **kwargs: Voc2007AP(CLASSES, per_class=True, **kwargs), detections),
    "voc10": (lambda **kwargs: Voc2010AP(CLASSES, per_class=True, **kwargs), detections),
    "pck": (lambda **kwargs: TorsoPCK(KEYPOINTS, **kwargs), instances),
    "pckh": (lambda **kwargs: PCKh(KEYPOINTS, **kwargs), instances),
    "box pck": (lambda **kwargs: BoxPCK(KEYPOINTS, **kwargs), instances_in_boxes),
    "keypoint error": (lambda **kwargs: KeypointError(KEYPOINTS, **kwargs), instances),
    "localization": (lambda **kwargs: LocalizationScores(**kwargs), main_boxes),
    "segmentation": (lambda **kwargs: SegmentationScores(CLASSES, **kwargs), masks),
    "band": (lambda **kwargs: BandAccuracy(1, **kwargs), masks),
}


def feed(metric: Metric, inputs: Inputs, indices: Iterable[int], batch: int = 2) -> None:
    chosen = list(indices)
    for start in range(0, len(chosen), batch):
        metric.update(**inputs(chosen[start : start + batch]))


def values(metric: Metric) -> dict[str, Tensor]:
    result = metric.compute()
    return result if isinstance(result, dict) else {"value": result}


def bits(result: dict[str, Tensor]) -> dict[str, bytes]:
    return {key: value.numpy().tobytes() for key, value in result.items()}


def whole(name: str, count: int = max(COUNTS)) -> dict[str, bytes]:
    make, inputs = CASES[name]
    metric = make()
    feed(metric, inputs, range(count))
    return bits(values(metric))


def one_process_of_many(rank: int, world: int, folder: Path) -> None:
    """Compute each metric over 1, 3 and 5 samples, dealt out to all processes and then to the first two alone."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder / 'store'}", rank=rank, world_size=world)
    pair = dist.new_group([0, 1])
    results = {}
    for name, (make, inputs) in CASES.items():
        for processes, group in ((world, None), (2, pair)):
            if rank >= processes:
                continue
            metric = make(process_group=group)
            seen = 0
            for count in COUNTS:  # one metric all along: after compute it goes on with its own samples
                feed(metric, inputs, [i for i in range(seen, count) if i % processes == rank])
                results[f"{name}, {processes}, {count}"] = values(metric)
                seen = count
    torch.save(results, folder / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def distributed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, dict[str, Tensor]]]:
    folder = tmp_path_factory.mktemp("ddp")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "OMP_NUM_THREADS": "1"}
    # A process of its own, so that its three can be forked off before any thread was started, and import nothing again.
    subprocess.run([sys.executable, __file__, str(folder)], env=environment, check=True, timeout=600)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(WORLD)]


@pytest.mark.parametrize("processes", [2, 3])
@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", CASES)
def test_many_processes_give_what_one_gives_bit_for_bit(
    distributed: list[dict[str, dict[str, Tensor]]], name: str, count: int, processes: int
) -> None:
    for rank in range(processes):
        assert bits(distributed[rank][f"{name}, {processes}, {count}"]) == whole(name, count)


@pytest.mark.parametrize("name", CASES)
def test_the_order_and_the_size_of_batches_change_nothing(name: str) -> None:
    make, inputs = CASES[name]
    metric = make()
    feed(metric, inputs, [4, 0, 3, 1, 2], batch=3)
    assert bits(values(metric)) == whole(name)


COPIES: dict[str, Callable[[Metric], Metric]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda metric: pickle.loads(pickle.dumps(metric)),
    "clone, to": lambda metric: metric.clone().to("cpu").double(),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("how", COPIES)
def test_a_copy_goes_on_by_itself(name: str, how: str) -> None:
    make, inputs = CASES[name]
    original = make()
    feed(original, inputs, [0, 1])
    before = bits(values(original))
    other = COPIES[how](original)
    feed(other, inputs, [2, 3, 4])
    assert bits(values(other)) == whole(name)
    assert bits(values(original)) == before == whole(name, 2)


@pytest.mark.parametrize("name", CASES)
def test_reset_starts_afresh(name: str) -> None:
    make, inputs = CASES[name]
    metric = make()
    feed(metric, inputs, [3, 4])
    values(metric)
    metric.reset()
    feed(metric, inputs, range(5))
    assert bits(values(metric)) == whole(name)


@pytest.mark.parametrize("name", CASES)
def test_forward_gives_the_batch_and_keeps_the_whole(name: str) -> None:
    make, inputs = CASES[name]
    metric, alone = make(), make()
    metric(**inputs([0, 1, 2]))
    given = metric(**inputs([3, 4]))
    feed(alone, inputs, [3, 4])
    assert bits(given if isinstance(given, dict) else {"value": given}) == bits(values(alone))
    assert bits(values(metric)) == whole(name)


@pytest.mark.parametrize("name", CASES)
def test_states_merge(name: str) -> None:
    make, inputs = CASES[name]
    first, second = make(), make()
    feed(first, inputs, [1, 4])
    feed(second, inputs, [0, 2, 3])
    first.merge_state(second)
    assert bits(values(first)) == whole(name)


def test_a_collection_keeps_metrics_apart_that_agree_on_the_first_batch() -> None:
    """torchmetrics' compute groups, on by default, share the state of metrics whose first states are equal."""
    perfect = instances([0])["target"]
    members = {"strict": TorsoPCK(KEYPOINTS, [0.1]), "lax": TorsoPCK(KEYPOINTS, [0.9]), "head": PCKh(KEYPOINTS, [0.1])}
    collection = MetricCollection({name: metric.clone() for name, metric in members.items()})
    batches: list[dict[str, Any]] = [{"keypoints": perfect, "target": perfect}, instances([1, 2, 3])]
    for batch in batches:
        collection.update(**batch)
        for metric in members.values():
            metric.update(**batch)
    alone = {f"{name}_{key}": value for name, metric in members.items() for key, value in values(metric).items()}
    assert bits(collection.compute()) == bits(alone)
    assert alone["strict_PCK10"] < alone["lax_PCK90"]


def test_detection_metrics_share_a_collection() -> None:
    names = ("coco", "coco masks", "voc07", "voc10")
    collection = MetricCollection({name: CASES[name][0]() for name in names})
    for batch in ([0, 1], [2, 3], [4]):
        collection.update(**detections(batch))
    together = bits(collection.compute())
    assert together == {key: value for name in names for key, value in whole(name).items()}
    collection.reset()
    collection.update(**detections([0]))


def test_a_sample_that_comes_twice_is_an_error() -> None:
    metric = Voc2007AP(CLASSES)
    metric.update(**detections([3]))
    with pytest.raises(ValueError, match="sample 3 twice"):
        metric.update(**detections([3]))


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda p, t: p.pop("scores"), "prediction of sample 1 lacks scores"),
        (lambda p, t: p.update(scores=p["scores"][1:]), "prediction of sample 1: one entry an object"),
        (lambda p, t: t.update(labels=t["labels"] + 3), r"target of sample 1: label [345] is out of range"),
        (lambda p, t: p.update(labels=p["labels"] - 9), r"prediction of sample 1: label -\d is out of range"),
    ],
)
def test_wrong_input_is_named(break_it: Callable[[dict[str, Tensor], dict[str, Tensor]], None], message: str) -> None:
    given = detections([1])
    break_it(given["predictions"][0], given["targets"][0])
    with pytest.raises(ValueError, match=message):
        CocoAP(CLASSES).update(**given)
    with pytest.raises(ValueError, match="1 predictions, 1 targets, 2 indices"):
        CocoAP(CLASSES).update(**(detections([1]) | {"index": torch.tensor([1, 2])}))


def test_a_batch_may_be_overwritten_once_it_was_added() -> None:
    metric = CocoAP(CLASSES)
    given = detections([4])
    metric.update(**given)
    before = bits(values(metric))
    given["predictions"][0]["boxes"].zero_()
    assert bits(values(metric)) == before


def test_metrics_take_half_precision() -> None:
    given = detections([0, 1])
    for prediction in given["predictions"]:
        prediction["scores"] = prediction["scores"].bfloat16()
    metric = CocoAP(CLASSES)
    metric.update(**given)
    assert metric.compute()["mAP"] >= 0


def test_steps_add_up_the_same_in_any_order() -> None:
    numbers = torch.rand(10_000, generator=generator(0)) * 1000
    assert to_steps(numbers).sum() == to_steps(numbers.flip(0)).view(100, 100).sum(1).sum()
    assert (to_steps(numbers) * 2.0**-24 - numbers.double()).abs().max() < 1e-6


def test_a_ratio_of_counts_beyond_float32_is_right() -> None:
    pixels = torch.tensor([2**24 + 1, 3])
    assert ratio(pixels, pixels * 3).tolist() == [torch.tensor(1 / 3).item()] * 2
    assert ratio(torch.tensor([0, 3]), torch.tensor([0, 4])).isnan().tolist() == [True, False]


def test_lightning_logs_metrics_as_it_logs_its_own(tmp_path: Path) -> None:
    import pytorch_lightning as pl

    class Evaluation(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.band = BandAccuracy(1)
            self.metrics = MetricCollection([CocoAP(CLASSES), Voc2007AP(CLASSES)])

        def validation_step(self, batch: Tensor, batch_idx: int) -> None:
            indices = batch.tolist()
            self.metrics.update(**detections(indices))
            self.band.update(**masks(indices))
            self.log("band", self.band)

        def on_validation_epoch_end(self) -> None:
            self.log_dict(self.metrics.compute())
            self.metrics.reset()

    trainer = pl.Trainer(
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    module, loader = Evaluation(), DataLoader(torch.arange(5), batch_size=2)  # type: ignore[arg-type, var-annotated]
    for _ in range(2):  # the second epoch starts afresh
        (logged,) = trainer.validate(module, loader, verbose=False)
        assert torch.tensor(logged["band"]).numpy().tobytes() == whole("band")["value"]
        assert torch.tensor(logged["mAP"]).numpy().tobytes() == whole("coco")["mAP"]
        assert torch.tensor(logged["mAP_voc07"]).numpy().tobytes() == whole("voc07")["mAP_voc07"]


if __name__ == "__main__":
    start_processes(one_process_of_many, (WORLD, Path(sys.argv[1])), nprocs=WORLD, start_method="fork")  # type: ignore[no-untyped-call]
