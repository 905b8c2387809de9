"""Sums over an epoch: weighted means, whatever is absent, continued as if never stopped."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cytomol.training.loop.totals import Quantities, Totals

NAMES = ("loss", "near", "far")
# of each batch: its molecules, and for each name a value, "absent" (not handed over) or "void" (no meaning)
Said = tuple[int, dict[str, float | str]]
said = st.tuples(
    st.integers(1, 500),
    st.fixed_dictionaries(
        {"loss": st.floats(-1e3, 1e3)},
        optional=dict.fromkeys(NAMES[1:], st.floats(-1e3, 1e3) | st.sampled_from(["absent", "void"])),
    ),
)


def _quantities(batch: Said) -> Quantities:
    molecules, entries = batch
    values, present = {}, {}
    for name, entry in entries.items():
        if entry == "absent":
            continue
        void = entry == "void"
        values[name] = torch.tensor(math.nan if void else float(entry))
        if void or name == "far":
            present[name] = torch.tensor(not void)
    return Quantities(values, molecules, present)


@given(st.lists(said, max_size=8), st.integers(0, 8))
def test_totals_are_sums_over_the_batches_that_had_something(batches: list[Said], stop: int) -> None:
    totals, interrupted = Totals(), Totals()
    for number, batch in enumerate(batches):
        if number == stop:
            interrupted = Totals.of(interrupted.numbers(), torch.device("cpu"))
        totals.add(_quantities(batch))
        interrupted.add(_quantities(batch))
    numbers = totals.numbers()
    assert interrupted.numbers() == numbers
    for name in NAMES:
        here = [(n, float(e[name])) for n, e in batches if not isinstance(e.get(name, "absent"), str)]
        total, weight = numbers.get(name, (0.0, 0.0))
        assert weight == sum(n for n, _ in here)
        assert total == pytest.approx(sum(n * torch.tensor(v).item() for n, v in here), rel=1e-9, abs=1e-9)


def test_nothing_is_read_back_while_adding() -> None:
    totals = Totals()
    for _ in range(2):
        values = {"loss": torch.empty((), device="meta"), "far": torch.empty((), device="meta")}
        totals.add(Quantities(values, 3, {"far": torch.empty((), dtype=torch.bool, device="meta")}))
    with pytest.raises((NotImplementedError, RuntimeError)):
        totals.numbers()
