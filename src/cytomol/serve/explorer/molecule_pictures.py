"""Molecules as SVG pictures without a background, for a light page or a dark one."""

from __future__ import annotations

from typing import Any

from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

from cytomol.chem.parse import parse_smiles
from cytomol.errors import InputError

__all__ = ["draw_molecule"]

_drawer: Any = rdMolDraw2D
_LONGEST_BOND = 32  # in pixels: ethanol is not drawn as large as a steroid


def draw_molecule(smiles: str, *, width: int = 260, height: int = 190, dark: bool = False) -> str:
    """Draw a molecule.

    Parameters
    ----------
    smiles
        The molecule.
    width, height
        Size in pixels.
    dark
        Draw in light colours, for a dark page.

    Returns
    -------
    str
        An SVG document with a transparent background.

    Raises
    ------
    InputError
        If there is no such molecule.

    Examples
    --------
    >>> "<svg" in draw_molecule("CCO")
    True
    """
    parsed = parse_smiles(smiles)
    if parsed.mol is None:
        raise InputError(parsed.reason, hint="check the SMILES")
    drawer = _drawer.MolDraw2DSVG(width, height)
    options = drawer.drawOptions()
    if dark:
        _drawer.SetDarkMode(options)
    options.clearBackground = False
    options.padding = 0.06
    options.fixedBondLength = _LONGEST_BOND
    options.bondLineWidth = 1.4
    rdDepictor.Compute2DCoords(parsed.mol)
    _drawer.PrepareAndDrawMolecule(drawer, parsed.mol)
    drawer.FinishDrawing()
    return str(drawer.GetDrawingText())
