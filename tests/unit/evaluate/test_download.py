"""Fetching sets from a real local server that can break off, and from folders."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from cytomol.errors import ConfigError, InputError, OutputError
from cytomol.evaluate import download
from cytomol.evaluate.download import fetch_set, is_whole
from cytomol.evaluate.published import PUBLISHED, PublishedFile, PublishedSet
from cytomol.evaluate.sets import SETS

CONTENT = {
    "assays.csv.gz": np.random.default_rng(0).bytes(300_000),
    "split.csv.gz": b"index,fold\n",
}


@dataclass
class Mirror:
    """A server of files: ``break_after`` bytes it hangs up, and it may know no ranges."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    break_after: int | None = None
    ranges: bool = True
    failures: int = 0
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    state = Mirror(files={f"/sets/bace/{name}": data for name, data in CONTENT.items()})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append((self.path, wanted))
            if state.failures:
                state.failures -= 1
                self.send_error(503)
                return
            if self.path not in state.files:
                self.send_error(404)
                return
            data, start = state.files[self.path], 0
            if wanted and state.ranges:
                start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])  # type: ignore[index]
                if start >= len(data):
                    self.send_error(416)
                    return
            self.send_response(206 if wanted and state.ranges else 200)
            if wanted and state.ranges:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            end = len(data) if state.break_after is None else start + state.break_after
            self.wfile.write(data[start:end])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/sets/"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _small_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish a set of which the tests have the content."""
    files = tuple(
        PublishedFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in CONTENT.items()
    )
    monkeypatch.setitem(PUBLISHED, "bace", PublishedSet(1, 1, "roc_auc", "http://origin/bace.zip", files))


def _check(folder: Path) -> None:
    for name, data in CONTENT.items():
        assert (folder / name).read_bytes() == data
    assert sorted(path.name for path in folder.iterdir()) == sorted(CONTENT)


def test_fetch(mirror: Mirror, tmp_path: Path) -> None:
    said: list[str] = []
    folder = fetch_set("bace", tmp_path, mirror=mirror.url, say=said.append)
    assert folder == tmp_path / "bace"
    _check(folder)
    assert said[0] == "bace/assays.csv.gz: 300,000 bytes, checksum as stated"
    fetch_set("bace", tmp_path, say=said.append)  # nothing is fetched, so no mirror is needed
    assert said[-1] == "bace/split.csv.gz: there already"
    assert len(mirror.asked) == 2


def test_a_broken_connection_goes_on_where_it_stopped(mirror: Mirror, tmp_path: Path) -> None:
    mirror.break_after = 120_000
    _check(fetch_set("bace", tmp_path, mirror=mirror.url))
    assert [wanted for path, wanted in mirror.asked if "assays" in path] == [
        None,
        "bytes=120000-",
        "bytes=240000-",
    ]


def test_another_run_goes_on_where_the_first_stopped(mirror: Mirror, tmp_path: Path) -> None:
    mirror.break_after = 50_000
    with pytest.raises(InputError, match=r"stopped at 150,000 of 300,000 bytes.*run it again to go on"):
        fetch_set("bace", tmp_path, mirror=mirror.url)
    folder = tmp_path / "bace"
    assert [path.name for path in folder.iterdir()] == ["assays.csv.gz.part"]
    mirror.break_after = None
    _check(fetch_set("bace", tmp_path, mirror=mirror.url))
    assert mirror.asked[3] == ("/sets/bace/assays.csv.gz", "bytes=150000-")


def test_a_server_without_ranges_starts_over(mirror: Mirror, tmp_path: Path) -> None:
    mirror.ranges = False
    (tmp_path / "bace").mkdir()
    (tmp_path / "bace" / "assays.csv.gz.part").write_bytes(CONTENT["assays.csv.gz"][:1000])
    _check(fetch_set("bace", tmp_path, mirror=mirror.url))


@pytest.mark.parametrize("left", [b"x" * 1000, b"x" * 300_000, b"x" * 400_000])
def test_what_another_version_left_is_thrown_away(mirror: Mirror, tmp_path: Path, left: bytes) -> None:
    (tmp_path / "bace").mkdir()
    (tmp_path / "bace" / "assays.csv.gz.part").write_bytes(left)
    _check(fetch_set("bace", tmp_path, mirror=mirror.url))


def test_wrong_checksum(mirror: Mirror, tmp_path: Path) -> None:
    mirror.files["/sets/bace/assays.csv.gz"] = bytes(300_000)
    with pytest.raises(InputError, match=r"is not the stated file.*another version"):
        fetch_set("bace", tmp_path, mirror=mirror.url)
    assert list((tmp_path / "bace").iterdir()) == []


@pytest.mark.parametrize("size", [10, 300_010])
def test_wrong_size(mirror: Mirror, tmp_path: Path, size: int) -> None:
    mirror.files["/sets/bace/assays.csv.gz"] = bytes(size)
    with pytest.raises(InputError, match=rf"is not the stated file: {size:,} bytes"):
        fetch_set("bace", tmp_path, mirror=mirror.url)


def test_absent_on_the_server(mirror: Mirror, tmp_path: Path) -> None:
    del mirror.files["/sets/bace/split.csv.gz"]
    with pytest.raises(InputError, match=r"bace/split.csv.gz: not found on the mirror"):
        fetch_set("bace", tmp_path, mirror=mirror.url)


def test_a_server_in_trouble_is_asked_again(mirror: Mirror, tmp_path: Path) -> None:
    mirror.failures = 2
    _check(fetch_set("bace", tmp_path, mirror=mirror.url))
    mirror.failures = 3
    with pytest.raises(InputError, match="503"):
        fetch_set("bace", tmp_path / "again", mirror=mirror.url)


def test_no_server(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be reached"):
        fetch_set("bace", tmp_path, mirror="http://127.0.0.1:9/")


@pytest.mark.parametrize("below", ["", "benchmarks"])
@pytest.mark.parametrize("form", ["path", "url"])
def test_from_a_folder(tmp_path: Path, below: str, form: str) -> None:
    place = tmp_path / "mirror here" / below / "bace"
    place.mkdir(parents=True)
    for name, data in CONTENT.items():
        (place / name).write_bytes(data)
    root = tmp_path / "mirror here"
    mirror = str(root) if form == "path" else root.as_uri()
    _check(fetch_set("bace", tmp_path / "to", mirror=mirror))
    (place / "assays.csv.gz").write_bytes(b"other")
    with pytest.raises(InputError, match="is not the stated file"):
        fetch_set("bace", tmp_path / "to2", mirror=mirror)
    (place / "assays.csv.gz").unlink()
    with pytest.raises(InputError, match="not found on the mirror"):
        fetch_set("bace", tmp_path / "to3", mirror=mirror)


def test_another_file_in_its_place(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "bace").mkdir()
    (tmp_path / "bace" / "split.csv.gz").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"another content.*--force"):
        fetch_set("bace", tmp_path, mirror=mirror.url)
    assert (tmp_path / "bace" / "split.csv.gz").read_bytes() == b"mine"
    _check(fetch_set("bace", tmp_path, mirror=mirror.url, force=True))


def test_mistakes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no benchmark set 'bacee'.*toxcast"):
        fetch_set("bacee", tmp_path)
    with pytest.raises(ConfigError, match=r"http://origin/bace.zip.*--mirror"):
        fetch_set("bace", tmp_path)
    with pytest.raises(ConfigError, match="'ftp' is not known"):
        fetch_set("bace", tmp_path, mirror="ftp://somewhere")
    with pytest.raises(ConfigError, match="is no folder"):
        fetch_set("bace", tmp_path, mirror=str(tmp_path / "none"))


def test_a_place_that_cannot_be_written(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "bace").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        fetch_set("bace", tmp_path, mirror=mirror.url)


def test_table_names_the_sets() -> None:
    assert tuple(PUBLISHED) == SETS
    assert download.PUBLISHED is PUBLISHED


@pytest.mark.real_data
@pytest.mark.parametrize("name", [name for name in SETS if name != "bace"])
def test_stated_checksums(real_data: Path, name: str) -> None:
    for file in PUBLISHED[name].files:
        assert is_whole(real_data / "benchmarks" / name / file.name, file)
