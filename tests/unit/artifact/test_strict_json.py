from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytomol.artifact import strict_json
from cytomol.artifact.strict_json import DEEPEST, read_strictly
from cytomol.errors import ModelDirectoryError

_LEAVES = st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False) | st.text()
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(value=_VALUES)
def test_whatever_was_written_is_read(value: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("json") / "config.json"
    path.write_text(json.dumps(value), "utf-8")
    assert read_strictly(path) == value


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "cannot be read"),
        ('{"a": 1, "a": 2}', "'a' stands twice in a table"),
        ('{"b": {"a": 1, "a": 1}}', "'a' stands twice in a table"),
        ('{"a": ' + "9" * 21 + "}", "a number of 21 digits"),
        (nested(DEEPEST + 1), f"nested more than {DEEPEST} deep"),
        ('{"a":' * 60 + "1" + "}" * 60, f"nested more than {DEEPEST} deep"),
        (nested(200_000), f"nested more than {DEEPEST} deep"),
    ],
)
def test_what_has_no_end_is_refused_in_one_line(text: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(text, "utf-8")
    with pytest.raises(ModelDirectoryError) as caught:
        read_strictly(path)
    assert why in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_as_deep_as_is_allowed_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(nested(DEEPEST), "utf-8")
    assert json.dumps(read_strictly(path)) == nested(DEEPEST)


def test_bytes_that_are_no_text_and_files_that_are_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(ModelDirectoryError, match="cannot be read"):
        read_strictly(path)
    monkeypatch.setattr(strict_json, "LARGEST_FILE", 4)
    with pytest.raises(ModelDirectoryError, match="has 10 bytes"):
        read_strictly(path)
