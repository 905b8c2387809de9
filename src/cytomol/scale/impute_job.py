"""A job that imputes chunks of a long table, here or in other processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cytomol.artifact.backbone import load_backbone
from cytomol.cells.impute.feature_calibration import FeatureCalibration
from cytomol.cells.impute.imputed_rows import ImputedRows
from cytomol.cells.impute.imputer import Imputer
from cytomol.cells.impute.structure_ridge import StructureRidge
from cytomol.cells.modality import TrainedModality
from cytomol.nn.allocator import keep_few_kernels
from cytomol.tables.molecules import MoleculeTable
from cytomol.tables.row_answer import Answer

__all__ = ["ImputeJob"]


@dataclass
class ImputeJob:
    """Imputes chunks with the backbone of a directory, calibrated as an imputer is.

    Attributes
    ----------
    model
        The directory, or ``default``.
    calibrations, ridges
        By modality, what the imputer has learnt.
    asked
        Further arguments of :class:`~cytomol.cells.impute.imputed_rows.ImputedRows`.
    ready
        The imputer, where it is there already; it is not sent to other processes.
    """

    model: str
    calibrations: Mapping[str, FeatureCalibration]
    ridges: Mapping[str, StructureRidge]
    asked: dict[str, Any] = field(default_factory=dict)
    ready: Imputer | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs."""
        return {**self.__dict__, "ready": None}

    def open(self) -> Callable[[MoleculeTable, int], Answer]:
        """Load the backbone."""
        if self.ready is None:
            keep_few_kernels()
            backbone = load_backbone(self.model)
            modalities = [TrainedModality(backbone, name) for name in self.calibrations]
            self.ready = Imputer(modalities, self.calibrations, self.ridges)
        return ImputedRows(self.ready, **self.asked).part
