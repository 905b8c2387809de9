"""The examples of CONTRIBUTING.md run as they stand there."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from types import ModuleType

import pytest
from tools.architecture import ROOT

from cytomol.context import criteria
from cytomol.corpus.readers import base as readers
from cytomol.learners import base as learners
from cytomol.methods import base as methods
from cytomol.registry import Registry

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^ *```python\n(.*?)^ *```$", TEXT, re.DOTALL | re.MULTILINE)
EXAMPLES = [textwrap.dedent(block) for block in BLOCKS]
EXTENDED: tuple[ModuleType, ...] = (criteria.base, readers, learners, methods)


def registries() -> list[Registry[object]]:
    return [thing for module in EXTENDED for thing in vars(module).values() if isinstance(thing, Registry)]


@pytest.mark.parametrize("code", EXAMPLES, ids=[str(i) for i in range(len(EXAMPLES))])
def test_example_runs(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for registry in registries():  # what an example registers is forgotten after it
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    assert "assert " in code
    exec(compile(code, "CONTRIBUTING.md", "exec"), {"__name__": "example"})


def test_every_kind_of_strategy_has_an_example() -> None:
    assert len(registries()) == len(EXTENDED)
    for name in ("readers", "criteria", "methods", "learners"):
        assert sum(f"{name}.register(" in code for code in EXAMPLES) == 1


def test_the_targets_that_are_named_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|^)make (\w+)", TEXT, re.MULTILINE))
    assert {"test", "lint", "doctest", "docs", "wheel"} <= named
    assert [name for name in sorted(named) if f"\n{name}:" not in makefile] == []
