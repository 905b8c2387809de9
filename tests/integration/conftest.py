"""Observers: what can be seen of an option, from the prepared corpus to the weights of a training."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from cytomol.chem.geometry import geometry_providers
from cytomol.chem.geometry.rdkit import RDKitGeometry
from cytomol.corpus import Corpus
from cytomol.corpus.schema import Modality
from cytomol.errors import ConfigError
from cytomol.methods import methods
from cytomol.methods.config import MethodConfig
from cytomol.progress import Reporter
from cytomol.training.dataset import prepare as preparation
from cytomol.training.dataset.data import PretrainData, stream
from cytomol.training.dataset.prepare import prepare
from cytomol.training.loop.module import PretrainDataModule
from cytomol.training.loop.state import RunState
from cytomol.training.loop.train import check_processes, lightning_trainer
from cytomol.training.pretrain import PretrainResult, pretrain


@dataclass(frozen=True)
class Setting:
    """A method, its options, what it learns from, and a folder for what it writes."""

    method: str
    config: MethodConfig
    corpus: Corpus
    folder: Path
    patch: pytest.MonkeyPatch

    def data(self, reporter: Reporter | None = None) -> PretrainData:
        return prepare(self.corpus, self.config, reporter or Reporter(quiet=True))

    def train(self, **options: Any) -> PretrainResult:
        config, out = self.config.updated(**options), self.folder / "model"
        return pretrain(self.corpus, config, out, method=self.method, quiet=True, force=True)


def digest(*values: Any) -> str:
    """Return a hash over arrays, tensors, numbers and texts, however they are nested."""
    found = hashlib.blake2b(digest_size=12)
    for value in values:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            part = digest(*((f.name, getattr(value, f.name)) for f in dataclasses.fields(value)))
        elif isinstance(value, Mapping):
            part = digest(*value.items())
        elif isinstance(value, list | tuple):
            part = digest(*value)
        elif isinstance(value, np.ndarray | torch.Tensor):
            array = np.ascontiguousarray(value)
            part = f"{array.dtype}{array.shape}{hashlib.blake2b(array.tobytes(), digest_size=12).hexdigest()}"
        else:
            part = repr(value)
        found.update(f"{type(value).__name__} {part};".encode())
    return found.hexdigest()


def graph(setting: Setting) -> Any:
    """Edges, weights and spaces of the context graph."""
    found = setting.data().graph
    return digest(found.indptr, found.indices, found.weights, found.offsets)


def searches(setting: Setting) -> Any:
    """How similar molecules and profiles were found for the context graph."""
    return {name: facts.get("search") for name, facts in setting.data().graph.report.items()}


def neighbour_search(setting: Setting) -> Any:
    """How the structural neighbours were found."""
    said: list[str] = []

    class Listener(Reporter):
        def say(self, text: str) -> None:
            said.append(text)

    setting.data(Listener(quiet=True))
    return [text for text in said if text.startswith("structural neighbours")]


def prepared(setting: Setting) -> Any:
    """Split, targets, profiles as input, scalers, statistics and sizes."""
    data = setting.data()
    scalers = {name: scaler.arrays() for name, scaler in data.scalers.items()}
    parts = (data.builder.statistics(), data.targets, data.profiles, scalers, data.dimensions)
    return digest(*parts, data.train, data.validation)


def drawn(setting: Setting) -> Any:
    """Walk targets of one batch."""
    data = setting.data()
    return digest(data.batch(data.train[:48], stream(0, 1)).targets)


def loss_terms(setting: Setting) -> Any:
    """Loss, terms and metrics of one pass; initial weights and randomness are fixed."""
    data = setting.data()
    torch.manual_seed(0)
    method = methods[setting.method].from_config(setting.config, data.dimensions).train()
    for name, buffer in method.named_buffers():
        if name == "quantizer.idle":  # unused for long: if codes are re-seeded, then in this step
            buffer.fill_(10**6)
    output = method(data.batch(data.train[:48], stream(0, 1)))
    terms = {"loss": output.loss, **output.terms, **output.metrics}
    assert all(term.isfinite() for term in terms.values())
    return {name: term.item() for name, term in terms.items()}


def quantization(setting: Setting) -> Any:
    """The loss of the codes alone."""
    return loss_terms(setting)["quantization"]


def reverse_quantization(setting: Setting) -> Any:
    """The loss of the codes' nearest samples alone."""
    return loss_terms(setting)["reverse_quantization"]


def after_training(setting: Setting) -> Any:
    """Weights after the training."""
    return digest(safetensors.torch.load_file(setting.train().path / "weights.safetensors"))


def epochs_run(setting: Setting) -> Any:
    """Number of epochs."""
    return len(setting.train().history)


def rates(setting: Setting) -> Any:
    """Steps and learning rate at the end of the first two epochs."""
    return [(entry["step"], entry["lr"]) for entry in setting.train().history[:2]]


def files_written(setting: Setting) -> Any:
    """Names of all files."""
    setting.train()
    return sorted(str(path.relative_to(setting.folder)) for path in setting.folder.rglob("*"))


def order_of_molecules(setting: Setting) -> Any:
    """Batches of the first epoch, of the same molecules whatever the split."""
    data = replace(setting.data(), train=np.arange(200))
    return digest(PretrainDataModule(data, setting.config, RunState()).train_dataloader().parts)


def hardware(setting: Setting) -> Any:
    """What Lightning trains on, or why it cannot."""
    try:
        check_processes(setting.config, setting.folder / "model", None)
        trainer = lightning_trainer(setting.config, setting.folder / "model", None)
    except ConfigError as error:
        return str(error)
    return type(trainer.accelerator).__name__, trainer.world_size


def threads_used(setting: Setting) -> Any:
    """Threads of torch after a training."""
    setting.train(epochs=0)
    return torch.get_num_threads()


def workers_asked_for(setting: Setting) -> Any:
    """Processes that featurize is told to start; it starts none."""
    asked: list[int | None] = []
    original = preparation.featurize

    def featurize(*given: Any, workers: int | None, **options: Any) -> Any:
        asked.append(workers)
        return original(*given, workers=1, **options)

    with setting.patch.context() as patch:
        patch.setattr(preparation, "featurize", featurize)
        setting.data()
    return asked


def _few(corpus: Corpus, smiles: Sequence[str]) -> Corpus:
    """Return the first molecules, written as ``smiles``, each with a profile of two numbers."""
    rows = np.arange(len(smiles))
    values = np.random.default_rng(0).random((len(smiles), 2)).astype(np.float32)
    spots = Modality("spots", "morphology", "molecule", rows, values, ("a", "b"))
    molecules = corpus.molecules.iloc[: len(smiles)].assign(smiles=list(smiles))
    return replace(corpus, molecules=molecules, modalities={"spots": spots}, relations={})


def geometry_of_three(setting: Setting) -> Any:
    """3D view of three molecules, for each takes long; with an empty cache, for known ones take no time."""
    few = _few(setting.corpus, setting.corpus.smiles[:3])
    with setting.patch.context() as patch:
        patch.setenv("CYTOMOL_CACHE", str(setting.folder / "cache"))
        return digest(np.asarray(replace(setting, corpus=few).data().store.blocks["geometry"]))


def views_of_five(setting: Setting) -> Any:
    """Graphs of two spellings, a salt, a large molecule and another, and why a row has none."""
    smiles = ["C[C@H](N)C(=O)O", "OC(=O)[C@H](N)C", "CC(=O)[O-].[Na+]", "C" * 260, "CC"]
    store = replace(setting, corpus=_few(setting.corpus, smiles)).data().store
    return digest(np.asarray(store.atoms)), [bool(error) for error in store.errors]


@geometry_providers.register("test-mirrored")
class Mirrored(RDKitGeometry):
    """RDKit's geometry with its signs turned."""

    name = "test-mirrored"

    def finish(self, raw: Any) -> Any:
        return [-values for values in raw]


OBSERVERS = [
    *(graph, searches, neighbour_search, prepared, drawn, loss_terms, after_training, epochs_run, rates),
    *(files_written, order_of_molecules, hardware, threads_used, workers_asked_for, geometry_of_three),
    *(views_of_five, quantization, reverse_quantization),
]


@pytest.fixture
def observe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return a function that looks at a corpus with a method and its options: the observer by name."""
    known = {observer.__name__: observer for observer in OBSERVERS}

    def look(observer: str, corpus: Corpus, method: str, config: MethodConfig) -> Any:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        return known[observer](Setting(method, config, corpus, folder, monkeypatch))

    return look
