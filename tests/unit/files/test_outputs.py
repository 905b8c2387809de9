"""Outputs are whole or absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cytomol.errors import InputError, OutputError
from cytomol.files import atomic_directory, atomic_file, cache_root, check_output, require_file, sha256


def _entries(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_file_appears_whole_with_its_suffix(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "out.csv.gz") as temporary:
        assert temporary.name.endswith(".csv.gz")
        temporary.write_text("x")
        assert not (tmp_path / "out.csv.gz").exists()
    assert _entries(tmp_path) == ["out.csv.gz"]


def test_failure_leaves_nothing_and_keeps_the_old_file(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_file(out, force=True) as temporary:
        temporary.write_text("half")
        _ = 1 / 0
    assert out.read_text() == "old"
    assert _entries(tmp_path) == ["out.csv"]


def test_existing_output_needs_force(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("old")
    with pytest.raises(OutputError, match="--force"), atomic_file(out):
        pass
    with atomic_file(out, force=True) as temporary:
        temporary.write_text("new")
    assert out.read_text() == "new"


def test_os_errors_become_output_errors(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No space left"), atomic_file(tmp_path / "out.csv"):
        raise OSError(28, "No space left on device")
    assert _entries(tmp_path) == []


def test_a_full_device_is_reported(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with (
        pytest.raises(OutputError, match="No space"),
        atomic_file(tmp_path / "out"),
        full.open("w") as handle,
    ):
        handle.write("x" * 100_000)
        handle.flush()
    assert _entries(tmp_path) == []


def test_read_only_place_is_refused_before_work(tmp_path: Path) -> None:
    place = tmp_path / "locked"
    place.mkdir()
    place.chmod(0o500)
    if os.access(place, os.W_OK):  # the superuser writes anywhere; a file in the way stops even them
        (tmp_path / "plain").write_text("")
        with pytest.raises(OutputError, match="not a directory"):
            check_output(tmp_path / "plain" / "out.csv")
        return
    with pytest.raises(OutputError, match="cannot be written"):
        check_output(place / "deeper" / "out.csv")


def test_directory_is_swapped_in_whole(tmp_path: Path) -> None:
    out = tmp_path / "model"
    with atomic_directory(out) as temporary:
        (temporary / "a").write_text("1")
    with pytest.raises(OutputError):
        check_output(out)
    with pytest.raises(ZeroDivisionError), atomic_directory(out, force=True) as temporary:
        (temporary / "b").write_text("2")
        _ = 1 / 0
    assert _entries(out) == [".cytomol", "a"]
    with atomic_directory(out, force=True) as temporary:
        (temporary / "b").write_text("2")
    assert _entries(out) == [".cytomol", "b"]
    assert _entries(tmp_path) == ["model"]


def test_require_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not found"):
        require_file(tmp_path / "none")
    with pytest.raises(InputError, match="directory"):
        require_file(tmp_path)
    (tmp_path / "empty").touch()
    with pytest.raises(InputError, match="empty"):
        require_file(tmp_path / "empty")


def test_sha256_of_known_bytes(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_cache_root_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CYTOMOL_CACHE", str(tmp_path))
    assert cache_root() == tmp_path
    monkeypatch.delenv("CYTOMOL_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_root() == tmp_path / "cytomol"
