"""Fuzz: model directories, altered behind the manifest's back and with it. The model, or one error."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from tests.fuzz.driver import Driver
from tests.fuzz.inputs import PIECES, damaged

from cytomol.artifact.backbone import Backbone
from cytomol.artifact.directory import load_model
from cytomol.artifact.model_digest import model_digest

FILES = ["manifest.json", "config.json", "weights.safetensors", "statistics.safetensors"]
VALUES = [None, True, -1, 0, 1, 10**30, 1.5, float("nan"), "", "x", [], {}, [[]], {"a": 1}, "\ud800", 10**9]
SOURCE: dict[str, bytes] = {}


def use(folder: Path) -> None:
    """Take the files of a small model as what is damaged."""
    SOURCE.update({name: (folder / name).read_bytes() for name in FILES})


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every value of a table."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, one in below for found in places(one, (*path, key)))]


def changed(table: Any, choice: int, new: Any, remove: bool) -> Any:
    """Return a table with one of its values replaced or taken out."""
    ways = places(table)[1:]
    *way, last = ways[choice % len(ways)]
    inner = table
    for key in way:
        inner = inner[key]
    if remove:
        del inner[last]
    else:
        inner[last] = new
    return table


def sealed(folder: Path) -> None:
    """Write the hashes of altered files into the manifest, as somebody would who means it."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for name in FILES[1:]:
        manifest["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    manifest["digest"] = model_digest(folder, manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


inputs = st.one_of(
    st.tuples(st.just("bytes"), st.sampled_from(FILES), st.integers(0, 2**16), st.sampled_from(PIECES)),
    st.tuples(st.just("head"), st.sampled_from(FILES), st.integers(0, 2**16), st.sampled_from(PIECES)),
    st.tuples(st.just("value"), st.sampled_from(FILES[:2]), st.integers(0, 2**16), st.sampled_from(VALUES)),
    st.tuples(st.just("remove"), st.sampled_from(FILES[:2]), st.integers(0, 2**16), st.none()),
    st.tuples(st.just("whole"), st.sampled_from(FILES), st.booleans(), damaged(b'{"format": [1, {}]}')),
)


def case(value: tuple[str, str, int, Any], folder: Path) -> None:
    kind, name, where, new = value
    place = folder / "model"
    if place.exists():
        shutil.rmtree(place)
    place.mkdir()
    for other, data in SOURCE.items():
        (place / other).write_bytes(data)
    data = SOURCE[name]
    if kind in {"value", "remove"}:
        table = changed(json.loads(data), where, new, kind == "remove")
        (place / name).write_text(json.dumps(table), encoding="utf-8")
    elif kind == "whole":
        (place / name).write_bytes(new)
    else:
        at = where % (len(data) if kind == "bytes" else min(200, len(data)))
        (place / name).write_bytes(data[:at] + new + data[at + len(new) :])
    if name != "manifest.json" and where % 4:
        sealed(place)
    load_model(place)
    Backbone.load(place)


DRIVER = Driver("model directory", inputs, case)


@pytest.fixture(scope="module", autouse=True)
def model(untrained: dict[str, Path]) -> None:
    use(untrained["chmr"])


def test_model_directory() -> None:
    DRIVER.check()
