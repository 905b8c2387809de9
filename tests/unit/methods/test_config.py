from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from cytomol.errors import ConfigError
from cytomol.methods.config import CHMRConfig, InfoAlignConfig, MethodConfig

CONFIGS = [MethodConfig, InfoAlignConfig, CHMRConfig]


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("suffix", [".json", ".yaml", ".toml"])
def test_round_trip(config: type[MethodConfig], suffix: str, tmp_path: Path) -> None:
    chosen = config.paper().updated(epochs=7, modalities=("a", "b"))
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


@pytest.mark.parametrize("config", CONFIGS)
def test_published_training(config: type[MethodConfig]) -> None:
    paper = config.paper()
    assert (paper.width, paper.layers, paper.virtual_node, paper.readout, paper.dropout) == (
        300,
        5,
        True,
        "sum",
        0.5,
    )
    assert (paper.lr, paper.weight_decay, paper.batch_size, paper.epochs) == (1e-4, 1e-8, 3072, 300)
    assert (paper.schedule, paper.cosine_cycles, paper.warmup_epochs) == ("cosine", 7 / 16, 0)
    assert (paper.walk_length, paper.minimum_similarity, paper.maximum_similarity) == (4, 0.8, 0.99)
    assert (paper.drop_fraction, paper.readout_fraction, paper.candidates) == (0.995, 0.01, "shortcut")
    assert (paper.morgan_bits, paper.morgan_radius, paper.scaling) == (1024, 4, "minmax")


def test_published_infoalign() -> None:
    paper = InfoAlignConfig.paper()
    assert (paper.views, paper.molecule_targets) == (("2d",), ("morgan",))
    assert (paper.beta, paper.decode, paper.decoder_dropout) == (1e-9, "sample", 0.5)


def test_published_chmr() -> None:
    paper = CHMRConfig.paper()
    assert (paper.views, paper.molecule_targets) == (("1d", "2d", "3d"), ("morgan", "maccs"))
    assert (paper.neighbours, paper.propagation_steps, paper.restore_observed) == (10, 5, True)
    assert (paper.temperature, paper.lambda_sca, paper.lambda_vq) == (0.2, 10, 10)
    assert (paper.quantizer, paper.depth, paper.eta, paper.reverse_assignment) == ("tree", 6, 1, True)
    assert (paper.alignment, paper.decode_from, paper.continuous_loss) == ("paper", "modality", "mse")
    assert paper.decoder_dropout == 0.3


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
