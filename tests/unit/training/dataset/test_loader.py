"""Batches ahead of time: in order, repeatable, honest about errors."""

from __future__ import annotations

import threading
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytomol.nn.batch import Batch
from cytomol.training.dataset.data import ORDER, split_epoch, stream
from cytomol.training.dataset.loader import BatchLoader


class _Data:
    """Stands in for the data: a batch says what it was asked for."""

    def __init__(self, fail_at: int = -1) -> None:
        self.fail_at = fail_at
        self.made = 0

    def batch(
        self, rows: Any, rng: np.random.Generator, *, validation: bool = False, part: slice | None = None
    ) -> Any:
        if self.made == self.fail_at:
            raise OSError("disk on fire")
        self.made += 1
        return rows[part or slice(None)].tolist(), int(rng.integers(2**40)), validation


PARTS = [np.arange(5), np.arange(5, 9), np.arange(9, 13)]


def _loader(data: Any, **options: Any) -> BatchLoader:
    return BatchLoader(data, PARTS, **{"seed": 3, "epoch": 1, **options})


def test_order_and_randomness_repeat_and_skip() -> None:
    whole = list(_loader(_Data()))
    assert [part[0] for part in whole] == [part.tolist() for part in PARTS]
    assert list(_loader(_Data())) == whole
    assert list(_loader(_Data(), start=1)) == whole[1:]
    assert len(_loader(_Data(), start=1)) == 2
    assert [part[1] for part in _loader(_Data(), epoch=2)] != [part[1] for part in whole]
    assert [part[1] for part in _loader(_Data(), seed=4)] != [part[1] for part in whole]
    assert all(part[2] for part in _loader(_Data(), epoch=None))


def test_processes_share_every_batch() -> None:
    shares = [list(_loader(_Data(), rank=rank, world=2)) for rank in (0, 1)]
    for number, part in enumerate(PARTS):
        assert shares[0][number][0] + shares[1][number][0] == part.tolist()
        # each draws for all molecules and takes its part, so that who has which makes no difference
        assert shares[0][number][1] == shares[1][number][1] == list(_loader(_Data()))[number][1]


@given(
    count=st.integers(1, 60),
    size=st.integers(1, 20),
    world=st.integers(1, 5),
    epoch=st.one_of(st.none(), st.integers(0, 3)),
    start=st.integers(0, 3),
)
def test_processes_see_every_molecule_once_an_epoch(
    count: int, size: int, world: int, epoch: int | None, start: int
) -> None:
    rows = np.arange(100, 100 + count)
    parts = split_epoch(rows, size, None if epoch is None else stream(5, ORDER, epoch))
    options: dict[str, Any] = {"seed": 5, "epoch": epoch, "world": world, "start": start}
    loaders = [BatchLoader(cast("Any", _Data()), parts, rank=rank, **options) for rank in range(world)]
    numbers = range(start, len(parts))
    seen = [cast("Any", loader.batch(number))[0] for number in numbers for loader in loaders]
    assert [row for part in seen for row in part] == [row for part in parts[start:] for row in part.tolist()]
    if start == 0:
        assert sorted(row for part in seen for row in part) == rows.tolist()


def test_an_error_arrives_where_the_batch_is_taken() -> None:
    batches = iter(_loader(_Data(fail_at=1)))
    next(batches)
    with pytest.raises(OSError, match="disk on fire"):
        next(batches)


def test_leaving_early_ends_the_thread() -> None:
    for _ in _loader(_Data()):
        break
    assert not [thread for thread in threading.enumerate() if thread.name == "cytomol-batches"]


@given(st.integers(0, 60), st.integers(1, 20), st.booleans())
def test_an_epoch_deals_every_molecule_once_and_evenly(count: int, size: int, shuffled: bool) -> None:
    rows = np.arange(100, 100 + count)
    parts = split_epoch(rows, size, stream(0, ORDER, 0) if shuffled else None)
    assert sorted(np.concatenate([[], *parts]).tolist()) == rows.tolist()
    assert len(parts) == -(-count // size)
    if parts:
        lengths = {len(part) for part in parts}
        assert max(lengths) <= size
        assert max(lengths) - min(lengths) <= 1
    if not shuffled and parts:
        assert np.concatenate(parts).tolist() == rows.tolist()


def test_streams_differ_by_purpose_and_place() -> None:
    draws = {
        tuple(stream(0, *place).integers(0, 2**60, 2)) for place in [(0,), (1,), (1, 0), (1, 1), (1, 1, 2)]
    }
    assert len(draws) == 5


def test_a_batch_of_the_real_type_passes() -> None:
    class Real(_Data):
        def batch(self, rows: Any, rng: np.random.Generator, **_options: Any) -> Batch:
            return Batch(size=len(rows))

    assert [batch.size for batch in _loader(Real(), pin=True)] == [5, 4, 4]
