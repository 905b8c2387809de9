"""Presets against the table of settings in CHMR's README, and what they are with each method."""

from __future__ import annotations

from typing import Any

import pytest

from cytomol.errors import ConfigError
from cytomol.learners.head.presets import AUTHORS_SETS, preset_names
from cytomol.methods import methods
from cytomol.predict.config import FinetuneConfig

# set: lr, dropout, gamma, hidden, batch, patience, epochs, norm
README = """
chembl2k    1e-3 .9 -    1800 5120  50 300 layer
toxcast     1e-2 .8 -    1800 5120  50 300 layer
broad6k     2e-3 .8 -    1800 5120  50 300 layer
bbbp        1e-3 .5 -    2400 5120  50 300 layer
bace        5e-4 .5 .005 1800 16    5  100 batch
clintox     5e-3 .9 .01  2400 32    5  100 layer
sider       5e-4 .2 .1   1200 5120  20 30  batch
hiv         1e-3 .8 .001 1800 10240 50 300 batch
biogenadme  2e-3 .8 -    1200 5120  50 300 layer
"""
ROWS = {line.split()[0]: line.split()[1:] for line in README.strip().splitlines()}
# trees, seed, weight of class 1
FORESTS = {"bace": (500, 7, 1.43), "clintox": (75, 5, 10), "hiv": (1000, 0, 10), "sider": (500, 4, 3.4)}


@pytest.mark.parametrize("name", ROWS)
def test_settings_of_a_set_are_those_of_the_readme(name: str) -> None:
    config = FinetuneConfig.preset(f"authors:{name}", "chmr")
    lr, dropout, gamma, hidden, batch, patience, epochs, norm = ROWS[name]
    assert (config.lr, config.dropout) == (float(lr), float(dropout))
    assert config.forest_gamma == (0 if gamma == "-" else float(gamma))
    assert (config.hidden, config.batch_size, config.epochs) == (int(hidden), int(batch), int(epochs))
    assert config.norm == norm
    # theirs stops when more than `patience` epochs are over, ours when as many are
    assert config.patience == int(patience) + 1
    if name in FORESTS:
        assert (config.forest_trees, config.forest_seed, config.forest_class_weight) == FORESTS[name]


def test_every_set_of_the_readme_is_offered() -> None:
    assert set(AUTHORS_SETS) == set(ROWS)
    assert preset_names() == ["default", "paper", "authors", *(f"authors:{name}" for name in AUTHORS_SETS)]


@pytest.mark.parametrize("method", ["infoalign", "chmr", None])
@pytest.mark.parametrize("name", ["authors", "authors:bace", "authors:biogenadme"])
def test_what_the_authors_do_on_every_set(method: str | None, name: str) -> None:
    config = FinetuneConfig.preset(name, method)
    expected: dict[str, Any] = {
        "optimizer": "adam",
        "weight_decay": 1e-5,
        "schedule": "cosine",
        "select_by": "score",
        "keep": "best",
        "target_scaling": "raw",
        "standardize_embedding": False,
        "embedding_mode": "frozen" if method is None else "training",
        "ensemble": 1,
        "label_smoothing": 0.0,
    }
    assert config.model_dump().items() >= expected.items()


def test_infoalign_has_one_form_for_every_set() -> None:
    plain = FinetuneConfig.preset("authors", "infoalign")
    assert FinetuneConfig.preset("authors:bace", "infoalign") == plain
    assert plain.blocks(methods["infoalign"].blocks) == ("embedding",)
    assert (plain.lr, plain.batch_size, plain.epochs, plain.patience) == (1e-3, 5120, 300, 51)
    assert (plain.head, plain.hidden, plain.dropout, plain.forest_gamma) == ("infoalign", 1200, 0.5, 0)


@pytest.mark.parametrize(("method", "blocks"), [("chmr", ("embedding", "1d")), (None, ("1d",))])
def test_chmr_reads_bits_of_radius_one(method: str | None, blocks: tuple[str, ...]) -> None:
    config = FinetuneConfig.preset("authors", method)
    own = None if method is None else methods[method].blocks
    assert config.blocks(own) == blocks
    assert config.bits_radius == 1
    assert config.head == "chmr"


@pytest.mark.parametrize("method", ["infoalign", "chmr"])
def test_other_presets(method: str) -> None:
    assert FinetuneConfig.preset("default", method) == FinetuneConfig()
    paper = FinetuneConfig.preset("paper", method)
    assert (paper.head, paper.optimizer, paper.standardize_embedding) == (method, "adam", False)
    assert (paper.features == "embedding") == (method == "infoalign")
    assert FinetuneConfig.preset("paper", None) == FinetuneConfig.preset("paper", "chmr")


@pytest.mark.parametrize("name", ["authors:esol", "author", "", "authors:", "paper:bace"])
@pytest.mark.parametrize("method", ["infoalign", "chmr"])
def test_an_unknown_preset_lists_the_known_ones(name: str, method: str) -> None:
    with pytest.raises(ConfigError, match=r"unknown preset.*default, paper, authors, authors:chembl2k"):
        FinetuneConfig.preset(name, method)
