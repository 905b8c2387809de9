"""Temporary names: whose they are, and that only those of dead processes are swept."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cytomol.files.temporary import discard, is_stale, is_temporary, new_aside, new_directory, new_file, sweep

MAKER = """
import sys
from pathlib import Path
from cytomol.files.temporary import new_aside, new_directory, new_file
folder = Path(sys.argv[1])
(new_directory(folder) / "half").write_text("half")
new_file(folder, ".csv").write_text("half")
(new_aside(folder) / "lost").mkdir()
(new_aside(folder) / "there").mkdir()
print("made", flush=True)
sys.stdin.read()
"""


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def maker(tmp_path: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", MAKER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "made\n"
    yield process
    process.kill()
    process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="there the age alone tells")
def test_what_a_killed_process_left_is_swept_and_what_it_set_aside_put_back(tmp_path: Path, maker) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "new").touch()
    for name in (".tmp-mine", ".old-mine", ".tmp-00000000-1-abcdefgh"):  # not ours; another machine's
        (tmp_path / name).mkdir()
    sweep(tmp_path)
    assert len([name for name in entries(tmp_path) if is_temporary(name)]) == 5  # it lives
    maker.kill()
    maker.wait()
    sweep(tmp_path)
    left = entries(tmp_path)
    assert left == [".old-mine", ".tmp-00000000-1-abcdefgh", ".tmp-mine", "lost", "there"]
    assert (tmp_path / "there" / "new").exists()


def test_own_names_are_stale_once_they_are_discarded(tmp_path: Path) -> None:
    made = [new_directory(tmp_path), new_file(tmp_path, ".x"), new_aside(tmp_path)]
    assert all(is_temporary(path.name) and not is_stale(path) for path in made)
    sweep(tmp_path)
    assert all(path.exists() for path in made)
    for path in made:
        discard(path)
    assert list(tmp_path.iterdir()) == []
    made[0].mkdir()  # of a process that had our number before us
    assert is_stale(made[0])


def test_another_machines_are_swept_after_a_day_without_change(tmp_path: Path) -> None:
    other = tmp_path / ".tmp-00000000-1-abcdefgh"
    other.mkdir()
    (other / "part").touch()
    old = time.time() - 100_000
    os.utime(other, (old, old))
    assert not is_stale(other)  # a file in it is new
    os.utime(other / "part", (old, old))
    assert is_stale(other)
    sweep(tmp_path)
    assert not other.exists()


def test_a_link_is_unlinked_and_what_it_points_to_stays(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    made = new_directory(tmp_path)
    made.rmdir()
    made.symlink_to(tmp_path / "kept")
    discard(made)
    assert entries(tmp_path) == ["kept"]
    assert (tmp_path / "kept" / "file").exists()
