"""What keeps the page to its user: this machine's names alone, no foreign script, no body without end."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["OWN_NAMES", "LocalPage", "page_middleware"]

OWN_NAMES = ("127.0.0.1", "localhost")
"""Names under which the page answers; other names that point here (DNS rebinding) are refused."""

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class LocalPage:
    """Refuses what another site sends and bodies that are too large, and says what a page may load.

    Parameters
    ----------
    app
        What answers.
    largest
        Bytes of a body.
    """

    def __init__(self, app: ASGIApp, largest: int) -> None:
        self._app, self._largest = app, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        if _foreign(scope, headers):
            answer = JSONResponse({"error": "asked by another site"}, 403)
            await answer(scope, receive, protected)
        elif (length := headers.get("content-length")) and not 0 <= _number(length) <= self._largest:
            await self._too_large()(scope, receive, protected)
        else:
            await self._counted(scope, receive, protected)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, but stop reading a body that is longer than it may be, whatever it said of itself."""
        read = 0

        async def counting() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            return {"type": "http.disconnect"} if read > self._largest else message

        async def watched(message: Message) -> None:
            if read <= self._largest:
                await send(message)

        try:
            await self._app(scope, counting, watched)
        finally:
            if read > self._largest:
                await self._too_large()(scope, receive, send)

    def _too_large(self) -> JSONResponse:
        return JSONResponse({"error": f"is larger than {self._largest / 2**20:.0f} MB"}, 413)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else -1


def _foreign(scope: Scope, headers: Headers) -> bool:
    """Tell whether another site's page asks: a browser says so. To follow a link to the page is allowed."""
    origin = headers.get("origin")
    if origin is not None and origin != f"http://{headers.get('host', '')}":
        return True
    if scope["method"] == "GET" and headers.get("sec-fetch-mode") == "navigate":
        return False
    return headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}


def page_middleware(largest: int) -> list[Middleware]:
    """Return what stands before the page's app, outermost first."""
    return [
        Middleware(LocalPage, largest=largest),
        Middleware(TrustedHostMiddleware, allowed_hosts=list(OWN_NAMES), www_redirect=False),
    ]
