"""A headless Chromium for the tests of pages; they are skipped where there is none, but not in CI."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

# What follows a click or a key is not there at once: tests wait for it with `expect` and never read it once.
expect.set_options(timeout=30_000)  # for a busy machine
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture(scope="module")  # Playwright's event loop would be in the way of later tests
def browser() -> Iterator[Browser]:
    """Return the system's browser."""
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        message = f"no browser found: one of {', '.join(_NAMES)}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a new window, 1280 by 900, whose time-outs leave room for a busy machine."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    window = context.new_page()
    yield window
    context.close()
