"""Networks without convolutions: the linear classifier and the multi-layer perceptron."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from lightning_modules.networks.initialization import Default, Initialization


class LazyInputLinear(nn.LazyLinear):
    """A linear layer that learns its input size from its first batch, and is initialised then."""

    def __init__(self, out_features: int, initialization: Initialization) -> None:
        super().__init__(out_features)
        self.initialization = initialization

    def initialize_parameters(self, input: Any) -> None:
        fresh = self.has_uninitialized_params()  # not so where a checkpoint has been loaded
        super().initialize_parameters(input)
        if fresh:
            self.initialization(self)


class MultilayerPerceptron(nn.Sequential):
    """Multi-layer perceptron: (B, ...) of any size to logits (B, num_classes).

    ``hidden`` gives the width of each hidden layer; input and output layers are not counted (the deck's
    convention), so that ``hidden=[64, 64]`` is "a 2-layer net" and has three linear layers. ``dropout`` is the
    probability with which a hidden unit is dropped in training.

    The first layer is lazy, it takes its input size from the first batch: show the network one image, in evaluation
    mode and without gradients, before it is given to DDP or its parameters are counted.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        hidden: Sequence[int] = (64, 64),
        activation: Callable[[], nn.Module] = nn.ReLU,
        initialization: Initialization = Default(),  # noqa: B008 (immutable)
        dropout: float = 0.0,
    ) -> None:
        if dropout and not hidden:
            raise ValueError(f"MultilayerPerceptron: dropout {dropout:g} drops hidden units, and `hidden` names none")
        layers: list[nn.Module] = [nn.Flatten()]
        outputs = [*hidden, num_classes]
        for i, width in enumerate(outputs):
            layers += [nn.Linear(outputs[i - 1], width) if i else LazyInputLinear(width, initialization)]
            if i < len(hidden):
                layers += [activation(), nn.Dropout(dropout)]
        super().__init__(*layers)
        initialization(self)


class LinearClassifier(MultilayerPerceptron):
    """One hyperplane a class: (B, ...) to logits (B, num_classes) with no hidden layer."""

    def __init__(self, num_classes: int, *, initialization: Initialization = Default()) -> None:  # noqa: B008 (immutable)
        super().__init__(num_classes, hidden=(), initialization=initialization)
