"""Explained molecules drawn into a folder, with a page that shows them all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from cytomol.chem.occlusion.attribution import Attribution, ExplainedMolecule
from cytomol.chem.occlusion.drawing import draw_attribution, legend_of, page_of_drawings

__all__ = ["Drawings"]


class Drawings:
    """Draws molecules into a folder, one file for each value, and a page that shows them all.

    Parameters
    ----------
    folder
        That the files are written to.
    most
        Molecules that are drawn at most.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self.folder, self.most = folder, most
        self.drawn = 0
        self._shown: list[tuple[str, str]] = []

    def add(self, explained: Sequence[ExplainedMolecule], first_row: int) -> None:
        """Draw molecules, whose first one is row ``first_row`` of the input, counted from 1."""
        for row, one in enumerate(explained, start=first_row):
            if one.mol is None or self.drawn >= self.most:
                continue
            self.drawn += 1
            for number, attribution in enumerate(one.attributions, start=1):
                which = f"-{number}{_slug(attribution)}" if len(one.attributions) > 1 else ""
                name = f"{row:06d}{which}.svg"
                (self.folder / name).write_text(draw_attribution(one.mol, attribution), encoding="utf-8")
                self._shown.append((name, f"row {row}: {one.smiles}; {legend_of(attribution)}"))

    def finish(self, title: str) -> None:
        """Write the page."""
        (self.folder / "index.html").write_text(page_of_drawings(title, self._shown), encoding="utf-8")


def _slug(attribution: Attribution) -> str:
    return "-" + re.sub(r"[^A-Za-z0-9_.-]+", "_", attribution.name)[:60]
