"""Every example of a docstring runs and gives what it shows (`make doctest`)."""

from __future__ import annotations

import doctest
import importlib
import shutil
from pathlib import Path

import pytest
from tools.architecture import module_paths

import cytomol

TEXTS = {module: path.read_text(encoding="utf-8") for module, path in module_paths().items()}
WITH_EXAMPLES = sorted(module for module, text in TEXTS.items() if ">>> " in text)


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_give_what_they_show(
    module: str, untrained: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run the examples in a folder that holds "model", a small backbone with random weights."""
    shutil.copytree(untrained["chmr"], tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(
        importlib.import_module(module), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    assert result.attempted > 0
    assert result.failed == 0, f"see the output above: {result.failed} of {result.attempted}"


def test_no_example_is_skipped() -> None:
    assert [module for module, text in TEXTS.items() if "doctest: +SKIP" in text] == []


# Public names whose docstring shows no example yet: each goes when it has one.
NOT_YET = {"CHMRConfig", "ContrastiveConfig", "InfoAlignConfig", "pretrain"}


def test_public_names_have_an_example() -> None:
    without = {name for name in cytomol.__all__ if ">>> " not in (getattr(cytomol, name).__doc__ or "")}
    assert sorted(without - NOT_YET) == []
    assert sorted(NOT_YET - without) == [], "these have an example: take them off NOT_YET"
