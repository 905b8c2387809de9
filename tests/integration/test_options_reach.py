"""An option reaches its consumer: every field of every method's options changes something that counts.

``TABLE`` has a line for each field: who reads it, another value, and where the difference must show. A
field without a line is a failure, so a new option cannot be forgotten; add

    "field": reach("both", value, observer),

with "both", "chmr" or "infoalign" for the methods that read it. A method that has the field and is not
named must learn exactly the same weights with it. Options that the comparison needs on both sides follow
as keywords; a list holds several lines, for a field with several consumers. Observers take a ``Setting``
and return anything that can be compared: here are

- ``graph``: edges and weights of the context graph; ``searches``: how they were found
- ``prepared``: split, targets, profiles as input, scalers, statistics, sizes
- ``drawn``: walk targets of one batch
- ``loss_terms``: loss, terms and metrics of one forward pass, weights and randomness fixed
- ``after_training``: weights after two epochs, of three steps each
- ``epochs_run``: step and learning rate of every epoch of a training
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import safetensors.torch
import torch

from cytomol.chem.geometry import geometry_providers
from cytomol.chem.geometry.rdkit import RDKitGeometry
from cytomol.corpus import Corpus
from cytomol.corpus.planted import generate_planted
from cytomol.corpus.schema import Relation
from cytomol.errors import ConfigError
from cytomol.methods import methods
from cytomol.methods.config import CHMRConfig, InfoAlignConfig, MethodConfig
from cytomol.training import prepare as preparation
from cytomol.training.data import PretrainData, stream
from cytomol.training.module import PretrainDataModule
from cytomol.training.prepare import prepare
from cytomol.training.pretrain import PretrainResult, _trainer, pretrain
from cytomol.training.reporter import Reporter
from cytomol.training.state import RunState

CONFIGS: dict[str, type[MethodConfig]] = {"chmr": CHMRConfig, "infoalign": InfoAlignConfig}
BASE: dict[str, Any] = dict(  # noqa: C408 - keywords go on few lines
    width=8, layers=2, morgan_bits=128, validation_fraction=0.1, batch_size=64, epochs=2,
    threads=1, workers=1, accelerator="cpu",
    # so low that each criterion finds edges among few molecules
    minimum_similarity=0.3, maximum_similarity=0.95, drop_fraction=0.95,
)  # fmt: skip
BASE_OF: dict[str, dict[str, Any]] = {"chmr": {"views": ("1d", "2d"), "depth": 3}, "infoalign": {}}


@dataclass(frozen=True)
class Setting:
    """A method, its options, what it learns from, and a folder for what it writes."""

    method: str
    config: MethodConfig
    corpus: Corpus
    folder: Path
    patch: pytest.MonkeyPatch

    def data(self) -> PretrainData:
        return prepare(self.corpus, self.config, Reporter(quiet=True))

    def train(self, **options: Any) -> PretrainResult:
        config, out = self.config.updated(**options), self.folder / "model"
        return pretrain(self.corpus, config, out, method=self.method, quiet=True, force=True)


Observer = Callable[[Setting], Any]


class Reach(NamedTuple):
    """One line of the table."""

    methods: tuple[str, ...]
    value: Any
    observe: Observer
    base: dict[str, Any]


def reach(who: str, value: Any, observe: Observer, **base: Any) -> Reach:
    """Return the line of a field: methods that read it, another value, where the difference shows."""
    return Reach(tuple(CONFIGS) if who == "both" else (who,), value, observe, base)


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
    found = setting.data().graph
    return digest(found.indptr, found.indices, found.weights, found.offsets)


def searches(setting: Setting) -> Any:
    return {name: facts.get("search") for name, facts in setting.data().graph.report.items()}


def prepared(setting: Setting) -> Any:
    data = setting.data()
    scalers = {name: scaler.arrays() for name, scaler in data.scalers.items()}
    parts = (data.builder.statistics(), data.targets, data.profiles, scalers, data.dimensions)
    return digest(*parts, data.train, data.validation)


def drawn(setting: Setting) -> Any:
    data = setting.data()
    return digest(data.batch(data.train[:48], stream(0, 1)).targets)


def loss_terms(setting: Setting) -> Any:
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


def after_training(setting: Setting) -> Any:
    return digest(safetensors.torch.load_file(setting.train().path / "weights.safetensors"))


def epochs_run(setting: Setting) -> Any:
    return [(entry["step"], entry["lr"]) for entry in setting.train().history]


def files_written(setting: Setting) -> Any:
    setting.train()
    return sorted(str(path.relative_to(setting.folder)) for path in setting.folder.rglob("*"))


def order_of_molecules(setting: Setting) -> Any:
    data = replace(setting.data(), train=np.arange(200))  # the same ones whatever the split
    return digest(PretrainDataModule(data, setting.config, RunState()).train_dataloader().parts)


def hardware(setting: Setting) -> Any:
    try:
        trainer = _trainer(setting.config, setting.folder / "model")
    except ConfigError as error:  # this machine has none
        return str(error)
    return type(trainer.accelerator).__name__, trainer.world_size


def threads_used(setting: Setting) -> Any:
    setting.train(epochs=0)
    return torch.get_num_threads()


def workers_asked_for(setting: Setting) -> Any:
    asked: list[int | None] = []

    def featurize(*given: Any, workers: int | None, **options: Any) -> Any:
        asked.append(workers)
        return original(*given, workers=1, **options)

    original = preparation.featurize
    with setting.patch.context() as patch:
        patch.setattr(preparation, "featurize", featurize)
        setting.data()
    return asked


def geometry_of_three(setting: Setting) -> Any:
    """Conformers take long, and those that are known already take no time: three, and an empty cache."""
    few = replace(setting.corpus, molecules=setting.corpus.molecules.iloc[:3], modalities={}, relations={})
    with setting.patch.context() as patch:
        patch.setenv("CYTOMOL_CACHE", str(setting.folder / "cache"))
        return digest(np.asarray(replace(setting, corpus=few).data().store.blocks["geometry"]))


@geometry_providers.register("test-mirrored")
class Mirrored(RDKitGeometry):
    """Another geometry: RDKit's with its signs turned."""

    name = "test-mirrored"

    def finish(self, raw: Any) -> Any:
        return [-values for values in raw]


THREE_D: dict[str, Any] = {"views": ("1d", "3d"), "validation_fraction": 0.0}

TABLE: dict[str, Reach | list[Reach]] = {
    # what the method looks at
    "views": reach("chmr", ("2d",), loss_terms),
    "modalities": [reach("both", ("morphology",), observer) for observer in (prepared, graph, loss_terms)],
    "molecule_targets": [reach("both", ("counts",), prepared), reach("both", ("maccs",), loss_terms)],
    "profile_targets": [reach("both", ("morphology",), observer) for observer in (prepared, loss_terms)],
    "relation_targets": [reach("both", ("annotated",), observer) for observer in (prepared, loss_terms)],
    "morgan_radius": [reach("both", 1, prepared), reach("both", 1, graph)],
    "morgan_bits": [reach("both", 256, prepared), reach("both", 256, graph)],
    "geometry": reach("chmr", "test-mirrored", geometry_of_three, **THREE_D),
    "geometry_timeout": reach("chmr", 1e-3, geometry_of_three, **THREE_D),
    "scaling": [reach("both", "minmax", prepared), reach("both", "minmax", loss_terms)],
    "target_spaces": [reach("both", "pooled", prepared), reach("both", "pooled", loss_terms)],
    # context
    "gene_profiles": [reach("both", "node", graph), reach("both", "node", drawn)],
    "unprofiled_genes": [reach("both", False, graph), reach("both", False, drawn)],
    "similarity_radius": [reach("both", 1, graph), reach("chmr", 1, prepared)],
    "similarity_digits": reach("both", 1, graph),
    "compared_modalities": [reach("both", ("morphology",), graph), reach("both", (), graph)],
    "readout_weight": reach("both", "raw", graph),
    "count_stuck": reach("both", True, drawn, criteria=("profile",)),
    "candidates": reach("both", "shortcut", graph),
    "minimum_similarity": reach("both", 0.8, graph),
    "maximum_similarity": reach("both", 0.35, graph),
    "drop_fraction": reach("both", 0.5, graph),
    "readout_fraction": [reach("both", 0.1, graph), reach("both", 0.0, graph)],
    "similarity_search": reach("both", "index", searches),
    "exact_up_to": reach("both", 80, searches),
    "criteria": [reach("both", ("profile", "target"), graph), reach("both", (), graph)],
    "walk_length": [reach("both", 1, drawn), reach("both", 0, graph)],
    "neighbours": [reach("chmr", 2, prepared), reach("chmr", 2, loss_terms)],
    "propagation_steps": [reach("chmr", 1, prepared), reach("chmr", 1, loss_terms)],
    # architecture
    "width": reach("both", 16, loss_terms),
    "layers": reach("both", 1, loss_terms),
    "virtual_node": reach("both", False, loss_terms),
    "readout": [reach("both", "mean", loss_terms), reach("both", "max", loss_terms)],
    "encoder": reach("both", "gcn", loss_terms),
    "zero_biases": reach("both", True, after_training, epochs=0),
    "dropout": reach("both", 0.5, loss_terms),
    "decoder_dropout": reach("both", 0.5, loss_terms),
    # training
    "epochs": [reach("both", 3, epochs_run), reach("both", 0, after_training)],
    "batch_size": [reach("both", 32, epochs_run), reach("both", 32, order_of_molecules)],
    "lr": [reach("both", 1e-3, epochs_run), reach("both", 1e-3, after_training)],
    "weight_decay": reach("both", 0.1, after_training),
    "warmup_epochs": reach("both", 1.5, epochs_run),
    "schedule": reach("both", "constant", epochs_run),
    "cosine_cycles": reach("both", 0.5, epochs_run),
    "gradient_clip": reach("both", 0.0, after_training, gradient_clip=1e-3),
    "validation_fraction": reach("both", 0.3, prepared),
    "patience": [  # at a rate that makes it worse sooner or later, or that changes nothing
        reach("infoalign", 1, epochs_run, lr=0.1, schedule="constant", epochs=8, validation_fraction=0.2),
        reach("chmr", 1, epochs_run, lr=1e-30, views=("1d",), epochs=3),
    ],
    "seed": [
        reach("both", 1, after_training, epochs=0),
        reach("both", 1, prepared),
        reach("both", 1, order_of_molecules),
        reach("chmr", 1, prepared, validation_fraction=0.0),  # folds of what is held out of propagation
    ],
    "precision": reach("both", "bf16-mixed", after_training),
    # machine
    "accelerator": reach("both", "cuda", hardware),
    "devices": reach("both", 2, hardware),
    "workers": [reach("both", 2, workers_asked_for), reach("both", 0, workers_asked_for)],
    "threads": reach("both", 2, threads_used),
    "logger": reach("both", "none", files_written),
    # InfoAlign
    "beta": reach("infoalign", 1.0, loss_terms),
    "decode": reach("infoalign", "sample", loss_terms),
    # CHMR: modality augmentation
    "profile_inputs": [
        *(reach("chmr", way, prepared) for way in ("zscore", "raw")),
        *(reach("chmr", way, loss_terms) for way in ("zscore", "raw")),
    ],
    "augmentation": [
        reach("chmr", "zero", prepared),
        reach("chmr", "random", loss_terms),
        *(reach("chmr", way, prepared) for way in ("authors", "nearest")),
        *(reach("chmr", way, loss_terms) for way in ("authors", "nearest")),
    ],
    "restore_observed": [reach("chmr", False, prepared), reach("chmr", False, loss_terms, alignment="paper")],
    "propagation_fill": [reach("chmr", "mean", prepared), reach("chmr", "mean", loss_terms)],
    # CHMR: semantic consistency alignment
    "lambda_sca": [reach("chmr", 1.0, loss_terms), reach("chmr", 0.0, loss_terms)],
    "instance_alignment": reach("chmr", False, loss_terms),
    "distribution_alignment": reach("chmr", False, loss_terms),
    "alignment": [reach("chmr", "paper", prepared), reach("chmr", "paper", loss_terms)],
    "augmented_weight": reach("chmr", 0.5, loss_terms),
    "temperature": reach("chmr", 0.5, loss_terms),
    "alignment_reduction": reach("chmr", "sum", loss_terms),
    "variance_hinges": reach("chmr", "sum", loss_terms),
    # CHMR: hierarchical quantization
    "lambda_vq": [reach("chmr", 1.0, loss_terms), reach("chmr", 0.0, loss_terms)],
    "quantizer": [reach("chmr", "flat", loss_terms), reach("chmr", "none", loss_terms)],
    "depth": [reach("chmr", 2, loss_terms), reach("chmr", 2, loss_terms, quantizer="flat")],
    "eta": reach("chmr", 0.5, loss_terms),
    "reverse_assignment": [reach("chmr", way, loss_terms) for way in ("none", "within", "authors")],
    "reseed_dead_codes": reach("chmr", False, loss_terms, depth=6),
    # CHMR: context-propagation reconstruction
    "reconstruction": reach("chmr", False, loss_terms),
    "decode_from": [reach("chmr", "modality", loss_terms), reach("chmr", "anchor", loss_terms)],
    "missing_input": reach("chmr", "placeholder", loss_terms),
    "continuous_loss": reach("chmr", "bce", loss_terms),
}


LINES = {field: line if isinstance(line, list) else [line] for field, line in TABLE.items()}
FIELDS = [(method, field) for method, config in CONFIGS.items() for field in config.model_fields]
OBSERVERS = dict.fromkeys(line.observe for lines in LINES.values() for line in lines)

Observe = Callable[..., Any]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Return 200 molecules with something for every option to act on.

    Twenty of them share a gene, so that a relation can be reconstructed; some genes have no profile, others
    one of a second modality too.
    """
    planted = generate_planted(200, seed=1).corpus
    knockout = planted.modalities["gene_knockout"]
    some = knockout.take(np.arange(0, len(knockout), 2))
    second = replace(
        some, name="gene_orf", values=some.values[:, :7] + np.float32(1), columns=some.columns[:7]
    )
    modalities = {**planted.modalities, "gene_knockout": some, "gene_orf": second.take(np.arange(5))}
    planted = replace(planted, modalities=modalities)
    links = np.arange(0, 200, 10)
    gene = np.zeros(20, np.int64)
    annotated = Relation("annotated", "molecule", "gene", links, gene, np.ones(20, np.float32))
    return replace(planted, relations={**planted.relations, "annotated": annotated})


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def seen() -> dict[Any, Any]:
    """Return what was observed so far: many lines compare with the same options."""
    return {}


@pytest.fixture
def observe(corpus: Corpus, seen: dict[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Observe:
    def look(observer: Observer, method: str, *, again: bool = False, **options: Any) -> Any:
        config = CONFIGS[method].build({**BASE, **BASE_OF[method], **options})
        key = (observer, method, config.to_json())
        if key not in seen or again:
            folder = tmp_path / str(len(list(tmp_path.iterdir())))
            folder.mkdir()
            found = observer(Setting(method, config, corpus, folder, monkeypatch))
            if again:
                return found
            seen[key] = found
        return seen[key]

    return look


@pytest.mark.parametrize(("method", "field"), FIELDS, ids=str)
def test_an_option_reaches_its_consumer(observe: Observe, method: str, field: str) -> None:
    assert field in LINES, f"no line for the option {field} in TABLE: say what changes when it does"
    lines = [line for line in LINES[field] if method in line.methods]
    for line in lines:
        before = observe(line.observe, method, **line.base)
        after = observe(line.observe, method, **{**line.base, field: line.value})
        assert before != after, f"{line.observe.__name__} is the same with {field} = {line.value!r}"
    if not lines:
        assert _changes_nothing(observe, method, field, LINES[field][0].value)


def _changes_nothing(observe: Observe, method: str, field: str, value: Any) -> bool:
    try:
        after = observe(after_training, method, **{field: value})
    except ConfigError:  # this method has no choice
        return True
    return bool(after == observe(after_training, method))


@pytest.mark.parametrize("method", CONFIGS)
@pytest.mark.parametrize("observer", OBSERVERS, ids=lambda observer: observer.__name__)
def test_an_observer_sees_the_same_twice(observe: Observe, method: str, observer: Observer) -> None:
    """Otherwise it would find a difference whatever the option does."""
    if not any(observer is line.observe and method in line.methods for ls in LINES.values() for line in ls):
        pytest.skip("not asked of this method")
    base = THREE_D if observer is geometry_of_three else {}
    assert observe(observer, method, **base) == observe(observer, method, again=True, **base)


def test_every_line_of_the_table_is_that_of_an_option() -> None:
    assert set(TABLE) <= {field for _, field in FIELDS}
