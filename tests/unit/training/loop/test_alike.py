"""Processes that train together have the same data, options and state, or none of them begins."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from torch import distributed

from cytomol.errors import ConfigError
from cytomol.methods.config import InfoAlignConfig
from cytomol.training.loop.callbacks import check_alike
from cytomol.training.loop.state import RunState


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"data": {"corpus": "another"}}, "data"),
        ({"state": [3, 1]}, "state"),
        ({"data": {}, "options": {}}, "data and options"),
    ],
)
def test_another_than_the_first_is_named(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], named: str
) -> None:
    _others(monkeypatch, change)
    with pytest.raises(ConfigError, match=f"process 3 of 3 has other {named} than the first"):
        _check()


def test_equal_ones_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    _others(monkeypatch, {})
    _check()


def _others(monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]) -> None:
    def gather(told: list[Any], own: dict[str, Any]) -> None:
        told[:] = [own, own, {**own, **change}]

    monkeypatch.setattr(distributed, "get_world_size", lambda: 3)
    monkeypatch.setattr(distributed, "all_gather_object", gather)


def _check() -> None:
    run: Any = SimpleNamespace(facts={"corpus": "one"}, state=RunState())
    module: Any = SimpleNamespace(config=InfoAlignConfig())
    check_alike(run, module)
