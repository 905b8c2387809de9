"""The table of the three forms in the documents says what the presets are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from cytomol.methods.config import CHMRConfig, ContrastiveConfig, InfoAlignConfig

PAGE = Path(__file__).resolve().parents[3] / "docs" / "method.md"
FORMS = ("paper", "authors", "default")
CONFIGS = {"InfoAlign": InfoAlignConfig, "CHMR": CHMRConfig}


def shown(value: Any) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "on" if value else "off"
        case tuple():
            return ",".join(value)
        case float():
            return f"{value:g}"
    return str(value)


def rows() -> dict[str, list[str]]:
    """Return the cells of each row of the table, by option."""
    section = PAGE.read_text(encoding="utf-8").partition("## The three forms")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {re.findall(r"`(\w+)`", line[0])[0]: line for line in cells}


def differing() -> list[str]:
    """Return the options that a preset changes, in their order."""
    found = []
    for config in CONFIGS.values():
        forms = [config.preset(name) for name in FORMS]
        found += [name for name in config.model_fields if len({shown(getattr(f, name)) for f in forms}) > 1]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("option", differing())
def test_every_difference_is_in_the_table_as_it_is(option: str) -> None:
    table = rows()
    assert option in table, f"docs/method.md has no row for {option}"
    owner, *cells = table[option]
    have = [name for name, config in CONFIGS.items() if option in config.model_fields]
    assert ("(" in owner) == (len(have) == 1)
    assert cells[-1], "no reason is given"
    for form, cell in zip(FORMS, cells, strict=False):
        values = {name: shown(getattr(CONFIGS[name].preset(form), option)) for name in have}
        same = len(set(values.values())) == 1
        expected = next(iter(values.values())) if same else ", ".join(f"{k} {v}" for k, v in values.items())
        assert cell == expected, f"{option}, {form}"


def test_the_table_of_the_contrast() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("\n## Contrastive")[2].partition("\n## ")[0]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    found = {cells[0].strip(" `"): tuple(cell.strip() for cell in cells[1:]) for cells in lines}
    paper, default = ContrastiveConfig.preset("paper"), ContrastiveConfig()
    shows = {
        name: (shown(getattr(paper, name)), shown(getattr(default, name)))
        for name in type(paper).model_fields
    }
    assert found == {name: both for name, both in shows.items() if both[0] != both[1]}


def test_the_table_has_no_other_rows() -> None:
    assert set(rows()) == set(differing())
