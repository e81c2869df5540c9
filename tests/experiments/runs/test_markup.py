"""Text that is only text: no markup by the rules of CommonMark, nor for a renderer where one is installed."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from experiments.runs.markup import code, picture, plain
from tests.support.hostile import PAYLOADS, examples, text

pieces = st.lists(text | st.sampled_from([*"\\`*_<>[]|#&~$:!-+=.)@^{}/\n ", "http://", "www.", "1"]), max_size=8).map("".join)
"""Texts in which what means something stands beside each other."""


def without_escapes(line: str) -> str:
    """What is left to mean something: CommonMark 0.31, 2.4, takes it away from a character behind a backslash."""
    return re.sub(r"\\[!-/:-@\[-`{-~]", "·", line)


@given(pieces)
@examples(400)
def test_nothing_is_left_that_could_be_markup(given_text: str) -> None:
    line = plain(given_text)
    line.encode()
    assert "\n" not in line and not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", line)
    left = without_escapes(line)
    assert not re.search(r"[\\`*_<>\[\]|#&~$]|:[\w+-]", left)
    assert not re.match(r"(\d*[-+.)=])(\s|$)|[-=\s]+$", left) or not left.strip()
    assert not re.search(r"://|www\.|[\w.+-]@", line, re.IGNORECASE)
    assert plain(line.replace("\u2060", "")) is not None


@given(pieces)
@examples(200)
def test_what_is_typed_is_one_word_of_code(given_text: str) -> None:
    line = code(given_text)
    assert line.startswith("`") and line.endswith("`") and line.count("`") == 2 and "\n" not in line
    assert not re.search(r"(?<!\\)\|", line)


@given(pieces, text)
@examples(100)
def test_a_picture_is_one_picture(says: str, path: str) -> None:
    shown = re.fullmatch(r"!\[(.*)\]\(<([^<>\n]*)>\)", picture(says, path.encode(errors="replace").decode()))
    assert shown and re.fullmatch(r"[\w./~%-]*", shown[2])


@given(pieces)
@example("**<img src=x onerror=alert(1)>**")
@example("- item")
@examples(200)
def test_a_renderer_shows_the_text_and_no_tag_or_link(given_text: str) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    renderer = markdown_it.MarkdownIt("gfm-like", {"linkify": False}).enable("table")
    for page in (
        plain(given_text),
        f"# {plain(given_text)}",
        f"- a: {plain(given_text)}",
        f"| a |\n|---|\n| {plain(given_text)} |",
    ):
        kinds = {token.type for block in renderer.parse(page) for token in [block, *(block.children or ())]}
        strange = {
            "link_open",
            "image",
            "html_inline",
            "html_block",
            "code_inline",
            "em_open",
            "strong_open",
            "s_open",
            "fence",
        }
        assert not kinds & (strange | {"code_block", "hr", "blockquote_open", "ordered_list_open"})


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_has_led_a_page_astray_does_not(payload: str) -> None:
    left = without_escapes(plain(payload))
    for mark in ("<", "](", "`", "**", "~~", "$", ":red", ":smile", "://", "&lt", "\x1b"):
        assert mark not in left


def test_words_and_numbers_stay_as_they_are() -> None:
    for harmless in (
        "34 points (95 % interval 31 to 38)",
        "0.0316: 0.4",
        "−5.5",
        "test/miou",
        "1\u202f600\u202f000",
        "-5",
        "“x” – y",
    ):
        assert plain(harmless) == harmless
    assert plain("a" * 20_000).endswith("…") and len(plain("a" * 20_000)) < 10_100
