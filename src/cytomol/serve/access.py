"""Who may ask: a token where one is set, else callers on this machine alone."""

from __future__ import annotations

import hmac
import ipaddress
import os
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from cytomol.errors import ConfigError
from cytomol.files import require_file
from cytomol.serve.request_problem import RequestProblem
from cytomol.serve.request_record import request_id_of

__all__ = ["TOKEN_VARIABLE", "AccessGate", "is_loopback", "read_token"]

TOKEN_VARIABLE = "CYTOMOL_TOKEN"  # noqa: S105 - the name of a variable
_LEAST_TOKEN = 16  # characters
_OPEN = {"/healthz", "/readyz"}  # whoever watches the service need not hold its token
_LOCAL_NAMES = {"localhost", "127.0.0.1", "[::1]", "::1"}


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine alone.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read_token(file: str | Path | None = None) -> str | None:
    """Return the token of a file, or of the environment variable CYTOMOL_TOKEN; None without.

    Raises
    ------
    ConfigError
        If it is shorter than 16 characters or holds others than printable ASCII.
    InputError
        If the file cannot be read.
    """
    if file is not None:
        text, where = require_file(file, what="file with the token").read_text(encoding="utf-8"), str(file)
    elif TOKEN_VARIABLE in os.environ:
        text, where = os.environ[TOKEN_VARIABLE], TOKEN_VARIABLE
    else:
        return None
    token = text.strip()
    if len(token) < _LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(
            f"a token has {_LEAST_TOKEN} letters, digits and signs or more, and no blank",
            where=where,
            hint='make one: python -c "import secrets; print(secrets.token_urlsafe())"',
        )
    return token


class AccessGate:
    """Lets through who may ask.

    With a token, every request but those for health must bear it. Without, the service answers to the names
    of this machine alone, so that no page of another site can reach it through a browser.

    Parameters
    ----------
    app
        What is behind it.
    token
        The token; None for none.
    """

    def __init__(self, app: ASGIApp, *, token: str | None) -> None:
        self._app = app
        self._bearer = None if token is None else f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] == "http" and scope["path"] not in _OPEN:
            problem = self._problem(Headers(scope=scope))
            if problem is not None:
                await problem.send(send, request_id_of(scope))
                return
        await self._app(scope, receive, send)

    def _problem(self, headers: Headers) -> RequestProblem | None:
        if self._bearer is not None:
            given = headers.get("authorization", "").encode()
            if hmac.compare_digest(given, self._bearer):
                return None
            return RequestProblem(
                401,
                "token",
                "the token is missing or wrong",
                where="Authorization",
                hint="send the header 'Authorization: Bearer TOKEN'",
                headers={"www-authenticate": "Bearer"},
            )
        host = headers.get("host", "")
        name = host if host.startswith("[") and host.endswith("]") else host.rpartition(":")[0] or host
        if name.lower() in _LOCAL_NAMES:
            return None
        return RequestProblem(
            403,
            "host",
            "without a token the service answers to localhost alone",
            where="Host",
            hint="call it as http://127.0.0.1:PORT or http://localhost:PORT, or start it with a token",
        )
