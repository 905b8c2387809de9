"""The load on the service: requests are counted, what goes wrong is told, the page is that of the rows."""

from __future__ import annotations

import asyncio
import json

import pandas as pd
import pytest
from benchmarks.service.__main__ import RESULTS
from benchmarks.service.clients import Load, ask_for
from benchmarks.service.page import PAGE, gains, page


def test_the_page_is_that_of_the_rows() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text, pd.read_csv(RESULTS)), "run python -m benchmarks.service.page"


def test_the_committed_rows_keep_what_is_promised() -> None:
    table = pd.read_csv(RESULTS)
    assert (table["errors"] == 0).all()
    assert (table["clients"] == 200).all()
    assert (table["seconds"] >= 60).all()
    service = table[table["server"] == "service"]
    assert (service["memory_end"] <= 1.02 * service["memory_begin"]).all()
    rate = table.pivot_table(index="model", columns="server", values="per_second")
    gain = rate["service"] / rate["naive"]
    assert gain["cytomol"] >= 3
    assert gain["forest"] >= 1.5  # reading the molecule is nine tenths of its time, batch or not


def test_a_gain_is_said_where_both_were_measured() -> None:
    rows = [("forest", "naive", 2.0), ("forest", "service", 9.0), ("cytomol", "naive", 1.0)]
    table = pd.DataFrame(rows, columns=["model", "server", "per_second"])
    assert gains(table) == ["With `--learner forest` the service answers 4.5 times as many requests."]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b'{"rows":[{"error":null}]}', ""),
        (b'{"rows":[{"error":"no molecule"}]}', "row: no molecule"),
        (b"{}", "status 503"),
        (b"", "IncompleteReadError"),
    ],
)
def test_clients_count_requests_and_errors(answer: bytes, error: str) -> None:
    asked: list[str] = []

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.decode().lower().split("content-length: ")[1].split("\r\n")[0])
            asked.extend(json.loads(await reader.readexactly(length))["molecules"])
            status = b"503 Busy" if answer == b"{}" else b"200 OK"
            length = len(answer) or 5
            writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, length, answer))
            await writer.drain()
            if not answer:
                writer.close()
                return

    async def run() -> Load:
        server = await asyncio.start_server(respond, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        load = await ask_for(0.2, 3, port, "/v1/predict", ["C", "CC", "CCC", "CCCC"])
        server.close()
        return load

    load = asyncio.run(run())
    assert set(asked) <= {"C", "CC", "CCC", "CCCC"}
    assert sorted(asked[:3]) == ["C", "CC", "CCC"]
    if not error:
        assert not load.errors
        assert len(load.latencies) == len(asked) > 3
        assert load.throughput > 0
        assert 0 < load.percentile(50) <= load.percentile(99)
    else:
        assert load.errors
        assert all(one.startswith(error) for one in load.errors)
