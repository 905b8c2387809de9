"""Molecules put together from pieces: chains with rings, branches, charges, isotopes and stereo."""

from __future__ import annotations

from hypothesis import strategies as st
from rdkit import Chem

__all__ = ["molecules"]

PIECES = (
    *(
        "C",
        "O",
        "N",
        "S",
        "CC",
        "C(=O)N",
        "C(=O)O",
        "OC(=O)",
        "NC(=O)",
        "N(C)",
        "C(C)(C)",
        "C(F)(F)",
        "C(Cl)(Br)",
    ),
    *(
        "c1ccc(cc1)",
        "c1cnc(nc1)",
        "c1csc(n1)",
        "C1CCC(CC1)",
        "N1CCN(CC1)",
        "C1CC1",
        "C1(CC1)",
        "N1CC1",
        "C1C2CC1C2",
    ),
    *(
        "C=C",
        "/C=C/",
        "C=N",
        "C#C",
        "S(=O)(=O)",
        "P(=O)(O)",
        "[N+](C)(C)",
        "[C@H](F)",
        "[C@@](C)(O)",
        "[13CH2]",
    ),
    *(
        "[Si](C)(C)",
        "C(=S)N",
        "N=N",
        "C(=[N+](C)C)N",
        "B(O)",
        "c1ccc2[nH]cc(c2c1)",
        "[CH]",
        "C(=O)",
        "[S@](=O)",
    ),
)
ENDS = (
    "C",
    "O",
    "N",
    "Cl",
    "C(F)(F)F",
    "C(C)(C)C",
    "C#N",
    "[N+](=O)[O-]",
    "S",
    "C(=O)[O-]",
    "[2H]",
    "[NH3+]",
    "C.[Na+]",
)


def _read(parts: tuple[str, list[str], str]) -> Chem.Mol | None:
    first, middle, last = parts
    return Chem.MolFromSmiles(first + "".join(middle) + last)


molecules = (
    st.tuples(
        st.sampled_from(("C", "O", "CC", "Cl", "N")),
        st.lists(st.sampled_from(PIECES), max_size=6),
        st.sampled_from(ENDS),
    )
    .map(_read)
    .filter(lambda mol: mol is not None)
)
"""Molecules of up to six pieces between two ends."""
