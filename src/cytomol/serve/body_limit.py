"""Bodies of requests: JSON, of bounded size, and here in time, before anything reads them."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cytomol.serve.request_problem import RequestProblem
from cytomol.serve.request_record import request_id_of

__all__ = ["BodyLimit"]


class BodyLimit:
    """Reads the body of a request up to a limit, and hands on what is whole.

    Parameters
    ----------
    app
        What is behind it.
    most
        Bytes.
    seconds
        That a body may take.
    """

    def __init__(self, app: ASGIApp, *, most: int, seconds: float) -> None:
        self._app, self._most, self._seconds = app, most, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await self._body(scope, receive)
        except RequestProblem as problem:
            await problem.send(send, request_id_of(scope))
            return
        if body is not None:  # None: the client has gone
            await self._app(scope, _replayed(body, receive), send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes | None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._most:
            raise self._too_large(f"{int(length):,} bytes")
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > self._most:
                        raise self._too_large("more bytes")
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            raise RequestProblem(
                408,
                "slow",
                f"the body did not come within {self._seconds:g} s",
                headers={"connection": "close"},
            ) from None
        if scope["method"] == "POST" and not _is_json(headers.get("content-type", "")):
            raise RequestProblem(
                415, "json", "the body is not JSON", where="Content-Type", hint="send application/json"
            )
        return b"".join(parts)

    def _too_large(self, what: str) -> RequestProblem:
        return RequestProblem(
            413,
            "bytes",
            f"a body of {what}, and the service reads {self._most:,}",
            hint="ask about fewer molecules at a time",
            headers={"connection": "close"},
        )


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return what gives the whole body once, and then what comes: that the client has gone."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
