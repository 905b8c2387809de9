"""The tables of variants: names, options that exist, and what "each" stands for."""

from __future__ import annotations

from itertools import combinations

import pytest

from cytomol.errors import ConfigError
from cytomol.evaluate.variants import FULL, STUDIES, studies_of, variants_of
from cytomol.methods.config import CHMRConfig, InfoAlignConfig

BASES = {"chmr": CHMRConfig(), "infoalign": InfoAlignConfig()}
PAIRS = [(study, method) for study, methods in STUDIES.items() for method in methods]


# rows of a grid that are the full method itself
SAME = {
    ("eta", "chmr"): ["eta 1"],
    ("depth", "chmr"): ["depth 6"],
    ("lambda", "chmr"): ["lambda_sca 10, lambda_vq 10"],
    ("minimality", "infoalign"): ["beta 1e-09"],
    ("walks", "chmr"): ["walk length 4"],
    ("walks", "infoalign"): ["walk length 4"],
}


@pytest.mark.parametrize(("study", "method"), PAIRS)
def test_every_variant_changes_options_that_exist(study: str, method: str) -> None:
    full, *variants = variants_of(study, method, modalities=("a", "b"), criteria=("p", "q"))
    assert (full.name, dict(full.changes)) == (FULL, {})
    assert len({FULL, *(variant.name for variant in variants)}) == len(variants) + 1 > 2
    configs = [BASES[method].updated(**variant.changes) for variant in variants]
    for one, other in combinations(configs, 2):
        assert one != other
    same = [v.name for v, config in zip(variants, configs, strict=True) if config == BASES[method]]
    assert same == SAME.get((study, method), [])


def test_one_row_for_each_modality_or_criterion() -> None:
    table = {v.name: v.changes for v in variants_of("table2", "chmr", modalities=("a", "b"), criteria=())}
    assert table["only a"] == {"modalities": ("a",)}
    assert table["only b"] == {"modalities": ("b",)}
    terms = {v.name: v.changes for v in variants_of("terms", "infoalign", modalities=("a", "b"), criteria=())}
    assert terms["without target a"] == {"profile_targets": ("b",)}
    edges = {v.name: v.changes for v in variants_of("criteria", "chmr", modalities=(), criteria=("p", "q"))}
    assert edges["without p edges"] == {"criteria": ("q",)}


@pytest.mark.parametrize("method", ["chmr", "infoalign"])
def test_the_encoder_study_builds_other_encoders(method: str) -> None:
    variants = variants_of("encoder", method, modalities=(), criteria=())
    configs = {v.name: BASES[method].updated(**v.changes) for v in variants}
    assert {name: (config.encoder, config.readout) for name, config in configs.items()} == {
        FULL: ("gin", "sum"),
        "GCN encoder": ("gcn", "sum"),
        "max readout": ("gin", "max"),
        "mean readout": ("gin", "mean"),
    }


def test_studies_by_method() -> None:
    assert studies_of(["all"], ["chmr", "infoalign"]) == list(STUDIES)
    assert studies_of(["walks", "all", "walks"], ["infoalign"]) == [
        "walks",
        "terms",
        "minimality",
        "encoder",
        "criteria",
    ]
    assert variants_of("eta", "infoalign", modalities=(), criteria=()) == []
    with pytest.raises(ConfigError, match=r"unknown study 'colour' \(known: table2"):
        studies_of(["colour"], ["chmr"])
    with pytest.raises(ConfigError, match="study eta is one of chmr, not of infoalign"):
        studies_of(["eta"], ["infoalign"])
    with pytest.raises(ConfigError, match="no study"):
        studies_of([], ["chmr"])
