"""What a head reads: blocks of features per molecule, scaled as fitted on the training rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.chem.fingerprints import MACCS_BITS
from cytomol.chem.store import MoleculeStore
from cytomol.learners.scaling import AffineScaler, ColumnScaler, fit_scaler, scaler_from_arrays

if TYPE_CHECKING:
    from cytomol.artifact.backbone import Backbone

__all__ = ["HeadFeatures"]

Matrix = NDArray[np.float32]
Progress = Callable[[int, int], None]


@dataclass
class HeadFeatures:
    """Turns SMILES into the matrix that a head reads.

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
    scalers
        Fitted scaler of each block that is scaled.
    bits_radius
        Radius of the Morgan bits of the block "1d", in bonds; None for that of ``options``.
    """

    blocks: tuple[str, ...]
    options: FeatureOptions
    counts_radius: int = 2
    backbone: Backbone | None = None
    scalers: dict[str, ColumnScaler] = field(default_factory=dict)
    bits_radius: int | None = None

    @classmethod
    def build(
        cls,
        blocks: Sequence[str],
        backbone: Backbone | None,
        *,
        counts_radius: int = 2,
        bits_radius: int | None = None,
        reading: Mapping[str, Any] | None = None,
    ) -> HeadFeatures:
        """Choose the featurization that the blocks need.

        ``reading`` changes how molecules are read (`FeatureOptions`: standardize, max_atoms,
        molecule_timeout); what it leaves out is as the backbone has it.
        """
        plain = FeatureOptions(graph=False, morgan_bits=0, maccs=False)
        base = plain
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
        return cls(tuple(blocks), options, counts_radius, embedder, bits_radius=bits_radius)

    def store(
        self,
        smiles: Sequence[str],
        *,
        cache: Path | Literal["default"] | None = "default",
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> MoleculeStore:
        """Featurize molecules."""
        store = featurize(smiles, self.options, workers=workers, cache=cache, progress=progress)
        if "counts" in self.blocks:
            # a store of its own: the counts have another radius than the backbone's fingerprint
            options = self.options.fingerprint(self.counts_radius, FeatureOptions.morgan_bits, counts=True)
            counted = featurize(smiles, options, workers=workers, cache=cache)
            store = _valid_in_both(store, counted).with_block("counts", counted.blocks["counts"])
        if self._own_bits:
            options = self.options.fingerprint(self.bits_radius or 0, self.options.morgan_bits)
            other = featurize(smiles, options, workers=workers, cache=cache)
            store = _valid_in_both(store, other)
            store = store.with_block("bits", other.blocks["morgan"], other.widths["morgan"])
        return store

    @property
    def _own_bits(self) -> bool:
        """Whether the head's Morgan bits are others than the backbone's."""
        return "1d" in self.blocks and self.bits_radius not in {None, self.options.morgan_radius}

    def columns(self, block: str) -> slice:
        """Return where the columns of "embedding" or "1d" lie in what :meth:`transform` returns."""
        widths = {"1d": self.options.morgan_bits + MACCS_BITS}
        if self.backbone is not None:
            widths["embedding"] = self.backbone.embedding_width
        start = sum(widths[name] for name in self.blocks[: self.blocks.index(block)])
        return slice(start, start + widths[block])

    def raw(self, store: MoleculeStore, *, batch_size: int = 256) -> dict[str, Matrix]:
        """Return the unscaled blocks, each float32, shape (n, width); rows of invalid molecules are NaN."""
        return {name: self._block(name, store, batch_size) for name in self.blocks}

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

    def fit(
        self,
        raw: Mapping[str, Matrix],
        train: NDArray[np.bool_],
        methods: Mapping[str, str],
        *,
        embedding_scale: float = 1.0,
    ) -> None:
        """Fit the scaler of each block named in ``methods`` on the training rows.

        The standardised embedding is spread by ``embedding_scale``: hundreds of columns of variance 1
        outweigh fingerprints, most of whose bits are 0.
        """
        self.scalers = {
            name: fit_scaler(raw[name][train], methods[name]) for name in self.blocks if name in methods
        }
        scaler = self.scalers.get("embedding")
        if isinstance(scaler, AffineScaler) and embedding_scale != 1.0:
            spread = (scaler.scale / embedding_scale).astype(np.float32)
            self.scalers["embedding"] = AffineScaler(scaler.center, spread)

    def transform(self, raw: Mapping[str, Matrix], *, only: Sequence[str] | None = None) -> Matrix:
        """Scale the blocks (all, or ``only`` some) and put them side by side, shape (n, width)."""
        parts = [
            self.scalers[name].transform(raw[name]) if name in self.scalers else raw[name]
            for name in (self.blocks if only is None else only)
        ]
        rows = len(next(iter(raw.values()))) if raw else 0
        return np.concatenate(parts, axis=1) if parts else np.zeros((rows, 0), dtype=np.float32)

    def statistics(self) -> dict[str, NDArray[Any]]:
        """Return the fitted scalers as named arrays."""
        return {
            f"{name}.{key}": array
            for name, scaler in self.scalers.items()
            for key, array in scaler.arrays().items()
        }

    def load_statistics(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the scalers from named arrays; the inverse of :meth:`statistics`."""
        self.scalers = {}
        for name in self.blocks:
            own = {key.split(".", 1)[1]: a for key, a in arrays.items() if key.startswith(f"{name}.")}
            if own:
                self.scalers[name] = scaler_from_arrays(own)


def _valid_in_both(store: MoleculeStore, other: MoleculeStore) -> MoleculeStore:
    """Return the store with the errors of another one too: a molecule may exceed its time in either."""
    if store.errors == other.errors:
        return store
    return replace(store, errors=[a or b for a, b in zip(store.errors, other.errors, strict=True)])
