"""The tasks that need no annotation: what they draw, what they score, and what the network is given."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from datamodules.scene import DatasetMetadata, InputError
from lightning_modules import Denoising, Reconstruction, RotationPretext
from lightning_modules.metrics.psnr import PSNR
from lightning_modules.networks import Autoencoder, LinearClassifier, ResidualDenoiser, UNet

METADATA = DatasetMetadata("x", (12, 12), tuple("abcdefg")).as_dict()


def task_of(kind: Any, network: Any = lambda outputs: nn.Identity(), **kwargs: Any) -> Any:
    return kind(network=network, metadata=METADATA, **kwargs)


def batch_of(*indices: int) -> Any:
    rng = torch.Generator()
    images = [torch.randint(256, (3, 12, 12), generator=rng.manual_seed(i), dtype=torch.uint8) for i in indices]
    return {"image": torch.stack(images), "index": torch.tensor(indices)}


def psnr_of(found: Tensor, target: Tensor) -> float:
    """By a plain loop over the images."""
    squared = sum(float((a.double() - b.double()).square().sum()) for a, b in zip(found, target, strict=True))
    return 10 * math.log10(255**2 / (squared / target.numel()))


def test_psnr_is_of_the_whole_set_and_not_a_mean_over_batches() -> None:
    clean, near, far = (batch_of(*range(i, i + 4))["image"] for i in (0, 4, 8))
    near = (clean.int() + 1).clamp(max=255).to(torch.uint8)
    metric = PSNR()
    metric.update(near, clean)
    metric.update(far[:1], clean[:1])
    together = psnr_of(torch.cat([near, far[:1]]), torch.cat([clean, clean[:1]]))
    assert float(metric.compute()) == pytest.approx(together, rel=1e-6)
    alone = (psnr_of(near, clean) + psnr_of(far[:1], clean[:1])) / 2
    assert abs(together - alone) > 1
    with pytest.raises(ValueError, match=r"uint8 of one shape expected"):
        metric.update(near.float(), clean)


def test_an_image_that_comes_out_as_it_went_in_has_no_loss_and_is_predicted_to_the_bit() -> None:
    task, batch = task_of(Reconstruction), batch_of(0, 1)
    outputs = task.respond(batch)
    assert float(task.losses(outputs, batch)["squared_error"].value) == pytest.approx(0, abs=1e-9)
    assert torch.equal(torch.stack([p["image"] for p in task.predict(outputs)]), batch["image"])


def test_the_noise_is_of_the_size_that_is_asked_for_and_what_doing_nothing_has_is_measured() -> None:
    task = task_of(Denoising, sigma=10).eval()
    batch: Any = {"image": torch.full((40, 3, 12, 12), 128, dtype=torch.uint8), "index": torch.arange(40)}
    noise = task.given(batch).double() - 128
    assert float(noise.std()) == pytest.approx(10, rel=0.03) and abs(float(noise.mean())) < 0.5
    metrics = task.metrics()
    metrics.update(**task.metric_inputs(task.predict(task.respond(batch)), batch))
    found = {name: float(value) for name, value in metrics.compute().items()}
    assert found["psnr"] == found["psnr_noisy"] == pytest.approx(psnr_of(task.given(batch), batch["image"]), rel=1e-6)
    with pytest.raises(InputError, match=r"model\.sigma is 0"):
        task_of(Denoising, sigma=0)


@pytest.mark.parametrize("kind", [Denoising, RotationPretext])
def test_what_is_drawn_of_an_image_depends_on_it_alone_and_in_training_on_seed_and_epoch(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = task_of(kind, partial(LinearClassifier) if kind is RotationPretext else lambda outputs: nn.Identity())
    many = [*range(20)]

    def given(epoch: int, seed: int, *, training: bool) -> Tensor:
        monkeypatch.setenv("PL_GLOBAL_SEED", str(seed))
        monkeypatch.setattr(kind, "current_epoch", epoch)
        task.train(training)
        whole: Tensor = task.given(batch_of(*many))
        parts = torch.cat([task.given(batch_of(*many[7:])), task.given(batch_of(*many[:7]))])
        assert torch.equal(parts, torch.cat([whole[7:], whole[:7]])), "the batch has no say"
        return whole

    first = given(0, 0, training=True)
    assert torch.equal(first, given(0, 0, training=True))
    assert not torch.equal(first, given(1, 0, training=True)) and not torch.equal(first, given(0, 1, training=True))
    judged = given(0, 0, training=False)
    assert torch.equal(judged, given(3, 5, training=False)) and not torch.equal(judged, first)


def test_the_four_turns_are_drawn_alike_and_are_the_labels() -> None:
    task = task_of(RotationPretext, LinearClassifier).eval()
    batch = batch_of(*range(200))
    turns = task.turns(batch)
    assert min(turns.bincount(minlength=4).tolist()) > 30
    expected = torch.stack([torch.rot90(image, int(k), (1, 2)) for image, k in zip(batch["image"], turns, strict=True)])
    assert torch.equal(task.given(batch), expected)
    outputs = task.respond(batch)
    loss = nn.functional.cross_entropy(outputs, turns)
    assert torch.allclose(task.losses(outputs, batch)["cross_entropy"].value, loss)
    assert torch.equal(task.metric_inputs(task.predict(outputs), batch)["target"], turns)


def test_a_pretext_s_classes_are_turns_and_the_data_set_s_are_kept_for_who_comes_after() -> None:
    task = task_of(RotationPretext, LinearClassifier)
    assert task(batch_of(0)["image"]).shape == (1, 4) and task.metadata.classes == ("0°", "90°", "180°", "270°")
    assert task.hparams["metadata"]["classes"] == list("abcdefg")
    with pytest.raises(InputError, match="12 x 16"):
        RotationPretext(network=LinearClassifier, metadata={**METADATA, "image_size": [12, 16]})


def test_images_to_predict_on_are_taken_as_they_are() -> None:
    batch = batch_of(0, 1)
    (first, _) = task_of(Denoising).eval().predict_step(batch, 0)
    assert torch.equal(first["image"], batch["image"][0])
    task = task_of(RotationPretext, LinearClassifier).eval()
    (first, _) = task.predict_step(batch, 0)
    assert torch.equal(first["scores"], task(batch["image"])[0].softmax(0))


@pytest.mark.parametrize("size", [(12, 12), (13, 17), (6, 5)])
def test_a_u_net_gives_images_of_any_size_back_at_that_size_and_has_its_skips(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    net, image = UNet(5, widths=(4, 6, 8)), torch.randn(2, 3, *size)
    assert net(image).shape == (2, 5, *size)
    with torch.no_grad():
        for up in net.up:
            up.weight.zero_()
            up.bias.zero_()
    other = torch.randn(2, 3, *size)
    assert not torch.equal(net(image), net(other)), "what lies below is cut off, and the image still gets through"


def test_a_denoiser_takes_away_what_its_network_finds() -> None:
    net, image = ResidualDenoiser(3, partial(UNet, widths=(4, 8))), torch.randn(2, 3, 8, 8)
    assert torch.equal(net(image), image - net.network(image)) and net.channels_last


@pytest.mark.parametrize("size", [32, (20, 13)])
def test_all_that_an_autoencoder_knows_of_an_image_is_its_code(size: Any) -> None:
    net = Autoencoder(3, image_size=size, widths=(4, 8), code=5).eval()
    height, width = net.image_size
    image = torch.randn(2, 3, height, width)
    assert net.encoder(image).shape == (2, 5) and net(image).shape == image.shape
    assert torch.equal(net(image), net.decoder(net.encoder(image))[..., :height, :width])
    with pytest.raises(ValueError, match="image_size is"):
        net(torch.zeros(1, 3, height + 1, width))


def test_an_encoder_that_was_trained_without_labels_fits_a_classifier() -> None:
    from lightning_modules.networks import SmallConvNet

    pretext = task_of(RotationPretext, partial(SmallConvNet, widths=(4, 8)))
    classifier = SmallConvNet(7, widths=(4, 8))
    taken = classifier[0].load_state_dict(pretext.network[0].state_dict())
    assert not taken.missing_keys and not taken.unexpected_keys
