"""Fetch benchmark sets: resumable, and nothing counts that has not the stated checksum."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

from cytomol.errors import ConfigError, InputError, OutputError
from cytomol.evaluate.published import PUBLISHED, PublishedFile
from cytomol.evaluate.sets import SETS, data_folder
from cytomol.files import publish_file, sha256
from cytomol.version import __version__

__all__ = ["fetch_set", "is_whole"]

_CHUNK = 1 << 16
_TIMEOUT = 60.0
_ATTEMPTS = 3


def is_whole(path: Path, file: PublishedFile) -> bool:
    """Return whether ``path`` is this file, byte by byte."""
    return path.is_file() and path.stat().st_size == file.size and sha256(path) == file.sha256


def fetch_set(
    name: str,
    to: str | Path | None = None,
    *,
    mirror: str | None = None,
    force: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Fetch the files of a published set, those that are not there yet.

    Parameters
    ----------
    name
        A name of :data:`cytomol.evaluate.sets.SETS`.
    to
        Folder of the sets; by default ``benchmarks`` below ``CYTOMOL_DATA``.
    mirror
        URL (http, https, file) or folder below which ``NAME/FILE`` are found.
    force
        Replace files that are there with another content.
    say
        Called with a line for each file.

    Returns
    -------
    Path
        The folder of the set.

    Raises
    ------
    ConfigError
        If there is no such set, no mirror is given, or it is no URL and no folder.
    InputError
        If a file is not on the mirror, cannot be fetched whole, or has another checksum.
    OutputError
        If another file is in its place, or nothing can be written there.
    """
    if name not in PUBLISHED:
        raise ConfigError(f"no benchmark set {name!r}", hint=f"known: {', '.join(SETS)}")
    folder = data_folder(to) / name
    missing = []
    for file in PUBLISHED[name].files:
        place = folder / file.name
        if is_whole(place, file):
            say(f"{name}/{file.name}: there already")
        elif place.exists() and not force:
            raise OutputError(
                "is there with another content", where=str(place), hint="use --force to replace it"
            )
        else:
            missing.append(file)
    if not missing:
        return folder
    if mirror is None:
        raise ConfigError(
            f"no source of {name} in this layout is known: it was published at {PUBLISHED[name].source}, "
            "in another layout and without these folds",
            hint="give --mirror URL_OR_FOLDER, a place that holds NAME/assays.csv.gz and its other files",
        )
    for file in missing:
        _fetch(f"{name}/{file.name}", file, folder / file.name, mirror)
        say(f"{name}/{file.name}: {file.size:,} bytes, checksum as stated")
    return folder


def _fetch(relative: str, file: PublishedFile, place: Path, mirror: str) -> None:
    """Fetch one file into ``place.part``, verify it, and rename it."""
    part = place.with_name(place.name + ".part")
    with _writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
    remote = re.match(r"(?i)https?://", mirror)
    resumed = remote is not None and part.exists()
    source = _download(mirror, relative, part, file) if remote else _copy(mirror, relative, part)
    if not is_whole(part, file) and resumed:
        # what an earlier run left may have been of another version of the file
        part.unlink()
        source = _download(mirror, relative, part, file)
    if not is_whole(part, file):
        found, size = sha256(part), part.stat().st_size
        part.unlink()
        raise InputError(
            f"is not the stated file: {size:,} bytes with SHA-256 {found[:16]}..., "
            f"not {file.size:,} with {file.sha256[:16]}...",
            where=source,
            hint="the mirror holds another version, or what it sent was altered",
        )
    with _writing(place):
        publish_file(part, place)


def _copy(mirror: str, relative: str, part: Path) -> str:
    """Copy from a folder, given as a path or as a file URL."""
    if "://" in mirror:
        url = urlsplit(mirror)
        if url.scheme.lower() != "file":
            raise ConfigError(
                f"a mirror of the kind {url.scheme!r} is not known", where=mirror, hint="http, https or file"
            )
        mirror = urllib.request.url2pathname(url.path)
    folder = Path(mirror)
    if not folder.is_dir():
        raise ConfigError("is no folder", where=mirror, hint="--mirror takes a URL or a folder")
    source = data_folder(folder) / relative
    if not source.is_file():
        raise InputError("not found on the mirror", where=str(source))
    with _writing(part):
        shutil.copyfile(source, part)
    return str(source)


def _download(mirror: str, relative: str, part: Path, file: PublishedFile) -> str:
    """Download into ``part``, from where it ends; go on after a break as long as something comes."""
    url = f"{mirror.rstrip('/')}/{quote(relative)}"
    for attempt in range(_ATTEMPTS):
        reason = _download_once(url, part)
        got = part.stat().st_size if part.exists() else 0
        if reason is None and got >= file.size:
            return url
        if attempt + 1 == _ATTEMPTS or reason is None:
            break
    if reason is None:
        return url  # the server says that this is all; the checksum will tell
    raise InputError(
        f"stopped at {got:,} of {file.size:,} bytes: {reason}", where=url, hint="run it again to go on"
    )


def _download_once(url: str, part: Path) -> str | None:
    """Append what the server sends; return why it broke off, None if it did not."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": f"cytomol/{__version__}", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - http and https alone come here
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
            resumes = answer.status == http.HTTPStatus.PARTIAL_CONTENT and _starts_at(answer, have)
            announced = answer.headers.get("Content-Length")
            got = _append(answer, part, "ab" if resumes else "wb")
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            return None  # nothing comes after what is there
        if error.code in {http.HTTPStatus.NOT_FOUND, http.HTTPStatus.GONE}:
            raise InputError("not found on the mirror", where=url) from None
        return f"the server says {error.code} {error.reason}"
    except urllib.error.URLError as error:
        return f"the server cannot be reached: {error.reason}"
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        return f"the connection broke ({type(error).__name__})"
    if announced is not None and announced.isdigit() and got < int(announced):
        return "the connection broke"
    return None


def _starts_at(answer: http.client.HTTPResponse, have: int) -> bool:
    return (answer.headers.get("Content-Range") or "").startswith(f"bytes {have}-")


def _append(answer: http.client.HTTPResponse, part: Path, mode: str) -> int:
    """Write the body to ``part``; every chunk that came is kept when the connection breaks."""
    got = 0
    with _writing(part):
        handle = part.open(mode)
    with handle:
        while chunk := answer.read(_CHUNK):
            with _writing(part):
                handle.write(chunk)
            got += len(chunk)
        with _writing(part):
            handle.flush()
            os.fsync(handle.fileno())
    return got


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Raise a disk that cannot be written as an error of ours, apart from those of the network."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror or error}",
            where=str(path),
            hint="check free space and permissions, or choose another folder with --to",
        ) from error
