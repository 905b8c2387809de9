"""Pretraining on batches that are made on the device, here and, where there is one, on a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cytomol.artifact.backbone import Backbone
from cytomol.corpus import Corpus
from cytomol.corpus.planted import generate_planted
from cytomol.methods import methods
from cytomol.methods.config import MethodConfig, configs
from cytomol.progress import Reporter
from cytomol.training.dataset.prepare import prepare
from cytomol.training.dataset.resident import ResidentData
from cytomol.training.loop.module import PretrainDataModule
from cytomol.training.pretrain import pretrain

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU with CUDA here")

_SMALL: dict[str, Any] = {
    "width": 24,
    "layers": 2,
    "morgan_bits": 64,
    "epochs": 2,
    "batch_size": 32,
    "dropout": 0.0,
    "decoder_dropout": 0.0,
    "validation_fraction": 0.1,
}


def _config(method: str, **options: Any) -> MethodConfig:
    kind = configs[method]
    chosen = {**_SMALL, "reseed_dead_codes": False, **options}
    if "3d" in kind().views:  # conformers take their time
        chosen["views"] = ("1d", "2d")
    return kind.build({name: value for name, value in chosen.items() if name in kind.model_fields})


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return generate_planted(200, seed=4).corpus


@pytest.mark.parametrize("method", configs.names())
def test_it_learns_the_same_wherever_batches_are_made(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    config = _config(method)
    host = pretrain(corpus, config, tmp_path / "host", method=method, quiet=True)
    made: list[ResidentData] = []

    def lives_on(self: PretrainDataModule, device: torch.device) -> bool:
        if self._resident is None:
            self._resident = ResidentData(self.data, device)
            made.append(self._resident)
        return True

    monkeypatch.setattr(PretrainDataModule, "_lives_on", lives_on)
    device = pretrain(corpus, config, tmp_path / "device", method=method, quiet=True)
    assert len(made) == 1
    for ours, theirs in zip(device.history, host.history, strict=True):
        for side in ("train", "valid"):
            assert list(ours[side]) == list(theirs[side])
            assert ours[side] == pytest.approx(theirs[side], rel=2e-3, abs=1e-5)


@needs_gpu
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("method", configs.names())
def test_a_gpu_trains_and_the_model_embeds_on_a_cpu(
    corpus: Corpus, tmp_path: Path, method: str, precision: str
) -> None:
    config = _config(method, precision=precision, accelerator="cuda")
    result = pretrain(corpus, config, tmp_path / "model", method=method, quiet=True)
    losses = [entry["train"]["loss"] for entry in result.history]
    assert losses[-1] < losses[0]
    embedding, valid = Backbone.load(tmp_path / "model").embed(corpus.smiles[:5])
    assert valid.all()
    assert np.isfinite(embedding).all()


@needs_gpu
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("method", configs.names())
def test_the_host_waits_for_nothing_within_a_step(corpus: Corpus, method: str, precision: str) -> None:
    config = _config(method, reseed_dead_codes=True)
    data = prepare(corpus, config, Reporter(quiet=True))
    module = methods[method].from_config(config, data.dimensions).to("cuda").train()
    optimizer = torch.optim.Adam(module.parameters(), fused=True)
    resident = ResidentData(data, "cuda")
    draws = [data.draw(data.train[:32], np.random.default_rng(k)).pin_memory() for k in range(3)]

    def step(number: int) -> None:
        with torch.autocast("cuda", torch.bfloat16, enabled=precision == "bf16-mixed"):
            loss = module(resident.batch(draws[number])).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()

    step(0)  # libraries are loaded and tables made at the first
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for number in (1, 2):
            step(number)
    finally:
        torch.cuda.set_sync_debug_mode("default")
