"""A geometry provider whose molecules are orders to sleep, crash or answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytomol.chem.geometry import GeometryProvider, geometry_providers

HERE = Path(__file__).parent


@geometry_providers.register("test-orders")
class Orders(GeometryProvider):
    name = "test-orders"
    version = "1"
    width = 3
    worker = "geometry_worker_functions:behave"

    def key(self) -> str:
        return f"orders {self.version}"


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of the provider; worker processes find its function on the path."""
    monkeypatch.syspath_prepend(str(HERE / "helpers"))
    return "test-orders"


@pytest.fixture
def fake_unimol(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a package with the interface of unimol_tools on the path."""
    monkeypatch.syspath_prepend(str(HERE / "fake_unimol"))
