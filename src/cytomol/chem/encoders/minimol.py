"""MiniMol: 512 numbers a molecule, of a network pretrained on assays, expression and quantum chemistry."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.encoders.molecule_encoder import MoleculeEncoder, Pretraining, encoders
from cytomol.errors import InputError, MissingDependencyError

if TYPE_CHECKING:
    from cytomol.chem.encoders.minimol_network import MiniMolNetwork

__all__ = ["MiniMol"]

_WEIGHTS = "ckpts/minimol_v1/state_dict.pth"
_SHA256 = "a3061e1cdbbd5e544168fbf8c1e01836c8c19ac030891d495a2ae9f29cfe97a7"
_INSTALL = "pip install --no-deps minimol==1.3.5"

_PRETRAINING = Pretraining(
    data="1,328 PubChem assays with 1.56 million molecules, L1000 expression in two cell lines and quantum"
    " chemistry (LargeMix)",
    caution="labels that lie in PubChem it has seen, those of test molecules too, and scores on them claim"
    " nothing; of a public molecule it may know other measurements, of one that nobody has published none",
    sets={
        "toxcast": ("seen", "Tox21 and ToxCast screens are PubChem assays of its pretraining"),
        "hiv": ("seen", "the NCI's antiviral screen is a PubChem assay of more than 40,000 molecules"),
        "chembl2k": (
            "doubtful",
            "ChEMBL takes over large screens from PubChem, and PubChem takes over ChEMBL",
        ),
        "broad6k": ("doubtful", "the Broad Institute deposits its screens in PubChem"),
        "biogenadme": (
            "clean",
            "measured by one company and published in 2023, in no PubChem assay of its own",
        ),
        "bace": ("clean", "IC50 of single papers, and the pretraining took assays of thousands of molecules"),
        "bbbp": ("clean", "brain penetration from reviews of the literature, which is no PubChem assay"),
        "clintox": ("clean", "approval and failed trials, which are no PubChem assay"),
        "sider": ("clean", "side effects from package inserts, which are no PubChem assay"),
    },
)


@encoders.register("minimol")
class MiniMol(MoleculeEncoder):
    """The published MiniMol (v1), from the weights that the package ``minimol`` ships.

    The package's own code needs graphium 2.4.7, which needs compiled extensions and does not run with today's
    SciPy, so that the network is read here instead: weights without unpickling anything else, features and
    layers as there. For molecules of one piece vectors are those of the package to 0.0002 (the numbers are
    about 0.8 in size); for salts and mixtures, where it takes atoms in the order of a Python set, less so.

    An eigenvector may have either sign, so that another release of LAPACK may give slightly other vectors.

    References
    ----------
    Klaser, Banaszewski et al.: MiniMol: A Parameter-Efficient Foundation Model for Molecular Learning,
    arXiv 2404.14986, 2024.
    """

    name = "minimol"
    summary = "MiniMol, pretrained on PubChem assays, L1000 and quantum chemistry"
    version = "1"
    width = 512
    pretraining = _PRETRAINING

    def check(self) -> None:
        """Refuse to begin without the package.

        Raises
        ------
        MissingDependencyError
            If it is not installed.
        """
        self._weights()

    def _weights(self) -> Path:
        spec = importlib.util.find_spec("minimol")  # finds it without running it
        if spec is None or spec.origin is None:
            raise MissingDependencyError(
                "the encoder 'minimol' needs the weights in the package minimol, which is not installed",
                hint=f"{_INSTALL} (its code is not run, so that its dependencies are not needed)",
            )
        return Path(spec.origin).parent / _WEIGHTS

    @cached_property
    def _network(self) -> MiniMolNetwork:
        """The network, with weights that are verified before they are read."""
        import torch

        from cytomol.chem.encoders.minimol_network import MiniMolNetwork

        path = self._weights()
        found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "none"
        if found != _SHA256:
            raise InputError(
                f"are not the weights of MiniMol v1 (SHA-256 {found[:12]}, expected {_SHA256[:12]})",
                where=str(path),
                hint=f"{_INSTALL} --force-reinstall",
            )
        return MiniMolNetwork(torch.load(path, map_location="cpu", weights_only=True))

    def encode(self, smiles: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of valid molecules, shape (n, 512)."""
        import torch

        from cytomol.chem.encoders.minimol_graph import read_graph

        with torch.inference_mode():
            return self._network.embed([read_graph(text) for text in smiles]).numpy()
