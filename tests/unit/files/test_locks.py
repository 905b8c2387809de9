"""Locks give up after their time, name their file and say what to do."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from filelock import FileLock

from cytomol.errors import OutputError
from cytomol.files import Lock


@pytest.mark.parametrize("seconds", [0, 0.2])
def test_a_held_lock_is_an_error_after_its_time(tmp_path: Path, seconds: float) -> None:
    place = tmp_path / "some.lock"
    with FileLock(place):
        began = time.monotonic()
        with pytest.raises(OutputError, match="somebody is at work here") as caught:
            Lock(place, "somebody is at work here", timeout=seconds).acquire()
        assert seconds <= time.monotonic() - began < seconds + 5
    assert str(place) in str(caught.value)
    assert "wait for that process, or end it" in str(caught.value)


def test_who_holds_it_may_take_it_again(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "some.lock", "at work", timeout=0)
    with lock, lock, pytest.raises(OutputError):
        Lock(tmp_path / "some.lock", "at work", timeout=0).acquire()
    with Lock(tmp_path / "some.lock", "at work", timeout=0):
        pass


def test_a_place_without_locks_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be locked"):
        Lock(tmp_path / "file" / "below.lock", "at work").acquire()
