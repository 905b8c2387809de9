"""Registry: names found, names unknown, names taken."""

from __future__ import annotations

import builtins
import pickle
import sys
from pathlib import Path

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


def test_a_module_is_imported_when_what_it_registers_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_late_reader.py").write_text(
        "from builtins import late_readers\nlate_readers.register('late')(str)\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    readers: Registry[type] = Registry("reader")
    monkeypatch.setattr(builtins, "late_readers", readers, raising=False)
    readers.register_later("a_late_reader", "late", "later")
    assert readers.names() == ["late", "later"]
    assert "late" in readers
    assert "a_late_reader" not in sys.modules
    with pytest.raises(ValueError, match="'late' is registered twice"):
        readers.register("late")(int)
    assert readers["late"] is str
    assert "a_late_reader" in sys.modules
    with pytest.raises(ConfigError, match="unknown reader 'later'"):  # the module does not keep its word
        readers["later"]
    del sys.modules["a_late_reader"]
