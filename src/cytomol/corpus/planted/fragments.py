"""The library that planted molecules are assembled from: cores, pharmacophores, decorations.

A core is a SMILES with three open places ``{0}``, ``{1}``, ``{2}``, each after the atom that carries it.
Every core is one fused ring system and no fragment holds a fused ring, so the ring system of a molecule
names its core, and molecules of two cores never share a Murcko scaffold. Cores use the ring digits 1 to
4, fragments 5 to 9.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "CORES",
    "DECORATIONS",
    "PHARMACOPHORES",
    "SMALL_DECORATIONS",
    "Pharmacophore",
    "assemble",
]

CORES: dict[str, tuple[str, ...]] = {
    "diazanaphthalene": (
        "c1{2}nc{0}c2cc{1}ccc2n1",
        "c1{2}cc{0}c2cc{1}ccc2n1",
        "c1{0}nccc2cc{1}c{2}cc12",
        "c1{0}nc2cc{1}c{2}cc2nc1",
        "c1{2}cc{0}c2nc{1}ccc2n1",
        "c1{0}nnc2cc{1}c{2}cc2c1",
        "c1{0}nnc{2}c2cc{1}ccc12",
    ),
    "purine-like": (
        "c1{0}cn2nc{1}cc2nc1{2}",
        "c1{0}cc{2}c2ncc{1}n2n1",
        "c1{2}nc{0}c2c{1}cn(C)c2n1",
        "c1{2}nc{0}c2c{1}csc2n1",
        "c1{2}nc{0}c2c{1}nn(C)c2n1",
        "c1{2}nc{0}c2nc{1}n(C)c2n1",
        "c1{2}cc{0}c2nc{1}cn2c1",
    ),
    "indole-like": (
        "c1{0}c{2}c2cc{1}ccc2[nH]1",
        "c1{0}n[nH]c2cc{2}c{1}cc12",
        "c1{0}nc2cc{1}c{2}cc2n1C",
        "c1{0}c{2}c2cc{1}cnc2[nH]1",
        "c1{0}c{2}c2cc{1}ccc2o1",
        "c1{0}c{2}c2cc{1}ccc2s1",
        "c1{0}nc2cc{1}c{2}cc2o1",
    ),
    "lactam": (
        "C1(C)(C)C(=O)Nc2c{2}c{0}c{1}cc12",
        "c1{2}c{0}c2cc{1}ccc2n(C)c1=O",
        "C1NC(=O)c2c{0}c{1}c{2}cc12",
        "CN1C(=O)c2c{0}cc{1}c{2}c2C1=O",
        "C1{2}Oc2cc{0}c{1}cc2NC1=O",
        "c1{0}nc2cc{1}c{2}cc2c(=O)n1C",
        "C1C{2}c2cc{0}c{1}cc2NC1=O",
    ),
    "cyclic amine": (
        "CN1CCc2c{2}c{0}c{1}cc2C1",
        "CN1CCC{2}c2cc{0}c{1}cc21",
        "CN1CCc2c(C1)[nH]c1cc{0}c{1}c{2}c12",
        "CN1CC{2}c2cc{0}c{1}cc21",
        "CN1CCc2cc{0}c{1}c{2}c2CC1",
        "CN1CCc2nc{0}c{1}c{2}c2C1",
        "CN1CCC2CC{0}C{1}CC2C1{2}",
    ),
    "benzoxacycle": (
        "c1{0}c{2}c(=O)c2cc{1}ccc2o1",
        "c1{0}c{2}c2cc{1}ccc2oc1=O",
        "C1CC{2}c2cc{0}c{1}cc2O1",
        "C1{2}COc2cc{0}c{1}cc2O1",
        "C1Oc2c{2}c{0}c{1}cc2O1",
        "C1{2}CC(=O)c2cc{0}c{1}cc2O1",
        "C1{2}Cc2cc{0}c{1}cc2O1",
    ),
    "tricycle": (
        "Cn1c2ccc{0}cc2c2cc{1}c{2}cc12",
        "o1c2ccc{0}cc2c2cc{1}c{2}cc12",
        "CN1c2ccc{0}cc2Sc2cc{1}c{2}cc21",
        "c1{0}c2cc{1}ccc2nc2cc{2}ccc12",
        "C1c2cc{0}ccc2-c2cc{1}c{2}cc12",
        "CN1c2cc{0}ccc2CCc2cc{1}c{2}cc21",
        "CN1c2ccc{0}cc2Oc2cc{1}c{2}cc21",
    ),
    "thiacycle": (
        "c1{0}nc2cc{1}c{2}cc2s1",
        "c1{0}nsc2cc{1}c{2}cc12",
        "CN1C(=O)c2c{2}c{0}c{1}cc2S1(=O)=O",
        "c1{0}ncc2c{1}c{2}sc2c1",
        "C1{2}CC(=O)c2cc{0}c{1}cc2S1",
        "C1{2}Sc2cc{0}c{1}cc2NC1=O",
        "c1{0}c{1}cnc2sc{2}cc12",
    ),
}
"""Chemotype -> its cores."""


@dataclass(frozen=True)
class Pharmacophore:
    """A group that binds, in its exchangeable forms, each with a close look-alike that does not.

    Attributes
    ----------
    name
        What the forms have in common.
    forms
        Pairs of SMILES fragments (binding, look-alike): one small change apart, so that two molecules
        which differ in nothing else are an activity cliff.
    """

    name: str
    forms: tuple[tuple[str, str], ...]


PHARMACOPHORES = (
    Pharmacophore(
        "acid",
        (
            ("C(=O)O", "C(=O)OC"),
            ("c5nnn[nH]5", "c5nnn(C)n5"),
            ("C(=O)NO", "C(=O)NOC"),
            ("C(=O)NS(C)(=O)=O", "C(=O)N(C)S(C)(=O)=O"),
            ("c5n[nH]c(=O)o5", "c5nn(C)c(=O)o5"),
        ),
    ),
    Pharmacophore(
        "amide donor",
        (
            ("C(N)=O", "C(=O)N(C)C"),
            ("NC(N)=O", "N(C)C(=O)N(C)C"),
            ("S(N)(=O)=O", "S(=O)(=O)N(C)C"),
            ("NC(C)=O", "N(C)C(C)=O"),
            ("C(=O)NC", "C(=O)N5CCC5"),
        ),
    ),
    Pharmacophore(
        "base",
        (
            ("CN", "CNC=O"),
            ("N5CCNCC5", "N5CCN(C=O)CC5"),
            ("CCNC", "CCN(C)C=O"),
            ("C(=N)N", "C(=NOC)N"),
            ("C5CCNCC5", "C5CCN(C=O)CC5"),
        ),
    ),
    Pharmacophore(
        "electrophile",
        (
            ("NC(=O)C=C", "NC(=O)CC"),
            ("S(=O)(=O)C=C", "S(=O)(=O)CC"),
            ("C#N", "CC#N"),
            ("C(=O)C(F)(F)F", "C(O)C(F)(F)F"),
            ("NC(=O)CCl", "NC(=O)CCC"),
        ),
    ),
)

SMALL_DECORATIONS = (
    "", "F", "C", "Cl", "OC", "C(F)(F)F", "CC", "O", "C(C)C", "OCC", "Br", "OC(F)F", "SC",
    "C5CC5", "OC(F)(F)F", "C(C)(C)C", "COC", "CO", "OC(C)C", "C(F)F", "CCC", "OCCOC", "CCO", "I",
)  # fmt: skip
"""For the third place, the commonest first; "" is hydrogen."""

_LINKERS = ("", "O", "C", "OC", "N", "CC", "NC", "CO", "S", "OCC")
_ENDS = (
    "c5ccccc5", "c5ccc(F)cc5", "c5cccnc5", "C5CCCCC5", "c5ccc(OC)cc5", "c5ccc(Cl)cc5", "c5ccsc5",
    "c5cccc(C(F)(F)F)c5", "C5CCOCC5", "c5ccc(C)cc5", "c5cccc(Cl)c5", "c5ncccn5", "C5CCCC5", "c5ccccc5F",
    "c5ccco5", "c5cc(OC)cc(OC)c5", "c5cnn(C)c5", "c5ccncc5", "c5ccc(C(C)(C)C)cc5",
)  # fmt: skip

DECORATIONS = (
    *(linker + end for end in _ENDS for linker in _LINKERS),
    "N5CCOCC5", "N5CCCC5", "OCCN5CCOCC5", "CCCC", "OCCC", "CC(C)C", "N5CCCCC5", "OCCCC", "CCC(F)(F)F",
)  # fmt: skip
"""For the second place, and for the first where no pharmacophore stands: linker and ring, mostly."""


def assemble(core: str, *fragments: str) -> str:
    """Return the SMILES of ``core`` with ``fragments`` at its places, in order ("" is hydrogen).

    Examples
    --------
    >>> assemble("c1{0}nc2cc{1}c{2}cc2o1", "C#N", "F", "")
    'c1(C#N)nc2cc(F)ccc2o1'
    """
    return core.format(*(f"({fragment})" if fragment else "" for fragment in fragments))
