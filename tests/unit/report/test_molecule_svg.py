"""Molecules drawn in the page's own colours."""

from __future__ import annotations

import re

from cytomol.report.molecule_svg import draw_molecule


def test_a_molecule_is_drawn_in_the_colour_of_text_and_named() -> None:
    svg = draw_molecule("CC(=O)Nc1ccc(O)c(Cl)c1", says="<paracetamol>")
    assert 'role="img" aria-label="&lt;paracetamol&gt;"' in svg
    assert "#" not in svg
    assert len(re.findall("<path", svg)) <= 4
    assert len(svg) < 4000


def test_a_wedge_is_filled() -> None:
    flat, stereo = (draw_molecule(s, says="m") for s in ("CC(O)C(N)C", "C[C@H](O)[C@@H](N)C"))
    assert len(stereo) > len(flat)


def test_atoms_that_raise_are_blue_and_those_that_lower_vermillion() -> None:
    svg = draw_molecule("CCO", says="m", atoms={0: 1.0, 1: -0.5, 2: 0.001})
    assert re.findall(r"var\(--(\w+)\)", svg) == ["blue", "vermillion"]


def test_what_is_no_molecule_is_written_out() -> None:
    svg = draw_molecule("<b>C1", says="m")
    assert "&lt;b&gt;C1" in svg
    assert "<path" not in svg
