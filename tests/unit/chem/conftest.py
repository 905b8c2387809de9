"""Molecules that break featurizers, and OGB's own features as the oracle."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from rdkit import Chem

HARD = {
    "aspirin": "CC(=O)Oc1ccccc1C(=O)O",
    "caffeine": "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "salt": "[Na+].[Cl-]",
    "salt of a drug": "CC(C)NCC(O)COc1ccccc1.Cl",
    "mixture": "CCO.O.c1ccccc1",
    "hydrate of a metal salt": "O.O.[Cu+2].[O-]S(=O)(=O)[O-]",
    "methane": "C",
    "helium": "[He]",
    "lone proton": "[H+]",
    "hydrogen": "[H][H]",
    "hydrogen atom": "[H]",
    "no bonds": "O.O.O",
    "dummy atom": "*",
    "dummy with label": "[*:3]c1ccccc1",
    "attachment points": "*CC(*)C*",
    "platinum": "N[Pt](N)(Cl)Cl",
    "ferrocene": "[CH-]1C=CC=C1.[CH-]1C=CC=C1.[Fe+2]",
    "dative bond": "[NH3]->[Fe+2]",
    "square planar": "C[Pt@SP1](F)(Cl)Br",
    "octahedral": "C[Co@OH5](F)(Cl)(Br)(I)S",
    "trigonal bipyramid": "S[As@TB1](F)(Cl)(Br)N",
    "uranium": "[U+6]",
    "oganesson": "[Og]",
    "charge beyond the list": "[U-7]",
    "charge beyond a byte": "[C+200]",
    "heavy water": "[2H]O[2H]",
    "carbon 13": "[13CH3]C(=O)O",
    "absurd isotope": "[1000C]",
    "methyl radical": "[CH3]",
    "carbene": "[CH2]",
    "carbon atom": "[C]",
    "nitroxide": "CC1(C)CCCC(C)(C)N1[O]",
    "zwitterion": "[NH3+]CC(=O)[O-]",
    "azide": "CN=[N+]=[N-]",
    "nitro": "O=[N+]([O-])c1ccccc1",
    "tetramethylammonium": "C[N+](C)(C)C",
    "SP3D": "FP(F)(F)(F)F",
    "SP3D2": "FS(F)(F)(F)(F)F",
    "hypervalent iodine": "FI(F)(F)(F)F",
    "chiral": "C[C@H](N)C(=O)O",
    "chiral, other hand": "C[C@@H](N)C(=O)O",
    "many centres": "C[C@H]1[C@@H](O)[C@H](N)[C@@H](C)O[C@@H]1CO",
    "trans": "C/C=C/C",
    "cis": "C/C=C\\C",
    "undefined double bond": "CC=CC",
    "wavy double bond": "CC=CC |w:1.0|",
    "imine": "C/C(=N\\O)c1ccccc1",
    "cumulated": "C=C=C=C",
    "alkyne": "CC#N",
    "quadruple bond": "[Re-2]$[Re-2]",
    "cubane": "C12C3C4C1C5C2C3C45",
    "spiro": "C1CC11CCC1",
    "bridged": "C1CC2CCC1CC2",
    "macrocycle": "C1" + "C" * 40 + "1",
    "pyrrole": "c1cc[nH]c1",
    "porphyrin": "C1=CC2=CC3=CC=C(N3)C=C4C=CC(=N4)C=C5C=CC(=N5)C=C1N2",
    "boron hydride": "[BH4-].[Li+]",
    "silane": "C[Si](C)(C)C",
    "selenium": "C[Se]C",
    "many hydrogens": "[UH9]",
    "explicit hydrogens": "[H]C([H])([H])[H]",
    "atom maps": "[CH3:1][OH:200]",
    "with a name": "CCO ethanol",
    "blank around": "  CCO\t",
    "enhanced stereo": "C[C@H](O)[C@@H](N)C |&1:1,3|",
    "long chain": "C" * 300,
    "long branched chain": "C(F)" * 150 + "/C=C/C",
}

INVALID = {
    "empty": ("", "empty SMILES"),
    "blank": (" \t\n", "empty SMILES"),
    "None": (None, "empty SMILES"),
    "NaN": (float("nan"), "empty SMILES"),
    "number": (12.5, "not text but float: 12.5"),
    "bytes": (b"CCO", "not text but bytes"),
    "words": ("not a molecule", "syntax error"),
    "unclosed ring": ("C1CC", "unclosed ring"),
    "unclosed branch": ("CC(C", "extra open parentheses"),
    "unknown element": ("[Foo]", "syntax error; check for mistakes around position 3"),
    "valence": ("C(C)(C)(C)(C)C", "Explicit valence for atom # 0 C, 5, is greater than permitted"),
    "kekulization": ("c1cc[nH0]c1", "Can't kekulize mol"),
    "accent": ("C\u00e9", "'\\xe9' at position 2"),
    "emoji": ("C\U0001f600", "at position 2"),
    "control character": ("C\x00C", "'\\x00' at position 2"),
    "lone surrogate": ("C\ud800", "at position 2"),
    "lone surrogate in the name": ("C n\ud800", "not valid text"),
    "broken extension": ("CC |foo", "CXSMILES"),
    "invalid with a name in another script": ("C1CC " + "\u6c34\u00e9" * 60, "unclosed ring"),
    "unknown atom before such a name": ("C(Q)C " + "\u6c34" * 120, "syntax error"),
    "InChI": ("InChI=1S/CH4/h1H4", "syntax error"),
    "lone dot": (".", "syntax error"),
    "deep nesting": ("C" + "(" * 5000, "branches nested 5,000 deep"),
    "name only": ("|$x$|", "syntax error"),
}


@pytest.fixture(scope="session")
def peptide() -> str:
    """Return the SMILES of a peptide of more than 500 heavy atoms."""
    mol = Chem.MolFromSequence("ACDEFGHIKLMNPQRSTVWY" * 3 + "GAVLIGAVLI")
    assert mol.GetNumAtoms() > 500
    return Chem.MolToSmiles(mol)


@pytest.fixture(scope="session")
def hard_smiles(peptide: str) -> list[str]:
    """Return valid SMILES of every awkward kind."""
    return [*HARD.values(), peptide]


@pytest.fixture(params=list(INVALID.values()), ids=list(INVALID))
def invalid(request: pytest.FixtureRequest) -> tuple[object, str]:
    """Return a value that is no molecule, and what its reason must contain."""
    return request.param


@pytest.fixture(scope="session")
def invalid_values() -> list[object]:
    """Return all values that are no molecule."""
    return [value for value, _ in INVALID.values()]


@pytest.fixture(scope="session")
def ogb_features() -> ModuleType:
    """Return ``ogb.utils.features`` by its file: importing ``ogb`` would ask the network for its version."""
    package = importlib.util.find_spec("ogb")
    if package is None or not package.submodule_search_locations:
        pytest.skip("ogb is not installed")
    path = Path(package.submodule_search_locations[0]) / "utils" / "features.py"
    spec = importlib.util.spec_from_file_location("ogb_features", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class OgbGraph:
    """What ``ogb.utils.mol.smiles2graph`` computes of a molecule, edges sorted by target atom."""

    def __init__(self, ogb: ModuleType, mol: Chem.Mol) -> None:
        self.atoms = np.array([ogb.atom_to_feature_vector(a) for a in mol.GetAtoms()]).reshape(-1, 9)
        edges, kinds = [], []
        for bond in mol.GetBonds():
            i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            edges += [(i, j), (j, i)]
            kinds += [ogb.bond_to_feature_vector(bond)] * 2
        self.unsorted_edges = np.array(edges, dtype=int).reshape(-1, 2).T
        self.unsorted_features = np.array(kinds, dtype=int).reshape(-1, 3)
        order = np.argsort(self.unsorted_edges[1], kind="stable")
        self.edges, self.edge_features = self.unsorted_edges[:, order], self.unsorted_features[order]


@pytest.fixture(scope="session")
def ogb_graph(ogb_features: ModuleType):
    """Return a function from molecule to OGB's graph."""
    return lambda mol: OgbGraph(ogb_features, mol)
