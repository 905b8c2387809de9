"""The profiles that a model is given where it is used: those measured, and what stands in for the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone, feature_options_of
from cytomol.artifact.batches import batches_by_size
from cytomol.chem.featurize import featurize
from cytomol.chem.similarity import SimilaritySearch
from cytomol.chem.store import MoleculeStore
from cytomol.corpus.lift import mean_by_row
from cytomol.corpus.schema import Corpus
from cytomol.methods.config import ContextConfig
from cytomol.methods.needs import Filling
from cytomol.methods.options.filling import FillingOptions
from cytomol.methods.options.reconstruction import ReconstructionOptions
from cytomol.methods.responses import best, project_response
from cytomol.nn.batch import Account, Response
from cytomol.progress import Reporter
from cytomol.training.dataset.profile_inputs import Neighbours, ProfileInput, profile_input

__all__ = ["GivenProfiles"]

_CHUNK = 4096  # profiles projected at a time


class GivenProfiles:
    """Projects the profiles of molecules, missing ones filled as the model was trained with.

    Only profiles that the model has learnt from spread to molecules without one.

    Parameters
    ----------
    backbone
        The model; its method projects profiles.
    learnt
        The corpus that it has learnt from.
    left_out
        Molecules whose profiles it has not seen, bool, shape (molecules,).
    """

    def __init__(self, backbone: Backbone, learnt: Corpus, left_out: NDArray[np.bool_]) -> None:
        self.backbone = backbone
        needs = backbone.method.needs(backbone.config).profiles
        filling = None if needs is None else needs.filling
        # what neighbours say of molecules that were measured themselves is not asked for
        filling = None if filling is None else replace(filling, held_out=False)
        W = None if filling is None else _neighbours(backbone, learnt, filling)
        self._inputs: dict[str, ProfileInput] = {}
        for name in self.modalities:
            modality = learnt.modalities.get(name)
            if modality is None or not len(modality):
                continue
            rows, values = mean_by_row(modality)
            scaled = backbone.profile_rows(name, values)
            seed = backbone.config.seed
            self._inputs[name] = profile_input(rows, scaled, left_out, W, filling, seed=seed)

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
            name in self._inputs
            and name in self.backbone.method.decoded
            and isinstance(config, ReconstructionOptions)
            and config.decode_from == "modality"
        )

    def projected(
        self, name: str, rows: NDArray[np.int64], shown: tuple[NDArray[np.int64], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """Return profiles in the space of the molecules, float32, shape (n, width of the space).

        Parameters
        ----------
        name
            Modality.
        rows
            Molecules, -1 for one that is not in the corpus, int64, shape (n,).
        shown
            Molecules beside the learnt ones whose profile is given, sorted, int64, shape (m,), and those
            profiles in measured units, shape (m, width).
        """
        method = self.backbone.method.eval()
        parts = [np.zeros((0, 1), np.float32)]
        for first in range(0, len(rows), _CHUNK):
            response = self._response(name, rows[first : first + _CHUNK], shown)
            with torch.inference_mode():
                found = project_response(
                    lambda values: method.project(name, values),  # type: ignore[arg-type]
                    response.to(self.backbone.device),
                    self._augmentation,
                )
                parts.append(best(found, "augmented").float().cpu().numpy())
        return np.concatenate(parts[1:] or parts)

    def decoded(
        self,
        name: str,
        store: MoleculeStore,
        rows: NDArray[np.int64],
        shown: tuple[NDArray[np.int64], NDArray[np.float32]],
    ) -> NDArray[np.float32]:
        """Return what the model decodes from the given profiles, in measured units, shape (n, width).

        Parameters
        ----------
        store
            Those molecules, all valid, as the backbone featurizes them.
        name, rows, shown
            As for :meth:`projected`.
        """
        imputed = np.empty((len(rows), len(self.backbone.modalities[name]["columns"])), np.float32)
        for part in _batches(store):
            batch = self.backbone.builder.build(store, part)
            batch = replace(batch, responses={name: self._response(name, rows[part], shown)})
            with torch.inference_mode():
                decoded = self.backbone.method.eval().impute(batch.to(self.backbone.device))[name]
            imputed[part] = self.backbone.scalers[name].inverse(decoded.float().cpu().numpy())
        return imputed

    @property
    def _augmentation(self) -> str:
        config = self.backbone.config
        return config.augmentation if isinstance(config, FillingOptions) else "mean"

    def _response(
        self, name: str, rows: NDArray[np.int64], shown: tuple[NDArray[np.int64], NDArray[np.float32]]
    ) -> Response:
        """Return what is known of molecules: as in pretraining, and the profiles that are shown."""
        table = self._inputs[name]
        response = table.response(np.maximum(rows, 0))
        outside = torch.from_numpy(rows < 0)
        empty = torch.from_numpy(np.broadcast_to(table.placeholder, (len(rows), table.width)).copy())
        measured, augmented = (
            Account(torch.where(outside[:, None], empty, account.values), account.known & ~outside)
            for account in (response.measured, response.augmented)
        )
        values, known = measured.values.numpy().copy(), measured.known.numpy().copy()
        place = np.searchsorted(shown[0], rows)
        place = np.minimum(place, max(len(shown[0]) - 1, 0))
        given = shown[0][place] == rows if len(shown[0]) else np.zeros(len(rows), np.bool_)
        if given.any():
            own = self.backbone.profile_rows(name, shown[1][place[given]])
            values[given] = np.where(np.isnan(own), table.placeholder, own)
            known |= given
        measured = Account(torch.from_numpy(values), torch.from_numpy(known))
        return Response(measured, augmented, Account(empty, torch.zeros_like(outside)))


def _neighbours(backbone: Backbone, corpus: Corpus, filling: Filling):  # type: ignore[no-untyped-def]
    """Return the weights of each molecule's structural neighbours, as pretraining has them."""
    config = backbone.config
    assert isinstance(config, ContextConfig)
    radius = config.similarity_radius or config.morgan_radius
    options = feature_options_of(config).fingerprint(radius, config.morgan_bits)
    found = featurize(corpus.smiles, options, workers=config.workers or None).blocks["morgan"]
    search = SimilaritySearch(config.similarity_search, config.exact_up_to)
    return Neighbours(np.asarray(found), search, Reporter(quiet=True)).matrix(filling)


def _batches(store: MoleculeStore) -> Iterator[NDArray[np.int64]]:
    return batches_by_size(store, np.arange(len(store)), 256)
