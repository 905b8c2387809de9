"""What holds of every registered method, those to come as well."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import cytomol
from cytomol.errors import ConfigError
from cytomol.methods import Method, method_of, methods
from cytomol.methods.config import MethodConfig, configs
from cytomol.nn.batch import Batch, Dimensions

MakeBatch = Callable[..., Batch]
MakeDimensions = Callable[..., Dimensions]
BuildMethod = Callable[..., Method]

MODALITIES = {"morphology": 7, "expression.L1000": 11, "values": 3}


def test_options_and_methods_have_the_same_names() -> None:
    assert list(configs) == list(methods)
    for name in methods:
        assert methods[name].Config is configs[name]
        assert method_of(configs[name]()) is methods[name]
    with pytest.raises(ConfigError, match="of no method"):
        method_of(MethodConfig())


# What is called as a method is: the heads and studies of its paper, a file format, and the default.
NAMESAKES = {
    "learners/head/norms.py", "learners/head/presets.py", "learners/head/options.py",
    "evaluate/variants.py", "cli/ablate.py",
    "corpus/readers/published_layout.py",
    "cli/pretrain.py", "cli/demo.py", "cli/stress_missing.py",
}  # fmt: skip


def test_no_other_room_names_a_method() -> None:
    source = Path(cytomol.__file__).parent
    found = set()
    for path in source.rglob("*.py"):
        room = path.relative_to(source).as_posix()
        if not room.startswith("methods/"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
            found |= {room} if words & set(methods) else set()
    assert found <= NAMESAKES


def test_it_needs_the_views_of_its_options(name: str) -> None:
    config = configs[name]()
    assert methods[name].needs(config).views == config.views
    assert {"default", "paper"} <= set(config.presets)


@pytest.mark.parametrize("modalities", [[], ["morphology"], list(MODALITIES)])
@pytest.mark.parametrize("size", [1, 2, 9])
@pytest.mark.parametrize("observed", [0.0, 0.5, 1.0])
def test_any_modalities_size_and_missingness(
    make_batch: MakeBatch,
    make_dimensions: MakeDimensions,
    build_method: BuildMethod,
    *,
    name: str,
    modalities: list[str],
    size: int,
    observed: float,
) -> None:
    dimensions = make_dimensions(**{modality: MODALITIES[modality] for modality in modalities})
    method = build_method(name, dimensions)
    batch = make_batch(size, dimensions, observed=observed)
    output = method(batch)
    assert output.loss.isfinite()
    assert all(term.isfinite() and not term.requires_grad for term in output.terms.values())
    assert all(value.isfinite() for value in output.metrics.values())
    output.loss.backward()
    used = {part for part, gradient in method.named_parameters() if gradient.grad is not None}
    # every parameter takes part whatever is observed, so that several processes can train together
    assert used == {part for part, _ in method.named_parameters()} or not modalities
    assert all(p.grad.isfinite().all() for p in method.parameters() if p.grad is not None)
    assert method.eval().embed(batch).shape == (size, method.embedding_width)


def test_molecules_are_embedded_without_profiles_and_apart(
    make_batch: MakeBatch, make_dimensions: MakeDimensions, build_method: BuildMethod, name: str
) -> None:
    dimensions = make_dimensions(morphology=7)
    batch = make_batch(6, dimensions)
    method = build_method(name, dimensions).eval()
    alone = Batch(size=6, graph=batch.graph, views=batch.views, view_mask=batch.view_mask)
    assert torch.equal(method.embed(alone), method.embed(batch))
    assert len(torch.unique(method.embed(alone), dim=0)) == 6
    decoded = method.impute(batch)
    assert all(rows.shape == (6, dimensions.modalities[modality]) for modality, rows in decoded.items())


def test_a_masked_view_is_not_read(
    make_batch: MakeBatch, make_dimensions: MakeDimensions, build_method: BuildMethod, name: str
) -> None:
    dimensions = make_dimensions(morphology=7)
    batch = make_batch(8, dimensions)
    try:
        method = build_method(name, dimensions, views=("1d", "2d", "3d")).eval()
    except ConfigError:  # it has no choice, and reads none that can be masked
        return
    masked = ~batch.view_mask["3d"]
    assert masked.any()
    spoilt = torch.where(masked[:, None], torch.nan, batch.views["3d"])
    other = dataclasses.replace(batch, views={**batch.views, "3d": spoilt})
    assert torch.equal(method.embed(batch), method.embed(other))
    method.train()(other).loss.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in method.parameters())


def test_it_learns_and_equal_seeds_learn_alike(
    make_batch: MakeBatch, make_dimensions: MakeDimensions, build_method: BuildMethod, name: str
) -> None:
    dimensions = make_dimensions(morphology=7, expression=5)
    batch = make_batch(16, dimensions)

    def train(seed: int) -> list[float]:
        method = build_method(name, dimensions, seed=seed)
        optimizer = torch.optim.Adam(method.parameters(), lr=1e-2)
        losses = []
        for _ in range(12):
            optimizer.zero_grad()
            loss = method(batch).loss
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    losses = train(5)
    assert losses[-1] < losses[0] - 0.05 * abs(losses[0])
    assert train(5) == losses
    assert train(6) != losses
