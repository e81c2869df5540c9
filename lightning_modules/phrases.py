"""Between phrases and the tokens that a language model counts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .networks.language_model import END, NOTHING, UNKNOWN, WORDS


class Tokens:
    """The tokens of a data set's vocabulary.

    Args:
        vocabulary: the words that a phrase may have; others become :data:`UNKNOWN`, which is learned and never said.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.vocabulary = tuple(vocabulary)
        self._places = {word: place for place, word in enumerate(self.vocabulary, WORDS)}

    def encode(self, phrases: Sequence[str], max_words: int) -> Tensor:
        """int64 (N, max_words + 1), each phrase with its end, and :data:`NOTHING` behind it.

        A longer phrase is cut off, and has no end; one without a word is :data:`NOTHING` throughout.
        """
        rows = torch.full((len(phrases), max_words + 1), NOTHING)
        for row, phrase in zip(rows, phrases, strict=True):
            tokens = [self._places.get(word, UNKNOWN) for word in phrase.split()]
            tokens = tokens[:max_words] if len(tokens) > max_words else [*tokens, END] if tokens else []
            row[: len(tokens)] = torch.tensor(tokens, dtype=torch.long)
        return rows

    def decode(self, tokens: Tensor) -> list[str]:
        """The phrases of int64 (N, T), each up to its end."""
        return [self._phrase(row) for row in tokens.tolist()]

    def _phrase(self, tokens: list[int]) -> str:
        ends = tokens.index(END) if END in tokens else len(tokens)
        return " ".join(self.vocabulary[token - WORDS] for token in tokens[:ends] if token >= WORDS)
