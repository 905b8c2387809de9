"""What the rows work on: the real corpus where there is one, else a planted one."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytomol.artifact.batches import BatchBuilder
from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.chem.store import MoleculeStore
from cytomol.corpus import Corpus, read_corpus
from cytomol.corpus.planted import generate_planted
from cytomol.methods.config import CHMRConfig, InfoAlignConfig, MethodConfig
from cytomol.progress import Reporter
from cytomol.training.dataset.data import PretrainData
from cytomol.training.dataset.prepare import prepare

__all__ = ["Material"]

GEOMETRY_WIDTH = 512


@dataclass(frozen=True)
class Material:
    """Corpus, and a sample of its molecules.

    Attributes
    ----------
    corpus
        The corpus.
    name
        Where it comes from, for the table.
    sample
        Rows of valid molecules drawn at random, int64.
    """

    corpus: Corpus
    name: str
    sample: NDArray[np.int64]

    @classmethod
    def load(cls, sample: int = 2048, planted: int = 4000) -> Material:
        """Read the real corpus below CYTOMOL_DATA, or plant one of ``planted`` molecules."""
        folder = os.environ.get("CYTOMOL_DATA")
        if folder and (Path(folder) / "corpus" / "molecules.parquet").exists():
            corpus, name = read_corpus(Path(folder) / "corpus"), "real corpus"
        else:
            corpus, name = generate_planted(planted).corpus, "planted corpus"
        return cls.of(corpus, f"{name}, {len(corpus):,} molecules", sample)

    @classmethod
    def of(cls, corpus: Corpus, name: str, sample: int) -> Material:
        """Draw the sample."""
        rows = np.random.default_rng(0).permutation(len(corpus))[: 2 * sample]
        smiles = corpus.smiles
        store = featurize(
            [smiles[row] for row in rows], FeatureOptions(maccs=False, morgan_bits=0), workers=1
        )
        return cls(corpus, name, rows[store.valid][:sample])

    @cached_property
    def smiles(self) -> list[str]:
        """SMILES of the sample."""
        every = self.corpus.smiles
        return [every[row] for row in self.sample]

    @cached_property
    def store(self) -> MoleculeStore:
        """Features of the sample."""
        return featurize(self.smiles, FeatureOptions(), workers=1)

    @cached_property
    def fingerprints(self) -> NDArray[np.uint8]:
        """Packed Morgan fingerprints of all molecules."""
        store = featurize(self.corpus.smiles, FeatureOptions(graph=False, maccs=False))
        return np.asarray(store.blocks["morgan"])

    def data(self, config: MethodConfig) -> PretrainData:
        """Prepare the corpus for a method; the 3D view holds noise, which costs a step the same."""
        plain = config.updated(views=tuple(view for view in config.views if view != "3d"))
        data = prepare(self.corpus, plain, Reporter(quiet=True))
        if "3d" not in config.views:
            return data
        noise = np.random.default_rng(0).normal(size=(len(data.store), GEOMETRY_WIDTH)).astype(np.float32)
        store = data.store.with_block("geometry", noise)
        builder = BatchBuilder.fit(config.views, store, data.train)
        dimensions = replace(data.dimensions, views=builder.widths(store.widths))
        return replace(data, store=store, builder=builder, dimensions=dimensions)

    @cached_property
    def infoalign(self) -> PretrainData:
        """The corpus as InfoAlign learns from it in the authors' form."""
        return self.data(InfoAlignConfig.preset("authors"))

    @cached_property
    def chmr(self) -> PretrainData:
        """The corpus as CHMR learns from it in the authors' form: all views and modalities."""
        return self.data(CHMRConfig.preset("authors"))
