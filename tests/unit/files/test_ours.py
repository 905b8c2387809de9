"""Only what this tool wrote is replaced or removed; anything else is refused by its name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cytomol.errors import OutputError
from cytomol.files import (
    atomic_directory,
    atomic_file,
    check_output,
    refuse_foreign,
    remove_output,
    written_files,
)


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    with atomic_directory(tmp_path / "ours") as folder:
        (folder / "table.csv").write_text("1")
        (folder / "parts").mkdir()
        (folder / "parts" / "one").write_text("2")
    return tmp_path / "ours"


def thesis(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.txt").write_text("keep")


def only_folders(folder: Path) -> None:
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "photo.jpg").write_text("keep")


def looks_like_a_model(folder: Path) -> None:
    folder.mkdir()
    (folder / "manifest.json").write_text('{"format": "somebody else\'s", "files": {}}')


def hand_made_corpus(folder: Path) -> None:
    folder.mkdir()
    (folder / "corpus.toml").write_text("version = 1\n")
    (folder / "molecules.csv").write_text("smiles\nC\n")


def repository(folder: Path) -> None:
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text("ref")


def link_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "link").symlink_to(folder.parent)


def broken_mark(folder: Path) -> None:
    folder.mkdir()
    (folder / ".cytomol").write_text("[" * 100_000)


FOREIGN = [thesis, only_folders, looks_like_a_model, hand_made_corpus, repository, link_alone, broken_mark]


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("make", FOREIGN)
def test_a_folder_that_is_not_ours_is_refused_and_left_alone(tmp_path: Path, make) -> None:
    place = tmp_path / "place"
    make(place)
    before = tree(tmp_path)

    def write() -> None:
        with atomic_directory(place, force=True):
            raise AssertionError("begun")

    for attempt in (lambda: check_output(place, force=True), write, lambda: remove_output(place)):
        with pytest.raises(OutputError, match="did not write") as caught:
            attempt()
        assert str(place) in str(caught.value)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", ["notes.txt", "parts/two", "new/three", ".hidden", "parts/.env"])
def test_a_foreign_file_in_a_folder_of_ours_is_named(ours: Path, name: str) -> None:
    (ours / name).parent.mkdir(exist_ok=True)
    (ours / name).write_text("keep")
    with pytest.raises(OutputError, match=rf"holds '{name}', which cytomol did not write"):
        check_output(ours, force=True)
    with pytest.raises(OutputError, match="did not write"):
        remove_output(ours)
    assert (ours / name).read_text() == "keep"


def test_what_is_ours_empty_or_a_file_is_replaced(ours: Path, tmp_path: Path) -> None:
    assert written_files(ours) == {".cytomol", "table.csv", "parts/one"}
    (ours / ".DS_Store").touch()  # left by a file manager
    (tmp_path / "empty").mkdir()
    for place in (ours, tmp_path / "empty"):
        with atomic_directory(place, force=True) as folder:
            (folder / "new").touch()
        assert entries(place) == [".cytomol", "new"]
    (tmp_path / "table.csv").write_text("old")
    with atomic_file(tmp_path / "table.csv", force=True) as temporary:
        temporary.write_text("new")
    assert (tmp_path / "table.csv").read_text() == "new"
    remove_output(ours)
    assert not ours.exists()
    remove_output(ours)


def test_what_is_neither_file_nor_folder_is_refused(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes with names here")
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(OutputError, match="neither a file nor a folder"):
            check_output(place, force=True)
        with pytest.raises(OutputError), atomic_file(place, force=True):
            pass
        assert place.exists()
        assert not place.is_file()


def test_something_put_there_during_the_work_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="did not write"), atomic_directory(tmp_path / "a", force=True):
        thesis(tmp_path / "a")
    with pytest.raises(OutputError, match="cannot be written"), atomic_directory(tmp_path / "b"):
        (tmp_path / "b").mkdir()
    with pytest.raises(OutputError, match="did not write"), atomic_directory(tmp_path / "c"):
        thesis(tmp_path / "c")
    assert tree(tmp_path) == ["a", "a/thesis.txt", "b", "c", "c/thesis.txt"]


def test_a_link_is_followed(ours: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(ours)
    (tmp_path / "link.csv").symlink_to(tmp_path / "far.csv")
    with atomic_directory(tmp_path / "link", force=True) as folder:
        (folder / "new").touch()
    with atomic_file(tmp_path / "link.csv") as temporary:
        temporary.write_text("x")
    assert (ours / "new").exists()
    assert (tmp_path / "far.csv").read_text() == "x"
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "link.csv").is_symlink()


def test_the_folder_one_stands_in_is_replaced_by_its_dot(ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ours)
    with atomic_directory(".", force=True) as folder:
        (folder / "new").touch()
    assert entries(ours) == [".cytomol", "new"]
    refuse_foreign(ours)
