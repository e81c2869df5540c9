"""Lecture 1, neurons and nets: what a layer computes, forwards and backwards."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .drawing import BLUE, GREEN, GREY, ORANGE, RED, Drawing
from .frame import Frame, MovingPicture, frame


def cascades() -> Iterator[Frame]:
    """A03: an image through the stages of a trained net."""
    import torch

    from experiments.lectures.cnn.cascades_of_nonlinear_transformations import through, trained

    stages, images, _ = trained()
    with torch.no_grad():
        outputs = through(stages, images[:1])
    for count, out in enumerate(outputs):
        values = out[0].numpy()
        sheet = Drawing()
        name = type(stages[count - 1]).__name__ if count else "image"
        sheet.text(480, 26, f"{count} of {len(stages)} stages: {name}", weight="bold", size=24)
        if values.ndim == 3:
            maps = values[:8]
            across = min(4, len(maps))
            side = min(180, 740 / across)
            for k, each in enumerate(maps):
                low, high = float(each.min()), float(each.max())
                left, top = 480 - across * (side + 8) / 2 + (k % across) * (side + 8), 54 + (k // across) * (side + 4)
                sheet.image((each - low) / ((high - low) or 1), left, top, side, min(side, 172))
        else:
            sheet.bars(220, 70, 520, {f"number {k + 1}": float(v) for k, v in enumerate(values.ravel()[:7])})
        yield frame(
            sheet, f"{'The input' if not count else f'Stage {count}, {name},'} gives {' × '.join(map(str, values.shape))}."
        )


def line_between() -> Iterator[Frame]:
    """A05: the perceptron's line after each mistake; at its end the one that the study's function finds."""
    from experiments.lectures.cnn.a_neuron_is_a_linear_classifier import blobs, perceptron

    points, classes, bound = blobs(1, 0.1)
    final, mistakes = perceptron(points, classes)
    weights, made, history = np.zeros(3), 0, [np.zeros(3)]
    while made < mistakes:
        for point, side in zip(points, classes, strict=True):
            if side * (weights @ point) <= 0:
                weights, made = weights + side * point, made + 1
                history.append(weights)
    assert np.array_equal(history[-1], final)
    for count in sorted({1, 2, 3, 5, 8, 13, 21, 34, mistakes} & set(range(1, mistakes + 1))):
        w = history[count]
        wrong = int((np.sign(points @ w) != classes).sum())
        sheet = Drawing(450)
        sheet.square(60, 30, 390, 390)
        for (x, y, _), side in zip(points, classes, strict=True):
            place = 255 + 190 * x, 225 - 190 * y
            if side > 0:
                sheet.circle(*place, 5, fill=BLUE, strength=0.8, edge=BLUE)
            else:
                sheet.square(place[0] - 4, place[1] - 4, 8, 8, fill=RED, strength=0.8, edge=RED)
        normal, along = w[:2] / (np.hypot(*w[:2]) or 1), np.array([-w[1], w[0]]) / (np.hypot(*w[:2]) or 1)
        foot = -w[2] / (np.hypot(*w[:2]) or 1) * normal
        ends = [np.clip(foot + t * along, -1.02, 1.02) for t in (-1.6, 1.6)]
        if np.hypot(*foot) < 1:
            sheet.line(*((255 + 190 * float(x), 225 - 190 * float(y)) for x, y in ends), width=3)
        sheet.text(710, 110, f"{count} mistake{'s' * (count != 1)} so far", size=28)
        sheet.text(710, 170, f"{wrong} of {len(points)} points wrong", size=24)
        sheet.text(710, 240, f"w = ({w[0]:.2f}, {w[1]:.2f}), b = {w[2]:.0f}".replace("-", "−"))
        sheet.text(710, 320, f"Novikoff's bound: {bound:.0f} mistakes")
        yield frame(sheet, f"After mistake {count}: y = sign(wᵀx + b) puts {wrong} points wrong.")


def one_matrix() -> Iterator[Frame]:
    """A09: five linear layers, multiplied into one."""
    import torch
    from torch import nn

    from experiments.lectures.cnn.composed_linear_functions_are_linear import one_matrix as product

    torch.manual_seed(0)
    layers = [nn.Linear(4, 4) for _ in range(5)]
    x = torch.tensor([1.0, -1, 2, 0.5])
    with torch.no_grad():
        for count in range(1, 6):
            weight, bias = product(layers[:count])
            through = nn.Sequential(*layers[:count])(x)
            sheet = Drawing()
            sheet.text(230, 26, f"layer {count}", weight="bold")
            sheet.grid(110, 60, 60, layers[count - 1].weight.numpy(), digits=2)
            sheet.text(600, 26, f"product of {count}", weight="bold")
            sheet.grid(480, 60, 60, weight.numpy(), digits=2, colour=GREEN)
            sheet.text(480, 340, f"through the layers: {_row(through)}", size=22)
            sheet.text(480, 384, f"by the one matrix: {_row(weight @ x + bias)}", size=22)
            apart = float((through - (weight @ x + bias)).abs().max())
            yield frame(sheet, f"{count} linear layers are one matrix and one bias; difference {apart:.0e}.")


def _row(values: object) -> str:
    return ", ".join(f"{float(v):.3f}" for v in values).replace("-", "−")  # type: ignore[attr-defined]


def counted() -> Iterator[Frame]:
    """A10: layers of a net, counted as the deck counts them, and as VGG and ResNet do."""
    import torch

    from experiments.lectures.cnn.layers_are_counted_without_input_and_output import with_weights
    from lightning_modules.networks import MultilayerPerceptron

    net = MultilayerPerceptron(3, hidden=(5, 5))
    net(torch.zeros(1, 4))
    sizes = (4, 5, 5, 3)
    names = ("input x", "hidden h¹", "hidden h²", "output y")
    for count in range(4):
        sheet = Drawing()
        places = [[(140 + 226 * i, 200 + 62 * (k - (n - 1) / 2)) for k in range(n)] for i, n in enumerate(sizes)]
        for i in range(count):
            for a in places[i]:
                for b in places[i + 1]:
                    sheet.line(a, b, colour=GREY, width=1, opacity=0.7)
        for i, layer in enumerate(places[: count + 1]):
            for x, y in layer:
                sheet.circle(x, y, 16, fill=ORANGE if i in (1, 2) else BLUE, strength=0.85)
            sheet.text(140 + 226 * i, 376, names[i])
        hidden = min(count, 2)
        sheet.text(480, 416, f"hidden layers: {hidden}, matrices: {count}", size=24)
        end = f" The deck calls it a 2-layer net; it has {with_weights(net)} layers with weights." if count == 3 else ""
        yield frame(sheet, f"{names[count][0].upper()}{names[count][1:]}: {sizes[count]} units.{end}")


def one_curve() -> Iterator[Frame]:
    """A12: σ(x), squeezed, stretched and lowered, is tanh x."""
    import torch

    x = torch.linspace(-4, 4, 81, dtype=torch.float64)
    steps = {
        "σ(x)": torch.sigmoid(x),
        "σ(2x)": torch.sigmoid(2 * x),
        "2 σ(2x)": 2 * torch.sigmoid(2 * x),
        "2 σ(2x) − 1": 2 * torch.sigmoid(2 * x) - 1,
    }
    for name, values in steps.items():
        apart = float((values - torch.tanh(x)).abs().max())
        sheet = Drawing(440)
        lines = {"tanh x": torch.tanh(x), name: values}
        shown = {n: list(zip(x.tolist(), v.tolist(), strict=True)) for n, v in lines.items()}
        sheet.curves(90, 50, 640, 300, shown, limits=(-4, 4, -1.1, 2.1), x_title="x")
        sheet.text(840, 200, f"greatest\ndifference\n{apart:.2g}", size=22)
        yield frame(sheet, f"{name} lies up to {apart:.2g} from tanh x.")


def one_sign() -> Iterator[Frame]:
    """A15: signs of one example's gradient, behind sigmoids and behind centred ones."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    from experiments.lectures.cnn.sigmoid_gradients_share_a_sign import centred
    from experiments.lectures.cnn.sigmoid_gradients_share_a_sign import one_sign as share
    from lightning_modules.networks import MultilayerPerceptron, Xavier

    for name, activation in (("sigmoid", nn.Sigmoid), ("sigmoid − ½", centred)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            net = MultilayerPerceptron(10, hidden=[14, 9], activation=activation, initialization=Xavier(4))
            images, labels = torch.randn(64, 3, 4, 4), torch.randint(10, (64,))
            with torch.no_grad():
                net(images[:1])
        weight = [layer for layer in net if isinstance(layer, nn.Linear)][1].weight
        for what, chosen in (("example 1", [0]), ("example 2", [1]), ("mean of 64 examples", list(range(64)))):
            gradient = torch.autograd.grad(F.cross_entropy(net(images[chosen]), labels[chosen]), weight)[0]
            sheet = Drawing()
            sheet.text(480, 26, f"{name}, {what}", weight="bold", size=24)
            for (i, j), value in np.ndenumerate(gradient.numpy()):
                sheet.square(100 + 38 * j, 60 + 34 * i, 38, 34, fill=BLUE if value > 0 else RED, strength=0.35)
                sheet.text(119 + 38 * j, 77 + 34 * i, "+" if value > 0 else "−")
            sheet.text(366, 392, "incoming weights", size=18)
            sheet.text(790, 190, f"{share(gradient):.0%} of the neurons\nhave one sign", size=26)
            sheet.text(790, 290, "a row is a neuron", size=18)
            yield frame(sheet, f"Behind {name}, {what}: {share(gradient):.0%} of the rows have one sign.")


def backwards() -> Iterator[Frame]:
    """A19: what the forward pass keeps, and what the backward pass makes of it."""
    from experiments.lectures.cnn.backward_needs_the_forward_pass import backward, forward

    rng = np.random.default_rng(3)
    shapes = {"w1": (3, 4), "b1": (4,), "w2": (4, 4), "b2": (4,), "w3": (4, 2), "b3": (2,)}
    w = {name: rng.normal(0, 0.7, shape) for name, shape in shapes.items()}
    x, t = rng.normal(size=(1, 3)), np.array([1])
    kept = forward(x, w)
    gradients = backward(x, t, w, kept)
    values = {"x": x, "h¹": kept["h1"], "h²": kept["h2"], "y": kept["y"]}
    for count in range(1, 5):
        sheet = Drawing()
        sheet.text(480, 26, "forward: each layer's output is kept", weight="bold")
        for i, (name, found) in enumerate(list(values.items())[:count]):
            sheet.text(60 + 250 * i, 90, name, anchor="start", weight="bold")
            sheet.grid(60 + 250 * i - 40 * (i > 0), 110, 48, found, digits=2)
            if i:
                sheet.arrow((60 + 250 * i - 76, 134), (60 + 250 * i - 46, 134))
        yield frame(sheet, f"{list(values)[count - 1]} is computed, and kept.")
    for count, name in enumerate(("w3", "w2", "w1"), 1):
        sheet = Drawing()
        sheet.text(480, 26, "backward: gradients need what was kept", weight="bold")
        for i, (key, found) in enumerate(values.items()):
            sheet.text(60 + 250 * i, 90, key, anchor="start", weight="bold")
            mark = {(0, j): RED for j in range(found.shape[1])} if i == 3 - count else None
            sheet.grid(60 + 250 * i - 40 * (i > 0), 110, 48, found, digits=2, marks=mark)
        for i, key in enumerate(("w3", "w2", "w1")[:count]):
            left = 640 - 270 * i
            sheet.text(left, 194, f"∂loss/∂{key}", anchor="start", weight="bold")
            sheet.grid(left, 212, 48, gradients[key], digits=2, colour=GREEN)
        yield frame(sheet, f"The gradient of {name} is {list(values)[3 - count]}, times what comes down from above.")


MOVING = {
    "A03": MovingPicture(cascades, "What the last stage of a trained net gives for an image."),
    "A05": MovingPicture(line_between, "Points of two classes and the line that the perceptron found."),
    "A09": MovingPicture(one_matrix, "The fifth layer, and the one matrix that all five are."),
    "A10": MovingPicture(counted, "A net with two hidden layers and three matrices."),
    "A12": MovingPicture(one_curve, "2 σ(2x) − 1 and tanh x, which lie on each other."),
    "A15": MovingPicture(one_sign, "Signs of a layer's gradient: rows of one sign, and mixed ones."),
    "A19": MovingPicture(backwards, "What the forward pass kept, and the gradients made of it."),
}
