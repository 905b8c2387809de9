"""An option reaches its consumer: every field of every method's options changes something that counts.

``TABLE`` has a line for each field: who reads it, another value, and where the difference must show. A
field without a line is a failure, so a new option cannot be forgotten; add

    "field": reach("every", value, "observer", "another observer"),

with "every" for all methods that have the field, "context" for those that learn what walks meet, or the names
of the methods that read it. A method that offers an option without a line must refuse another value, in
``NO_CHOICE``: an option that changes nothing is not offered. Each observer must see a difference; they are in
conftest.py, above all

- ``graph``: edges and weights of the context graph
- ``prepared``: split, targets, profiles as input, scalers, statistics, sizes
- ``loss_terms``: loss, terms and metrics of one forward pass
- ``after_training``: weights after two epochs, of three steps each

Options that both sides of the comparison need follow as keywords. A list holds several lines, for a field
with several consumers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from cytomol.corpus import Corpus
from cytomol.corpus.planted import generate_planted
from cytomol.corpus.provenance import Provenance
from cytomol.corpus.schema import Relation
from cytomol.errors import ConfigError
from cytomol.methods import methods
from cytomol.methods.config import MethodConfig, configs

CONFIGS: dict[str, type[MethodConfig]] = {name: configs[name] for name in configs}
CONTEXT = tuple(name for name in methods if methods[name].needs(CONFIGS[name]()).targets)
BASE: dict[str, Any] = dict(  # noqa: C408 - keywords go on few lines
    width=8, layers=2, morgan_bits=128, validation_fraction=0.1, batch_size=64, epochs=2,
    threads=1, workers=1, accelerator="cpu",
    # so low that each criterion finds edges among few molecules
    minimum_similarity=0.3, maximum_similarity=0.95, drop_fraction=0.95,
)  # fmt: skip
BASE_OF: dict[str, dict[str, Any]] = {
    "chmr": {"views": ("1d", "2d"), "depth": 3},
    "contrastive": {"hidden": 8},
    "infoalign": {},
}


class Reach(NamedTuple):
    """One line of the table."""

    methods: tuple[str, ...]
    value: Any
    observers: tuple[str, ...]
    base: dict[str, Any]


def reach(who: str, value: Any, *observers: str, **base: Any) -> Reach:
    """Return the line of a field: methods that read it, another value, where the difference shows."""
    named = {"every": tuple(CONFIGS), "context": CONTEXT}.get(who, tuple(who.split()))
    return Reach(named, value, observers, base)


THREE_D: dict[str, Any] = {"views": ("1d", "3d"), "validation_fraction": 0.0}
GRAPH: dict[str, Any] = {"views": ("2d",), "validation_fraction": 0.0}

TABLE: dict[str, Reach | list[Reach]] = {
    # what the method looks at
    "views": reach("chmr contrastive", ("2d",), "loss_terms"),
    "modalities": [
        reach("every", ("morphology",), "prepared", "loss_terms"),
        reach("context", ("morphology",), "graph"),
    ],
    "molecule_targets": [
        reach("context", ("counts",), "prepared"),
        reach("context", ("maccs",), "loss_terms"),
    ],
    "profile_targets": reach("context", ("morphology",), "prepared", "loss_terms"),
    "relation_targets": reach("context", ("annotated",), "prepared", "loss_terms"),
    "morgan_radius": [
        reach("context", 1, "prepared", "graph"),
        reach("chmr contrastive", 1, "loss_terms"),
    ],
    "morgan_bits": [
        reach("context", 256, "prepared", "graph"),
        reach("chmr contrastive", 256, "loss_terms"),
    ],
    "geometry": reach("chmr contrastive", "test-mirrored", "geometry_of_three", **THREE_D),
    "geometry_timeout": reach("chmr contrastive", 1e-3, "geometry_of_three", **THREE_D),
    "chirality": reach("every", "as_written", "views_of_five", **GRAPH),
    "standardize": reach("every", "parent", "views_of_five", **GRAPH),
    "max_atoms": reach("every", 5, "views_of_five", **GRAPH),
    "molecule_timeout": reach("every", 1e-4, "views_of_five", **GRAPH),
    "scaling": [
        reach("every", "minmax", "prepared", "loss_terms"),
        reach("context", "minmax", "prepared", molecule_targets=("counts",), modalities=()),
    ],
    "target_spaces": reach("every", "pooled", "prepared", "loss_terms", profile_correction="none"),
    # how far profiles can be trusted, and where they were measured
    "profile_weights": reach("every", "reliability", "loss_terms"),
    "least_weight": reach("every", 0.9, "loss_terms", profile_weights="reliability"),
    "profile_correction": reach("every", "none", "prepared", "loss_terms"),
    # context
    "gene_profiles": reach("context", "leaf", "graph", "drawn"),
    "unprofiled_genes": reach("context", True, "graph", "drawn"),
    "similarity_radius": [reach("context", 1, "graph"), reach("chmr", 1, "prepared")],
    "similarity_digits": reach("context", 1, "graph"),
    "compared_modalities": [reach("context", ("morphology",), "graph"), reach("context", (), "graph")],
    "compared_values": reach("context", "scaled", "graph"),
    "readout_weight": reach("context", "raw", "graph"),
    "count_stuck": reach("context", True, "drawn", criteria=("profile",)),
    "candidates": reach("context", "shortcut", "graph"),
    "minimum_similarity": reach("context", 0.8, "graph"),
    "maximum_similarity": reach("context", 0.35, "graph"),
    "drop_fraction": reach("context", 0.5, "graph"),
    "readout_fraction": [reach("context", 0.1, "graph"), reach("context", 0.0, "graph")],
    "similarity_search": [reach("context", "index", "searches"), reach("chmr", "index", "neighbour_search")],
    "exact_up_to": [reach("context", 80, "searches"), reach("chmr", 80, "neighbour_search")],
    "criteria": [reach("context", ("profile", "target"), "graph"), reach("context", (), "graph")],
    "walk_length": [reach("context", 1, "drawn"), reach("context", 0, "graph")],
    "neighbours": reach("chmr", 2, "prepared", "loss_terms"),
    "propagation_steps": reach("chmr", 1, "prepared", "loss_terms"),
    # architecture
    "width": reach("every", 16, "loss_terms"),
    "layers": reach("every", 1, "loss_terms"),
    "virtual_node": reach("every", False, "loss_terms"),
    "readout": [reach("every", "mean", "loss_terms"), reach("every", "max", "loss_terms")],
    "encoder": reach("every", "gcn", "loss_terms"),
    "zero_biases": reach("every", True, "after_training", epochs=0),
    "dropout": reach("every", 0.5, "loss_terms"),
    "decoder_dropout": reach("context", 0.5, "loss_terms"),
    # training
    "epochs": [reach("every", 3, "epochs_run", "rates"), reach("every", 0, "after_training")],
    "batch_size": reach("every", 32, "rates", "order_of_molecules"),
    "lr": reach("every", 1e-3, "rates", "after_training"),
    "weight_decay": reach("every", 0.1, "after_training"),
    "warmup_epochs": reach("every", 1.5, "rates"),
    "schedule": reach("every", "constant", "rates"),
    "cosine_cycles": reach("every", 0.5, "rates"),
    "gradient_clip": reach("every", 0.0, "after_training", gradient_clip=1e-3),
    "validation_fraction": reach("every", 0.3, "prepared"),
    "patience": [  # at a rate that makes it worse sooner or later, or that changes nothing
        reach("infoalign", 1, "epochs_run", lr=0.1, schedule="constant", epochs=8, validation_fraction=0.2),
        reach("chmr contrastive", 1, "epochs_run", lr=1e-30, views=("1d",), epochs=3),
    ],
    "seed": [
        reach("every", 1, "after_training", epochs=0),
        reach("every", 1, "prepared"),
        reach("every", 1, "order_of_molecules"),
        reach("chmr", 1, "prepared", validation_fraction=0.0),  # folds of what is held out of propagation
    ],
    "precision": reach("every", "bf16-mixed", "after_training"),
    # machine
    "accelerator": reach("every", "cuda", "hardware"),
    "devices": reach("every", 2, "hardware"),
    "nodes": reach("every", 2, "hardware"),
    "strategy": reach("every", "fsdp", "hardware"),
    "workers": [reach("every", 2, "workers_asked_for"), reach("every", 0, "workers_asked_for")],
    "threads": reach("every", 2, "threads_used"),
    "logger": reach("every", "none", "files_written"),
    # InfoAlign
    "beta": reach("infoalign", 1.0, "loss_terms"),
    "decode": reach("infoalign", "sample", "loss_terms"),
    # CHMR: modality augmentation
    "profile_inputs": [reach("chmr contrastive", way, "prepared", "loss_terms") for way in ("zscore", "raw")],
    "augmentation": [
        *(reach("chmr", way, "prepared") for way in ("zero", "mean")),
        reach("chmr", "random", "loss_terms"),
        *(reach("chmr", way, "prepared", "loss_terms") for way in ("authors", "nearest")),
    ],
    "restore_observed": [
        reach("chmr", False, "prepared"),
        reach("chmr", False, "loss_terms", alignment="paper"),
    ],
    "propagation_fill": reach("chmr", "mean", "prepared", "loss_terms"),
    # CHMR: semantic consistency alignment
    "lambda_sca": [reach("chmr", 1.0, "loss_terms"), reach("chmr", 0.0, "loss_terms")],
    "instance_alignment": reach("chmr", False, "loss_terms"),
    "distribution_alignment": reach("chmr", False, "loss_terms"),
    "alignment": reach("chmr", "paper", "prepared", "loss_terms"),
    "augmented_weight": reach("chmr", 0.5, "loss_terms"),
    "temperature": reach("chmr contrastive", 0.5, "loss_terms"),
    "alignment_reduction": reach("chmr", "sum", "loss_terms"),
    "variance_hinges": reach("chmr", "sum", "loss_terms"),
    # CHMR: hierarchical quantization
    "lambda_vq": [reach("chmr", 1.0, "loss_terms"), reach("chmr", 0.0, "loss_terms")],
    "quantizer": [reach("chmr", name, "loss_terms") for name in ("flat", "leaves", "none")],
    "quantized": reach("chmr", "anchor", "loss_terms"),
    "depth": [reach("chmr", 2, "loss_terms"), reach("chmr", 2, "loss_terms", quantizer="flat")],
    "eta": [  # two losses read it
        reach("chmr", 0.5, "quantization", "reverse_quantization"),
        *(
            reach("chmr", 0.5, "reverse_quantization", reverse_assignment=way)
            for way in ("within", "authors")
        ),
    ],
    "reverse_assignment": [reach("chmr", way, "loss_terms") for way in ("none", "within", "authors")],
    "reseed_dead_codes": reach("chmr", False, "loss_terms", depth=6),
    # CHMR: context-propagation reconstruction
    "reconstruction": reach("chmr", False, "loss_terms"),
    "decode_from": [reach("chmr", "modality", "loss_terms"), reach("chmr", "anchor", "loss_terms")],
    "missing_input": reach("chmr", "placeholder", "loss_terms"),
    "continuous_loss": reach("chmr", "bce", "loss_terms"),
    # contrastive
    "retrieval": reach("contrastive", False, "loss_terms"),
    "retrieval_scale": reach("contrastive", 5.0, "loss_terms"),
    "hidden": reach("contrastive", 16, "loss_terms"),
    "hidden_layers": reach("contrastive", 2, "loss_terms"),
}


NO_CHOICE = {("infoalign", "views"): ("1d",)}
LINES = {field: line if isinstance(line, list) else [line] for field, line in TABLE.items()}
FIELDS = [(method, field) for method, config in CONFIGS.items() for field in config.model_fields]
ASKED = sorted(
    {
        (method, observer)
        for lines in LINES.values()
        for line in lines
        for method in line.methods
        for observer in line.observers
    }
)

Look = Callable[..., Any]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Return 200 molecules with something for every option to act on.

    Twenty of them share a gene, so that a relation can be reconstructed; some genes have no profile, others
    one of a second modality too, as some molecules have.
    """
    planted = generate_planted(200, seed=1).corpus
    knockout = planted.modalities["gene_knockout"]
    some = knockout.take(np.arange(0, len(knockout), 2))
    second = replace(
        some, name="gene_orf", values=some.values[:, :7] + np.float32(1), columns=some.columns[:7]
    )
    morphology = planted.modalities["morphology"].take(np.arange(0, 60, 2))
    spots = replace(
        morphology, name="spots", values=morphology.values[:, :4] * 3, columns=morphology.columns[:4]
    )
    morphology = planted.modalities["morphology"]
    about = Provenance(
        reliability=np.linspace(-0.5, 1, len(morphology), dtype=np.float32),
        labels={"Metadata_Plate": np.array(["a", "b"], dtype=object)[np.arange(len(morphology)) % 2]},
        correction="center",
        by="Metadata_Plate",
    )
    modalities = {
        **planted.modalities,
        "morphology": replace(morphology, provenance=about),
        "gene_knockout": some,
        "gene_orf": second.take(np.arange(5)),
        "spots": spots,
    }
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
def look(corpus: Corpus, observe: Callable[..., Any], seen: dict[Any, Any]) -> Look:
    """Return a function that observes a method with its options, once."""

    def at(observer: str, method: str, *, again: bool = False, **options: Any) -> Any:
        shared = {name: value for name, value in BASE.items() if name in CONFIGS[method].model_fields}
        config = CONFIGS[method].build({**shared, **BASE_OF[method], **options})
        key = (observer, method, config.to_json())
        if again:
            return observe(observer, corpus, method, config)
        if key not in seen:
            seen[key] = observe(observer, corpus, method, config)
        return seen[key]

    return at


@pytest.mark.parametrize(("method", "field"), FIELDS, ids=str)
def test_an_option_reaches_its_consumer(look: Look, method: str, field: str) -> None:
    assert field in LINES, f"no line for the option {field} in TABLE: say what changes when it does"
    lines = [line for line in LINES[field] if method in line.methods]
    for line in lines:
        for observer in line.observers:
            before = look(observer, method, **line.base)
            after = look(observer, method, **{**line.base, field: line.value})
            assert before != after, f"{observer} is the same with {field} = {line.value!r}"
    if not lines:
        with pytest.raises(ConfigError, match=field):
            CONFIGS[method].build({field: NO_CHOICE[method, field]})


@pytest.mark.parametrize(("method", "observer"), ASKED)
def test_an_observer_sees_the_same_twice(look: Look, method: str, observer: str) -> None:
    """Otherwise it would find a difference whatever the option does."""
    base = {"geometry_of_three": THREE_D, "views_of_five": GRAPH}.get(observer, {})
    assert look(observer, method, **base) == look(observer, method, again=True, **base)


def test_every_line_of_the_table_is_that_of_an_option() -> None:
    assert set(TABLE) <= {field for _, field in FIELDS}
    assert all(line.observers for lines in LINES.values() for line in lines)
