"""What a learner reads: blocks of features, one row a molecule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cytomol.chem.descriptors import DESCRIPTOR_NAMES
from cytomol.chem.encoders import MoleculeEncoder, with_vectors
from cytomol.chem.featurize import FeatureOptions, featurize_several
from cytomol.chem.fingerprints import MACCS_BITS
from cytomol.chem.store import MoleculeStore
from cytomol.learners.base import Matrix
from cytomol.learners.blocks import ENCODED
from cytomol.predict.profile_block import ProfileBlock
from cytomol.predict.projected_profiles import project_profiles, projected_modality

if TYPE_CHECKING:
    import torch

    from cytomol.artifact.backbone import Backbone

__all__ = ["LiveBackbone", "MoleculeFeatures"]

Progress = Callable[[int, int], None]


@dataclass
class MoleculeFeatures:
    """Turns SMILES into the blocks that a learner reads.

    Attributes
    ----------
    blocks
        Names of the feature blocks, in order: "embedding", "1d", "counts", "maccs", "descriptors".
    options
        How molecules are featurized (those of the backbone where there is one).
    counts_radius
        Radius of the Morgan counts, in bonds.
    backbone
        The pretrained encoder; None where no block needs it.
    bits_radius
        Radius of the Morgan bits of the block "1d", in bonds; None for that of ``options``.
    profiles
        Measured profiles, each a block of its own; a predictor keeps their names and features alone.
    encoders
        Other encoders, the vectors of each a block of its own.
    """

    blocks: tuple[str, ...]
    options: FeatureOptions
    counts_radius: int = 2
    backbone: Backbone | None = None
    bits_radius: int | None = None
    profiles: tuple[ProfileBlock, ...] = ()
    encoders: tuple[MoleculeEncoder, ...] = ()

    @classmethod
    def build(
        cls,
        blocks: Sequence[str],
        backbone: Backbone | None,
        *,
        counts_radius: int = 2,
        bits_radius: int | None = None,
        reading: Mapping[str, Any] | None = None,
    ) -> MoleculeFeatures:
        """Choose the featurization that the blocks need.

        ``reading`` changes how molecules are read (`FeatureOptions`: standardize, max_atoms,
        molecule_timeout); what it leaves out is as the backbone has it.
        """
        base = FeatureOptions(graph=False, morgan_bits=0, maccs=False)
        radius, bits = FeatureOptions.morgan_radius, FeatureOptions.morgan_bits
        if backbone is not None:
            base = backbone.feature_options
            if "embedding" not in blocks:
                base = replace(base.fingerprint(radius, bits), morgan_bits=0)
            radius, bits = backbone.config.morgan_radius, backbone.config.morgan_bits
        options = replace(
            base,
            morgan_radius=radius,
            morgan_bits=bits if "1d" in blocks else base.morgan_bits,
            maccs=base.maccs or "1d" in blocks or "maccs" in blocks,
            descriptors="descriptors" in blocks,
            **(reading or {}),
        )
        embedder = backbone if "embedding" in blocks else None
        return cls(tuple(blocks), options, counts_radius, embedder, bits_radius)

    def store(
        self,
        smiles: Sequence[str],
        *,
        cache: Path | Literal["default"] | None = "default",
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> MoleculeStore:
        """Featurize molecules."""
        return self.stores(smiles, cache=cache, workers=workers, progress=progress)[0]

    def stores(
        self,
        smiles: Sequence[str],
        further: Sequence[FeatureOptions] = (),
        *,
        cache: Path | Literal["default"] | None = "default",
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> tuple[MoleculeStore, list[MoleculeStore]]:
        """Featurize molecules, in further ways too; without a cache each molecule is read once."""
        wanted = [*self.needed, *further]
        found = featurize_several(smiles, wanted, workers=workers, cache=cache, progress=progress)
        own = dict(zip(wanted, found, strict=True))
        return self.store_from(own.__getitem__, cache=cache), found[len(self.needed) :]

    @property
    def needed(self) -> list[FeatureOptions]:
        """The options with which `store_from` asks for molecules, each once."""
        return list(dict.fromkeys([self.options, *self._counted, *self._own_bits]))

    def store_from(
        self,
        make: Callable[[FeatureOptions], MoleculeStore],
        *,
        cache: Path | Literal["default"] | None = None,
    ) -> MoleculeStore:
        """Featurize molecules with ``make``, which returns the same rows for any of the options needed.

        A molecule for which another encoder has no vector is invalid; vectors are kept in ``cache``.
        """
        store = make(self.options)
        for options in self._counted:
            counted = make(options)
            store = _valid_in_both(store, counted).with_block("counts", counted.blocks["counts"])
        for options in self._own_bits:
            other = make(options)
            store = _valid_in_both(store, other)
            store = store.with_block("bits", other.blocks["morgan"], other.widths["morgan"])
        for encoder in self.encoders:
            store = with_vectors(store, encoder, ENCODED + encoder.name, self.options, cache=cache)
        return store

    @property
    def _counted(self) -> list[FeatureOptions]:
        """A store of its own for counts: they have another radius than the backbone's fingerprint."""
        if "counts" not in self.blocks:
            return []
        return [self.options.fingerprint(self.counts_radius, FeatureOptions.morgan_bits, counts=True)]

    @property
    def _own_bits(self) -> list[FeatureOptions]:
        """Another store for the learner's Morgan bits where they are not the backbone's."""
        if "1d" not in self.blocks or self.bits_radius in {None, self.options.morgan_radius}:
            return []
        return [self.options.fingerprint(self.bits_radius or 0, self.options.morgan_bits)]

    def raw(self, store: MoleculeStore, *, batch_size: int = 256) -> dict[str, Matrix]:
        """Return the unscaled blocks, each float32, shape (n, width); rows of invalid molecules are NaN."""
        blocks = {name: self._block(name, store, batch_size) for name in self.blocks}
        for key in (ENCODED + encoder.name for encoder in self.encoders):
            blocks[key] = np.array(store.blocks[key], dtype=np.float32)
        for each in self.profiles:
            values = blocks[each.key] = each.of(store.smiles)
            if self.backbone is not None and (name := projected_modality(self.backbone, each)) is not None:
                if each.corrected is not None:
                    values = each.of(store.smiles, corrected=True)
                blocks[each.projected_key] = project_profiles(self.backbone, name, each, values)
        return blocks

    def made_up(self) -> dict[str, Matrix]:
        """Return the blocks of two molecules that do not exist; the second has no profile."""
        widths = {
            "embedding": 0 if self.backbone is None else self.backbone.embedding_width,
            "1d": self.options.morgan_bits + MACCS_BITS,
            "counts": FeatureOptions.morgan_bits,
            "maccs": MACCS_BITS,
            "descriptors": len(DESCRIPTOR_NAMES),
        }
        blocks = {name: np.zeros((2, widths[name]), np.float32) for name in self.blocks}
        for encoder in self.encoders:
            blocks[ENCODED + encoder.name] = np.zeros((2, encoder.width), np.float32)
        for each in self.profiles:
            values = blocks[each.key] = np.zeros((2, len(each.columns)), np.float32)
            values[1] = np.nan
            if self.backbone is not None and (name := projected_modality(self.backbone, each)) is not None:
                blocks[each.projected_key] = project_profiles(self.backbone, name, each, values)
        return blocks

    @property
    def projected(self) -> tuple[str, ...]:
        """Names of the blocks of profiles as the backbone projects them."""
        found = [each for each in self.profiles if projected_modality(self.backbone, each) is not None]
        return tuple(each.projected_key for each in found)

    def _block(self, name: str, store: MoleculeStore, batch_size: int) -> Matrix:
        match name:
            case "embedding":
                assert self.backbone is not None
                return self.backbone.embed(store, batch_size=batch_size)[0]
            case "1d":
                bits = store.dense("bits" if self._own_bits else "morgan")
                block = np.concatenate([bits, store.dense("maccs")], axis=1)
            case "counts":
                block = np.log1p(store.dense("counts"))
            case "maccs":
                block = np.array(store.dense("maccs"), dtype=np.float32)
            case _:
                block = np.array(store.dense("descriptors"), dtype=np.float32)
        block[~store.valid] = np.nan
        return block


@dataclass(frozen=True)
class LiveBackbone:
    """The embedding of some molecules as something that can be trained.

    Attributes
    ----------
    backbone
        The encoder; training changes it in place.
    store
        The molecules, featurized for it.
    """

    backbone: Backbone
    store: MoleculeStore

    @property
    def network(self) -> torch.nn.Module:
        """The backbone's network."""
        return self.backbone.method

    def embed(self, rows: torch.Tensor, device: torch.device) -> torch.Tensor:
        """Return the embedding of some rows, with gradient, shape (B, width)."""
        batch = self.backbone.builder.build(self.store, rows.numpy()).to(device)
        embedding: torch.Tensor = self.backbone.method.embed(batch)
        return embedding


def _valid_in_both(store: MoleculeStore, other: MoleculeStore) -> MoleculeStore:
    """Return the store with the errors of another one too: a molecule may exceed its time in either."""
    if store.errors == other.errors:
        return store
    return replace(store, errors=[a or b for a, b in zip(store.errors, other.errors, strict=True)])
