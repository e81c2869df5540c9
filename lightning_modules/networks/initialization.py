"""How weights are drawn before training: an object that is called on a module."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Initialization(ABC):
    """Draws the weights of every linear layer and 2-D convolution of a module anew and sets their biases to zero.

    Layers that are still lazy are passed over: they have no weights yet.
    """

    def __call__(self, module: nn.Module) -> None:
        for layer in module.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d) and not nn.parameter.is_lazy(layer.weight):
                self.draw(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    @abstractmethod
    def draw(self, weight: Tensor) -> None:
        """Fills ``weight`` (out, in / groups, ...) in place."""


class Default(Initialization):
    """Leaves a module as torch built it: weights and biases uniform in ±1/√fan_in.

    For weights this is the "commonly used heuristic" that Glorot & Bengio 2010 (equation 1) argue against.
    """

    def __call__(self, module: nn.Module) -> None: ...

    def draw(self, weight: Tensor) -> None: ...


class Normal(Initialization):
    """N(0, std²) whatever the layer's size (Krizhevsky et al. 2012, section 5: std = 0.01)."""

    def __init__(self, std: float = 0.01) -> None:
        self.std = std

    def draw(self, weight: Tensor) -> None:
        nn.init.normal_(weight, std=self.std)


class LeCun(Initialization):
    """Uniform in ±√(3 / fan_in), of variance 1/fan_in (LeCun et al. 1998, "Efficient BackProp", equation 16)."""

    def draw(self, weight: Tensor) -> None:
        bound = (3 / weight[0].numel()) ** 0.5
        nn.init.uniform_(weight, -bound, bound)


class Xavier(Initialization):
    """Uniform in ±gain·√(6 / (fan_in + fan_out)) (Glorot & Bengio 2010, equation 16).

    ``Xavier(gain=4)`` suits the logistic sigmoid, whose slope at zero is 1/4.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def draw(self, weight: Tensor) -> None:
        nn.init.xavier_uniform_(weight, gain=self.gain)


class Kaiming(Initialization):
    """N(0, 2 / ((1 + slope²) fan_in)) (He et al. 2015, "Delving Deep into Rectifiers", equations 10 and 15).

    ``slope`` is that of the rectifier below zero: 0 for ReLU.
    """

    def __init__(self, slope: float = 0.0) -> None:
        self.slope = slope

    def draw(self, weight: Tensor) -> None:
        nn.init.kaiming_normal_(weight, a=self.slope)
