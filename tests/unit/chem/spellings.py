"""Other spellings of a molecule: order of atoms, hydrogens, Kekulé form, atom maps, CX extensions."""

from __future__ import annotations

import re

from rdkit import Chem

STEREO = {
    "alanine": "C[C@H](N)C(=O)O",
    "glucoside": "O=C(O)[C@H]1O[C@@H](Oc2ccccc2)[C@H](O)[C@@H](O)[C@@H]1O",
    "cis ring": "C[C@H]1CC[C@@H](C)CC1",
    "trans ring": "C[C@H]1CC[C@H](C)CC1",
    "ring and double bond": "C/C=C/[C@H]1CC[C@@H](C)CC1",
    "meso": "O=C(O)[C@H](O)[C@@H](O)C(=O)O",
    "pseudoasymmetric": "O[C@H](C)C[C@@H](O)C[C@@H](O)C",
    "inositol": "O[C@H]1[C@H](O)[C@@H](O)[C@H](O)[C@H](O)[C@@H]1O",
    "salt": "C/C=C/C(=O)N[C@@H](Cc1ccccc1)C(=O)[O-].[Na+]",
    "sulfoxide": "CC[S@](=O)c1ccc(N)cc1",
    "phosphorus": "CO[P@@](=O)(Cl)c1ccccc1",
    "ammonium": "C[N@@+](CC)(CCC)Cc1ccccc1",
    "spiro": "C[C@H]1CC[C@@]2(CCCO2)CC1",
    "artemisinin": "C[C@@H]1CC[C@H]2[C@@H](C)C(=O)O[C@@H]3O[C@@]4(C)CC[C@@H]1[C@@]23OO4",
    "isotopes": "[2H][C@](C)(O)c1ccccc1",
    "labelled arm": "[13CH3][C@H](C)O",
    "bridged": "C[C@]12CC[C@H](C1)C2(C)C",
    "triene": "C/C=C/C=C\\C=C\\C(=O)O",
    "imine": "C/C(=N/O)c1ccncc1",
    "square": "C[Pt@SP1](F)(Cl)Br",
    "pyridine": "C[C@@H](c1ccccn1)c1cccnc1",
    "allene": "CC=[C@]=CF",
    "rotor": "F[C@H](Cl)C#CC#C[C@@H](F)Cl",
}


def spellings(smiles: str, count: int, seed: int = 0) -> list[str]:
    """Return ``count`` spellings of a molecule that denote it, the given one first."""
    mol = Chem.MolFromSmiles(smiles)
    want = Chem.MolToSmiles(mol)
    kekule = Chem.Mol(mol)
    Chem.Kekulize(kekule, clearAromaticFlags=True)
    mapped = Chem.Mol(mol)
    for atom in mapped.GetAtoms():
        atom.SetAtomMapNum(atom.GetIdx() + 1)
    hydrogens = Chem.AddHs(mol)
    found = [smiles, want, Chem.MolToCXSmiles(mol) + " name", f"  {smiles}\tname"]
    centres = [a.GetIdx() for a in mol.GetAtoms() if int(a.GetChiralTag()) in {1, 2}]
    if centres:
        found.append(f"{smiles} |&1:{','.join(map(str, centres))}|")
    Chem.rdBase.SeedRandomNumberGenerator(seed)
    ways = (
        lambda: Chem.MolToSmiles(mol, doRandom=True),
        lambda: Chem.MolToSmiles(mol, doRandom=True, allHsExplicit=True),
        lambda: Chem.MolToSmiles(mol, doRandom=True, allBondsExplicit=True),
        lambda: Chem.MolToSmiles(kekule, doRandom=True, kekuleSmiles=True),
        lambda: Chem.MolToSmiles(hydrogens, doRandom=True),
        lambda: Chem.MolToSmiles(mapped, doRandom=True),
    )
    tries = 0
    while len(found) < count:
        found.append(ways[tries % len(ways)]())
        tries += 1
        assert tries < 20 * count
        # RDKit's writer now and then adds a mark to a double bond: that is another molecule.
        bare = Chem.MolFromSmiles(re.sub(r":\d+\]", "]", found[-1]))
        if bare is None or Chem.MolToSmiles(bare) != want:
            found.pop()
    return found
