"""The report as a reader opens it: in a browser, wide and narrow, light and dark, by keyboard, on paper."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect


@pytest.fixture
def opened(page: Page, reported: Path) -> Page:
    """Open the report; anything that the browser complains of, or asks a network for, fails the test."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    address = (reported / "report.html").as_uri()
    page.goto(address)
    assert complaints == []
    assert [url for url in asked if not url.startswith("data:")] == [address]
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Page, scheme: str) -> None:
    opened.emulate_media(color_scheme=scheme)
    found = Axe().run(opened).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []


@pytest.mark.parametrize("width", [320, 768, 1400])
def test_the_page_is_never_wider_than_the_window(opened: Page, width: int) -> None:
    opened.set_viewport_size({"width": width, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


def test_tables_fit_on_paper(opened: Page) -> None:
    opened.set_viewport_size({"width": 718, "height": 1000})  # A4 without its margins
    opened.emulate_media(media="print")
    assert opened.evaluate("[...document.querySelectorAll('table')].map(t => t.offsetWidth)") != []
    assert (
        opened.evaluate("Math.max(...[...document.querySelectorAll('table')].map(t => t.offsetWidth))") <= 718
    )


def test_dark_is_dark_and_print_is_light(opened: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    line = "getComputedStyle(document.querySelector('figure svg [style*=stroke]')).stroke"
    assert opened.evaluate(ground) == "rgb(255, 255, 255)"
    opened.emulate_media(color_scheme="dark")
    assert opened.evaluate(ground) == "rgb(22, 25, 29)"
    dark_line = opened.evaluate(line)
    opened.emulate_media(color_scheme="dark", media="print")
    assert opened.evaluate(ground) == "rgb(255, 255, 255)"
    assert opened.evaluate(line) not in {dark_line, "none"}
    expect(opened.locator("nav")).to_be_hidden()


def test_the_contents_lead_to_their_sections_by_keyboard(opened: Page) -> None:
    opened.keyboard.press("Tab")
    expect(opened.get_by_role("link", name="To the content")).to_be_focused()
    opened.keyboard.press("Tab")
    expect(opened.get_by_role("link", name="Verdict", exact=True).first).to_be_focused()
    expect(opened.locator(":focus")).to_have_css("outline-style", "solid")
    opened.keyboard.press("Tab")
    opened.keyboard.press("Enter")
    expect(opened).to_have_url(re.compile("#scores$"))


def test_what_a_stranger_wrote_is_shown_and_not_run(opened: Page) -> None:
    assert "<script>alert(1)</script> $IC_50$" in opened.locator("h1").inner_text()
    assert opened.locator("main script").count() == 0
    assert opened.get_by_text("<script>alert(1)</script> $IC_50$", exact=True).count() >= 3
