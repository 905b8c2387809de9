"""The documentation site in a browser: what Sphinx and its theme alone would write is mended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tools.architecture import ROOT

pytest.importorskip("pydata_sphinx_theme")

# Of docs/conf.py, what shapes these pages.
SETTINGS = f"""
from tools.site import accessible

project = "trial"
language = "en"
html_theme = "pydata_sphinx_theme"
html_static_path = [{str(ROOT / "docs" / "_static")!r}]
html_css_files = ["site.css"]
python_maximum_signature_line_length = 40

def setup(app):
    accessible.register(app)
"""
LONG = ".. py:function:: fitted(smiles: list[str], labels: int = 3, *, seed: int = 0) -> None\n\n   Fit.\n"
PAGES = {
    "index": "Trial\n=====\n\n.. toctree::\n\n   api\n",
    "api": "API\n===\n\n.. toctree::\n\n   modules\n",
    "modules": f"Modules\n=======\n\n.. toctree::\n\n   tables\n\n{LONG}",
    "tables": "Tables\n======\n\n.. py:class:: Table(rows: int)\n\n   Rows.\n",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a site of four pages, built."""
    source = tmp_path_factory.mktemp("site")
    (source / "conf.py").write_text(SETTINGS, encoding="utf-8")
    for name, text in PAGES.items():
        (source / f"{name}.rst").write_text(text, encoding="utf-8")
    out = source / "built"
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "-q", str(source), str(out)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.parametrize("name", ["api", "modules"])
def test_axe_finds_nothing(site: Path, page: Page, name: str) -> None:
    page.goto((site / f"{name}.html").as_uri())
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []


def test_a_toggle_says_what_it_shows(site: Path, page: Page) -> None:
    page.goto((site / "api.html").as_uri())
    bar = page.get_by_role("navigation", name="Section Navigation")
    toggle = bar.locator("summary")
    assert toggle.get_attribute("aria-label") == "Pages of Modules"
    expect(bar.get_by_role("link", name="Tables")).to_be_hidden()
    toggle.press("Enter")
    expect(bar.get_by_role("link", name="Tables")).to_be_visible()


def test_the_parameters_of_a_long_signature_are_a_list(site: Path, page: Page) -> None:
    page.goto((site / "modules.html").as_uri())
    items = page.locator("dt.sig").get_by_role("listitem")
    assert items.all_inner_texts() == ["smiles: list[str],", "labels: int = 3,", "*,", "seed: int = 0,"]
    assert page.locator("dt.sig").inner_text().startswith("fitted(")
