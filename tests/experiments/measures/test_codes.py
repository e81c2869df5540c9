"""Codes of units, on layers of which one knows what their units stand for."""

from __future__ import annotations

import torch

from experiments.measures.codes import binary_codes, classes_served, distinct, falls_without

CLASSES, EACH = 5, 40
LABELS = torch.arange(CLASSES).repeat_interleave(EACH)


def test_a_unit_is_on_in_the_given_part_of_the_images_whatever_its_scale() -> None:
    activations = torch.rand(200, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 1000.0, 0.0])
    codes = binary_codes(activations, 0.2)
    assert codes.sum(0).tolist() == [40, 40, 0]
    order = activations[:, 0].argsort(descending=True)
    assert codes[order[:40], 0].all() and not codes[order[40:], 0].any()


def test_a_grandmother_cell_serves_one_class_a_shared_unit_two_and_noise_none() -> None:
    rng = torch.Generator().manual_seed(0)
    cell = (LABELS == 2).float()
    shared = ((LABELS == 1) | (LABELS == 4)).float()
    units = torch.stack([cell, shared, torch.zeros(len(LABELS)), torch.zeros(len(LABELS))], 1)
    units[:, :3] += 0.01 * torch.rand(len(LABELS), 3, generator=rng)
    assert classes_served(binary_codes(units, 1 / CLASSES), LABELS, CLASSES).tolist() == [1, 2, 0, 0]


def test_classes_served_are_those_of_a_plain_loop() -> None:
    codes = torch.rand(200, 6, generator=torch.Generator().manual_seed(1)) < torch.linspace(0.05, 0.3, 6)
    expected = []
    for unit in range(6):
        often = [float(codes[c == LABELS, unit].double().mean()) for c in range(CLASSES)]
        expected.append(sum(part >= 1.2 * float(codes[:, unit].double().mean()) for part in often))
    assert classes_served(codes, LABELS, CLASSES, times=1.2).tolist() == expected


def test_codes_are_counted_once() -> None:
    assert distinct(torch.tensor([[True, False], [True, False], [False, False]])) == 2


def test_without_its_cell_a_class_is_lost_and_without_one_of_two_units_it_is_not() -> None:
    maps = torch.eye(CLASSES)[LABELS][:, :, None, None]  # one unit a class
    falls = falls_without(maps, lambda m: m.flatten(1), LABELS, CLASSES)
    # Class 0 is what is said where nothing is on.
    expected = torch.eye(CLASSES).double()
    expected[0, 0] = 0
    torch.testing.assert_close(falls, expected)
    twice = falls_without(maps.repeat(1, 2, 1, 1), lambda m: m[:, :CLASSES, 0, 0] + m[:, CLASSES:, 0, 0], LABELS, CLASSES)
    assert torch.equal(twice, torch.zeros(2 * CLASSES, CLASSES).double())
    assert maps.sum() == len(LABELS), "the maps are as they were"
