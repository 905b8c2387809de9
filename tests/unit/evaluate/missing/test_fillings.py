"""Every filling is options that the method takes, and they differ."""

from __future__ import annotations

import pytest

from cytomol.errors import ConfigError
from cytomol.evaluate.missing.fillings import FILLINGS, fillings_of
from cytomol.methods.config import configs
from cytomol.methods.options.filling import FillingOptions


def test_every_filling_is_another_method() -> None:
    for config in (configs[name]() for name in configs):
        found = fillings_of(config)
        if isinstance(config, FillingOptions):
            assert list(found) == list(FILLINGS)
            options = [tuple(sorted(map(str, one.result_options().items()))) for one in found.values()]
            assert len(set(options)) == len(FILLINGS)
        else:
            assert found == {"none": config}
            with pytest.raises(ConfigError, match="fills no gaps"):
                fillings_of(config, ["zero"])


def test_an_unknown_filling_lists_the_known() -> None:
    filled = next(configs[name]() for name in configs if issubclass(configs[name], FillingOptions))
    with pytest.raises(ConfigError, match=r"unknown filling 'gold' \(known: zero, mean, neighbour"):
        fillings_of(filled, ["zero", "gold"])
