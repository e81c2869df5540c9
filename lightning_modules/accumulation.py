"""The gradient of a step whose images are spread over micro-batches and ranks: that of the means over all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn

from .means import Mean, full_precision


class Step:
    """The micro-batches of one step so far (``trainer.accumulate_grad_batches``).

    The gradient of a mean T / C over a step is that of T, summed over the step's micro-batches and divided by a C that is
    known with the last of them. Losses that count different things have different C, so the gradients of their sums are
    kept apart until then.
    """

    def __init__(self) -> None:
        self._totals: dict[str, Tensor] = {}
        self._counts: dict[str, Tensor] = {}
        self._gradients: dict[tuple[str, ...], dict[nn.Parameter, Tensor]] = {}
        """Of each group of losses with one count, summed over the micro-batches."""

    def keep(self, losses: Mapping[str, Mean], parameters: Iterable[nn.Parameter], scale: float) -> None:
        """Adds a micro-batch that is not the step's last, and frees its graph. Gradients stay on this rank.

        Args:
            losses: of the micro-batch.
            parameters: those that are trained.
            scale: factor on the losses: the number of ranks where a strategy will average gradients, times what keeps those
                of half precision from vanishing.

        Raises:
            RuntimeError: other losses share a count than in the micro-batch before.
        """
        trained, groups = list(parameters), _groups(losses)
        if self._gradients and self._gradients.keys() != groups.keys():
            raise RuntimeError(
                f"losses that share a count must share it in every batch; got {list(self._gradients)}, then {list(groups)}"
            )
        for i, (names, total) in enumerate(groups.items()):
            # A mean is differentiated, not a sum, which could leave the range of half precision.
            count = losses[names[0]].count.clamp(min=1)
            retain = i + 1 < len(groups)
            gradients = torch.autograd.grad(scale * total / count, trained, retain_graph=retain, allow_unused=True)
            kept = self._gradients.setdefault(names, {})
            for parameter, gradient in zip(trained, gradients, strict=True):
                if gradient is not None:
                    own = full_precision(gradient) * count
                    kept[parameter] = kept[parameter] + own if parameter in kept else own
        self._totals, self._counts = self._sums(losses)

    def end(
        self, losses: Mapping[str, Mean], add: Callable[[Tensor], Tensor], scale: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Adds the step's last micro-batch.

        Gradients that were kept are put into the parameters' ``grad``, to which the backward pass of the loss returned adds
        the last micro-batch's.

        Args:
            losses: of the micro-batch.
            add: sums a tensor over all ranks.
            scale: as in :meth:`keep`.

        Returns:
            The loss to be differentiated, times ``scale``, and this rank's part of each loss of the step, by name.
        """
        totals, counts = self._sums(losses)
        counted = add(torch.stack(list(counts.values()))).clamp(min=1).unbind()  # one exchange for all
        every = dict(zip(counts, counted, strict=True))
        finished: dict[nn.Parameter, Tensor] = {}
        for names, gradients in self._gradients.items():
            for parameter, gradient in gradients.items():
                own = gradient / every[names[0]]
                finished[parameter] = finished[parameter] + own if parameter in finished else own
        for parameter, gradient in finished.items():
            parameter.grad = gradient.to(parameter)
        # What would change nothing is left out: an operation on one number takes as long as on a thousand.
        sums = {name: mean.total if scale == 1 else scale * mean.total for name, mean in losses.items()}
        loss = torch.stack([total / every[name] for name, total in sums.items()]).sum()
        return loss, {name: total / every[name] for name, total in totals.items()}

    def _sums(self, losses: Mapping[str, Mean]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Totals and counts, this micro-batch included."""
        totals, counts = {k: mean.total.detach() for k, mean in losses.items()}, {k: mean.count for k, mean in losses.items()}
        if self._totals:
            totals = {name: total + self._totals.get(name, 0) for name, total in totals.items()}
            counts = {name: count + self._counts.get(name, 0) for name, count in counts.items()}
        return totals, counts


def _groups(losses: Mapping[str, Mean]) -> dict[tuple[str, ...], Tensor]:
    """The names of losses that share a count, and the sum of their totals."""
    names: dict[int, list[str]] = {}
    for name, mean in losses.items():
        names.setdefault(id(mean.count), []).append(name)
    return {tuple(group): torch.stack([losses[name].total for name in group]).sum() for group in names.values()}
