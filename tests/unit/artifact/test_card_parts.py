from __future__ import annotations

import yaml
from tools.architecture import ROOT

from cytomol.artifact.card_parts import cell, citation, front_matter, licence_lines
from cytomol.methods import methods


def test_front_matter_is_yaml_between_dashes_and_leaves_empty_fields_out() -> None:
    lines = front_matter({"tags": ["a: b", "- c"], "license": None, "name": "x" * 300, "datasets": []})
    assert lines[0] == "---"
    assert lines[-2:] == ["---", ""]
    assert yaml.safe_load("\n".join(lines[1:-2])) == {"tags": ["a: b", "- c"], "name": "x" * 300}


def test_a_cell_stays_one_cell() -> None:
    assert cell("a | b\nc") == "a \\| b c"


def test_every_method_has_its_paper_as_in_the_citation_file() -> None:
    known = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["references"]
    for paper in (methods[name].paper for name in methods.names()):
        assert sum(one["title"] in paper for one in known) == 1, paper


def test_citation_names_the_methods_that_were_used() -> None:
    assert sum("arXiv:2406.12056" in line for line in citation("infoalign")) == 1
    assert not any("arXiv" in line for line in citation("unheard of"))


def test_licences_are_told_or_said_to_be_unknown() -> None:
    assert "| JUMP | CC0-1.0 |" in licence_lines({"JUMP": "CC0-1.0"})
    assert any(line.startswith("Not told.") for line in licence_lines(None))
