"""After a kill at any moment the old output or the new one is found, whole, and by whoever looks for it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cytomol.errors import OutputError
from cytomol.files import atomic_directory, check_output, settled
from cytomol.files import replace as module
from cytomol.files.temporary import is_temporary, new_aside, new_directory, sweep

posix = pytest.mark.skipif(sys.platform == "win32", reason="kills and forks of POSIX")

# Writes the output again and again; every file of a version says which one it is.
WRITER = """
import sys
from pathlib import Path
from cytomol.files import atomic_directory, atomic_file, replace

out, way = Path(sys.argv[1]), sys.argv[2]
if way == "two renames":
    replace._exchange = lambda one, other: False

def write(version):
    if way == "file":
        with atomic_file(out, force=True) as temporary:
            temporary.write_text(f"{version} " * 1000)
        return
    with atomic_directory(out, force=True) as folder:
        (folder / "deep").mkdir()
        for i in range(4):
            (folder / "deep" / f"{i}").write_text(f"{version} " * 1000)
"""
FOREVER = (
    WRITER
    + """
write(0)
print("ready", flush=True)
version = 0
while True:
    version += 1
    write(version)
"""
)
# Dies at the n-th step that the system is asked for, for every n until the writing ends well.
AT_EACH_STEP = (
    WRITER
    + """
import os
write(0)
EVENTS = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "open", "os.chmod", "os.listdir", "os.scandir"}
steps = 0
die_at = 0
def hook(event, arguments):
    global steps
    if die_at and event in EVENTS:
        steps += 1
        if steps == die_at:
            os._exit(9)
sys.addaudithook(hook)
import json
for n in range(1, 1000):
    child = os.fork()
    if child == 0:
        die_at = n
        write(n)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(json.dumps([n, os.waitstatus_to_exitcode(status)]), flush=True)
    sys.stdin.readline()
    if status == 0:
        break
"""
)
WAYS = ["file", "one step", "two renames"]


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def version_of(out: Path) -> int:
    """Return the version of a whole output; fail if it is absent, mixed or cut."""
    found = settled(out)
    files = [found] if found.is_file() else [found / "deep" / f"{i}" for i in range(4)]
    texts = {file.read_text() for file in files}
    assert len(texts) == 1
    (text,) = texts
    words = text.split()
    assert len(words) == 1000
    assert len(set(words)) == 1
    return int(words[0])


@posix
@pytest.mark.parametrize("way", WAYS)
def test_death_at_each_step_leaves_old_or_new(tmp_path: Path, way: str) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-c", AT_EACH_STEP, str(out), way],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    found, ended = 0, None
    deaths = 0
    for line in process.stdout:
        n, ended = (int(word) for word in line.strip("[]\n").split(","))
        before, found = found, version_of(out)
        assert found in (before, n)
        deaths += ended == 9
        process.stdin.write("\n")
        process.stdin.flush()
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert ended == 0
    assert deaths > 5
    assert found == n  # the last one was not killed
    sweep(tmp_path)
    assert entries(tmp_path) == ["out"]


@posix
@pytest.mark.parametrize("way", WAYS)
def test_kill_at_random_moments_leaves_old_or_new(tmp_path: Path, way: str) -> None:
    out, moments = tmp_path / "out", random.Random(0)
    for _ in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", FOREVER, str(out), way], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        end = time.monotonic() + 0.1 * moments.random()
        while time.monotonic() < end:
            version_of_living(out)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        version_of(out)
        check_output(out, force=True)
    with atomic_directory(tmp_path / "other"):
        pass
    assert entries(tmp_path) == ["other", "out"]


def version_of_living(out: Path) -> None:
    """Look for the output while it is replaced: it is there, though a reader may see it go."""
    assert os.path.lexists(settled(out)) or os.path.lexists(settled(out))


@pytest.fixture
def without_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_exchange", lambda one, other: False)


@pytest.mark.usefixtures("without_exchange")
@pytest.mark.parametrize("failing", [1, 2, 3])
def test_a_rename_that_fails_puts_the_old_one_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    with atomic_directory(tmp_path / "out") as folder:
        (folder / "old").touch()
    calls, real = [], Path.rename

    def rename(self: Path, target: Path) -> Path:
        calls.append(self)
        if len(calls) == failing:
            raise OSError(5, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    try:
        with atomic_directory(tmp_path / "out", force=True) as folder:
            (folder / "new").touch()
    except OutputError as error:
        assert "Input/output error" in str(error)  # noqa: PT017 - the third is of tidying up
        assert failing < 3
    monkeypatch.undo()
    expected = "old" if failing < 3 else "new"
    assert entries(tmp_path / "out") == [".cytomol", expected]


def test_a_reader_waits_for_a_writer_that_lives(tmp_path: Path) -> None:
    """What is set aside by a living process is taken back only when its place stays empty."""
    aside = new_aside(tmp_path)
    (aside / "out").mkdir()
    began = time.monotonic()
    assert settled(tmp_path / "out") == tmp_path / "out"
    assert 1 < time.monotonic() - began < 10
    assert entries(tmp_path) == ["out"]


def test_nothing_set_aside_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def waited(_: float) -> None:
        raise AssertionError("it waited")

    monkeypatch.setattr(time, "sleep", waited)
    new_aside(tmp_path)
    assert not settled(tmp_path / "out").exists()
    assert not settled(tmp_path / "no" / "such" / "folder").exists()


def test_readers_find_what_was_set_aside(tmp_path: Path) -> None:
    """A model, a corpus and a store that a killed writer had set aside open by their own path."""
    from cytomol.artifact.directory import load_model, save_model
    from cytomol.chem.chunk import featurize_chunk
    from cytomol.chem.options import FeatureOptions
    from cytomol.chem.store import MoleculeStore
    from cytomol.corpus.planted import write_planted
    from cytomol.corpus.readers import read_corpus

    write_planted(tmp_path / "corpus", 200)
    save_model(tmp_path / "model", kind="k", config={}, weights={})
    featurize_chunk(["C"], FeatureOptions()).save(tmp_path / "store")
    readers = {"corpus": read_corpus, "model": load_model, "store": MoleculeStore.open}
    for name, reader in readers.items():
        aside = tmp_path / ".old-00000000-1-abcdefgh"
        aside.mkdir()
        (tmp_path / name).rename(aside / name)
        os.utime(aside / name, (0, 0))
        os.utime(aside, (0, 0))
        reader(tmp_path / name)
    assert not [name for name in entries(tmp_path) if is_temporary(name)]


def test_the_system_lets_two_folders_change_places(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("Linux is known to have it")
    one, other = new_directory(tmp_path), new_directory(tmp_path)
    (one / "one").touch()
    assert module._exchange(one, other)
    assert entries(other) == ["one"]
    assert not module._exchange(one, tmp_path / "absent")


def test_a_disk_that_fails_to_sync_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with atomic_directory(tmp_path / "out") as folder:
        (folder / "old").touch()
    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(OutputError, match="No space left"),
        atomic_directory(tmp_path / "out", force=True) as folder,
    ):
        (folder / "new").touch()
    assert entries(tmp_path / "out") == [".cytomol", "old"]


def test_everything_is_synced_before_it_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(module, "_sync", lambda path: done.append(path.name))
    with atomic_directory(tmp_path / "out") as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "a").touch()
        (folder / "b").touch()
        temporary = folder.name
    assert done[-1] == tmp_path.name
    assert sorted(done[:-1]) == sorted([".cytomol", "a", "b", "deep", temporary])
    assert done.index("a") < done.index("deep") < done.index(temporary)
