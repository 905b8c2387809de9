"""The 3D view: one conformer per molecule, described by a vector of fixed width."""

from __future__ import annotations

from cytomol.chem.geometry import rdkit as _rdkit  # noqa: F401 - registers the provider
from cytomol.chem.geometry import unimol as _unimol  # noqa: F401 - registers the provider
from cytomol.chem.geometry.base import GeometryProvider, geometry_providers
from cytomol.chem.geometry.compute import Geometry, compute_geometry, geometry_features, geometry_width

__all__ = [
    "Geometry",
    "GeometryProvider",
    "compute_geometry",
    "geometry_features",
    "geometry_providers",
    "geometry_width",
]
