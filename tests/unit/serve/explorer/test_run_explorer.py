"""The socket of the page."""

from __future__ import annotations

import pytest

from cytomol.errors import ConfigError
from cytomol.serve.explorer.run_explorer import free_socket


def test_a_port_that_is_taken_is_told_and_without_one_another_is_found() -> None:
    with free_socket() as one:
        host, port = one.getsockname()
        assert host == "127.0.0.1"
        with pytest.raises(ConfigError, match=f"port {port} of this machine is taken"):
            free_socket(port)
        with free_socket() as other:
            assert other.getsockname()[1] != port
