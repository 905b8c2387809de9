"""Two processes that train together compute what one does with all their rows."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, distributed, nn

from cytomol.nn import together
from cytomol.nn.batch import Account, TargetSums
from cytomol.nn.bottleneck import Bottleneck
from cytomol.nn.decoder import Decoder
from cytomol.nn.dropout import Dropout
from cytomol.nn.fused import perceive
from cytomol.nn.gin import GINLayer
from cytomol.nn.leaf_quantizer import LeafQuantizer
from cytomol.nn.norm import BatchNorm
from cytomol.objectives.sufficiency import walk_cross_entropy, walk_squared_error

ROWS = 151  # an odd number, of which one process has 76 and the other 75
WIDTH = 8


def _rows(seed: int, width: int = WIDTH) -> Tensor:
    return torch.randn(ROWS, width, generator=torch.Generator().manual_seed(seed)) + 3


class _Gathered(nn.Module):
    """A loss that needs all rows, of tables of several kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(WIDTH, 4)
        self.direct = nn.Parameter(torch.ones(4))

    def forward(self, part: slice) -> Tensor:
        known = (torch.arange(ROWS) % 3 > 0)[part]
        account = Account(self.layer(_rows(0)[part]), known)
        tables = {"a": (account, None), "b": torch.arange(ROWS)[part]}
        whole = together.gathered(tables)
        assert whole["a"][1] is None
        assert whole["b"].tolist() == list(range(ROWS))
        found = whole["a"][0]
        assert found.known.tolist() == (torch.arange(ROWS) % 3 > 0).tolist()
        similarity = (found.values * self.direct) @ found.values.T
        return torch.logsumexp(similarity / 50, dim=1)[found.known].mean()


class _Normed(nn.Module):
    """A batch norm of torch's own operations."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.norm = nn.Linear(WIDTH, 4), BatchNorm(4)

    def forward(self, part: slice) -> Tensor:
        rows = self.norm(self.layer(_rows(0)[part]))
        return together.summed((rows.sin() * _rows(1, 4)[part]).sum()) / ROWS


class _Fused(nn.Module):
    """A layer of the fused functions, with dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.gin, self.dropout = nn.Linear(WIDTH, WIDTH), GINLayer((3,), WIDTH), Dropout(0.3)

    def forward(self, part: slice) -> Tensor:
        rows = self.first(_rows(0)[part])
        mixed = perceive(rows, rows, self.gin.mlp, self.gin.norm, self.dropout, rectified=True)
        return together.summed((mixed * _rows(1)[part]).sum()) / ROWS


class _Decoded(nn.Module):
    """Decoders that read some rows, with dropout, and the mean over the entries of all."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.batch = (Decoder(WIDTH, 5, dropout=0.4, norm=norm) for norm in ("layer", "batch"))

    def forward(self, part: slice) -> Tensor:
        chosen = torch.arange(ROWS)[part] % 4 == 0
        index = chosen.nonzero().flatten()
        value = _rows(2, 5)[part][chosen].sigmoid()
        weight = _rows(3, 5)[part][chosen].sigmoid()
        sums = TargetSums(index, weight, value, value**2, torch.tensor(float(2 * len(index))))
        code = _rows(0)[part]
        first = walk_cross_entropy(self.layer(code, index), sums)
        return first + walk_squared_error(self.batch(code, index), sums)


class _Sampled(nn.Module):
    """A sample of the bottleneck."""

    def __init__(self) -> None:
        super().__init__()
        self.bottleneck = Bottleneck(WIDTH)

    def forward(self, part: slice) -> Tensor:
        sample = self.bottleneck.sample(*self.bottleneck(_rows(0)[part]))
        return together.summed((sample**2).sum()) / ROWS


class _Quantized(nn.Module):
    """A tree that is grown, follows its rows, re-seeds dead leaves and pairs them."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.book = nn.Linear(WIDTH, WIDTH), LeafQuantizer(WIDTH, 3)

    def forward(self, part: slice) -> Tensor:
        loss = torch.zeros(())
        for step in range(34):
            whole = together.gathered(self.layer(_rows(step)[part]))
            chosen = self.book(whole).chosen
            loss = loss + (whole - self.book.unit_codes()[chosen[:, -1]]).square().mean()
        return loss


CASES: list[Callable[[], nn.Module]] = [_Gathered, _Normed, _Fused, _Decoded, _Sampled, _Quantized]


def _run(build: Callable[[], nn.Module], part: slice) -> dict[str, Tensor]:
    """Return the loss, the gradients averaged over processes, and the state after a step."""
    torch.manual_seed(0)
    module = build().train()
    loss = module(part)
    loss.backward()  # type: ignore[no-untyped-call]
    found = {"loss": loss.detach(), **{f"state/{k}": v.clone() for k, v in module.state_dict().items()}}
    for name, parameter in module.named_parameters():
        if (gradient := parameter.grad) is None:
            continue
        if together.current() is not None:
            distributed.all_reduce(gradient)
            gradient /= 2
        found[f"gradient/{name}"] = gradient
    return found


def _work(rank: int, folder: Path) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{folder}/met", rank=rank, world_size=2)
    together.begin(torch.device("cpu"))
    found: dict[str, Any] = {build.__name__: _run(build, together.part_of(ROWS, rank, 2)) for build in CASES}
    found["counts"] = together.counts(rank, 7)
    found["none"] = together.gathered(torch.zeros(3 * rank, 2))
    told = torch.full((2,), float(rank))
    together.told_by_first(told)
    found["told"] = told
    together.end()
    found["alone"] = together.gathered(torch.zeros(1, 2))
    torch.save(found, folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("together")
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_work, args=(rank, folder)) for rank in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.mark.parametrize("build", CASES)
def test_two_processes_compute_what_one_does(
    found: list[dict[str, Any]], build: Callable[[], nn.Module]
) -> None:
    alone = _run(build, slice(None))
    for process in found:
        assert process[build.__name__].keys() == alone.keys()
        for name, value in alone.items():
            torch.testing.assert_close(process[build.__name__][name], value, rtol=1e-4, atol=1e-5, msg=name)
    assert any(value.abs().max() > 1e-3 for name, value in alone.items() if "gradient" in name)


def test_what_they_tell_each_other(found: list[dict[str, Any]]) -> None:
    for process in found:
        assert process["counts"] == [[0, 7], [1, 7]]
        assert process["none"].shape == (3, 2)
        assert process["told"].tolist() == [0.0, 0.0]
        assert process["alone"].shape == (1, 2)


def test_alone_nothing_changes() -> None:
    rows = _rows(0)
    assert together.gathered(rows) is rows
    assert together.summed(rows) is rows
    assert together.reduced(rows) is rows
    assert together.place(5) == (0, 5)
    assert together.counts(1, 2) == [[1, 2]]


@given(count=st.integers(0, 200), world=st.integers(1, 20))
def test_parts_are_all_there_is_once_in_order(count: int, world: int) -> None:
    parts = [list(range(count))[together.part_of(count, rank, world)] for rank in range(world)]
    assert [one for part in parts for one in part] == list(range(count))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
