from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from cytomol.chem.options import FeatureOptions
from cytomol.config import MACHINE, Config
from cytomol.errors import ConfigError
from cytomol.methods.config import CHMRConfig, InfoAlignConfig, MethodConfig, configs
from cytomol.options.context import ContextOptions
from cytomol.predict.config import FinetuneConfig

METHODS = [configs[name] for name in configs]
CONFIGS = [MethodConfig, *METHODS]
AUTHORS = [InfoAlignConfig, CHMRConfig]  # methods whose authors' code is told from their text


@pytest.mark.parametrize("config", METHODS)
@pytest.mark.parametrize("suffix", [".json", ".yaml", ".toml"])
def test_round_trip(config: type[MethodConfig], suffix: str, tmp_path: Path) -> None:
    chosen = config.preset("paper").updated(epochs=7, modalities=("a", "b"))
    path = tmp_path / f"options{suffix}"
    if suffix == ".toml":
        options = chosen.model_dump(mode="json")
        # TOML has no null: an option that is not set is left out
        present = {name: value for name, value in options.items() if value is not None}
        path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in present.items()))
    else:
        path.write_text(chosen.to_json())  # JSON is YAML too
    assert config.load(path) == chosen
    assert config.load(path) != config()


@pytest.mark.parametrize("config", CONFIGS)
def test_every_option_has_a_default_and_a_description(config: type[MethodConfig]) -> None:
    for name, field in config.model_fields.items():
        assert not field.is_required(), name
        assert field.description, name
        assert field.description.endswith("."), name


@pytest.mark.parametrize("config", AUTHORS)
@pytest.mark.parametrize("preset", ["paper", "authors"])
def test_published_training(config: type[MethodConfig], preset: str) -> None:
    published = config.preset(preset)
    assert (published.width, published.layers, published.virtual_node) == (300, 5, True)
    assert (published.encoder, published.readout, published.dropout) == ("gin", "sum", 0.5)
    assert (published.lr, published.weight_decay, published.batch_size) == (1e-4, 1e-8, 3072)
    assert (published.schedule, published.cosine_cycles, published.warmup_epochs) == ("cosine", 7 / 16, 0)
    assert (published.walk_length, published.drop_fraction, published.readout_fraction) == (4, 0.995, 0.01)
    assert (published.minimum_similarity, published.maximum_similarity) == (0.8, 0.99)
    assert (published.morgan_bits, published.morgan_radius, published.scaling) == (1024, 4, "minmax")
    assert (published.molecule_targets, published.candidates) == (("morgan",), "shortcut")
    assert (published.validation_fraction, published.gradient_clip) == (0, 0)


@pytest.mark.parametrize("config", AUTHORS)
def test_what_the_code_has_beyond_the_text(config: type[MethodConfig]) -> None:
    """Of both methods: each point on its own row of the table in docs/method.md."""
    coded = {
        "target_spaces": ("separate", "pooled"),
        "gene_profiles": ("leaf", "node"),
        "unprofiled_genes": (True, False),
        "similarity_radius": (None, 2),
        "similarity_digits": (None, 2),
        "readout_weight": ("scaled", "raw"),
        "count_stuck": (False, True),
        "zero_biases": (False, True),
    }
    paper, authors = config.preset("paper"), config.preset("authors")
    for name, (text, code) in coded.items():
        assert getattr(paper, name) == text, name
        assert getattr(authors, name) == code, name


def test_published_infoalign() -> None:
    paper, authors = InfoAlignConfig.preset("paper"), InfoAlignConfig.preset("authors")
    for published in (paper, authors):
        assert (published.views, published.beta, published.decoder_dropout) == (("2d",), 1e-9, 0.5)
        assert published.epochs == 300
    assert (paper.decode, authors.decode) == ("sample", "mean")


def test_published_chmr() -> None:
    paper, authors = CHMRConfig.preset("paper"), CHMRConfig.preset("authors")
    for published in (paper, authors):
        assert published.views == ("1d", "2d", "3d")
        assert (published.neighbours, published.propagation_steps) == (10, 5)
        assert (published.temperature, published.lambda_sca, published.lambda_vq) == (0.2, 10, 10)
        assert (published.quantizer, published.depth, published.eta) == ("tree", 6, 1)
        assert (published.alignment, published.decode_from) == ("paper", "modality")
        assert (published.alignment_reduction, published.variance_hinges) == ("sum", "sum")
        assert (published.profile_inputs, published.missing_input) == ("raw", "placeholder")
        assert published.decoder_dropout == 0.3
        assert not published.reseed_dead_codes
    assert (paper.augmentation, authors.augmentation) == ("propagation", "authors")
    assert (paper.reverse_assignment, authors.reverse_assignment) == ("none", "authors")
    assert (paper.continuous_loss, authors.continuous_loss) == ("mse", "bce")
    assert (paper.epochs, authors.epochs) == (300, 50)


@pytest.mark.parametrize(
    ("name", "weights"),
    [("chembl2k", (10, 0.1)), ("biogenadme", (10, 1)), ("bace", (0.01, 0.1)), ("clintox", (0.1, 10))],
)
def test_weights_set_by_hand_for_a_benchmark(name: str, weights: tuple[float, float]) -> None:
    chosen = CHMRConfig.preset(f"authors:{name}")
    assert (chosen.lambda_sca, chosen.lambda_vq) == weights
    assert chosen.updated(lambda_sca=10.0, lambda_vq=10.0) == CHMRConfig.preset("authors")


@pytest.mark.parametrize("config", CONFIGS)
def test_default_preset_changes_nothing(config: type[MethodConfig]) -> None:
    assert config.preset("default") == config()


def test_unknown_presets_are_named() -> None:
    with pytest.raises(ConfigError, match="known: default, paper, authors"):
        InfoAlignConfig.preset("authors:bace")
    with pytest.raises(ConfigError, match="unknown preset 'theirs'"):
        CHMRConfig.preset("theirs")


def test_backbones_of_earlier_versions_keep_their_reverse_assignment() -> None:
    assert CHMRConfig.build({"reverse_assignment": True}).reverse_assignment == "pooled"
    assert CHMRConfig.build({"reverse_assignment": False}).reverse_assignment == "none"


def test_views_are_ordered_and_checked() -> None:
    assert CHMRConfig(views=("3d", "1d")).views == ("1d", "3d")
    for views in ((), ("4d",), ("1d", "1d")):
        with pytest.raises(ConfigError, match="views"):
            CHMRConfig.build({"views": views})
    with pytest.raises(ConfigError, match="graph alone"):
        InfoAlignConfig.build({"views": ("1d", "2d")})


def test_bad_values_are_named() -> None:
    with pytest.raises(ConfigError, match="depht"):
        CHMRConfig.build({"depht": 6})
    with pytest.raises(ConfigError, match="dropout"):
        CHMRConfig.build({"dropout": 1.5})
    with pytest.raises(ConfigError, match="minimum_similarity"):
        CHMRConfig.build({"minimum_similarity": 0.995})
    with pytest.raises(ValidationError):
        CHMRConfig().depth = 3  # type: ignore[misc]


def test_reading_options_needs_no_torch() -> None:
    code = "import sys, cytomol.methods.config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("config", [*METHODS, FinetuneConfig, ContextOptions])
def test_an_option_is_declared_once(config: type[Config]) -> None:
    groups = [owner for owner in config.__mro__ if issubclass(owner, Config)]
    declared = Counter(name for owner in groups for name in inspect.get_annotations(owner))
    assert {name: declared[name] for name in config.model_fields} == dict.fromkeys(config.model_fields, 1)
    listed = [name for names in config.groups().values() for name in names]
    assert sorted(listed) == sorted(config.model_fields)


@pytest.mark.parametrize("config", METHODS)
def test_the_machine_changes_no_result(config: type[MethodConfig]) -> None:
    machine = {"accelerator": "cpu", "threads": 3, "devices": 2, "workers": 5, "logger": "none"}
    machine |= {"nodes": 2, "strategy": "ddp"}
    assert set(config.groups()[MACHINE]) == set(machine)
    assert config.build(machine).result_options() == config().result_options()
    for name in ("seed", "precision", "epochs", "batch_size"):
        assert name in config().result_options()


def test_molecules_are_read_alike_whoever_is_asked() -> None:
    read = FeatureOptions()
    assert FinetuneConfig().reading == {}
    for config in METHODS:
        for name, value in config().reading.items():
            assert getattr(read, name) == value
        assert set(config().reading) == {"standardize", "max_atoms", "molecule_timeout"}


def test_infoalign_offers_nothing_in_vain_and_reads_what_it_once_offered() -> None:
    retired = {"geometry": "unimol", "geometry_timeout": 3.0, "neighbours": 4, "propagation_steps": 2}
    for name, value in retired.items():
        with pytest.raises(ConfigError, match=name):
            InfoAlignConfig.build({name: value})
    assert InfoAlignConfig.saved({**retired, "beta": 0.5}) == InfoAlignConfig(beta=0.5)
    with pytest.raises(ConfigError, match="depth"):
        InfoAlignConfig.saved({"depth": 3})
