"""The explorer as its users have it: mouse, keyboard, drawing, uploads, wrong files, a lost server."""

from __future__ import annotations

import io
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import axe_playwright_python.sync_playwright as axe
import pandas as pd
import pytest
import uvicorn
from playwright.sync_api import Page, expect
from tests.unit.serve.explorer.explored import MOLECULES, write_cells, write_forest

from cytomol.serve.explorer.explored_session import ExploredSession
from cytomol.serve.explorer.explorer_app import STATIC, explorer_app
from cytomol.serve.explorer.run_explorer import free_socket

EDITOR = STATIC / "vendor" / "openchemlib.js"
ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


class Served:
    """A session served on loopback, which can be lost and come back on the same port."""

    def __init__(self, session: ExploredSession) -> None:
        self.session = session
        with free_socket() as one:
            self.port = int(one.getsockname()[1])
        self.address = f"http://127.0.0.1:{self.port}/"
        self.begin()

    def begin(self) -> None:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        config = uvicorn.Config(explorer_app(self.session), log_level="error", timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [listening]}, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)

    def end(self) -> None:
        self.server.should_exit = True
        self.thread.join(30)


@pytest.fixture(scope="module")
def forest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a served predictor with a library of 80 molecules."""
    folder = tmp_path_factory.mktemp("explored")
    library = folder / "shop.csv"
    rows = [f"{text}C,SH-{row:03d},{row / 10}" for row, text in enumerate(MOLECULES)]
    library.write_text("\n".join(["smiles,shop_id,price", *rows]) + "\n", encoding="utf-8")
    served = Served(ExploredSession.open(write_forest(folder), library=library, workers=1))
    yield served
    served.end()
    served.session.close()


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a served backbone with its tree and measured profiles."""
    made = write_cells(tmp_path_factory.mktemp("cells"))
    session = ExploredSession.open(
        made["backbone"], hierarchy=made["tree"], corpus=made["corpus"], library=None, workers=1
    )
    served = Served(session)
    yield served
    served.end()
    session.close()


def opened(page: Page, served: Served) -> list[str]:
    """Open the page; the list fills with what goes wrong in it."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.goto(served.address)
    page.wait_for_selector("html[data-ready]")
    return wrong


def asked(page: Page, smiles: str) -> None:
    page.fill("#smiles", smiles)
    page.press("#smiles", "Enter")
    page.wait_for_selector(f'#answer-state[data-smiles="{smiles}"]')


def serious(page: Page) -> list[str]:
    """Return what axe finds serious or worse."""
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


def redrawn(page: Page, before: set[bytes]) -> bytes:
    """Wait until the map is drawn otherwise than ever before, and return its picture."""
    for _ in range(100):
        picture = page.locator("#map-canvas").screenshot()
        if picture not in before:
            return picture
        page.wait_for_timeout(100)
    raise AssertionError("the map was not drawn anew")


def test_a_molecule_is_answered(page: Page, forest: Served) -> None:
    wrong = opened(page, forest)
    asked(page, ASPIRIN)
    predictor = forest.session.model.served.predictor
    assert predictor is not None
    value = predictor.predict([ASPIRIN]).columns[0, 0]
    expect(page.locator("table.answers")).to_contain_text(f"{value:.3g}")
    expect(page.locator("table.answers")).to_contain_text("nitrogen")
    expect(page.locator("#domain")).to_have_text(re.compile("inside|edge|outside"))
    expect(page.locator("#neighbours .cards").first.locator("li")).to_have_count(5)
    expect(page.locator("#atom-drawings img")).to_have_attribute(
        "alt", re.compile(r"^length .* strongest atom")
    )
    page.select_option("#explained", "nitrogen")
    expect(page.locator("#atom-drawings img")).to_have_attribute("alt", re.compile("^nitrogen "))
    loaded = page.evaluate(
        "Promise.all([...document.images].map((one) => one.decode().then(() => one.naturalWidth, () => 0)))"
    )
    assert len(loaded) > 10
    assert min(loaded) > 0
    assert serious(page) == []
    assert wrong == []


def test_a_card_is_asked_about_by_a_click(page: Page, forest: Served) -> None:
    opened(page, forest)
    asked(page, "CCc1ccncc1")
    page.locator("#neighbours .cards").last.get_by_role("button").nth(1).click()
    expect(page.locator("#answer-state")).not_to_have_attribute("data-smiles", "CCc1ccncc1")
    expect(page.locator("#smiles")).not_to_have_value("CCc1ccncc1")


def test_what_is_no_molecule_is_told_beside_the_field(page: Page, forest: Served) -> None:
    opened(page, forest)
    page.fill("#smiles", "C1CC")
    page.press("#smiles", "Enter")
    expect(page.locator("#smiles-problem")).to_contain_text("ring")
    expect(page.locator("#smiles")).to_have_attribute("aria-invalid", "true")
    asked(page, "CCO")
    expect(page.locator("#smiles-problem")).to_have_text("")


def test_keyboard_alone(page: Page, forest: Served) -> None:
    """From the top of the page to an answer, the other tabs, and a point of the map."""
    opened(page, forest)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the answer")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#smiles")).to_be_focused()
    page.keyboard.type("CCO")
    page.keyboard.press("Enter")
    page.wait_for_selector('#answer-state[data-smiles="CCO"]')
    page.locator("#tab-answer").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-map")).to_be_focused()
    expect(page.locator("#panel-map")).to_be_visible()
    expect(page.locator("#panel-answer")).to_be_hidden()
    page.wait_for_selector("#map-canvas")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "map-canvas":
            break
    expect(page.locator("#map-canvas")).to_be_focused()
    before = page.locator("#map-canvas").screenshot()
    for key in ("+", "+", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
    redrawn(page, {before})
    page.keyboard.press("Enter")
    expect(page.locator("#map-chosen")).to_contain_text(re.compile("learnt from it|Of the library"))
    assert serious(page) == []


@pytest.mark.skipif(not EDITOR.is_file(), reason="built without npm: the page has no structure editor")
def test_a_molecule_is_drawn(page: Page, forest: Served) -> None:
    """A click with the bond tool makes ethane; the field and the answer follow the drawing."""
    wrong = opened(page, forest)
    box = page.locator("#editor").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.5)
    page.wait_for_selector('#answer-state[data-smiles="CC"]')
    expect(page.locator("#smiles")).to_have_value("CC")
    asked(page, "c1ccccc1")
    page.wait_for_timeout(600)  # what was typed is drawn, and is not taken for a drawing of the user's
    expect(page.locator("#smiles")).to_have_value("c1ccccc1")
    assert wrong == []


def test_without_the_editor_the_drawing_follows_the_smiles(page: Page, forest: Served) -> None:
    def without(route: object) -> None:
        answer = route.fetch()  # type: ignore[attr-defined]
        route.fulfill(response=answer, body=json.dumps({**answer.json(), "editor": False}))  # type: ignore[attr-defined]

    page.route("**/api/about", without)
    opened(page, forest)
    expect(page.locator("#editor")).to_be_hidden()
    asked(page, "CCO")
    expect(page.locator("#drawing img")).to_have_attribute("src", re.compile("smiles=CCO"))
    expect(page.locator("#editor-note")).to_contain_text("the drawing follows")


def test_the_map_is_coloured_and_clicked(page: Page, forest: Served) -> None:
    wrong = opened(page, forest)
    asked(page, "CCc1ccncc1")
    page.click("#tab-map")
    page.wait_for_selector("#map-canvas")
    expect(page.locator("#map-state")).to_contain_text("120 molecules, 60 of them learnt from")
    pictures: set[bytes] = set()
    for name in ("", "length", "nitrogen", "price"):
        page.select_option("#map-colour", name)
        pictures.add(redrawn(page, pictures))
    expect(page.locator("#map-legend")).to_contain_text("not measured")
    page.get_by_role("button", name="Go to the molecule").click()
    redrawn(page, pictures)
    box = page.locator("#map-canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#map-chosen .smiles")).to_be_visible()
    page.get_by_role("button", name="Ask about it").click()
    expect(page.locator("#smiles")).to_have_value(page.locator("#map-chosen p.smiles").inner_text())
    page.mouse.wheel(0, -300)
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + 40, steps=3)
    page.mouse.up()
    assert wrong == []


def test_a_table_is_checked_and_predicted(page: Page, forest: Served, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    rows = [f"c{row},{text}N,{row}" for row, text in enumerate(MOLECULES)]
    table.write_text("\n".join(["compound,smiles,activity", "bad,C1CC,1", *rows]) + "\n", encoding="utf-8")
    wrong = opened(page, forest)
    page.click("#tab-table")
    page.set_input_files("#table-file", table)
    expect(page.locator("#table-found")).to_contain_text("61 rows, 60 valid molecules")
    expect(page.locator("#table-found")).to_contain_text("cytomol finetune mine.csv --targets activity")
    assert serious(page) == []
    page.click("#table-predict")
    expect(page.locator("#table-state")).to_contain_text("61 rows predicted")
    with page.expect_download() as got:
        page.get_by_role("link", name="save predictions.csv").click()
    frame = pd.read_csv(io.BytesIO(Path(got.value.path()).read_bytes()))
    assert frame["compound"].tolist() == ["bad", *(f"c{row}" for row in range(60))]
    assert frame["error"].notna().tolist() == [True, *[False] * 60]
    assert frame["length"].notna().sum() == 60
    assert wrong == []


def test_a_wrong_file_is_told(page: Page, forest: Served, tmp_path: Path) -> None:
    opened(page, forest)
    page.click("#tab-table")
    picture = tmp_path / "picture.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\0")
    page.set_input_files("#table-file", picture)
    expect(page.locator("#table-found [role=alert]")).to_contain_text("picture.csv")
    nothing = tmp_path / "other.csv"
    nothing.write_text("a,b\n1,2\n", encoding="utf-8")
    page.set_input_files("#table-file", nothing)
    expect(page.locator("#table-found [role=alert]")).to_contain_text("other.csv")
    large = tmp_path / "large.csv"
    large.write_bytes(b"smiles\n" + b"CCO\n" * (9 * 2**20))
    page.set_input_files("#table-file", large)
    expect(page.locator("#table-found [role=alert]")).to_contain_text("larger than 32 MB")


def test_a_lost_server_is_said_and_what_was_asked_is_answered_later(page: Page, forest: Served) -> None:
    opened(page, forest)
    asked(page, "CCO")
    forest.end()
    page.fill("#smiles", "CCN")
    page.press("#smiles", "Enter")
    expect(page.locator("#lost")).to_be_visible()
    expect(page.locator("#lost")).to_contain_text("does not answer")
    forest.begin()
    page.wait_for_selector('#answer-state[data-smiles="CCN"]')
    expect(page.locator("#lost")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_imputed_profiles_and_the_tree_of_a_backbone(page: Page, cells: Served, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    wrong = opened(page, cells)
    assert cells.session.tree is not None
    smiles = str(cells.session.tree.members["smiles"].iloc[0])
    path = str(cells.session.tree.members["path"].iloc[0])
    for _ in range(600):
        if cells.session.measured.state == "ready":
            break
        time.sleep(0.1)
    asked(page, smiles)
    expect(page.locator("#cells h2").first).to_contain_text("Imputed profile")
    expect(page.locator("#cells .strip").first.locator("canvas")).to_have_count(5)
    assert serious(page) == []
    page.click("#tab-tree")
    page.locator("#own-path button", has_text=path).click()
    expect(page.locator("#node-title")).to_contain_text(f"Node {path}")
    expect(page.locator("#node-title")).to_be_focused()
    assert serious(page) == []
    page.locator(".crumbs").get_by_role("button", name="root").click()
    first = page.locator(".nodes button").first
    name = first.locator("strong").inner_text()
    first.press("Enter")
    expect(page.locator("#node-title")).to_contain_text(f"Node {name}:")
    page.click("#tab-map")
    expect(page.locator("#map-state")).to_contain_text("no library")
    assert wrong == []


@pytest.mark.parametrize("width", [360, 1360])
def test_nothing_is_wider_than_the_page(page: Page, forest: Served, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    opened(page, forest)
    asked(page, ASPIRIN)
    for tab in ("answer", "map", "tree", "table"):
        page.click(f"#tab-{tab}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert serious(page) == []
