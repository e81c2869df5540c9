"""Losses for classes that are rare or hard: against plain loops; and what is given by default changes nothing."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from datamodules.scene import IGNORE, DatasetMetadata, InputError
from datamodules.shapes import Shapes
from experiments.training.callbacks import Reproducible
from lightning_modules import Classification, MarginClassification, MultiLabelClassification, RotationPretext, Segmentation
from lightning_modules.class_errors import class_errors
from lightning_modules.networks import LinearClassifier, SmallConvNet, TorchvisionNet

METADATA = DatasetMetadata("x", (16, 16), tuple("abc"), ("background", "road")).as_dict()


def task_of(kind: Any, network: Any = LinearClassifier, **kwargs: Any) -> Any:
    return kind(network=network, optimizer=partial(torch.optim.SGD, lr=0.1), metadata=METADATA, **kwargs)


def error(logits: list[float], label: int, weight: float, smoothing: float, gamma: float) -> float:
    """Of one thing, in plain numbers."""
    total = sum(math.exp(value) for value in logits)
    p = [math.exp(value) / total for value in logits]
    target = [smoothing / len(p) + (1 - smoothing) * (i == label) for i in range(len(p))]
    weights = [weight if i == 1 else 1.0 for i in range(len(p))]
    return -sum(w * t * math.log(q) for w, t, q in zip(weights, target, p, strict=True)) * (1 - p[label]) ** gamma


@pytest.mark.parametrize(("weight", "smoothing", "gamma"), [(1, 0, 0), (3, 0, 0), (3, 0.2, 0), (1, 0, 2), (3, 0.2, 0.5)])
def test_errors_are_those_of_a_plain_loop(weight: float, smoothing: float, gamma: float) -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(6, 3), torch.tensor([0, 1, 2, 1, 0, 2])
    task = task_of(Classification, class_weights={"b": weight}, label_smoothing=smoothing, focal_gamma=gamma)
    found = task.losses(logits, {"label": labels})["cross_entropy"]
    each = [error(row, label, weight, smoothing, gamma) for row, label in zip(logits.tolist(), labels.tolist(), strict=True)]
    assert float(found.total) == pytest.approx(sum(each), rel=1e-5) and int(found.count) == 6


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_pixels_are_weighted_and_those_to_ignore_are_not_there(gamma: float) -> None:
    torch.manual_seed(0)
    logits, mask = torch.randn(1, 2, 4, 4), torch.randint(2, (1, 4, 4), dtype=torch.uint8)
    mask[0, 0] = IGNORE
    task = task_of(Segmentation, lambda n: nn.Conv2d(3, n, 1), class_weights={"road": 4.0}, focal_gamma=gamma)
    found = task.losses(logits, {"mask": mask})["cross_entropy"]
    each = [error(logits[0, :, y, x].tolist(), int(mask[0, y, x]), 4.0, 0.0, gamma) for y in range(1, 4) for x in range(4)]
    assert float(found.total) == pytest.approx(sum(each), rel=1e-5) and int(found.count) == 12


def test_focal_loss_of_what_is_certain_has_a_gradient() -> None:
    logits = torch.tensor([[100.0, 0.0]], requires_grad=True)
    class_errors(logits, torch.tensor([0]), focal_gamma=0.5).sum().backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None and bool(logits.grad.isfinite().all())


def test_multi_label_errors_are_weighted_by_class_and_focal() -> None:
    task = task_of(MultiLabelClassification, class_weights={"c": 2.0}, focal_gamma=2.0)
    logits = torch.tensor([[0.3, -1.0, 2.0]])
    batch: Any = {"labels": [torch.tensor([2])], "index": torch.tensor([0])}
    p = [1 / (1 + math.exp(-value)) for value in logits[0].tolist()]
    right = [1 - p[0], 1 - p[1], p[2]]
    expected = sum(w * (1 - r) ** 2 * -math.log(r) for w, r in zip((1, 1, 2), right, strict=True))
    assert float(task.losses(logits, batch)["binary_cross_entropy"].total) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", [Classification, Segmentation, MultiLabelClassification])
def test_an_unknown_class_and_a_strange_weight_are_refused(kind: Any) -> None:
    names = METADATA["mask_classes"] if kind is Segmentation else METADATA["classes"]
    with pytest.raises(InputError, match=r"model\.class_weights: the data have no class 'car'; they have"):
        task_of(kind, class_weights={"car": 2.0})
    with pytest.raises(InputError, match=f"{names[1]} has 0.0; a number above 0 expected"):
        task_of(kind, class_weights={names[1]: 0.0})


# Mixed images ----------------------------------------------------------------------------------------------------------


def mixed_step(**kwargs: Any) -> tuple[Tensor, Tensor, Tensor]:
    """The images that the network saw, what they were before, and the targets."""
    task = task_of(Classification, **kwargs)
    seen: dict[str, Any] = {}
    task.losses = lambda outputs, batch: seen.update(target=batch["label"]) or {}  # type: ignore[func-returns-value]
    task.network.register_forward_pre_hook(lambda module, inputs: seen.update(images=inputs[0]))
    images = (torch.arange(6, dtype=torch.uint8) * 40)[:, None, None, None].expand(6, 3, 16, 16).contiguous()
    with pytest.raises(RuntimeError, match="not attached"):  # it has none, which is asked for after the losses
        task.train().training_step({"image": images, "label": torch.tensor([0, 1, 2, 0, 1, 2])}, 0)
    return seen["images"], task.normalized(images), seen["target"]


@pytest.mark.parametrize("kwargs", [{"mixup": 1.0}, {"cutmix": 1.0}, {"mixup": 0.2, "cutmix": 1.0}])
def test_images_and_targets_are_mixed_in_the_same_parts(kwargs: dict[str, float]) -> None:
    torch.manual_seed(3)
    images, before, target = mixed_step(**kwargs)
    assert target.shape == (6, 3) and torch.allclose(target.sum(1), torch.ones(6))
    assert not torch.equal(images, before)
    part = target[0, 0]  # image 0 is of class 0, its neighbour, the last, of class 2
    mean = part * before[0].mean() + (1 - part) * before[5].mean()
    assert torch.allclose(images[0].mean(), mean, atol=1e-4)


def test_nothing_is_mixed_in_evaluation_and_by_default() -> None:
    task = task_of(Classification, mixup=1.0).eval()
    images = torch.randint(256, (4, 3, 16, 16), dtype=torch.uint8)
    assert torch.equal(task.respond({"image": images}), task(images))
    assert task_of(Classification).mixes == []


def test_a_training_with_mixed_images_resumes_at_the_same_weights(tmp_path: Any) -> None:
    def fit(epochs: int, start: Any = None) -> dict[str, Tensor]:
        pl.seed_everything(1, verbose=False)
        data = Shapes(image_size=32, train=16, val=4, batch_size=8, workers=0)
        network = partial(SmallConvNet, widths=(4, 8))
        task: Any = Classification(
            network=network, optimizer=partial(torch.optim.SGD, lr=0.1), metadata=data.metadata.as_dict(), mixup=1.0, cutmix=1.0
        )
        data.require(task.needs)
        trainer = pl.Trainer(
            max_epochs=epochs, callbacks=[Reproducible()], use_distributed_sampler=False, accelerator="cpu", logger=False,
            enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
        )  # fmt: skip
        trainer.fit(task, datamodule=data, ckpt_path=start, weights_only=True)
        trainer.save_checkpoint(tmp_path / f"{epochs}.ckpt")
        return task.network.state_dict()

    whole = fit(2)
    fit(1)
    resumed = fit(2, tmp_path / "1.ckpt")
    assert all(torch.equal(value, resumed[key]) for key, value in whole.items())


@pytest.mark.parametrize("kind", [MarginClassification, RotationPretext])
@pytest.mark.parametrize("argument", [{"mixup": 1.0}, {"cutmix": 1.0}])
def test_tasks_with_targets_of_their_own_take_no_mixing(kind: Any, argument: dict[str, float]) -> None:
    with pytest.raises(TypeError):
        task_of(kind, **argument)
    with pytest.raises(InputError, match=r"model\.mixup is -1"):
        task_of(Classification, mixup=-1)


# SqueezeNet ------------------------------------------------------------------------------------------------------------


def test_squeezenet_can_say_that_a_class_is_absent() -> None:
    """Its last layer is a ReLU, whose sigmoid is never below one half."""
    squeeze = partial(TorchvisionNet, name="squeezenet1_1")
    images = torch.randint(256, (4, 3, 64, 64), dtype=torch.uint8)
    torch.manual_seed(0)
    plain, several = task_of(Classification, squeeze).eval(), task_of(MultiLabelClassification, squeeze).eval()
    assert bool((plain(images) >= 0).all()), "the class of an image is found as ever"
    last = several.network.network.classifier[1]
    nn.init.constant_(last.bias, -3.0)
    assert not any(len(p["labels"]) for p in several.predict(several(images)))
    assert several.state_dict().keys() == plain.state_dict().keys()
