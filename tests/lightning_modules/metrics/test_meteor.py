"""METEOR without WordNet, on cases worked out by hand, and what holds of it whatever is said."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_modules.metrics.meteor import ALPHA, BETA, EXACT, GAMMA, STEM, Alignment, align, meteor, stem

WORDS = ["a", "red", "ring", "rings", "on", "the", "left", "ringing"]
phrases = st.lists(st.sampled_from(WORDS), max_size=6)


def score(pairs: float, said: int, there: int, fragmentation: float) -> float:
    """The paper's formulas, from the weight of the pairs."""
    precision, recall = pairs / said, pairs / there
    f_mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall)
    return f_mean * (1 - GAMMA * fragmentation**BETA)


@pytest.mark.parametrize(
    ("said", "there", "expected"),
    [
        ("a red ring", "a red ring", 1.0),  # the whole of it is no fragment
        ("", "a red ring", 0.0),
        ("a red ring", "", 0.0),
        ("green", "a red ring", 0.0),
        ("a red ring", "a red ring on the left", score(3, 3, 6, 1 / 3)),
        ("a ring", "a red ring", score(2, 2, 3, 2 / 2)),
        ("ring red a", "a red ring", score(3, 3, 3, 3 / 3)),
        ("rings", "ring", score(STEM, 1, 1, 0.0)),
        ("a a", "a", score(1, 2, 1, 1 / 1)),  # a word counts once
    ],
)
def test_the_score_is_the_papers_formula(said: str, there: str, expected: float) -> None:
    assert meteor(said, there) == pytest.approx(expected)


def test_the_formula_is_the_one_in_numbers() -> None:
    # P = 1, R = 1/2, F = .5 / (.85 + .15 / 2) = .5405; one chunk of three words, penalty .6 * (1/3)^.2 = .4816.
    assert meteor("a red ring", "a red ring on the left") == pytest.approx(0.5405 * (1 - 0.4816), abs=1e-3)


def test_an_alignment_takes_the_fewest_chunks() -> None:
    assert align("the ring on the left".split(), "the left the ring on".split()) == Alignment(5, 5.0, 2)
    assert align("rings ring".split(), "ring".split()) == Alignment(1, EXACT, 1), "the equal word, not the one of its stem"


def by_trying_all(said: list[str], there: list[str]) -> tuple[int, float, int]:
    """The best alignment: pairs, weight, -chunks."""
    best = (0, 0.0, 0)
    slots = [*range(len(there)), *[-1] * len(said)]
    for chosen in set(permutations(slots, len(said))):
        pairs = [(i, j) for i, j in enumerate(chosen) if j >= 0]
        weights = [EXACT if said[i] == there[j] else STEM if stem(said[i]) == stem(there[j]) else 0.0 for i, j in pairs]
        if 0.0 in weights:
            continue
        chunks = sum(1 for n, (i, j) in enumerate(pairs) if not n or pairs[n - 1] != (i - 1, j - 1))
        best = max(best, (len(pairs), round(sum(weights), 6), -chunks))
    return best


@given(phrases.map(lambda words: words[:3]), phrases.map(lambda words: words[:4]))
@settings(deadline=None, max_examples=60)
def test_the_alignment_is_the_best_of_all(said: list[str], there: list[str]) -> None:
    found = align(said, there)
    assert (found.pairs, round(found.weight, 6), -found.chunks) == by_trying_all(said, there)


@given(phrases, phrases)
@settings(deadline=None)
def test_a_score_lies_between_0_and_1_and_is_1_for_the_same_words_alone(said: list[str], there: list[str]) -> None:
    value = meteor(" ".join(said), " ".join(there))
    assert 0 <= value <= 1
    assert (value == 1) == (said == there and bool(said))
    assert (value == 0) == (not {stem(word) for word in said} & {stem(word) for word in there})


@pytest.mark.parametrize(
    ("word", "expected"),
    [  # Porter 1980, section 2, step 1
        ("caresses", "caress"), ("ponies", "poni"), ("caress", "caress"), ("cats", "cat"),
        ("feed", "feed"), ("agreed", "agree"), ("plastered", "plaster"), ("bled", "bled"), ("motoring", "motor"),
        ("sing", "sing"), ("conflated", "conflate"), ("troubled", "trouble"), ("sized", "size"),
        ("hopping", "hop"), ("falling", "fall"),
        ("hissing", "hiss"), ("failing", "fail"), ("filing", "file"), ("happy", "happi"), ("sky", "sky"), ("a", "a"), ("", ""),
    ],
)  # fmt: skip
def test_a_stem_is_porters_after_his_first_step(word: str, expected: str) -> None:
    assert stem(word) == expected
