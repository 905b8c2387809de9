"""Losses and gradients of both methods, and the encoder's output, against the published path."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.speed.material import Material
from benchmarks.speed.reference.context import DenseContext, dense_targets
from benchmarks.speed.reference.encoder import ReferenceEncoder
from benchmarks.speed.reference.features import molecule_graph
from benchmarks.speed.reference.methods import ReferenceCHMR, ReferenceInfoAlign, reference_batch
from torch import Tensor
from torch_geometric.data import Batch as DataBatch

from cytomol.artifact.batches import collate_graphs
from cytomol.chem.features import ATOM_FEATURE_SIZES, BOND_FEATURE_SIZES
from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.context import sample_walks
from cytomol.corpus import Corpus
from cytomol.methods import methods
from cytomol.methods.config import CHMRConfig, InfoAlignConfig
from cytomol.nn.encoder import GraphEncoder
from cytomol.training.dataset.data import PretrainData

BATCH = 250


def encoder() -> GraphEncoder:
    torch.manual_seed(0)
    made = GraphEncoder(tuple(ATOM_FEATURE_SIZES), tuple(BOND_FEATURE_SIZES), dropout=0.0)
    for layer in made.layers:
        torch.nn.init.normal_(layer.eps.data, std=0.1)
        layer.bonds.bounded()
    made.atoms.bounded()
    return made


def near(ours: Tensor, theirs: Tensor, tolerance: float, what: str = "") -> None:
    """Compare relative to the size of the whole table: single entries may cancel to nothing."""
    difference = float((ours - theirs).detach().norm())
    assert difference <= tolerance * float(theirs.detach().norm()), what


def gradients(fast: GraphEncoder, slow: ReferenceEncoder) -> list[tuple[str, Tensor, Tensor]]:
    """Return (name, the fast encoder's gradient, the published one's) of every weight."""
    found = []
    for name, own, other in slow.pairs(fast):
        assert own.grad is not None
        assert other.grad is not None
        found.append((name, other.grad, own.grad))
    for name, tables, table in slow.tables(fast):
        assert table.weight.grad is not None
        found.append((name, table.weight.grad, torch.cat([t.weight.grad for t in tables])))
    return found


def test_encoder_on_every_molecule(corpus: Corpus) -> None:
    """Output to 1e-5, gradients as near as single precision can be, in training, over the whole corpus.

    A ReLU whose input is a rounding error away from zero passes a gradient in one path and not in the other,
    which no tolerance absorbs. So both are compared with the published path in double precision: the fast
    path has to be the nearer one, taken over all weights and batches (it adds up in double precision).
    """
    store = featurize(
        corpus.smiles,
        FeatureOptions(morgan_bits=0, maccs=False, chirality="as_written"),
        cache=None,
        workers=1,
    )
    rows = np.flatnonzero(store.valid)
    found = []
    for part in np.array_split(rows, max(len(rows) // BATCH, 1)):
        fast = encoder().train()
        slow, exact = ReferenceEncoder(fast).train(), ReferenceEncoder(fast).double().train()
        data = DataBatch.from_data_list([molecule_graph(store.smiles[row]) for row in part])
        outputs = fast(collate_graphs(store, part)), slow(data), exact(data)
        near(outputs[0], outputs[1], 1e-5)
        direction = torch.randn(outputs[0].shape, generator=torch.Generator().manual_seed(1))
        for output in outputs:
            (output * direction).sum().backward()
        single, double = gradients(fast, slow), gradients(fast, exact)
        largest = max(float(theirs.norm()) for _, _, theirs in double)
        for (name, ours, published), (_, _, truth) in zip(single, double, strict=True):
            size = max(float(truth.norm()), 1e-6 * largest)  # smaller: zero but for rounding
            own, other = float((ours - truth).norm()) / size, float((published - truth).norm()) / size
            found.append((own, other, name))
    ours, published = (np.log([row[k] for row in found]) for k in (0, 1))
    assert ours.mean() <= published.mean()
    assert np.exp(np.median(ours)) < 1e-3
    assert np.exp(ours.max()) < np.exp(published.max())


def test_frozen_encoder_on_every_molecule(corpus: Corpus) -> None:
    store = featurize(
        corpus.smiles,
        FeatureOptions(morgan_bits=0, maccs=False, chirality="as_written"),
        cache=None,
        workers=1,
    )
    rows = np.flatnonzero(store.valid)
    fast = encoder().eval()
    slow = ReferenceEncoder(fast).eval()
    with torch.no_grad():
        for part in np.array_split(rows, max(len(rows) // BATCH, 1)):
            data = DataBatch.from_data_list([molecule_graph(store.smiles[row]) for row in part])
            near(fast(collate_graphs(store, part)), slow(data), 1e-5)


def prepared(corpus: Corpus, config: Any) -> PretrainData:
    return Material(corpus, "test", np.arange(0)).data(config)


@pytest.mark.parametrize("name", ["infoalign", "chmr"])
def test_loss_and_gradients_of_a_method(corpus: Corpus, name: str) -> None:
    """A whole step in the authors' form: dense targets and plain losses on one side, ours on the other."""
    plain = {"dropout": 0.0, "decoder_dropout": 0.0}
    config = {
        "infoalign": InfoAlignConfig.preset("authors").updated(**plain, beta=1e-3),
        "chmr": CHMRConfig.preset("authors").updated(**plain),
    }[name]
    data = prepared(corpus, config)
    torch.manual_seed(0)
    method = methods[name].from_config(config, data.dimensions).train()
    method.encoder = encoder().train()
    slow: Any = ReferenceCHMR(method) if name == "chmr" else ReferenceInfoAlign(method)
    slow.train()

    rows = data.train[:BATCH]
    batch = data.batch(rows, np.random.default_rng(0))
    walk = sample_walks(data.graph, rows, data.walk_length, np.random.default_rng(0))
    context = DenseContext.from_rows(data.graph, dense_targets(data))
    smiles = corpus.smiles
    molecules = {row: molecule_graph(smiles[row]) for row in rows}
    objects, targets = reference_batch(molecules, context, rows, tuple(map(torch.from_numpy, walk)))

    torch.manual_seed(1)
    ours = method(batch).loss
    torch.manual_seed(1)
    theirs = slow.step(objects, batch, targets) if name == "chmr" else slow(objects, targets)
    near(ours, theirs, 1e-5, "loss")
    ours.backward()
    theirs.backward()
    # weight by weight the encoder is compared above, in double precision; here, that the loss reaches it
    pairs = [(a.flatten(), b.flatten()) for _, a, b in gradients(method.encoder, slow.encoder)]
    near(*(torch.cat(side) for side in zip(*pairs, strict=True)), 5e-3, "encoder")
    others = {n: p for n, p in slow.named_parameters() if not n.startswith("encoder.")}
    assert len(others) > 5
    for part, own in method.named_parameters():
        if part.startswith("encoder."):
            continue
        theirs_grad = others[part].grad
        if theirs_grad is None:
            assert own.grad is None or not own.grad.any(), part
            continue
        assert own.grad is not None
        if float(theirs_grad.norm()) > 1e-6:  # before a batch norm: zero but for rounding
            near(own.grad, theirs_grad, 1e-4, part)
