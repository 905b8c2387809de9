"""Fuzz: npz files. The matrix that was written, or one error."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.fuzz.driver import Driver
from tests.fuzz.inputs import damaged

from cytomol.corpus.readers.npz import read_matrix

matrices = hnp.arrays(
    st.one_of(hnp.scalar_dtypes(), hnp.array_dtypes(max_size=2)),
    hnp.array_shapes(min_dims=0, max_dims=3, max_side=4),
)
HEADERS = [
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }",
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999), }",
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 2), }",
    b"{'descr': 'O', 'fortran_order': False, 'shape': (1, 1), }",
    b"{'descr': [('a', 'O')], 'fortran_order': 1, 'shape': 3}",
    b"{" * 3000,
    b"[1, 2",
]


def saved(arrays: dict[str, np.ndarray], compressed: bool) -> bytes:
    """Return an npz file."""
    out = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(out, **arrays)
    return out.getvalue()


def zipped(name: str, content: bytes) -> bytes:
    """Return an archive with one member."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, content)
    return out.getvalue()


def with_header(text: bytes) -> bytes:
    """Return an array file with a header of one's own."""
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(24)


headers = st.sampled_from(HEADERS).flatmap(damaged).filter(lambda text: len(text) < 60_000)
written = st.one_of(
    st.builds(
        saved, st.dictionaries(st.sampled_from(["data", "x", "y"]), matrices, max_size=2), st.booleans()
    ),
    st.builds(zipped, st.sampled_from(["data.npy", "data", "x.npy", "a/b.npy"]), headers.map(with_header)),
    st.just(pickle.dumps([1])),
)


def case(data: bytes, folder: Path) -> None:
    path = folder / "a.npz"
    path.write_bytes(data)
    matrix: Any = read_matrix(path)
    assert matrix.dtype == np.float32
    assert matrix.ndim == 2
    with np.load(io.BytesIO(data)) as arrays:
        name = "data" if "data" in arrays.files else arrays.files[0]
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(matrix, arrays[name].astype(np.float32))


DRIVER = Driver("npz", st.one_of(written, written.flatmap(damaged), st.binary(max_size=60)), case)


def test_npz() -> None:
    DRIVER.check()
