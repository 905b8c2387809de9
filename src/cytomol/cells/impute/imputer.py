"""Expected profiles of molecules, with an interval for each feature."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.cells.impute.decoding import decode_profiles, decoded_modalities
from cytomol.cells.impute.feature_calibration import FeatureCalibration, standardised
from cytomol.cells.impute.structure_ridge import StructureRidge, fingerprint_matrix
from cytomol.cells.modality import TrainedModality
from cytomol.cells.unseen import MeasuredMolecules
from cytomol.chem.store import MoleculeStore
from cytomol.errors import InputError

__all__ = ["ImputedProfiles", "Imputer"]

_Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ImputedProfiles:
    """Expected profiles, in measured units; NaN where a molecule is invalid.

    Attributes
    ----------
    expected, half_width
        By modality, float32, shape (n, width): the expected value, and how far a measured one may lie from
        it.
    valid
        Which molecules are valid, bool, shape (n,).
    embedding, codes
        See :class:`~cytomol.cells.impute.decoding.DecodedProfiles`.
    """

    expected: dict[str, NDArray[np.float32]]
    half_width: dict[str, NDArray[np.float32]]
    valid: NDArray[np.bool_]
    embedding: NDArray[np.float32] | None = None
    codes: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Imputer:
    """Says what a molecule is expected to do to cells, as a profile of each modality that a model decodes.

    Attributes
    ----------
    modalities
        Of one backbone.
    calibrations
        By modality.
    ridges
        By modality: what fingerprints say, where measured profiles taught it. It stands beside the decoder,
        each with the slopes that the calibration molecules gave it.

    Examples
    --------
    >>> from cytomol.corpus.planted import generate_planted
    >>> from cytomol.methods.config import InfoAlignConfig
    >>> from cytomol.training.pretrain import pretrain
    >>> config = InfoAlignConfig.build({"width": 16, "layers": 2, "epochs": 0})
    >>> made = pretrain(generate_planted(200).corpus, config, "cells", method="infoalign", quiet=True)
    >>> imputer = Imputer.of(Backbone.load(made.path))
    >>> imputed = imputer.impute(["CCO", "no molecule"])
    >>> name = imputer.modalities[0].name
    >>> bool(np.isnan(imputed.expected[name][1]).all()), imputer.calibrations[name].calibrated
    (True, False)
    """

    modalities: Sequence[TrainedModality]
    calibrations: Mapping[str, FeatureCalibration]
    ridges: Mapping[str, StructureRidge] = field(default_factory=dict)

    @classmethod
    def of(cls, backbone: Backbone, names: Sequence[str] | None = None, *, coverage: float = 0.9) -> Self:
        """Return the imputer of some modalities, or of all, with the spread of training profiles.

        Raises
        ------
        ConfigError
            If the backbone does not decode them.
        """
        modalities = decoded_modalities(backbone, names)
        spread = {one.name: FeatureCalibration.from_spread(one.typical, coverage) for one in modalities}
        return cls(modalities, spread)

    @property
    def backbone(self) -> Backbone:
        """The backbone of all its modalities."""
        return self.modalities[0].backbone

    def calibrated(
        self,
        molecules: Mapping[str, MeasuredMolecules],
        taught: Mapping[str, MeasuredMolecules] | None = None,
        *,
        coverage: float = 0.9,
        batch_size: int = 256,
        workers: int | None = None,
        progress: _Progress | None = None,
    ) -> Imputer:
        """Return the imputer with calibrations learnt from measured molecules that the model has not seen.

        Parameters
        ----------
        molecules
            By modality; the others stay as they are.
        taught
            Further molecules, which the model may have seen: they teach ridge regression on fingerprints,
            which then stands beside the decoder. Its penalty is that with the least error on ``molecules``.
        coverage
            Share of measured values that intervals are to hold.
        batch_size, workers, progress
            As for :meth:`impute`.

        Raises
        ------
        InputError
            If they are too few.
        """
        calibrations, ridges = dict(self.calibrations), dict(self.ridges)
        for modality in self.modalities:
            if modality.name not in molecules:
                continue
            measured = molecules[modality.name]
            store = self.backbone.store(measured.smiles, workers=workers)
            decoded = decode_profiles([modality], store, batch_size=batch_size, progress=progress)
            valid = decoded.valid
            known = measured.take(valid)
            sources = [[decoded.profiles[modality.name][valid]]]
            found: list[StructureRidge] = []
            if taught and len(taught.get(modality.name, ())):
                found = _taught(modality, taught[modality.name], workers)
                prints = fingerprint_matrix(known.smiles, workers=workers)
                sources = [[*sources[0], _in_units(modality, ridge, prints)] for ridge in found]
            try:
                fitted = [
                    FeatureCalibration.fit(
                        told, known.values, known.scaffolds, modality.typical, coverage=coverage
                    )
                    for told in sources
                ]
            except InputError as error:
                raise InputError(f"{modality.name}: {error.what}", hint=error.hint) from None
            best = int(np.argmin([one.error for one in fitted]))
            calibrations[modality.name] = fitted[best]
            ridges.pop(modality.name, None)
            if found:
                ridges[modality.name] = found[best]
        return Imputer(self.modalities, calibrations, ridges)

    def impute(
        self,
        molecules: Sequence[str] | MoleculeStore,
        *,
        beside: bool = False,
        batch_size: int = 256,
        workers: int | None = None,
        progress: _Progress | None = None,
    ) -> ImputedProfiles:
        """Return expected profiles.

        Parameters
        ----------
        molecules
            SMILES, or molecules featurized by the backbone's ``store``.
        beside
            Return embeddings and codes too.
        batch_size
            Molecules in a pass.
        workers
            Processes that featurize; None chooses.
        progress
            Called with (molecules done, molecules in all).
        """
        store = (
            molecules
            if isinstance(molecules, MoleculeStore)
            else self.backbone.store(molecules, workers=workers)
        )
        prints = np.zeros((len(store), 0), np.float32)
        if self.ridges:
            prints = fingerprint_matrix(store.smiles, workers=workers)
        decoded = decode_profiles(
            self.modalities, store, beside=beside, batch_size=batch_size, progress=progress
        )
        expected, half_width = {}, {}
        for one in self.modalities:
            calibration = self.calibrations[one.name]
            told = [decoded.profiles[one.name]]
            if one.name in self.ridges:
                told.append(_in_units(one, self.ridges[one.name], prints))
            expected[one.name] = calibration.expected(told)
            half = np.broadcast_to(calibration.half_width.astype(np.float32), expected[one.name].shape)
            half_width[one.name] = np.where(decoded.valid[:, None], half, np.float32(np.nan))
        return ImputedProfiles(expected, half_width, decoded.valid, decoded.embedding, decoded.codes)


def _taught(
    modality: TrainedModality, molecules: MeasuredMolecules, workers: int | None
) -> list[StructureRidge]:
    """Return the ridge regression of each penalty."""
    prints = fingerprint_matrix(molecules.smiles, workers=workers)
    return StructureRidge.fit(prints, standardised(molecules.values, modality.typical))


def _in_units(
    modality: TrainedModality, ridge: StructureRidge, prints: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return what a ridge regression expects, in measured units."""
    typical = modality.typical
    return np.asarray(typical.mean + ridge.expected(prints) * typical.spread, dtype=np.float32)
