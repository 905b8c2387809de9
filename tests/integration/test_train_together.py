"""A step of two processes is that of one on the same batch: losses and gradients, dropout and all."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import distributed

from cytomol.corpus.planted import generate_planted
from cytomol.methods import methods
from cytomol.nn import together
from cytomol.progress import Reporter
from cytomol.training.dataset.data import PretrainData, stream
from cytomol.training.dataset.prepare import prepare

SIZE = 61  # molecules of a batch: an odd number
SMALL = {"width": 16, "layers": 2, "validation_fraction": 0.2}
OWN = {"views": ("1d", "2d"), "depth": 3, **SMALL}
SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "infoalign": ("infoalign", SMALL),
    "infoalign of the paper": ("infoalign", {**SMALL, "decode": "sample", "encoder": "gcn", "dropout": 0.5}),
    "chmr": ("chmr", OWN),
    "chmr as published": ("chmr", {**OWN, "alignment": "paper", "reverse_assignment": "authors"}),
    "chmr with leaves": ("chmr", {**OWN, "quantizer": "leaves", "quantized": "anchor"}),
    "chmr with noise": ("chmr", {**OWN, "augmentation": "random", "quantizer": "flat"}),
    "chmr with weights": ("chmr", {**OWN, "augmented_weight": 0.5, "reverse_assignment": "within"}),
    "contrastive": ("contrastive", {**SMALL, "hidden": 16}),
}


def _data() -> dict[str, PretrainData]:
    corpus = generate_planted(200, seed=1).corpus
    reporter = Reporter(quiet=True)
    return {
        name: prepare(corpus, methods[method].Config.build(dict(options)), reporter)
        for name, (method, options) in SETTINGS.items()
    }


def _step(name: str, data: PretrainData, part: slice | None) -> dict[str, torch.Tensor]:
    """Return loss, terms, metrics and gradients of a step, and the loss of validation after it."""
    method, options = SETTINGS[name]
    torch.manual_seed(0)
    module = methods[method].from_config(methods[method].Config.build(dict(options)), data.dimensions).train()
    torch.manual_seed(1)
    output = module(data.batch(data.train[:SIZE], stream(0, 1), part=part))
    output.loss.backward()
    found = {"loss": output.loss.detach(), **output.terms, **output.metrics}
    for parameter, tensor in module.named_parameters():
        if (gradient := tensor.grad) is not None:
            if together.current() is not None:
                distributed.all_reduce(gradient)
                gradient /= 2
            found[f"gradient {parameter}"] = gradient
    with torch.no_grad():
        rows = data.validation[:11]
        share = None if part is None else together.part_of(len(rows), *_place())
        batch = data.batch(rows, stream(0, 2), validation=True, part=share)
        found["validation"] = module.eval()(batch).loss
    return found


def _place() -> tuple[int, int]:
    now = together.current()
    assert now is not None
    return now.rank, now.world


def _work(rank: int, folder: Path, data: dict[str, PretrainData]) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{folder}/met", rank=rank, world_size=2)
    together.begin(torch.device("cpu"))
    part = together.part_of(SIZE, rank, 2)
    torch.save({name: _step(name, data[name], part) for name in SETTINGS}, folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def data() -> dict[str, PretrainData]:
    return _data()


@pytest.fixture(scope="module")
def found(
    data: dict[str, PretrainData], tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, dict[str, torch.Tensor]]]:
    folder = tmp_path_factory.mktemp("together")
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_work, args=(rank, folder, data)) for rank in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.mark.parametrize("name", SETTINGS)
def test_a_step_of_two_is_that_of_one(
    data: dict[str, PretrainData], found: list[dict[str, dict[str, torch.Tensor]]], name: str
) -> None:
    alone = _step(name, data[name], None)
    for process in found:
        assert process[name].keys() == alone.keys()
        for quantity, value in alone.items():
            scale = float(value.abs().max())
            assert process[name][quantity].sub(value).abs().max() <= 1e-5 + 2e-4 * scale, quantity
