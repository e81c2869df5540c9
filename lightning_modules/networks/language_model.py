"""A language model that speaks about a region: an LSTM that is told at each word what the region looks like.

CS231n 2017, lecture 11, "Dense Captioning" ("RNN Language Model"); Johnson et al. 2016, "DenseCap", section 3.3; Hochreiter and
Schmidhuber 1997 (LSTM).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..means import Mean, counted, full_precision

END, UNKNOWN, WORDS = 0, 1, 2
"""Tokens: what a phrase ends with, and begins after; a word that is not in the vocabulary; and the first word that is in it."""

NOTHING = -1
"""Stands behind a phrase's end: nothing to be learned there."""


class RegionLanguageModel(nn.Module):
    """The next word of a phrase, from the words before it and the region's code.

    DenseCap gives the code once, before the first word. Here it goes into every word's input, and once more into a hidden layer
    behind the LSTM: on phrases of a small grammar a code that is given once is forgotten, and the model learns the grammar
    alone.

    Args:
        features: numbers of a region's code.
        num_words: of the vocabulary; :data:`END` and :data:`UNKNOWN` are added.
        embedding: numbers that a word is turned into.
        hidden: of the LSTM, and of the layer behind it (512 in the paper).
        max_words: of a phrase; what is longer is cut off, and neither learned nor said.
        beams: beginnings of a phrase that are followed at once; with 1 each word is the likeliest after those before it.
    """

    def __init__(
        self, features: int, num_words: int, *, embedding: int = 64, hidden: int = 128, max_words: int = 15, beams: int = 1
    ) -> None:
        super().__init__()
        self.max_words, self.beams = max_words, beams
        self.words = nn.Embedding(WORDS + num_words, embedding)
        self.lstm = nn.LSTM(embedding + features, hidden, batch_first=True)
        self.layer = nn.Linear(hidden + features, hidden)
        self.scores = nn.Linear(hidden, WORDS + num_words)

    def forward(self, codes: Tensor, before: Tensor) -> Tensor:
        """Logits (R, T, tokens) of the word at each place, from codes (R, features) and the words before, int64 (R, T)."""
        return self._next(codes, before, None)[0]

    def _next(self, codes: Tensor, before: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        seen = codes[:, None].expand(-1, before.shape[1], -1)
        said, state = self.lstm(torch.cat([self.words(before), seen], -1), state)
        return self.scores(F.relu(self.layer(torch.cat([said, seen], -1)))), state

    def loss(self, codes: Tensor, phrases: Tensor) -> Mean:
        """The cross-entropy of the phrases' words, each from the true ones before it (teacher forcing).

        Args:
            codes: float (R, features).
            phrases: int64 (R, T), tokens; behind the end, and in place of a phrase that is not there, :data:`NOTHING`.
        """
        if not len(codes):  # an LSTM takes no empty batch
            return Mean(self(codes.new_zeros(1, codes.shape[1]), phrases.new_zeros(1, 1)).sum() * 0 + codes.sum(), _none(codes))
        before = torch.cat([torch.full_like(phrases[:, :1], END), phrases[:, :-1]], 1).clamp(min=0)
        logits = full_precision(self(codes, before))
        total = F.cross_entropy(logits.flatten(0, 1), phrases.flatten(), ignore_index=NOTHING, reduction="sum")
        return Mean(total, (phrases != NOTHING).sum())

    @torch.no_grad()
    def generate(self, codes: Tensor) -> Tensor:
        """int64 (R, max_words): the likeliest phrase that is found for each code (R, features); :data:`END` from its end on.

        The ``beams`` likeliest beginnings are kept at each word; of these phrases the likeliest as a whole is taken.
        """
        regions, beams = codes.shape[0], self.beams
        if not regions and not torch.jit.is_tracing():  # type: ignore[attr-defined]
            return torch.zeros(0, self.max_words, dtype=torch.long, device=codes.device)
        codes = codes.repeat_interleave(beams, 0)
        said = torch.full((regions * beams, 1), END, dtype=torch.long, device=codes.device)
        phrases = said[:, :0]
        # At first all beams of a region are the same one: only the first of them may be followed.
        first = torch.full((beams,), -torch.inf, device=codes.device).scatter(0, said[:1, 0], 0.0)
        likelihood, ended, state = first.repeat(regions), torch.zeros_like(said[:, 0], dtype=torch.bool), None
        for _ in range(self.max_words):
            logits, state = self._next(codes, said, state)
            chosen, said, likelihood = self._followed(full_precision(logits[:, 0]).log_softmax(-1), likelihood, ended)
            phrases = torch.cat([phrases[chosen], said], 1)
            ended = said[:, 0] == END
            state = (state[0][:, chosen], state[1][:, chosen])
        return phrases.unflatten(0, (regions, beams))[:, 0]

    def _followed(self, logs: Tensor, likelihood: Tensor, ended: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The beams that go on, from log-probabilities (R · beams, tokens): which of the old ones each follows (R · beams,),
        its word (R · beams, 1) and its log-likelihood (R · beams,). A region's lie together, the likeliest first."""
        tokens, beams = logs.shape[1], self.beams
        token = torch.arange(tokens, device=logs.device)
        logs = logs.where(token != UNKNOWN, -torch.inf)
        over = torch.where(token == END, 0.0, -torch.inf).to(logs)  # what has ended says nothing more
        logs = torch.where(ended[:, None], over, logs) + likelihood[:, None]
        best, places = logs.unflatten(0, (-1, beams)).flatten(1).topk(beams, 1)
        regions = torch.arange(best.shape[0], device=logs.device)[:, None] * beams
        return (regions + places // tokens).flatten(), (places % tokens).flatten()[:, None], best.flatten()


def _none(like: Tensor) -> Tensor:
    return counted(0, like)
