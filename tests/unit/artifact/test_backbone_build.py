"""A backbone whose parts do not fit together is refused as it is built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cytomol import Backbone
from cytomol.errors import ModelDirectoryError


@pytest.mark.parametrize(
    ("option", "value"), [("morgan_bits", None), ("morgan_bits", 128), ("views", ["2d"])]
)
def test_views_of_another_width_are_refused(untrained: dict[str, Path], option: str, value: Any) -> None:
    """A model that was tampered with: without its number of bits the default made wider fingerprints."""
    whole = Backbone.load(untrained["chmr"])
    about = whole.description()
    if value is None:
        del about["config"][option]
    else:
        about["config"][option] = value
    with pytest.raises(ModelDirectoryError, match=r"views of|weights"):
        Backbone.build(about, whole.weights(), whole.statistics(), where="model")
