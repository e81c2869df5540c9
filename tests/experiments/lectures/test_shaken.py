"""Proposals that lie beside their objects, for what corrects them."""

from __future__ import annotations

import torch
from torchvision.ops import box_iou

from datamodules import SelectiveSearch, Shapes
from datamodules.drawing import Style
from experiments.lectures.cs231n._shaken import GROWTH, LEAST, SHIFT, ShakenProposals
from experiments.lectures.cs231n._statistics import AdaptedSPPNet
from lightning_modules.networks import SPPNet


def test_they_are_the_search_s_moved_within_bounds_and_the_image_s_alone() -> None:
    data = Shapes(image_size=64, train=6, val=1, test=1, workers=0, style=Style(objects=(1, 2), texture=0.8))
    data.require(frozenset({"boxes", "labels"}))
    searched, shaken = SelectiveSearch(scales=(50.0,)), ShakenProposals()
    moved_at_all = 0.0
    for i in range(6):
        image = data.scenes("train")[i]["image"]
        boxes, before = shaken(image), searched(image)
        assert torch.equal(boxes, ShakenProposals()(image)) and len(boxes) == len(torch.unique(boxes, dim=0))
        sides = boxes[:, 2:] - boxes[:, :2]
        assert boxes.min() >= 0 and boxes.max() <= 64 and sides.min() >= LEAST
        # Moved and shrunk as far as it goes, a box still has this IoU with what it was.
        least = (1 - 2 * SHIFT) ** 2 / GROWTH**2 / 2
        assert 0.9 * len(before) <= len(boxes) <= len(before)
        best = box_iou(boxes, before).max(1).values
        assert best.min() > least
        moved_at_all += float((best < 0.95).float().mean())
    assert moved_at_all > 3


def test_a_frozen_backbone_may_learn_the_statistics_of_its_images_and_nothing_else() -> None:
    kept, adapted = SPPNet(3, levels=[4]).train(), AdaptedSPPNet(3, levels=[4]).train()
    images = torch.rand(2, 3, 32, 32) + 3
    for network, changes in ((kept, False), (adapted, True)):
        before = {name: value.clone() for name, value in network.backbone.state_dict().items()}
        network.share(images)
        after = network.backbone.state_dict()
        changed = {name.rpartition(".")[2] for name, value in after.items() if not torch.equal(value, before[name])}
        assert changed == ({"running_mean", "running_var", "num_batches_tracked"} if changes else set())
        assert not any(parameter.requires_grad for parameter in network.backbone.parameters())
