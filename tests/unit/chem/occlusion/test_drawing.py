"""Drawings of attributions."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from rdkit import Chem

from cytomol.chem.occlusion.attribution import Attribution
from cytomol.chem.occlusion.drawing import draw_attribution, page_of_drawings


def spots(svg: str) -> list[tuple[str, float]]:
    return [(way, float(much)) for way, much in re.findall(r"url\(#(\w+)\)' fill-opacity='([\d.]+)'", svg)]


def test_spots_are_as_strong_as_the_atoms() -> None:
    mol = Chem.MolFromSmiles("CCOC")
    attribution = Attribution("acid & base", 0.5, np.array([0.2, -0.4, 0.0, 0.1]), np.zeros(1))
    svg = draw_attribution(mol, attribution)
    assert spots(svg) == [("raises", 0.5), ("lowers", 1.0), ("raises", 0.25)]
    assert "acid &amp; base 0.5, strongest atom -0.4" in svg
    ET.fromstring(svg.encode())  # well-formed
    assert svg == draw_attribution(mol, attribution)
    assert mol.GetNumConformers() == 0  # the molecule is left as it was


@pytest.mark.parametrize("smiles", ["C", "[Na+].[Cl-]"])
def test_molecules_without_bonds_are_drawn(smiles: str) -> None:
    mol = Chem.MolFromSmiles(smiles)
    svg = draw_attribution(mol, Attribution("x", 0.0, np.zeros(mol.GetNumAtoms()), np.zeros(1)))
    ET.fromstring(svg.encode())
    assert spots(svg) == []


def test_a_page_shows_all() -> None:
    page = page_of_drawings("a <b>", [("1.svg", "row 1: C<C"), ("2.svg", "row 2")])
    assert page.count("<figure>") == 2
    assert "a &lt;b&gt;" in page
    assert "row 1: C&lt;C" in page
