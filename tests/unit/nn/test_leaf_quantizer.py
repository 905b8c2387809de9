"""The tree over leaves: routing, learning without a gradient, dead leaves, going on after an interrupt."""

from __future__ import annotations

import torch
from tests.unit.nn.test_tree_growth import clusters
from torch.nn import functional

from cytomol.nn.leaf_quantizer import LeafQuantizer
from cytomol.nn.quantizer import quantizers


def test_a_row_takes_the_nearest_leaf_and_the_nodes_above() -> None:
    torch.manual_seed(0)
    book = LeafQuantizer(6, 4).eval()
    rows = torch.randn(30, 6)
    chosen, path, _ = book(rows)
    leaves = book.unit_codes()[-16:]
    nearest = functional.cosine_similarity(rows[:, None], leaves[None], dim=2).argmax(dim=1)
    assert path.tolist() == [[leaf >> 3, leaf >> 2, leaf >> 1, leaf] for leaf in nearest.tolist()]
    assert torch.equal(chosen, path + torch.tensor([0, 2, 6, 14]))


def test_it_is_known_by_name_and_has_no_parameters() -> None:
    book = quantizers["leaves"](6, 3)
    assert isinstance(book, LeafQuantizer)
    assert list(book.parameters()) == []


def test_it_finds_planted_leaves_in_batches_and_keeps_them_alive() -> None:
    rows, leaf = clusters(3, 3, each=40)
    torch.manual_seed(0)
    book = LeafQuantizer(24, 3).train()
    draw = torch.Generator().manual_seed(0)
    for _ in range(70):
        book(rows[torch.randint(len(rows), (64,), generator=draw)])
    path = book.eval()(rows).path
    assert all(len(set(path[leaf == number, -1].tolist())) == 1 for number in range(8))
    assert [len(set(path[:, level].tolist())) for level in range(3)] == [2, 4, 8]


def test_nothing_is_learnt_in_evaluation() -> None:
    torch.manual_seed(0)
    book = LeafQuantizer(5, 2).eval()
    before = {name: value.clone() for name, value in book.state_dict().items()}
    book(torch.randn(9, 5))
    assert all(torch.equal(value, before[name]) for name, value in book.state_dict().items())


def test_a_dead_leaf_becomes_the_row_that_fits_worst() -> None:
    torch.manual_seed(0)
    book = LeafQuantizer(4, 1).train()
    rows = torch.tensor([[1.0, 0.1, 0, 0]] * 40)
    for _ in range(6):  # all rows are alike: one leaf takes them, the other idles
        book(rows)
    odd = torch.cat([rows, torch.tensor([[0, 0, 1.0, 0]])])
    book.codes.copy_(torch.tensor([[1.0, 0, 0, 0], [-1.0, 0, 0, 0]]))
    book.sums.copy_(book.codes)
    book.idle.fill_(10_000)
    book(odd)
    assert len(set(book.eval()(odd).path[:, 0].tolist())) == 2


def test_an_interrupted_training_goes_on_alike() -> None:
    torch.manual_seed(0)
    batches = [torch.randn(20, 5) for _ in range(40)]
    whole = LeafQuantizer(5, 3).train()
    for batch in batches:
        whole(batch)
    for stop in (5, 16, 32, 33):
        first = LeafQuantizer(5, 3).train()
        first.load_state_dict(_begun(batches, stop))
        for batch in batches[stop:]:
            first(batch)
        for name, value in whole.state_dict().items():
            torch.testing.assert_close(value, first.state_dict()[name], rtol=0, atol=0)


def _begun(batches: list[torch.Tensor], stop: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)  # another start, which the first batch replaces
    book = LeafQuantizer(5, 3).train()
    for batch in batches[:stop]:
        book(batch)
    return book.state_dict()


def test_rows_that_take_no_part_teach_nothing() -> None:
    torch.manual_seed(0)
    rows, other = torch.randn(30, 5), torch.randn(30, 5) * 7
    one, two = LeafQuantizer(5, 2).train(), LeafQuantizer(5, 2).train()
    part = torch.cat([torch.ones(30), torch.zeros(30)]).bool()
    for _ in range(3):
        one(rows)
        two(torch.cat([rows, other]), part)
    torch.testing.assert_close(one.codes, two.codes)
