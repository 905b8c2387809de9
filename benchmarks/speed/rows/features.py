"""SMILES to graph arrays and to fingerprints, in one process and in two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.speed.material import Material
from benchmarks.speed.measure import Figure, Variant, compare
from benchmarks.speed.reference.features import fingerprints as reference_fingerprints
from benchmarks.speed.reference.features import molecule_graph
from benchmarks.speed.settings import Settings
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors

from cytomol.chem.chunk import featurize_chunk
from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.chem.fingerprints import maccs_packed, morgan_packed

GRAPH = FeatureOptions(morgan_bits=0, maccs=False)
PRINTS = FeatureOptions(graph=False)


def run(material: Material, settings: Settings) -> list[Figure]:
    """Measure both; RDKit's messages are switched off for everyone."""
    block = rdBase.BlockLogs()
    try:
        return _graphs(material, settings) + _prints(material, settings) + _processes(material, settings)
    finally:
        del block


def _graphs(material: Material, settings: Settings) -> list[Figure]:
    smiles = material.smiles
    n = len(smiles)
    variants = [
        Variant("cytomol", lambda: featurize_chunk(smiles, GRAPH), n),
        Variant("reference", lambda: [molecule_graph(text) for text in smiles], n),
        Variant("limit", lambda: [Chem.MolFromSmiles(text) for text in smiles], n, "RDKit's parsing alone"),
        *_chemprop(smiles),
    ]
    return compare(
        "SMILES to graph arrays, 1 process", "mol/s", variants, repeats=settings.repeats, threads=1
    )


def _chemprop(smiles: list[str]) -> list[Variant]:
    """Chemprop's featurizers, parsing included, where the package is installed."""
    try:
        from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer
    except ImportError:
        return []
    python = SimpleMoleculeMolGraphFeaturizer()

    def graphs(featurizer: Any) -> Callable[[], Any]:
        return lambda: [featurizer(Chem.MolFromSmiles(text)) for text in smiles]

    found = [Variant("chemprop", graphs(python), len(smiles), "its Python featurizer; other features")]
    try:
        from chemprop.featurizers import CuikmolmakerMolGraphFeaturizer

        compiled = CuikmolmakerMolGraphFeaturizer()
    except ImportError:
        return found
    found.append(
        Variant("chemprop, cuik_molmaker", lambda: compiled(smiles), len(smiles), "its C++ featurizer")
    )
    return found


def _prints(material: Material, settings: Settings) -> list[Figure]:
    mols = [Chem.MolFromSmiles(text) for text in material.smiles]
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=4, fpSize=1024)
    n = len(mols)

    def ours() -> None:
        for mol in mols:
            morgan_packed(mol, 4, 1024)
            maccs_packed(mol)

    def limit() -> None:
        for mol in mols:
            generator.GetFingerprint(mol)
            rdMolDescriptors.GetMACCSKeysFingerprint(mol)

    variants = [
        Variant("cytomol", ours, n),
        Variant("reference", lambda: reference_fingerprints(mols), n),
        Variant("limit", limit, n, "RDKit's own bit vectors"),
    ]
    return compare("Morgan 1024 + MACCS, 1 process", "mol/s", variants, repeats=settings.repeats, threads=1)


def _processes(material: Material, settings: Settings) -> list[Figure]:
    """Measure what a second process brings; processes are started within the time."""
    smiles = material.corpus.smiles
    n = len(smiles)
    figures = []
    for row, options in (
        ("SMILES to graph arrays, whole corpus", GRAPH),
        ("Morgan 1024 + MACCS, whole corpus", PRINTS),
    ):

        def work(workers: int, options: FeatureOptions = options) -> Callable[[], Any]:
            return lambda: featurize(smiles, options, workers=workers, cache=None)

        variants = [Variant("cytomol, 1 process", work(1), n), Variant("cytomol, 2 processes", work(2), n)]
        figures += compare(row, "mol/s", variants, repeats=settings.slow_repeats, threads=2, warm=0)
    return figures
