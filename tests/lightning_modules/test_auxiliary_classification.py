"""The task with auxiliary classifiers: its loss is the paper's, and in evaluation nothing of them is left."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from datamodules.scene import DatasetMetadata
from lightning_modules import AuxiliaryClassification, Classification
from lightning_modules.networks.auxiliary import WithAuxiliary

METADATA = DatasetMetadata(name="made up", image_size=(4, 4), classes=("a", "b", "c")).as_dict()


class Two(nn.Module):
    """A linear classifier with two auxiliary ones."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.main, self.first, self.second = (nn.Linear(48, num_classes) for _ in range(3))

    def forward(self, images: Tensor) -> Tensor | WithAuxiliary:
        x = images.flatten(1)
        return WithAuxiliary(self.main(x), (self.first(x), self.second(x))) if self.training else self.main(x)


def test_the_loss_is_the_main_one_and_three_tenths_of_each_auxiliary_one() -> None:
    torch.manual_seed(0)
    task = AuxiliaryClassification(network=Two, label_smoothing=0.1, metadata=METADATA)
    images, labels = torch.randint(0, 256, (5, 3, 4, 4), dtype=torch.uint8), torch.tensor([0, 1, 2, 1, 0])
    batch = {"image": images, "label": labels}
    outputs = task.respond(batch)
    losses = task.losses(outputs, batch)
    main, first, second = (F.cross_entropy(o, labels, label_smoothing=0.1) for o in (outputs.logits, *outputs.auxiliary))
    torch.testing.assert_close(losses["cross_entropy"].value, main)
    torch.testing.assert_close(losses["auxiliary"].value, 0.3 * (first + second))
    assert losses["auxiliary"].count is losses["cross_entropy"].count


def test_in_evaluation_it_is_a_classification() -> None:
    torch.manual_seed(0)
    task = AuxiliaryClassification(network=Two, metadata=METADATA).eval()
    plain = Classification(network=lambda _: task.network, metadata=METADATA).eval()
    batch = {"image": torch.randint(0, 256, (5, 3, 4, 4), dtype=torch.uint8), "label": torch.zeros(5, dtype=torch.long)}
    ours, theirs = (t.losses(t.respond(batch), batch) for t in (task, plain))
    assert ours.keys() == theirs.keys() == {"cross_entropy"}
    torch.testing.assert_close(ours["cross_entropy"].value, theirs["cross_entropy"].value)
