"""RDKit's 3D descriptors of one ETKDGv3 conformer: the default geometry."""

from __future__ import annotations

import numpy as np
import rdkit
from numpy.typing import NDArray
from rdkit.Chem import Descriptors3D, rdMolDescriptors

from cytomol.chem.geometry.base import GeometryProvider, geometry_providers
from cytomol.chem.geometry.conformer import conformer

__all__ = ["DESCRIPTOR_WIDTHS", "RDKitGeometry", "compute", "descriptor_names"]

_SCALARS = (
    "PMI1",
    "PMI2",
    "PMI3",
    "NPR1",
    "NPR2",
    "RadiusOfGyration",
    "InertialShapeFactor",
    "Eccentricity",
    "Asphericity",
    "SpherocityIndex",
    "PBF",
)
# Vector descriptors and their lengths.
DESCRIPTOR_WIDTHS = {"AUTOCORR3D": 80, "RDF": 210, "MORSE": 224, "WHIM": 114, "GETAWAY": 273}


@geometry_providers.register("rdkit")
class RDKitGeometry(GeometryProvider):
    """912 descriptors: 11 scalars and AUTOCORR3D, RDF, MORSE, WHIM and GETAWAY.

    Every value x is stored as sign(x) log(1 + |x|), since moments of inertia and MORSE sums grow
    with the square of the size of the molecule; what a molecule leaves undefined (ratios of
    moments of a linear molecule, say) is 0, so that a valid row is finite.
    """

    name = "rdkit"
    version = "1"
    width = len(_SCALARS) + sum(DESCRIPTOR_WIDTHS.values())
    worker = "cytomol.chem.geometry.rdkit:compute"

    def key(self) -> str:
        """Return the provider's and RDKit's version."""
        return f"rdkit provider {self.version}, RDKit {rdkit.__version__}"


def descriptor_names() -> list[str]:
    """Return the names of the 912 columns, in order."""
    vectors = [f"{name}_{i}" for name, width in DESCRIPTOR_WIDTHS.items() for i in range(width)]
    return [*_SCALARS, *vectors]


def compute(smiles: str) -> NDArray[np.float32]:
    """Return the descriptors of a molecule's conformer as float32 [912], all finite.

    Raises
    ------
    ValueError
        If the molecule has no conformer, with the reason.
    """
    mol = conformer(smiles)
    values = [float(getattr(Descriptors3D, name)(mol)) for name in _SCALARS]
    for name in DESCRIPTOR_WIDTHS:
        values.extend(getattr(rdMolDescriptors, f"Calc{name}")(mol))
    raw = np.array(values, dtype=np.float64)
    raw[~np.isfinite(raw)] = 0.0
    return (np.sign(raw) * np.log1p(np.abs(raw))).astype(np.float32)
