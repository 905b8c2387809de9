"""Serve the explorer's page on this machine alone, until it is stopped."""

from __future__ import annotations

import socket
import threading
import webbrowser
from collections.abc import Callable

from cytomol.errors import ConfigError
from cytomol.serve.explorer.explored_session import ExploredSession

__all__ = ["free_socket", "run_explorer"]

HOST = "127.0.0.1"
PORT = 8421


def free_socket(port: int | None = None) -> socket.socket:
    """Return a socket that listens on loopback: on a port, or on 8421 or any other that is free.

    Raises
    ------
    ConfigError
        If the port that was asked for is taken.

    Examples
    --------
    >>> with free_socket() as one:
    ...     one.getsockname()[0]
    '127.0.0.1'
    """
    for number in (PORT, 0) if port is None else (port,):
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind((HOST, number))
            found.listen(128)
        except OSError:
            found.close()
            continue
        return found
    raise ConfigError(f"port {port} of this machine is taken", hint="choose another, or leave --port out")


def run_explorer(
    session: ExploredSession, listening: socket.socket, *, browser: bool, say: Callable[[str], None]
) -> None:
    """Serve the page until the user stops it.

    Parameters
    ----------
    session
        What the page asks.
    listening
        Of :func:`free_socket`.
    browser
        Open the page in the user's browser.
    say
        Prints a line.
    """
    import uvicorn

    from cytomol.serve.explorer.explorer_app import explorer_app

    address = f"http://{HOST}:{listening.getsockname()[1]}/"
    config = uvicorn.Config(
        explorer_app(session),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    say(f"the page is at {address} for this machine alone; stop with Ctrl-C")
    if browser:
        threading.Timer(0.5, webbrowser.open, [address]).start()
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        session.close()
