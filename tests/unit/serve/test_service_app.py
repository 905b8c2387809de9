"""What the service refuses, what it tells and to whom, and how it bears clients that are many or gone."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.serve.conftest import LIMITS, SMILES

from cytomol.serve import questions
from cytomol.serve.questions import PredictQuestion
from cytomol.serve.served_models import ServedModels
from cytomol.serve.service_app import create_service
from cytomol.serve.service_log import JsonLines

JSON = {"content-type": "application/json"}
TOKEN = "a-token-of-enough-letters"


class Held:
    """A model that begins to answer, and goes on when it is let go."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """Let the model compute until it is let go."""
    held, usual = Held(), PredictQuestion.answer

    def answer(self: PredictQuestion, *args: Any) -> Any:
        held.begun.set()
        assert held.go.wait(20)
        return usual(self, *args)

    monkeypatch.setattr(questions.PredictQuestion, "answer", answer)
    yield held
    held.go.set()


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    body: dict[str, Any] = response.json()
    assert body["error"]["code"] == code
    assert body["request_id"] == response.headers["x-request-id"]
    error: dict[str, Any] = body["error"]
    return error


def test_bodies_that_are_not_read(client: TestClient) -> None:
    post = client.post
    problem(post("/v1/predict", content=b" " * 40_001, headers=JSON), 413, "bytes")
    parts = (b" " * 10_000 for _ in range(5))  # no length is said before
    problem(post("/v1/predict", content=parts, headers=JSON), 413, "bytes")
    problem(post("/v1/predict", content=b"molecules=C"), 415, "json")
    problem(post("/v1/predict", data={"molecules": "C"}), 415, "json")
    problem(post("/v1/predict", content=b"{", headers=JSON), 400, "json")
    problem(post("/v1/predict", content=b"[" * 30_000, headers=JSON), 400, "request")
    half = post("/v1/predict", content=b'{"molecules": ["\\ud800"]}', headers=JSON)  # half a letter
    assert half.json()["rows"][0]["error"].startswith("character")
    problem(post("/v1/nothing", json={}), 404, "path")
    problem(client.get("/v1/predict"), 405, "method")


def test_more_than_the_service_takes(client: TestClient) -> None:
    error = problem(client.post("/v1/predict", json={"molecules": ["C"] * 61}), 413, "rows")
    assert error["message"] == "61 rows, and the service takes 60"
    molecules = {"molecules": ["C"] * 6, "model": "assays"}
    problem(client.post("/v1/explain", json=molecules), 413, "rows")
    few = LIMITS.model_copy(update={"numbers": 63})
    for verb, rows in (("embed", 2), ("impute", 8)):
        with TestClient(create_service(ServedModels([]), few), base_url="http://localhost") as empty:
            problem(empty.post(f"/v1/{verb}", json={"molecules": ["C"] * rows}), 422, "input")
    sides = {"queries": {"molecules": ["C"]}, "candidates": {"molecules": ["C"] * 61}, "modality": "genes"}
    problem(client.post("/v1/match", json=sides), 413, "rows")


@pytest.mark.parametrize(("verb", "rows"), [("embed", 2), ("impute", 8)])
def test_an_answer_of_too_many_numbers(models: ServedModels, verb: str, rows: int) -> None:
    few = LIMITS.model_copy(update={"numbers": 63})
    with TestClient(create_service(models, few), base_url="http://localhost") as client:
        problem(client.post(f"/v1/{verb}", json={"molecules": ["C"] * rows}), 413, "numbers")


def test_a_full_queue_refuses_and_the_rest_is_answered(models: ServedModels, held: Held) -> None:
    narrow = LIMITS.model_copy(update={"waiting": 2, "batch_rows": 1, "batch_wait": 0.0})
    with (
        TestClient(create_service(models, narrow), base_url="http://localhost") as client,
        ThreadPoolExecutor(4) as pool,
    ):

        def ask(rows: int) -> httpx.Response:
            return client.post("/v1/predict", json={"molecules": ["CCO"] * rows})

        def waiting(rows: int) -> bool:
            return f"cytomol_waiting_rows {rows}.0" in client.get("/metrics").text

        second = pool.submit(ask, 4)  # nobody waits: it may be longer than the queue
        until(lambda: waiting(3))  # one of them is being answered
        refused = ask(1)
        error = problem(refused, 503, "busy")
        assert int(refused.headers["retry-after"]) >= 1
        assert error["hint"] == "try again later"
        # it answers others while it computes
        assert client.get("/healthz").json() == {"status": "ok"}
        assert "cytomol_waiting_rows" in client.get("/metrics").text
        held.go.set()
        assert second.result(20).status_code == 200


def answered_with(response: httpx.Response, status: int) -> httpx.Response | None:
    return response if response.status_code == status else None


def until(found: Any, seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while (value := found()) is None or value is False:
        assert time.monotonic() < end
        time.sleep(0.01)
    return value


def test_a_request_is_given_up_after_its_time(models: ServedModels, held: Held) -> None:
    short = LIMITS.model_copy(update={"timeout": 0.2})
    with TestClient(create_service(models, short), base_url="http://localhost") as client:
        problem(client.post("/v1/predict", json={"molecules": ["CCO"]}), 504, "timeout")
        held.go.set()
        assert until(lambda: answered_with(client.post("/v1/predict", json={"molecules": ["CCO"]}), 200))


async def asgi(
    app: FastAPI, body: bytes, *, leaves: asyncio.Event | None = None, slow: bool = False
) -> list[dict[str, Any]]:
    """Ask an application by its protocol, as a client that leaves or never ends its body."""
    sent: list[dict[str, Any]] = []
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": body, "more_body": slow}
        if leaves is not None:
            await leaves.wait()
            return {"type": "http.disconnect"}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/predict",
        "raw_path": b"/v1/predict",
        "query_string": b"",
        "headers": [(b"host", b"localhost:1"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 1),
    }
    await app(scope, receive, send)  # type: ignore[arg-type]
    return sent


def test_a_client_that_goes_away_is_not_computed_for(models: ServedModels, held: Held) -> None:
    app = create_service(models, LIMITS.model_copy(update={"batch_rows": 1, "batch_wait": 0.0}))

    async def leave() -> list[dict[str, Any]]:
        leaves = asyncio.Event()
        asked = asyncio.create_task(asgi(app, b'{"molecules": ["C", "CC", "CCC"]}', leaves=leaves))
        assert await asyncio.to_thread(held.begun.wait, 20)
        leaves.set()
        return await asyncio.wait_for(asked, 10)

    assert asyncio.run(leave())[0]["status"] == 499
    held.go.set()
    with TestClient(app, base_url="http://localhost") as client:
        assert client.post("/v1/predict", json={"molecules": ["CCO"]}).status_code == 200
        page = client.get("/metrics").text
    assert 'cytomol_rows_total{model="assays",outcome="ok",verb="predict"} 1.0' in page
    # the row that was being answered, and that of the one who stayed
    assert 'cytomol_batch_rows_count{model="assays",verb="predict"} 2.0' in page


def test_a_body_that_never_ends(models: ServedModels) -> None:
    app = create_service(models, LIMITS.model_copy(update={"timeout": 0.1}))
    sent = asyncio.run(asgi(app, b'{"mol', slow=True))
    assert sent[0]["status"] == 408


@settings(deadline=None, max_examples=8)
@given(
    asked=st.lists(st.lists(st.sampled_from([*SMILES[:9], "x", None]), min_size=1, max_size=4), max_size=8)
)
def test_requests_at_the_same_time_are_answered_as_alone(
    client: TestClient, asked: list[list[str | None]]
) -> None:
    def ask(verb: str, molecules: list[str | None]) -> Any:
        return client.post(f"/v1/{verb}", json={"molecules": molecules}).json()["rows"]

    for verb in ("predict", "embed"):
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(lambda molecules: ask(verb, molecules), asked))  # noqa: B023
        assert together == [[ask(verb, [one])[0] for one in molecules] for molecules in asked]


def test_a_token_opens_the_service_and_nothing_else_does(models: ServedModels) -> None:
    body = {"molecules": ["CCO"]}
    with TestClient(create_service(models, LIMITS, token=TOKEN), base_url="http://example.org") as client:
        for given in ({}, {"authorization": TOKEN}, {"authorization": f"Bearer {TOKEN}x"}):
            response = client.post("/v1/predict", json=body, headers=given)
            problem(response, 401, "token")
            assert response.headers["www-authenticate"] == "Bearer"
        problem(client.get("/metrics"), 401, "token")
        problem(client.get("/openapi.json"), 401, "token")
        problem(
            client.post("/v1/predict", json=body, headers={"authorization": "Bearer é".encode()}),
            401,
            "token",
        )
        bearer = {"authorization": f"Bearer {TOKEN}"}
        assert client.post("/v1/predict", json=body, headers=bearer).status_code == 200
        assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
        schemes = client.get("/openapi.json", headers=bearer).json()["components"]["securitySchemes"]
    assert schemes == {"HTTPBearer": {"type": "http", "scheme": "bearer"}}


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:80", "", "192.168.1.4:8000"])
def test_without_a_token_only_this_machine_is_answered(client: TestClient, host: str) -> None:
    problem(client.get("/v1/models", headers={"host": host}), 403, "host")


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "[::1]"])
def test_names_of_this_machine(client: TestClient, host: str) -> None:
    assert client.get("/v1/models", headers={"host": host}).status_code == 200


def test_the_log_has_a_line_a_request_and_no_molecule(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "cytomol.serve"):
        secret = "CCCCCCOc1ccncc1"
        ok = client.post(
            "/v1/predict", json={"molecules": [secret, "x" + secret]}, headers={"x-request-id": "mine-1"}
        )
        client.post(f"/v1/{secret}", json={"molecules": [secret], secret: 1})
        client.post("/v1/predict", json={"molecules": [secret], secret: 1}, headers={"x-request-id": "a b"})
        client.get("/healthz")
    lines = [JsonLines().format(record) for record in caplog.records]
    assert not any("CCCC" in line for line in lines)
    told = [json.loads(line) for line in lines]
    assert [(line["path"], line["status"]) for line in told] == [
        ("/v1/predict", 200),
        ("other", 404),
        ("/v1/predict", 422),
    ]
    assert told[0]["request_id"] == ok.headers["x-request-id"] == "mine-1"
    assert (told[0]["rows"], told[0]["invalid"], told[0]["model"]) == (2, 1, "assays")
    assert told[2]["request_id"] != "a b"


def test_a_defect_is_told_without_its_cause(
    models: ServedModels, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("secret CCO")

    monkeypatch.setattr(questions.PredictQuestion, "answer", fail)
    with TestClient(create_service(models), base_url="http://localhost") as client:
        error = problem(client.post("/v1/predict", json={"molecules": ["CCO"]}), 500, "defect")
        assert client.get("/readyz").status_code == 200
    assert "secret" not in str(error)
    (record,) = (record for record in caplog.records if record.levelname == "ERROR")
    line = json.loads(JsonLines().format(record))
    assert line["exception"] == "RuntimeError"
    assert "secret" not in str(line)
    assert any("fail" in place for place in line["trace"])


def test_metrics_count_and_cannot_be_filled(client: TestClient) -> None:
    client.post("/v1/predict", json={"molecules": ["CCO", "x"]})
    for path in range(3):
        client.get(f"/{path}")
    page = client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    assert 'cytomol_requests_total{path="other",status="404"}' in page.text
    assert 'path="/1"' not in page.text
    assert 'cytomol_batch_rows_bucket{le="2.0",model="assays",verb="predict"}' in page.text
    assert "process_resident_memory_bytes" in page.text


def test_two_services_count_apart(models: ServedModels) -> None:
    pages = []
    for asked in (1, 0):
        with TestClient(create_service(models), base_url="http://localhost") as client:
            for _ in range(asked):
                client.post("/v1/predict", json={"molecules": ["CCO"]})
            pages.append(client.get("/metrics").text)
    assert 'path="/v1/predict"' in pages[0]
    assert 'path="/v1/predict"' not in pages[1]
