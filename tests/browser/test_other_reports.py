"""The reports of backbone, benchmark, matches, stress test and ablation as a reader opens them."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from tests.unit.report.sample_results import (
    match_table,
    write_ablation,
    write_backbone,
    write_benchmark,
    write_stress,
)

from cytomol.report.write import write_report


@pytest.fixture(scope="module")
def reports(untrained: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the pages by the kind of their result."""
    folder = tmp_path_factory.mktemp("reports")
    for name in ("ablation", "benchmark", "stress"):
        (folder / name).mkdir()
    match_table().to_csv(folder / "matches.csv", index=False)
    results = {
        "ablation": write_ablation(folder / "ablation"),
        "backbone": write_backbone(untrained["chmr"], folder / "backbone"),
        "benchmark": write_benchmark(folder / "benchmark"),
        "matches": folder / "matches.csv",
        "stress": write_stress(folder / "stress"),
    }
    return {name: write_report(result) for name, result in results.items()}


@pytest.mark.parametrize("kind", ["ablation", "backbone", "benchmark", "matches", "stress"])
def test_the_page_is_whole_fits_and_can_be_read_by_all(
    page: Page, reports: dict[str, Path], kind: str
) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    address = reports[kind].as_uri()
    page.goto(address)
    assert complaints == []
    assert [url for url in asked if not url.startswith("data:")] == [address]
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []
    for width in (320, 1400):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.get_by_text("<img src=x onerror=alert(1)>").count() >= 1
