"""Uni-Mol: the 512-wide representation of a pretrained 3D transformer (optional extra ``unimol``)."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Sequence
from typing import Any

import numpy as np
import rdkit
from numpy.typing import NDArray

from cytomol.chem.geometry.base import GeometryProvider, geometry_providers
from cytomol.errors import CytomolError, MissingDependencyError

__all__ = ["UniMolGeometry"]

_SYMBOLS_HINT = "install another release: pip install 'cytomol[unimol]' --upgrade"


@geometry_providers.register("unimol")
class UniMolGeometry(GeometryProvider):
    """The molecule token of Uni-Mol (v1, with hydrogens) for our ETKDGv3 conformer.

    Conformers come from our own worker processes rather than from ``unimol_tools``, which has no
    limit on time and replaces a failed one by a drawing in the plane; it gets atoms and
    coordinates. ``unimol_tools`` uses a GPU when there is one, and fetches its weights from
    Hugging Face on first use (``UNIMOL_WEIGHT_DIR`` names a folder that has them already).

    References
    ----------
    Zhou et al.: Uni-Mol: A Universal 3D Molecular Representation Learning Framework, ICLR 2023.
    """

    name = "unimol"
    version = "1"
    width = 512
    worker = "cytomol.chem.geometry.conformer:atoms_and_positions"
    batch_size = 128

    def __init__(self) -> None:
        self._model: Any = None

    def key(self) -> str:
        """Return the provider's, RDKit's and unimol_tools' versions."""
        if importlib.util.find_spec("unimol_tools") is None:
            raise MissingDependencyError(
                "geometry 'unimol' needs the package unimol_tools, which is not installed",
                hint="pip install 'cytomol[unimol]' huggingface_hub, or choose geometry 'rdkit'",
            )
        try:
            tools = importlib.metadata.version("unimol_tools")
        except importlib.metadata.PackageNotFoundError:
            tools = "unknown"  # a source checkout on the path
        return f"unimol provider {self.version}, unimolv1, RDKit {rdkit.__version__}, unimol_tools {tools}"

    def finish(self, raw: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32] | str]:
        """Return Uni-Mol's molecule representation [512] of each conformer [A, 4].

        When a batch fails, its molecules are tried one by one, and those that fail alone get the
        reason instead of a vector.

        Raises
        ------
        CytomolError
            If not one molecule of the batch can be represented: then the model is at fault.
        """
        conformers = [np.reshape(flat, (-1, 4)) for flat in raw]
        try:
            return list(self._represent(conformers))
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            first = error
        results: list[NDArray[np.float32] | str] = []
        for one in conformers:
            try:
                results.append(self._represent([one])[0])
            except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
                results.append(f"Uni-Mol failed: {type(error).__name__}: {error}")
        if all(isinstance(result, str) for result in results):
            raise CytomolError(
                f"Uni-Mol cannot represent any molecule: {type(first).__name__}: {first}", hint=_SYMBOLS_HINT
            ) from first
        return results

    def _load(self) -> Any:
        """Return the model, made on first use."""
        if self._model is None:
            tools = importlib.import_module("unimol_tools")
            try:
                self._model = tools.UniMolRepr(data_type="molecule", remove_hs=False)
            except (OSError, RuntimeError, ValueError, ImportError) as error:
                raise CytomolError(
                    f"Uni-Mol cannot be loaded: {type(error).__name__}: {error}",
                    hint="its weights are fetched on first use: check the network, or set UNIMOL_WEIGHT_DIR",
                ) from error
        return self._model

    def _represent(self, conformers: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return float32 [n, 512] for conformers [A, 4]."""
        from rdkit.Chem import GetPeriodicTable

        model = self._load()
        numbers = [one[:, 0].astype(int).tolist() for one in conformers]
        positions = [one[:, 1:].tolist() for one in conformers]
        symbol = GetPeriodicTable().GetElementSymbol
        symbols = [[symbol(number) for number in one] for one in numbers]
        # Releases disagree: some take element symbols, later ones convert from atomic numbers and
        # fail with ValueError on a symbol.
        try:
            answer = model.get_repr({"atoms": symbols, "coordinates": positions})
        except ValueError:
            answer = model.get_repr({"atoms": numbers, "coordinates": positions})
        vectors = np.asarray(answer["cls_repr"] if isinstance(answer, dict) else answer, dtype=np.float32)
        if vectors.shape != (len(conformers), self.width):
            message = f"expected a table [{len(conformers)}, {self.width}], got {list(vectors.shape)}"
            raise ValueError(message)
        return vectors
