"""How well a phrase says what another one says: METEOR as far as it goes without WordNet.

Denkowski and Lavie 2014, "Meteor Universal: Language Specific Translation Evaluation for Any Target Language", section 2, with
its English parameters. Of its four matchers two are here, equal words and equal stems. Synonyms need WordNet and paraphrases a
table of them, and both of them Java, so a synonym counts as another word. There is no list of function words: all words count
alike (δ = 1/2). So a score is at most METEOR's as a rule, and is not to be set beside one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

ALPHA, BETA, GAMMA = 0.85, 0.2, 0.6
"""The weight of recall, and the exponent and the weight of the penalty for words in another order."""
EXACT, STEM = 1.0, 0.6
"""What a pair of equal words counts, and a pair of words of one stem."""
BEAM = 40
"""Alignments that are followed at once, as METEOR's own search does."""


class Alignment(NamedTuple):
    """Pairs of words of two phrases, each word in one pair at most."""

    pairs: int
    weight: float
    """Of all pairs."""
    chunks: int
    """Runs of pairs that are next to one another in both phrases."""


@lru_cache(2**16)
def meteor(candidate: str, reference: str) -> float:
    """The score of a phrase beside a reference, from 0 (no word in common) to 1 (the same words in the same order).

    F (1 - penalty), where F is the weighted harmonic mean of precision and recall, and the penalty grows with the number of
    chunks that the matched words are scattered into.
    """
    said, there = candidate.split(), reference.split()
    found = align(said, there)
    if not found.pairs:
        return 0.0
    precision, recall = found.weight / len(said), found.weight / len(there)
    f_mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall)
    whole = found.pairs == len(said) == len(there) and found.chunks == 1
    fragmentation = 0.0 if whole else found.chunks / found.pairs
    return float(f_mean * (1 - GAMMA * fragmentation**BETA))


def align(said: Sequence[str], there: Sequence[str]) -> Alignment:
    """The alignment of the most pairs; of those the one of the greatest weight, then of the fewest chunks, then the
    straightest."""
    stems, other_stems = [stem(word) for word in said], [stem(word) for word in there]
    # Of each way to begin: pairs, weight, -chunks, -crossing; which words of the reference are taken, and the last pair's.
    ways: list[tuple[tuple[int, float, int, int], int, int]] = [((0, 0.0, 0, 0), 0, -2)]
    for i, word in enumerate(said):
        best: dict[tuple[int, int], tuple[int, float, int, int]] = {}
        for value, taken, last in ways:
            _keep(best, (taken, -2), value)
            for j, other in enumerate(there):
                weight = EXACT if word == other else STEM if stems[i] == other_stems[j] else 0.0
                if weight and not taken >> j & 1:
                    pairs, total, chunks, crossing = value
                    goes_on = j == last + 1
                    _keep(best, (taken | 1 << j, j), (pairs + 1, total + weight, chunks - (not goes_on), crossing - abs(i - j)))
        ways = sorted(((value, *place) for place, value in best.items()), reverse=True)[:BEAM]
    pairs, weight, chunks, _ = ways[0][0]
    return Alignment(pairs, weight, -chunks)


def _keep(
    best: dict[tuple[int, int], tuple[int, float, int, int]], place: tuple[int, int], value: tuple[int, float, int, int]
) -> None:
    if place not in best or value > best[place]:
        best[place] = value


def _measure(word: str) -> int:
    """How often a vowel is followed by a consonant: m of Porter's [C](VC)^m[V]."""
    kinds = "".join("v" if _is_vowel(word, i) else "c" for i in range(len(word)))
    return len(re.findall("v+c", kinds))


def _is_vowel(word: str, i: int) -> bool:
    return word[i] in "aeiou" or (word[i] == "y" and i > 0 and not _is_vowel(word, i - 1))


def _has_vowel(word: str) -> bool:
    return any(_is_vowel(word, i) for i in range(len(word)))


@lru_cache(2**14)
def stem(word: str) -> str:
    """A word without its inflection: step 1 (a to c) of Porter 1980, "An algorithm for suffix stripping".

    It takes away plurals, -ed and -ing, which is what phrases about images differ by; its later steps (-ization, -fulness) are
    left out.
    """
    for end, instead in (("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("s", "")):
        if word.endswith(end):
            word = word[: len(word) - len(end)] + instead
            break
    if word.endswith("eed"):
        if _measure(word[:-3]) > 0:
            word = word[:-1]
    else:
        for end in ("ed", "ing"):
            if word.endswith(end) and _has_vowel(word[: -len(end)]):
                word = _mended(word[: -len(end)])
                break
    return f"{word[:-1]}i" if word.endswith("y") and _has_vowel(word[:-1]) else word


def _mended(word: str) -> str:
    """What is left of a verb behind which -ed or -ing was taken away."""
    if word.endswith(("at", "bl", "iz")):
        return f"{word}e"
    if len(word) > 1 and word[-1] == word[-2] and not _is_vowel(word, len(word) - 1):
        return word if word[-1] in "lsz" else word[:-1]
    short = len(word) > 2 and _is_vowel(word, len(word) - 2) and word[-1] not in "wxy"
    short = short and not _is_vowel(word, len(word) - 1) and not _is_vowel(word, len(word) - 3)
    return f"{word}e" if short and _measure(word) == 1 else word
