"""Every request has an id, a line in the log and its place in the metrics; none of them holds a molecule."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cytomol.serve.service_log import log
from cytomol.serve.service_metrics import ServiceMetrics

__all__ = ["RequestRecord", "note_request", "request_id_of"]

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET = {"/healthz", "/readyz", "/metrics"}  # asked every few seconds: no line unless something is wrong
_FIELDS, _IDENTITY = "cytomol.fields", "cytomol.request_id"


def request_id_of(scope: Scope) -> str:
    """Return the id of a request."""
    return str(scope.get(_IDENTITY, ""))


def note_request(scope: Scope, **fields: Any) -> None:
    """Add fields to the line that the log will have of a request."""
    scope.setdefault(_FIELDS, {}).update(fields)


class RequestRecord:
    """Gives each request an id, logs it when it is answered, and counts it.

    A client's own ``X-Request-ID`` is taken where it is short and plain.

    Parameters
    ----------
    app
        What is behind it.
    metrics
        Where it is counted.
    paths
        Those that are known; others are counted together, so that nobody can fill the metrics with names.
    """

    def __init__(self, app: ASGIApp, *, metrics: ServiceMetrics, paths: frozenset[str]) -> None:
        self._app, self._metrics, self._paths = app, metrics, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, and note what comes back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        identity = given if _ID.fullmatch(given) else uuid.uuid4().hex
        scope[_IDENTITY], scope[_FIELDS] = identity, {}
        start, status = time.perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                message["headers"] = [*message.get("headers", []), (b"x-request-id", identity.encode())]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            path = scope["path"] if scope["path"] in self._paths else "other"
            seconds = time.perf_counter() - start
            self._metrics.request(path, status, seconds)
            if path not in _QUIET or status >= 400:
                self._line(scope, path, status, seconds)

    @staticmethod
    def _line(scope: Scope, path: str, status: int, seconds: float) -> None:
        fields: Mapping[str, Any] = scope[_FIELDS]
        method = scope["method"] if scope["method"].isalpha() else "other"
        log(
            "request",
            request_id=request_id_of(scope),
            method=method[:10],
            path=path,
            status=status or None,  # none: the client went before the answer
            seconds=round(seconds, 4),
            **fields,
        )
