"""The page of a report: sections in order, links that lead somewhere, strangers' texts as text."""

from __future__ import annotations

import re

import pytest

from cytomol.report.elements import Card, Cards, Code, Facts, Fold, Heading, Items, Sentence, Table
from cytomol.report.page import Page, Section

STRANGER = "<script>alert('x')</script>\x00\x1b"


def test_sections_stand_in_order_and_the_contents_lead_to_them() -> None:
    text = Page("t", "s", [Section("Scores", []), Section("What was run", [])]).html()
    assert text.index('<h2 id="scores">') < text.index('<h2 id="what-was-run">')
    assert '<a href="#scores">Scores</a>' in text
    assert '<a href="#what-was-run">What was run</a>' in text


def test_sections_of_like_names_have_links_of_their_own() -> None:
    text = Page("t", "s", [Section(title, []) for title in ("A.b", "a-b-2", "a-b", "a b", "Main")]).html()
    names = re.findall(r'<h2 id="([^"]+)"', text)
    assert names == ["a-b", "a-b-2", "a-b-3", "a-b-4", "main-2"]
    assert re.findall(r'<li><a href="#([^"]+)"', text) == names
    assert re.findall(r'<section aria-labelledby="([^"]+)"', text) == names


@pytest.mark.parametrize(
    "element",
    [
        Sentence(STRANGER),
        Heading(STRANGER),
        Items([STRANGER]),
        Facts([(STRANGER, STRANGER)]),
        Table([STRANGER, STRANGER], [[STRANGER, STRANGER]], STRANGER),
        Cards([Card(STRANGER, [("<svg></svg>", STRANGER)], [STRANGER])]),
        Fold(STRANGER, [Code(STRANGER)]),
    ],
    ids=lambda element: type(element).__name__,
)
def test_what_strangers_wrote_is_text(element: Sentence) -> None:
    text = Page(STRANGER, STRANGER, [Section(STRANGER, [element])]).html()
    assert "<script" not in text
    assert "\x00" not in text
    assert "\x1b" not in text
    assert element.html().count("&lt;script&gt;") >= 1


def test_numbers_stand_to_the_right_and_words_to_the_left() -> None:
    rows = [["a", "0.34 (0.26 to 0.44)", "MAE"], ["b", "-", "MAE"], ["c", "1,024", ""]]
    table = Table(["task", "model", "metric"], rows, "Scores").html()
    assert '<th scope="col" class="number">model</th><th scope="col">metric</th>' in table
    assert table.count('<td class="number">') == 3


def test_a_page_asks_nothing_of_a_network() -> None:
    text = Page("t", "s", [Section("a", [Sentence("see https://example.org")])]).html()
    assert 'src="http' not in text
    assert 'href="http' not in text
    assert "default-src 'none'" in text
