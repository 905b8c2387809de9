"""A molecule drawn with what each atom adds to a value: green raises it, pink lowers it."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

from cytomol.chem.occlusion.attribution import Attribution

__all__ = ["draw_attribution", "page_of_drawings"]

_SIZE = (420, 340)
_FAINTEST = 0.02  # of the strongest atom; weaker ones are left white
_BACKGROUND = f"<rect width='{_SIZE[0]}' height='{_SIZE[1]}' fill='white'/>\n"
_GRADIENTS = (
    "<defs>"
    + "".join(
        f"<radialGradient id='{name}'><stop offset='0' stop-color='{colour}' stop-opacity='0.9'/>"
        f"<stop offset='0.5' stop-color='{colour}' stop-opacity='0.55'/>"
        f"<stop offset='1' stop-color='{colour}' stop-opacity='0'/></radialGradient>"
        for name, colour in (("raises", "#2f9e2f"), ("lowers", "#d0256f"))
    )
    + "</defs>"
)
_drawer: Any = rdMolDraw2D


def draw_attribution(mol: Chem.Mol, attribution: Attribution) -> str:
    """Return a molecule as SVG with a spot below each atom: green if it raises the value, pink if it lowers.

    The colours are those of similarity maps. The strongest atom of each molecule has the full colour, so the
    legend says how strong it is.

    Parameters
    ----------
    mol
        The molecule as it was read.
    attribution
        Of its atoms.

    References
    ----------
    Riniker & Landrum, "Similarity maps", J. Cheminform. 5, 43 (2013).

    Examples
    --------
    >>> import numpy as np
    >>> from rdkit import Chem
    >>> of_atoms = Attribution("polar", 1.0, np.array([0.0, 0.1, 0.9]), np.zeros(1))
    >>> svg = draw_attribution(Chem.MolFromSmiles("CCO"), of_atoms)
    >>> svg.startswith("<?xml") and svg.rstrip().endswith("</svg>")
    True
    """
    drawer = _drawer.MolDraw2DSVG(*_SIZE)
    options = drawer.drawOptions()
    options.clearBackground = False
    options.padding = 0.12
    options.useBWAtomPalette()
    flat = Chem.Mol(mol)
    rdDepictor.Compute2DCoords(flat)
    drawer.DrawMolecule(flat)
    drawer.FinishDrawing()
    places = [drawer.GetDrawCoords(atom) for atom in range(flat.GetNumAtoms())]
    spots = _spots([(place.x, place.y) for place in places], flat, attribution.atoms)
    below = _BACKGROUND + spots
    text = str(drawer.GetDrawingText()).replace("<!-- END OF HEADER -->", f"<!-- END OF HEADER -->\n{below}")
    return _with_line(text, legend_of(attribution))


def legend_of(attribution: Attribution) -> str:
    """Say in one line what was explained, its value, and what the strongest atom adds."""
    strongest = attribution.atoms[np.argmax(np.abs(attribution.atoms))] if len(attribution.atoms) else 0.0
    return f"{attribution.name} {attribution.value:.3g}, strongest atom {strongest:+.2g}"


def page_of_drawings(title: str, drawings: Iterable[tuple[str, str]]) -> str:
    """Return a page that shows drawings side by side, each a file beside it with a caption.

    Examples
    --------
    >>> "000001.svg" in page_of_drawings("acid", [("000001.svg", "row 1")])
    True
    """
    figures = "\n".join(
        f'<figure><img src="{html.escape(name)}" alt="">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        for name, caption in drawings
    )
    return (
        f"<!doctype html>\n<meta charset='utf-8'>\n<title>{html.escape(title)}</title>\n"
        "<style>body{font-family:sans-serif;display:flex;flex-wrap:wrap}"
        "figure{margin:8px;width:420px}figcaption{overflow-wrap:anywhere}</style>\n"
        f"{figures}\n"
    )


def _spots(places: list[tuple[float, float]], mol: Chem.Mol, atoms: NDArray[np.float64]) -> str:
    """Return a soft spot below each atom, as strong as what it adds."""
    lengths = [
        float(np.hypot(*np.subtract(places[bond.GetBeginAtomIdx()], places[bond.GetEndAtomIdx()])))
        for bond in mol.GetBonds()
    ]
    radius = 0.75 * float(np.median(lengths)) if lengths else 30.0
    largest = float(np.abs(atoms).max()) or 1.0
    circles = [
        f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{radius:.1f}' "
        f"fill='url(#{'raises' if value > 0 else 'lowers'})' fill-opacity='{abs(value) / largest:.2f}'/>"
        for (x, y), value in zip(places, atoms, strict=True)
        if abs(value) >= _FAINTEST * largest
    ]
    return "\n".join([_GRADIENTS, *circles])


def _with_line(svg: str, text: str) -> str:
    """Return the drawing with a line of text below the molecule."""
    width, height = _SIZE
    line = (
        f"<text x='{width / 2}' y='{height - 8}' text-anchor='middle' font-family='sans-serif' "
        f"font-size='13px'>{html.escape(text)}</text>"
    )
    return svg.replace("</svg>", f"{line}\n</svg>")
