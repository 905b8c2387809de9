"""One request has one time, however often it asks."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future
from typing import Any

import pytest
from starlette.requests import Request

from cytomol.serve.asking import Asker
from cytomol.serve.questions import PlaceQuestion
from cytomol.serve.request_problem import RequestProblem
from cytomol.serve.service_limits import ServiceLimits
from cytomol.serve.service_metrics import ServiceMetrics


class SlowThenSilent:
    """Answers the first question late, and no other."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.asked = seconds, 0

    def submit(self, _: object, rows: Any) -> Future[list[Any]]:
        future: Future[list[Any]] = Future()
        self.asked += 1
        if self.asked == 1:
            answer = [{"error": None} for _ in rows]
            threading.Timer(self.seconds, future.set_result, [answer]).start()
        return future


def test_what_a_request_asks_later_has_the_time_that_is_left() -> None:
    batcher = SlowThenSilent(1.6)
    asker = Asker(batcher, ServiceLimits(timeout=2.0), ServiceMetrics(lambda: 0))  # type: ignore[arg-type]

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def ask_twice() -> None:
        request = Request({"type": "http", "headers": []}, receive)
        question = PlaceQuestion("cells")
        assert await asker.ask(request, question, ["CCO"]) == [{"error": None}]
        await asker.ask(request, question, ["CCO"])

    start = time.monotonic()
    with pytest.raises(RequestProblem) as caught:
        asyncio.run(ask_twice())
    assert (caught.value.status, caught.value.code) == (504, "timeout")
    assert batcher.asked == 2
    assert 1.9 < time.monotonic() - start < 3.5  # each a time of its own would be 3.6
