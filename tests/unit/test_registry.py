"""Registry: names found, names unknown, names taken."""

from __future__ import annotations

import pickle

import pytest

from cytomol.errors import ConfigError, InputError
from cytomol.registry import Registry


def test_lookup_and_unknown_name() -> None:
    registry: Registry[int] = Registry("number")
    registry.register("one")(1)
    registry.register("two")(2)
    assert registry["one"] == 1
    assert list(registry) == ["one", "two"]
    assert "two" in registry
    with pytest.raises(ConfigError, match=r"unknown number 'three' \(known: one, two\)"):
        registry["three"]
    with pytest.raises(ConfigError) as caught:
        registry["three" * 10_000]
    assert len(str(caught.value)) < 200


def test_a_name_is_taken_once() -> None:
    registry: Registry[int] = Registry("number")
    registry.register("one")(1)
    with pytest.raises(ValueError, match="twice"):
        registry.register("one")(2)


def test_errors_survive_pickling() -> None:
    error = pickle.loads(pickle.dumps(InputError("what", where="file", hint="do")))
    assert str(error) == "file: what (do)"
