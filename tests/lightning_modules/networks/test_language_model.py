"""The language model of regions: what it learns, what it says, and that its search finds what there is."""

from __future__ import annotations

from itertools import product

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_modules.networks import RegionLanguageModel
from lightning_modules.networks.language_model import END, NOTHING, UNKNOWN, WORDS
from lightning_modules.phrases import Tokens


def model(seed: int = 0, **kwargs: int) -> RegionLanguageModel:
    torch.manual_seed(seed)
    made = RegionLanguageModel(5, 3, **{"embedding": 4, "hidden": 6, "max_words": 3} | kwargs)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=1.0)  # one that prefers some words clearly
    return made


def log_likelihood(network: RegionLanguageModel, code: Tensor, tokens: list[int]) -> float:
    """Of a phrase, word by word, as it is learned: the unknown word has its probability and is not said."""
    before = torch.tensor([[END, *tokens[:-1]]])
    logs = network(code[None], before)[0].log_softmax(-1)
    return float(sum(logs[place, token] for place, token in enumerate(tokens)))


def test_the_loss_is_the_cross_entropy_of_each_word_after_the_true_ones() -> None:
    network, codes = model(), torch.randn(2, 5)
    phrases = torch.tensor([[WORDS, WORDS + 1, END, NOTHING], [WORDS + 2, END, NOTHING, NOTHING]])
    by_hand = -log_likelihood(network, codes[0], [WORDS, WORDS + 1, END]) - log_likelihood(network, codes[1], [WORDS + 2, END])
    found = network.loss(codes, phrases)
    assert float(found.total) == pytest.approx(by_hand, rel=1e-5) and int(found.count) == 5


def test_no_region_and_no_phrase_are_a_count_of_0_with_a_gradient() -> None:
    network = model()
    for codes, phrases in (
        (torch.zeros(0, 5, requires_grad=True), torch.zeros(0, 4, dtype=torch.long)),
        (torch.zeros(2, 5, requires_grad=True), torch.full((2, 4), NOTHING)),
    ):
        network.zero_grad()
        found = network.loss(codes, phrases)
        assert int(found.count) == 0 and float(found.value) == 0.0
        found.total.backward()
        assert all(p.grad is not None and not p.grad.any() for p in network.parameters())


@pytest.mark.parametrize("seed", range(5))
def test_greedy_takes_the_likeliest_next_word(seed: int) -> None:
    network, codes = model(seed), torch.randn(3, 5)
    for code, said in zip(codes, network.generate(codes), strict=True):
        tokens = [END]
        for _ in range(network.max_words):
            logits = network(code[None], torch.tensor([tokens]))[0, -1].detach()
            logits[UNKNOWN] = -torch.inf
            tokens.append(int(logits.argmax()))
            if tokens[-1] == END:
                break
        assert said.tolist() == (tokens[1:] + [END] * 3)[: network.max_words]


@pytest.mark.parametrize("seed", range(5))
def test_beams_enough_find_the_likeliest_phrase_of_all(seed: int) -> None:
    network, codes = model(seed, beams=64), torch.randn(2, 5)
    words = range(WORDS, WORDS + 3)
    phrases = [[*p, END] for n in range(3) for p in product(words, repeat=n)] + [list(p) for p in product(words, repeat=3)]
    for code, said in zip(codes, network.generate(codes).tolist(), strict=True):
        best = max(phrases, key=lambda tokens: log_likelihood(network, code, tokens))
        assert said == (best + [END] * 3)[:3]


def test_more_beams_find_no_less_likely_a_phrase_for_some_code() -> None:
    codes = torch.randn(20, 5)
    greedy, beams = model(3).generate(codes), model(3, beams=3).generate(codes)
    assert not torch.equal(greedy, beams), "a search that finds the same everywhere is none"


def test_phrases_learn_their_regions_and_not_the_grammar_alone() -> None:
    torch.manual_seed(0)
    network = RegionLanguageModel(4, 4, embedding=8, hidden=16, max_words=3)
    codes, phrases = (
        torch.eye(4),
        torch.tensor([[WORDS, WORDS + 1 + i % 3, END] if i < 3 else [WORDS + 2, END, NOTHING] for i in range(4)]),
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(120):
        optimizer.zero_grad()
        network.loss(codes, phrases).value.backward()
        optimizer.step()
    assert torch.equal(network.generate(codes), phrases.where(phrases != NOTHING, END))


def test_no_region_is_told_nothing() -> None:
    for beams in (1, 3):
        assert model(beams=beams).generate(torch.zeros(0, 5)).shape == (0, 3)


def test_tokens_are_words_and_back() -> None:
    tokens = Tokens(("a", "ring", "red"))
    phrases = ["a red ring", "a green ring", "", "a red ring a ring"]
    coded = tokens.encode(phrases, 4)
    assert coded.tolist() == [
        [2, 4, 3, END, NOTHING],
        [2, UNKNOWN, 3, END, NOTHING],
        [NOTHING] * 5,
        [2, 4, 3, 2, NOTHING],  # cut off, and so without an end
    ]
    assert tokens.decode(coded) == ["a red ring", "a ring", "", "a red ring a"]


def test_the_loss_is_torchs_own() -> None:
    network, codes = model(), torch.randn(2, 5)
    phrases = torch.tensor([[WORDS, END], [WORDS + 1, WORDS + 2]])
    before = torch.tensor([[END, WORDS], [END, WORDS + 1]])
    whole = F.cross_entropy(network(codes, before).flatten(0, 1), phrases.flatten(), reduction="sum")
    assert torch.allclose(network.loss(codes, phrases).total, whole)
