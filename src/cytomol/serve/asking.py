"""One request asks the model and waits: for the answer, for its time to run out, or for the client to go."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request

from cytomol.errors import CytomolError
from cytomol.serve.batcher import Batcher, ClosedError, QueueFullError
from cytomol.serve.questions import Question
from cytomol.serve.request_problem import RequestProblem
from cytomol.serve.request_record import note_request, request_id_of
from cytomol.serve.service_limits import ServiceLimits
from cytomol.serve.service_log import log_error
from cytomol.serve.service_metrics import ServiceMetrics

__all__ = ["Asker", "problem_of"]

_UNTIL = "cytomol.until"
_GONE = 499  # nobody reads it: the client has gone


class Asker:
    """Asks a batcher on behalf of requests.

    Parameters
    ----------
    batcher
        Answers.
    limits
        Of the service.
    metrics
        Where rows are counted.
    """

    def __init__(self, batcher: Batcher, limits: ServiceLimits, metrics: ServiceMetrics) -> None:
        self._batcher, self.limits, self._metrics = batcher, limits, metrics

    async def ask(self, request: Request, question: Question, rows: Sequence[Any]) -> list[dict[str, Any]]:
        """Return a row for each row asked, in order.

        Raises
        ------
        RequestProblem
            If there is no answer: as much waits as may wait, the time is over, the client has gone, or the
            question makes no sense to the model.
        """
        try:
            answered = await self._wait(request, self._batcher.submit(question, rows))
        except CytomolError as error:
            raise problem_of(error) from None
        except RequestProblem:
            raise
        except Exception as error:  # noqa: BLE001 - the log has it; the client is told that it is ours
            log_error("defect", error, request_id=request_id_of(request.scope), verb=question.verb)
            raise RequestProblem(500, "defect", "a defect of the service; its log says more") from None
        bad = sum(row["error"] is not None for row in answered)
        self._metrics.rows(question.model, question.verb, len(answered) - bad, bad)
        note_request(request.scope, model=question.model, rows=len(answered), invalid=bad)
        return answered

    async def _wait(self, request: Request, future: Any) -> list[dict[str, Any]]:
        answer = asyncio.wrap_future(future)
        gone = asyncio.create_task(_until_gone(request))
        seconds, now = self.limits.timeout, asyncio.get_running_loop().time()
        until = request.scope.setdefault(_UNTIL, now + seconds)  # of all that one request asks
        try:
            await asyncio.wait(
                {answer, gone}, timeout=max(0.0, until - now), return_when=asyncio.FIRST_COMPLETED
            )
            if answer.done():
                found: list[dict[str, Any]] = answer.result()
                return found
            if gone.done():
                raise RequestProblem(_GONE, "gone", "the client has gone")
            raise RequestProblem(
                504,
                "timeout",
                f"no answer within {seconds:g} s",
                hint="ask about fewer molecules at a time, or try again later",
            )
        finally:
            gone.cancel()
            if not answer.done():
                answer.cancel()  # nobody waits for it any more


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def problem_of(error: CytomolError) -> RequestProblem:
    """Return what a client is told of an error."""
    if isinstance(error, QueueFullError):
        headers = {"retry-after": str(math.ceil(error.retry_after))}
        return RequestProblem(503, "busy", error.what, hint=error.hint, headers=headers)
    if isinstance(error, ClosedError):
        return RequestProblem(503, "stopping", error.what, hint=error.hint, headers={"retry-after": "5"})
    return RequestProblem(422, "input", error.what, where=error.where, hint=error.hint)
