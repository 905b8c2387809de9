"""A molecule drawn by RDKit as a small SVG in the page's own colours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import hypot
from typing import Any

from cytomol.report.elements import escaped

__all__ = ["draw_molecule"]

_PATH = re.compile(r"<path [^>]*?\bd='([^']*)'([^>]*)/>", re.DOTALL)
_SPACE = re.compile(r"\s*[ ,\n]\s*")
_STROKE = re.compile(r"stroke-width:([\d.]+)px")
_DASH = re.compile(r"stroke-dasharray:([\d.,]+)")


def draw_molecule(
    smiles: str,
    *,
    says: str,
    size: tuple[int, int] = (220, 160),
    atoms: Mapping[int, float] | None = None,
) -> str:
    """Return a molecule as SVG; a text that is no molecule is written out instead.

    Parameters
    ----------
    smiles
        The molecule.
    says
        What a reader by ear is told: a name, an id.
    size
        Width and height in pixels.
    atoms
        What each atom adds to a value; the strongest has a full spot, blue where it raises the value and
        vermillion where it lowers it.

    Examples
    --------
    >>> svg = draw_molecule("CCO", says="ethanol")
    >>> svg.startswith('<svg role="img" aria-label="ethanol"'), "currentColor" in svg
    (True, True)
    """
    from rdkit import Chem
    from rdkit.Chem import rdDepictor
    from rdkit.Chem.Draw import rdMolDraw2D

    width, height = size
    opening = (
        f'<svg role="img" aria-label="{escaped(says)}" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" fill="none" stroke-linejoin="round" stroke-linecap="round">'
    )
    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        return (
            f'{opening}<text x="8" y="{height // 2}" fill="currentColor">{escaped(smiles[:40])}</text></svg>'
        )
    rdDepictor.Compute2DCoords(molecule)
    drawer: Any = rdMolDraw2D.MolDraw2DSVG(width, height)
    options = drawer.drawOptions()
    options.clearBackground = False
    options.useBWAtomPalette()
    options.padding = 0.06
    options.bondLineWidth = 1.5
    options.minFontSize = 9
    options.fixedBondLength = 28  # at most: small molecules are not blown up
    drawer.DrawMolecule(molecule)
    drawer.FinishDrawing()
    spots = _spots(drawer, molecule, atoms) if atoms else ""
    return f"{opening}{spots}{_paths(drawer.GetDrawingText())}</svg>"


def _paths(svg: str) -> str:
    """Return the drawing's lines in a few paths: those of one width together, and the letters."""
    lines: dict[tuple[str, str], list[str]] = {}
    letters: list[str] = []
    for d, style in _PATH.findall(svg):
        short = _SPACE.sub(" ", d.strip())
        width, dash = _STROKE.search(style), _DASH.search(style)
        if "fill:none" in style.replace(" ", "") and width:
            lines.setdefault((width[1], dash[1] if dash else ""), []).append(short)
        else:
            letters.append(short)
    strokes = "".join(
        f'<path stroke="currentColor" stroke-width="{width}"'
        + (f' stroke-dasharray="{dash}"' if dash else "")
        + f' d="{" ".join(parts)}"/>'
        for (width, dash), parts in lines.items()
    )
    return strokes + (f'<path fill="currentColor" d="{" ".join(letters)}"/>' if letters else "")


def _spots(drawer: Any, molecule: Any, atoms: Mapping[int, float]) -> str:
    """Return a soft spot below each atom, as strong as what it adds."""
    largest = max((abs(value) for value in atoms.values()), default=0.0) or 1.0
    places = [drawer.GetDrawCoords(atom) for atom in range(molecule.GetNumAtoms())]
    lengths = sorted(
        hypot(places[i].x - places[j].x, places[i].y - places[j].y)
        for i, j in ((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in molecule.GetBonds())
    )
    unit = lengths[len(lengths) // 2] if lengths else 28.0
    spots = []
    for atom, place in enumerate(places):
        share = atoms.get(atom, 0.0) / largest
        if abs(share) < 0.05:
            continue
        name = "blue" if share > 0 else "vermillion"
        spots.append(
            f'<circle cx="{place.x:.1f}" cy="{place.y:.1f}" r="{unit * (0.22 + 0.23 * abs(share)):.1f}" '
            f'fill="var(--{name})" fill-opacity="{0.12 + 0.5 * abs(share):.2f}"/>'
        )
    return "".join(spots)
