"""The map in the background: computed once, kept, and computed again where what was kept is damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytomol.files import cache_root
from cytomol.serve.explorer import explored_map
from cytomol.serve.explorer.background import or_say
from cytomol.serve.explorer.explored_map import ExploredMap
from cytomol.serve.explorer.explored_session import ExploredSession


def fresh(session: ExploredSession) -> ExploredMap:
    return ExploredMap(session.library, session.model.served.predictor, session.model.reading, workers=1)


def test_the_map_holds_what_was_learnt_from_and_the_library(session: ExploredSession) -> None:
    status = session.map.status()
    assert (status["state"], status["total"], status["learnt"]) == ("ready", 81, 60)
    assert [one["name"] for one in status["colours"]] == ["length", "nitrogen", "price"]
    assert np.isfinite(session.map.places[:80]).all()
    assert np.isnan(session.map.places[80]).all()  # C1CC is no molecule


def test_the_nearest_are_of_the_library_alone(session: ExploredSession) -> None:
    bits = session.model.fingerprints([session.library.smiles[62]])[0]
    first = session.map.nearest(bits)[0]
    assert (first["id"], first["similarity"], first["learnt"]) == ("SH-002", 1.0, False)
    assert first["values"] == {"price": 0.2}


def test_a_kept_map_is_not_computed_again(session: ExploredSession, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(explored_map.MapPlane, "fit", refuse)
    again = fresh(session)
    again.compute()
    np.testing.assert_array_equal(again.places, session.map.places)


def test_a_damaged_map_is_computed_again(session: ExploredSession) -> None:
    kept = session.map._place_of(session.library.texts())
    assert kept.is_relative_to(cache_root())
    whole = kept.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"no archive", whole[:3000] + b"\0\1" + whole[3002:]):
        kept.write_bytes(damaged)
        again = fresh(session)
        again.compute()
        np.testing.assert_array_equal(again.places, session.map.places)
    assert len(kept.read_bytes()) == len(whole)


def test_a_cache_that_cannot_be_written_is_no_error(
    session: ExploredSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "explorer").write_text("a file where the folder would be", encoding="utf-8")
    place = tmp_path / "explorer" / "map.npz"
    monkeypatch.setattr(ExploredMap, "_place_of", lambda *_: place)
    again = fresh(session)
    again.compute()
    assert again.state == "ready"


def test_what_goes_wrong_in_the_background_is_said(
    session: ExploredSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("disk is gone")

    monkeypatch.setattr(explored_map, "domain_fingerprints", fail)
    again = fresh(session)
    or_say(again.compute, again._failed)
    assert (again.state, again.error) == ("failed", "disk is gone")
