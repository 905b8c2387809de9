"""Which options of a head go together."""

from __future__ import annotations

from typing import Any

import pytest

from cytomol.errors import ConfigError
from cytomol.learners.head.options import BLOCKS, HeadOptions
from cytomol.methods import methods


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schedule": "onecycle", "patience": 5}, "goes with patience 0"),
        ({"keep": "last", "patience": 5}, "weights of the last epochs go with patience 0"),
        ({"keep": "average", "patience": 1}, "weights of the average epochs go with patience 0"),
        (
            {"unfreeze": "all", "keep": "last", "patience": 0},
            "schedule and keep are those of a head on a frozen backbone",
        ),
        ({"unfreeze": "staged", "schedule": "onecycle", "patience": 0}, "a frozen backbone"),
        ({"unfreeze": "all", "ensemble": 2}, "an ensemble of heads needs a frozen backbone"),
        ({"unfreeze": "all", "features": "1d+counts"}, "needs the embedding among the features"),
        ({"features": "1d+fingerprint"}, "features are one or more of"),
        ({"features": "1d+1d"}, "each once"),
        ({"label_smoothing": 1.0}, "label_smoothing"),
        ({"focal_gamma": -1.0}, "focal_gamma"),
        ({"schedule": "linear"}, "schedule"),
        ({"unfreeze": "staged", "schedule": "cosine"}, "a frozen backbone"),
        ({"unfreeze": "all", "embedding_mode": "training"}, "unfreeze must be none"),
        ({"unfreeze": "all", "forest_gamma": 0.1}, "unfreeze must be none"),
        ({"embedding_mode": "training", "ensemble": 2}, "an ensemble of heads needs a frozen backbone"),
        (
            {"embedding_mode": "training", "keep": "average", "patience": 0},
            "an average over epochs needs a frozen backbone",
        ),
        ({"embedding_mode": "training", "features": "1d"}, "needs the embedding among the features"),
        ({"forest_gamma": 0.1, "features": "embedding+maccs"}, "needs 1d among the features"),
        ({"target_scaling": "minmax"}, "target_scaling"),
        ({"bits_radius": 9}, "bits_radius"),
        ({"keep": "first"}, "keep"),
    ],
)
def test_what_does_not_go_together_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        HeadOptions.build(options)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"schedule": "onecycle", "patience": 0},
        {"keep": "last", "patience": 0},
        {"schedule": "onecycle", "keep": "average", "patience": 0, "ensemble": 3},
        {"unfreeze": "all", "features": "embedding+1d"},
        {"schedule": "cosine", "patience": 50, "keep": "best"},
        {"embedding_mode": "training", "schedule": "onecycle", "patience": 0, "keep": "last"},
        {"embedding_mode": "training", "forest_gamma": 0.1, "features": "embedding+1d"},
        {"forest_gamma": 0.1, "ensemble": 3, "features": "1d"},
    ],
)
def test_what_goes_together(options: dict[str, Any]) -> None:
    config = HeadOptions.build(options)
    assert config.model_dump().items() >= (options if "features" not in options else {}).items()


def test_blocks_come_in_one_order() -> None:
    assert HeadOptions(features=" Descriptors + embedding+maccs").features == "embedding+maccs+descriptors"
    assert HeadOptions(features="+".join(reversed(BLOCKS))).blocks(None) == BLOCKS
    assert HeadOptions().blocks(None) == ("1d",)
    assert HeadOptions().blocks(methods["infoalign"].blocks) == ("embedding",)
    assert HeadOptions().blocks(methods["chmr"].blocks) == ("embedding", "1d")


@pytest.mark.parametrize("method", ["infoalign", "chmr"])
def test_the_papers_heads_are_valid(method: str) -> None:
    config = HeadOptions.preset("paper", method)
    assert (config.head, config.keep, config.schedule) == (method, "best", "constant")
