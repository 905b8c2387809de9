"""What a benchmark can run, what each model reads, and what is refused."""

from __future__ import annotations

import pytest

from cytomol.errors import ConfigError
from cytomol.evaluate.benchmark_models import (
    check_encoders,
    check_models,
    default_models,
    passed_on_the_way,
    reads_encoders,
)
from cytomol.evaluate.rows import Job


def test_default_models(plugin: str) -> None:
    without, with_one = default_models([plugin]), default_models([plugin], backbone="somewhere")
    assert {"toy-mean", "forest", "cytomol"} <= set(without) < set(with_one)
    assert set(with_one) - set(without) >= {"mlp-embedding"}


def test_models_that_are_not_there_are_refused() -> None:
    with pytest.raises(ConfigError, match="plugin nothing_here"):
        check_models(["forest"], ["nothing_here"])
    with pytest.raises(ConfigError, match="no model is named"):
        check_models([])


def test_peers_and_models_of_fingerprints_read_no_vectors() -> None:
    read = [name for name in ("forest", "cytomol", "kernel", "chemprop") if reads_encoders(name)]
    assert read == ["forest", "cytomol"]
    said: list[str] = []
    check_encoders(["kernel"], (), said.append)
    assert said == []
    with pytest.raises(ConfigError, match="of the models kernel none reads"):
        check_encoders(["kernel"], ["minimol"], said.append)


def test_only_models_that_are_asked_for_are_taken_on_the_way() -> None:
    refit, plain = Job("toy", "cytomol-refit", 0), Job("toy", "cytomol", 0)
    assert passed_on_the_way(refit, [refit, plain]) == [plain]
    assert passed_on_the_way(refit, [refit, Job("toy", "cytomol", 1)]) == []
    assert passed_on_the_way(plain, [refit, plain]) == []
    assert passed_on_the_way(Job("toy", "chemprop", 0), [plain]) == []
