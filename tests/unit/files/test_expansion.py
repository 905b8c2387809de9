"""What a compressed file may become: one rule, whoever reads it."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.errors import InputError
from cytomol.files import check_archive, check_expansion, check_hdf5, gunzip, open_bytes

FREE, TIMES = 256 * 2**20, 100


@given(st.integers(0, 2**40), st.integers(0, 2**34))
def test_the_rule_is_the_larger_of_two(becomes: int, length: int) -> None:
    try:
        check_expansion(becomes, length, where="x")
    except InputError:
        assert becomes > FREE
        assert becomes > TIMES * length
    else:
        assert becomes <= FREE or becomes <= TIMES * length


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rule bite at a thousand bytes, so that the tests are quick."""
    monkeypatch.setattr("cytomol.files.expansion._FREE", 1000)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("lines", [1, 1000])
def test_gzip_is_refused_as_it_is_read(tmp_path: Path, lines: int) -> None:
    text = (b"x" * (1_000_000 // lines) + b"\n") * lines
    file = tmp_path / "table.csv.gz"
    file.write_bytes(gzip.compress(text))
    with pytest.raises(InputError, match="becomes more than"), open_bytes(file) as handle:
        for _ in handle:
            pass
    with pytest.raises(InputError, match="becomes more than"):
        gunzip(file.read_bytes(), where="table.csv.gz")


@settings(deadline=None)
@given(content=st.binary(max_size=3000), level=st.integers(1, 9))
def test_what_is_honest_comes_back_whole(
    content: bytes, level: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("honest")
    packed, plain = folder / "a.gz", folder / "a.bin"
    packed.write_bytes(gzip.compress(content, level))
    plain.write_bytes(content)
    for path in (packed, plain):
        with open_bytes(path) as handle:
            assert b"".join(handle) == content
    assert gunzip(packed.read_bytes(), where="a") == content


def _read(path: Path) -> bytes:
    with open_bytes(path) as handle:
        return handle.read()


@settings(deadline=None)
@given(cut=st.integers(0, 200), flip=st.integers(0, 200))
def test_damage_is_told_in_one_line(cut: int, flip: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    data = bytearray(gzip.compress(bytes(range(256)) * 2, 1))
    data[flip % len(data)] ^= 0x55
    file = tmp_path_factory.mktemp("damage") / "a.gz"
    file.write_bytes(data[: len(data) - cut])
    told: list[str] = []
    for read in (lambda: _read(file), lambda: gunzip(file.read_bytes(), where="a")):
        try:
            told.append(repr(read()))
        except InputError as error:
            told.append("refused" if "\n" not in str(error) else str(error))
    assert told[0] == told[1]


@pytest.mark.usefixtures("small")
def test_members_of_an_archive_count_together(tmp_path: Path) -> None:
    def archive(members: int, size: int) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
            for number in range(members):
                packed.writestr(str(number), bytes(size))
        return stream.getvalue()

    check_archive(archive(3, 300), where="a.npz")
    file = tmp_path / "a.npz"
    file.write_bytes(archive(2, 10**6))
    for source in (file, file.read_bytes()):
        with pytest.raises(InputError, match="becomes more than"):
            check_archive(source, where="a.npz")
    check_archive(b"no archive", where="a.npz")  # whoever reads it says so


@pytest.mark.usefixtures("small")
def test_hdf5_is_bounded_and_stays_in_its_file(tmp_path: Path) -> None:
    def looked_at(name: str) -> None:
        with h5py.File(tmp_path / name) as file:
            check_hdf5(file, where=str(tmp_path / name))

    with h5py.File(tmp_path / "good.h5", "w") as file:
        file.create_group("a").create_dataset("x", data=np.arange(10.0), compression="gzip")
        file["a/again"] = h5py.SoftLink("/a")
        file["a/circle"] = file["a"]
    looked_at("good.h5")
    with h5py.File(tmp_path / "bomb.h5", "w") as file:
        file.create_group("a").create_dataset(
            "x", (10**9, 10**3), "f4", chunks=(100, 100), compression="gzip"
        )
    with pytest.raises(InputError, match="becomes more than"):
        looked_at("bomb.h5")
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file.create_group("a")["x"] = h5py.ExternalLink("good.h5", "/a/x")
    with pytest.raises(InputError, match="in another file"):
        looked_at("link.h5")
    raw = tmp_path / "raw"
    raw.write_bytes(b"secret!!")
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        file.create_dataset("x", (8,), "u1", external=[(str(raw), 0, 8)])
    with pytest.raises(InputError, match="in another file"):
        looked_at("raw.h5")
    with h5py.File(tmp_path / "virtual.h5", "w") as file:
        layout = h5py.VirtualLayout((10,), "f8")
        layout[:] = h5py.VirtualSource(tmp_path / "good.h5", "a/x", (10,))
        file.create_virtual_dataset("x", layout)
    with pytest.raises(InputError, match="in another file"):
        looked_at("virtual.h5")
