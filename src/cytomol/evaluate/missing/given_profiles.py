"""The profiles that a model is given where it is used: those measured, and what stands in for the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone, feature_options_of
from cytomol.artifact.batches import batches_by_size
from cytomol.chem.featurize import featurize
from cytomol.chem.similarity import SimilaritySearch
from cytomol.chem.store import MoleculeStore
from cytomol.methods.config import ContextConfig
from cytomol.methods.needs import Filling
from cytomol.methods.options.filling import FillingOptions
from cytomol.methods.options.reconstruction import ReconstructionOptions
from cytomol.methods.responses import best, project_response
from cytomol.nn.batch import Account, Response
from cytomol.progress import Reporter
from cytomol.training.dataset.profile_inputs import Neighbours, ProfileInput, profile_input

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["GivenProfiles"]

_CHUNK = 4096  # profiles projected at a time
_BATCH = 256  # molecules of like size in a pass


class GivenProfiles:
    """Projects the profiles of molecules, missing ones filled as the model was trained with.

    Parameters
    ----------
    backbone
        The model; its method projects profiles.
    smiles
        Molecules of the corpus, among which neighbours are found.
    """

    def __init__(self, backbone: Backbone, smiles: Sequence[str]) -> None:
        self.backbone = backbone
        self.smiles = smiles

    @property
    def modalities(self) -> list[str]:
        """Modalities of molecules whose profiles the method projects."""
        profiles = self.backbone.method.profiles
        known = self.backbone.modalities
        return [name for name in profiles or () if known[name]["entity"] == "molecule"]

    def decodes(self, name: str) -> bool:
        """Whether the model decodes a modality from the profile that it is given."""
        config = self.backbone.config
        return (
            name in self.modalities
            and name in self.backbone.method.decoded
            and isinstance(config, ReconstructionOptions)
            and config.decode_from == "modality"
        )

    def table(self, name: str, rows: NDArray[np.int64], values: NDArray[np.float32]) -> ProfileInput:
        """Return what is known of every molecule when some profiles are given.

        Parameters
        ----------
        name
            Modality.
        rows
            Molecules whose profile is given, those learnt from among them, sorted, int64, shape (m,).
        values
            These profiles in measured units, shape (m, width); NaN where not measured.
        """
        scaled = self.backbone.profile_rows(name, values)
        nobody = np.zeros(len(self.smiles), np.bool_)
        return profile_input(
            rows, scaled, nobody, self._neighbours, self._filling, seed=self.backbone.config.seed
        )

    def projected(self, name: str, table: ProfileInput, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return profiles in the space of the molecules, float32, shape (n, width of the space).

        Parameters
        ----------
        name
            Modality.
        table
            From :meth:`table`.
        rows
            Molecules, -1 for one that is not in the corpus, int64, shape (n,).
        """
        config, projectors = self.backbone.config, self.backbone.method.eval().profiles
        assert projectors is not None
        augmentation = config.augmentation if isinstance(config, FillingOptions) else "mean"
        parts = []
        for first in range(0, len(rows), _CHUNK):
            response = _response(table, rows[first : first + _CHUNK]).to(self.backbone.device)
            with torch.inference_mode():
                found = project_response(projectors[name], response, augmentation)
                parts.append(best(found, "augmented").float().cpu().numpy())
        return np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)

    def decoded(
        self, name: str, table: ProfileInput, rows: NDArray[np.int64], store: MoleculeStore
    ) -> NDArray[np.float32]:
        """Return what the model decodes from the given profiles, in measured units, shape (n, width).

        Parameters
        ----------
        name, table, rows
            As for :meth:`projected`.
        store
            Those molecules, all valid, as the backbone featurizes them.
        """
        imputed = np.empty((len(rows), table.width), np.float32)
        for part in batches_by_size(store, np.arange(len(store)), _BATCH):
            batch = self.backbone.builder.build(store, part)
            batch = replace(batch, responses={name: _response(table, rows[part])}).to(self.backbone.device)
            with torch.inference_mode():
                decoded = self.backbone.method.eval().impute(batch)[name]
            imputed[part] = self.backbone.scalers[name].inverse(decoded.float().cpu().numpy())
        return imputed

    @property
    def _filling(self) -> Filling | None:
        needs = self.backbone.method.needs(self.backbone.config).profiles
        filling = None if needs is None else needs.filling
        # what neighbours say of molecules whose own profile is given is not asked for
        return None if filling is None else replace(filling, held_out=False)

    @cached_property
    def _neighbours(self) -> csr_matrix | None:
        """Weights of each molecule's structural neighbours, as pretraining has them."""
        filling, config = self._filling, self.backbone.config
        if filling is None:
            return None
        assert isinstance(config, ContextConfig)
        radius = config.similarity_radius or config.morgan_radius
        options = feature_options_of(config).fingerprint(radius, config.morgan_bits)
        found = featurize(self.smiles, options, workers=config.workers or None).blocks["morgan"]
        search = SimilaritySearch(config.similarity_search, config.exact_up_to)
        return Neighbours(np.asarray(found), search, Reporter(quiet=True)).matrix(filling)


def _response(table: ProfileInput, rows: NDArray[np.int64]) -> Response:
    """Return what is known of molecules; of those that are not in the corpus (-1), nothing."""
    response = table.response(np.maximum(rows, 0))
    outside = torch.from_numpy(rows < 0)
    empty = torch.from_numpy(table.placeholder).expand(len(rows), table.width)
    measured, augmented, held_out = (
        Account(torch.where(outside[:, None], empty, account.values), account.known & ~outside)
        for account in (response.measured, response.augmented, response.held_out)
    )
    return Response(measured, augmented, held_out)
