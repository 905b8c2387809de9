"""Why a request is refused or fails, as every such answer says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

__all__ = ["REASONS", "RequestProblem"]

# What the OpenAPI description says of each status.
REASONS = {
    400: "The request cannot be read.",
    401: "The token is missing or wrong.",
    403: "The host by which the service was called is not one of its own.",
    408: "The body did not come in time.",
    413: "More bytes, rows or numbers than the service takes on.",
    415: "The body is not JSON.",
    422: "The request makes no sense: it says where, and what to do.",
    500: "A defect of the service.",
    503: "As much waits as may wait, or the service is stopping: try again later.",
    504: "The answer was not there in time.",
}


@dataclass(eq=False)
class RequestProblem(Exception):  # noqa: N818 - it is an answer, not a failure of ours
    """A request that is not answered.

    Attributes
    ----------
    status
        HTTP status.
    code
        A word for programs.
    message, where, hint
        What was found, in which place of the request, and what to do about it.
    headers
        Further headers of the answer.
    """

    status: int
    code: str
    message: str
    where: str | None = None
    hint: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, request_id: str) -> bytes:
        """Return the body of the answer."""
        error: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "where": self.where,
            "hint": self.hint,
        }
        return to_json({"error": error, "request_id": request_id})

    async def send(self, send: Any, request_id: str) -> None:
        """Answer a request by the ASGI protocol, before any framework has seen it."""
        body = self.body(request_id)
        headers = {"content-type": "application/json", "content-length": str(len(body)), **self.headers}
        await send(
            {
                "type": "http.response.start",
                "status": self.status,
                "headers": [(name.lower().encode(), text.encode()) for name, text in headers.items()],
            }
        )
        await send({"type": "http.response.body", "body": body})
