"""What the page asks and who may ask: by HTTP, without a browser."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from fastapi.testclient import TestClient

from cytomol.serve.explorer import explorer_app as app_module
from cytomol.serve.explorer.explored_session import ExploredSession
from cytomol.serve.explorer.explorer_app import explorer_app


@pytest.fixture
def page(session: ExploredSession) -> Iterator[TestClient]:
    with TestClient(explorer_app(session), base_url="http://127.0.0.1") as client:
        yield client


def test_a_molecule_is_answered_as_the_predictor_answers_it(
    page: TestClient, session: ExploredSession
) -> None:
    found = page.get("/api/molecule", params={"smiles": "CCc1ccncc1"}).json()
    predictor = session.model.served.predictor
    assert predictor is not None
    wanted = predictor.predict(["CCc1ccncc1"], uncertainty=True, evidence=True)
    assert found["tasks"]["length"]["value"] == pytest.approx(wanted.values[0, 0], rel=1e-5)
    assert found["nearest"][0]["similarity"] == 1.0
    assert found["nearest"][0]["measured"] == {"length": 10.0, "nitrogen": "present"}
    assert found["place"] is not None
    assert found["error"] is None


@pytest.mark.parametrize("smiles", ["", "C1CC", "C" * 201, "[nH]" * 120, "C1CC1" * 30])
def test_what_is_no_molecule_has_a_reason(page: TestClient, smiles: str) -> None:
    found = page.get("/api/molecule", params={"smiles": smiles})
    assert found.status_code == 200
    assert found.json()["error"]
    assert "place" not in found.json()


def test_longer_than_a_molecule(page: TestClient) -> None:
    assert page.get("/api/molecule", params={"smiles": "C" * 1001}).status_code == 422


def test_atoms_and_drawings(page: TestClient) -> None:
    found = page.get("/api/atoms", params={"smiles": "CCO", "what": "length"}).json()
    assert found["drawings"][0]["legend"].startswith("length ")
    refused = page.get("/api/atoms", params={"smiles": "CCO", "what": "price"})
    assert (refused.status_code, refused.json()["error"]) == (422, "the model does not answer 'price'")
    light, dark = (
        page.get("/api/drawing", params={"smiles": "CCO", "dark": dark}).text for dark in (False, True)
    )
    assert light.startswith("<?xml")
    assert "#FFFFFF" not in light
    assert light != dark
    assert page.get("/api/drawing", params={"smiles": "no"}).status_code == 422
    assert page.get("/api/drawing", params={"smiles": "C", "width": 1e6}).status_code == 422


def test_points_and_colours_are_numbers_for_each_molecule(page: TestClient, session: ExploredSession) -> None:
    places = np.frombuffer(page.get("/api/map/points").content, "<f4").reshape(-1, 2)
    np.testing.assert_array_equal(places, session.map.places)
    prices = np.frombuffer(page.get("/api/map/colour", params={"name": "price"}).content, "<f4")
    assert np.isnan(prices[:60]).all()
    assert prices[61] == pytest.approx(0.1)
    assert page.get("/api/map/colour", params={"name": "no"}).status_code == 422
    assert page.get("/api/map/molecule", params={"row": 61}).json()["id"] == "SH-001"
    for row in (-1, 81):
        assert page.get("/api/map/molecule", params={"row": row}).status_code == 422


def test_the_page_loads_nothing_from_elsewhere(page: TestClient) -> None:
    answer = page.get("/")
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    for path in sorted(app_module.STATIC.rglob("*")):
        if path.suffix in {".html", ".css", ".js"} and path.parent.name != "vendor":
            text = path.read_text(encoding="utf-8").replace("http://www.w3.org/", "")
            assert "http:" not in text, path.name
            assert "https:" not in text, path.name
            assert len(text.splitlines()) <= 400


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example"])
def test_another_name_that_points_here_is_refused(page: TestClient, host: str) -> None:
    """DNS rebinding: the browser takes the page for the other site's, so its name must be refused."""
    assert page.get("/api/about", headers={"host": host}).status_code == 400
    assert page.get("/api/about", headers={"host": "localhost:8421"}).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}]
)
def test_another_site_cannot_ask(page: TestClient, headers: dict[str, str]) -> None:
    file = {"file": ("mine.csv", b"smiles\nCCO\n")}
    assert page.post("/api/tables", files=file, headers=headers).status_code == 403
    assert page.post("/api/tables", files=file, headers={"origin": "http://127.0.0.1"}).status_code == 200


def test_a_link_to_the_page_may_be_followed(page: TestClient) -> None:
    followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert page.get("/", headers=followed).status_code == 200
    assert page.post("/api/tables", headers=followed).status_code == 403


def test_a_body_without_end_is_not_read(session: ExploredSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "_LARGEST", 4096)
    client = TestClient(explorer_app(session), base_url="http://127.0.0.1")
    small, large = ({"file": ("mine.csv", b"smiles\n" + b"CCO\n" * rows)} for rows in (10, 5000))
    assert client.post("/api/tables", files=small).status_code == 200
    assert client.post("/api/tables", files=large).status_code == 413
    kind = {"content-type": "multipart/form-data; boundary=b"}
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    chunks = (part for part in [head, *[b"CCO\n" * 100] * 40])
    assert client.post("/api/tables", content=chunks, headers=kind).status_code == 413


def test_no_path_leads_out_of_the_static_files(page: TestClient) -> None:
    for path in ("/static/../explorer_app.py", "/static/%2e%2e/explorer_app.py", "/static//etc/passwd"):
        assert page.get(path).status_code == 404


def test_a_tree_that_is_not_there(page: TestClient) -> None:
    answer = page.get("/api/tree")
    assert answer.status_code == 422
    assert "--hierarchy" in answer.json()["hint"]
