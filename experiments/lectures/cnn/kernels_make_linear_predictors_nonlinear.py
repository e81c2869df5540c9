"""With a fixed nonlinear map of its inputs, a linear predictor separates what no line can.

Deck “CNN, R-CNN”, slide “Nonlinear Predictors”: “Kernel Trick”; Boser et al. 1992. Rahimi & Recht 2007: random features are the
kernel, but for an error of 1/√D.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments.studies.results import Run, Runs
from experiments.studies.study import Measured, Measurement, Study
from experiments.studies.verdict import Rule, Verdict

_Points = np.ndarray
Kernel = Callable[[_Points, _Points], np.ndarray]

TRAIN, TEST, FOLDS = 200, 1000, 5
WEIGHTS = (1e-4, 1e-2, 1.0)
"""Of the regulariser: 1/C."""
WIDTHS = (0.3, 1.0, 3.0, 10.0)
"""γ of exp(−γ ‖a − b‖²)."""
FEATURES = (64, 128, 256, 512, 1024, 2048, 4096)


def exclusive_or(rng: np.random.Generator, count: int) -> tuple[_Points, np.ndarray]:
    """_Points of the square ±1 and classes ±1, the sign of x · y; none nearer than 0.05 to an axis."""
    points = rng.uniform(0.05, 1, (count, 2)) * rng.choice([-1, 1], (count, 2))
    return points, np.sign(points[:, 0] * points[:, 1])


def circles(rng: np.random.Generator, count: int) -> tuple[_Points, np.ndarray]:
    """A disc of class −1 within a ring of class 1."""
    classes = rng.choice([-1.0, 1.0], count)
    radius = np.where(classes < 0, rng.uniform(0, 0.45, count), rng.uniform(0.55, 1, count))
    angle = rng.uniform(0, 2 * np.pi, count)
    return np.c_[radius * np.cos(angle), radius * np.sin(angle)], classes


PROBLEMS = {"exclusive or": exclusive_or, "circles": circles}


def linear(a: _Points, b: _Points) -> np.ndarray:
    return a @ b.T + 1  # the 1 is the bias


def radial(gamma: float) -> Kernel:
    def kernel(a: _Points, b: _Points) -> np.ndarray:
        return np.exp(-gamma * ((a[:, None] - b[None]) ** 2).sum(-1)) + 1  # type: ignore[no-any-return]

    return kernel


def accuracy(kernel: Kernel, weight: float, train: tuple[_Points, np.ndarray], test: tuple[_Points, np.ndarray]) -> float:
    """Of regularised least squares: linear parameters in the kernel's features."""
    gram = kernel(train[0], train[0])
    alpha = np.linalg.solve(gram + weight * np.eye(len(gram)), train[1])
    return float((np.sign(kernel(test[0], train[0]) @ alpha) == test[1]).mean())


def chosen(kernels: list[Kernel], train: tuple[_Points, np.ndarray]) -> tuple[Kernel, float]:
    """The kernel and the regulariser of the best mean accuracy over five folds of the training points."""
    points, classes = train

    def score(kernel: Kernel, weight: float) -> float:
        folds = []
        for fold in range(FOLDS):
            held = np.arange(len(points)) % FOLDS == fold
            folds.append(accuracy(kernel, weight, (points[~held], classes[~held]), (points[held], classes[held])))
        return float(np.mean(folds))

    return max(((kernel, weight) for kernel in kernels for weight in WEIGHTS), key=lambda pair: score(*pair))


def separate(*, seed: int, folder: Path, kernel: str) -> Measured:
    """Test accuracies on both problems, with γ and C by cross-validation."""
    kernels: list[Kernel] = [linear] if kernel == "linear" else [radial(gamma) for gamma in WIDTHS]
    values = {}
    for name, draw in PROBLEMS.items():
        rng = np.random.default_rng(seed)
        train, test = draw(rng, TRAIN), draw(rng, TEST)
        values[name] = accuracy(*chosen(kernels, train), train, test)
    return Measured(values)


def approximate(*, seed: int, folder: Path) -> Measured:
    """Root mean square error of the kernel that D random cosines give, over D, and the slope of the logarithms."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (200, 2))
    exact = radial(1.0)(points, points) - 1
    curve = []
    for count in FEATURES:
        frequencies, phases = rng.normal(0, np.sqrt(2), (2, count)), rng.uniform(0, 2 * np.pi, count)
        features = np.sqrt(2 / count) * np.cos(points @ frequencies + phases)
        curve.append((float(count), float(np.sqrt(((features @ features.T - exact) ** 2).mean()))))
    counts, errors = np.log(np.array(curve)).T
    slope = float(np.polyfit(counts, errors, 1)[0])
    return Measured({"slope": slope}, {"error of random features": curve})


def measure(*, seed: int, folder: Path, kernel: str) -> Measured:
    return (
        approximate(seed=seed, folder=folder)
        if kernel == "random features"
        else separate(seed=seed, folder=folder, kernel=kernel)
    )


def verdict(runs: Runs) -> Verdict:
    """Reproduced: on both problems the line has at most 60 % and the kernel at least 98 %, in every seed."""
    line = runs.quantity("a line's accuracy, the better problem", "linear", best, scale=100, unit="%", needs="≤ 60 %")
    kernel = runs.quantity("a kernel's accuracy, the worse problem", "kernel", worst, scale=100, unit="%", needs="≥ 98 %")
    slope = runs.quantity("slope of ln error over ln D of random features", "random features", "slope", paper=-0.5)
    holds = max(line.by_seed) <= 60 and min(kernel.by_seed) >= 98
    return Rule((kernel, line, slope)).judge(
        reproduced=holds,
        refuted=not holds,
        because=f"A line puts at most {max(line.by_seed):.0f} % of new points right, the same linear method behind a radial "
        f"kernel at least {min(kernel.by_seed):.1f} %. With D random features the kernel's error goes as D to the power of "
        f"{slope.estimate:.2f}.",
    )


def best(run: Run) -> float:
    return max(run.value(name) for name in PROBLEMS)


def worst(run: Run) -> float:
    return min(run.value(name) for name in PROBLEMS)


study = Study(
    claim="A07",
    says="Kernel trick: fixed functions, and optimize linear parameters on nonlinear mappings φ(x): y = sign(wᵀφ(x) + b).",
    slide="Nonlinear Predictors",
    paper="No figure; Rahimi & Recht 2007: the error of D random features falls as 1/√D.",
    work=Measurement(measure),
    variants={"linear": {"kernel": "linear"}, "kernel": {"kernel": "radial"}, "random features": {"kernel": "random features"}},
    controlled="200 training points, regularised least squares, C (and γ) by five-fold cross-validation on them",
    deviations=("regularised least squares in place of a support vector machine: as linear in its features",),
    seeds=10,
    parts=verdict,
)
