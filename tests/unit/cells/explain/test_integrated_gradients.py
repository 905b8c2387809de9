"""Integrated gradients: completeness, and a fine Riemann sum as oracle."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.cells.explained_backbones import cell_backbone

from cytomol.artifact.backbone import Backbone
from cytomol.cells.explain.choose_value import ValueChoice, choose_value
from cytomol.cells.explain.explained_value import ExplainedValue, ProfileMatch
from cytomol.cells.explain.integrated_gradients import PathIntegral, integrate_value, path_nodes
from cytomol.cells.modality import TrainedModality
from cytomol.cells.space import CellSpace

SMILES = ["CC(=O)Oc1ccccc1C(=O)O", "CCN", "c1ccncc1Cl"]
WAYS = [
    ("infoalign", ("2d",), "feature"),
    ("infoalign", ("2d",), "direction"),
    ("chmr", ("1d", "2d"), "feature"),
    ("chmr", ("1d",), "direction"),
    ("chmr", ("2d",), "norm"),
    ("contrastive", ("1d", "2d"), "match"),
]


def value_of(backbone: Backbone, what: str) -> ExplainedValue:
    if what == "match":
        space = CellSpace.of(TrainedModality(backbone, "morphology"))
        return ProfileMatch(space, np.array([1, 5, 2, 0], np.float32))
    if what == "feature":
        return choose_value(backbone, ValueChoice(feature="area"))
    return choose_value(backbone, ValueChoice(what=what))


@pytest.mark.parametrize(("name", "views", "what"), WAYS)
def test_attributions_add_up(name: str, views: tuple[str, ...], what: str) -> None:
    backbone = cell_backbone(name, views)
    explained = integrate_value(backbone, SMILES, value_of(backbone, what), steps=512)
    for one in explained:
        attribution = one.attributions[0]
        change = attribution.value - attribution.baseline
        assert abs(change) > 1e-6
        assert attribution.atoms.sum() == pytest.approx(change, rel=0.02, abs=2e-3)
        assert attribution.unattributed == pytest.approx(change - attribution.atoms.sum(), abs=1e-9)
        assert attribution.pieces.sum() == pytest.approx(attribution.atoms.sum(), abs=1e-9)


def test_more_steps_leave_less_over() -> None:
    backbone = cell_backbone("chmr")
    value = value_of(backbone, "feature")
    few, many = (
        max(
            abs(one.attributions[0].unattributed)
            for one in integrate_value(backbone, SMILES, value, steps=steps)
        )
        for steps in (4, 256)
    )
    assert many < few / 4


def test_a_fine_riemann_sum_says_the_same() -> None:
    backbone = cell_backbone("infoalign")
    value = value_of(backbone, "feature")
    batch = backbone.builder.build(backbone.store(SMILES[:1], workers=1), np.arange(1))
    assert batch.graph is not None
    table = backbone.method.encoder.atoms
    full = table(batch.graph.atoms).detach()
    total = torch.zeros(len(full), dtype=torch.float64)
    steps = 2000
    for step in range(steps):
        inputs = (full * ((step + 0.5) / steps)).requires_grad_()
        handle = table.register_forward_hook(lambda *_, inputs=inputs: inputs)
        rows = value.read(batch)
        handle.remove()
        (gradient,) = torch.autograd.grad(value.score(rows, rows).sum(), inputs)
        total += (gradient * full).sum(dim=1).double() / steps
    ours = PathIntegral.of(backbone, batch, value, steps=256).atoms
    np.testing.assert_allclose(ours, total.numpy(), rtol=0.02, atol=1e-4)


def test_bits_are_shared_among_the_atoms_that_set_them() -> None:
    # 1d alone: ethane's atoms are alike, and all is theirs
    backbone = cell_backbone("chmr", ("1d",))
    attribution = integrate_value(backbone, ["CC"], value_of(backbone, "feature"), steps=256)[0].attributions[
        0
    ]
    assert attribution.atoms[0] == pytest.approx(attribution.atoms[1], abs=1e-9)


def test_the_encoder_is_as_before_and_invalid_rows_stay() -> None:
    backbone = cell_backbone("chmr")
    before, _ = backbone.embed(SMILES)
    explained = integrate_value(backbone, [*SMILES, "C1CC"], value_of(backbone, "feature"), steps=4)
    assert [one.error == "" for one in explained] == [True, True, True, False]
    assert explained[3].mol is None
    np.testing.assert_array_equal(backbone.embed(SMILES)[0], before)
    assert all(parameter.grad is None for parameter in backbone.method.parameters())


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 40), st.lists(st.floats(-3, 3), min_size=1, max_size=3))
def test_nodes_integrate_polynomials(steps: int, coefficients: list[float]) -> None:
    # t = s**2 doubles the degree and adds one: exact while that stays below 2 * steps
    nodes, weights = path_nodes(steps)
    degree = min(len(coefficients) - 1, steps - 1)
    some = coefficients[: degree + 1]
    got = float((weights * np.polyval(some, nodes)).sum())
    want = float(np.polyval(np.polyint(some), 1.0))
    assert got == pytest.approx(want, abs=1e-9)
    assert ((nodes > 0) & (nodes < 1)).all()
