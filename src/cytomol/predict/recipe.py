"""Which learner is fitted, and on which features."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from cytomol.artifact.backbone import Backbone
from cytomol.chem.encoders import MoleculeEncoder
from cytomol.errors import ConfigError
from cytomol.learners import Learner, learners
from cytomol.learners.blocks import BLOCKS, ENCODED
from cytomol.learners.head.learner import Head
from cytomol.learners.with_profiles import WithProfiles
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.molecule_features import MoleculeFeatures
from cytomol.predict.profile_block import ProfileBlock

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """A learner to be fitted, and the features that it reads.

    Attributes
    ----------
    name
        Name of the learner in the registry.
    make
        Returns a new learner.
    features
        Makes its blocks from molecules.
    source
        Digest of the backbone that they come from; "" without one.
    """

    name: str
    make: Callable[[], Learner]
    features: MoleculeFeatures
    source: str = ""

    @classmethod
    def choose(
        cls,
        config: FinetuneConfig,
        backbone: Backbone | None,
        profiles: Sequence[ProfileBlock] = (),
        encoders: Sequence[MoleculeEncoder] = (),
    ) -> Self:
        """Return what the options ask for; with profiles, a learner of structures that they stand beside.

        The learner reads the vectors of ``encoders`` beside its own blocks.

        Raises
        ------
        ConfigError
            If the learner is unknown, needs a backbone and there is none, or cannot read vectors.
        """
        name = config.learner_name
        encoded = tuple(ENCODED + each.name for each in encoders)
        radii: dict[str, Any] = {}
        if name == "head":
            blocks = config.blocks(None if backbone is None else backbone.method.blocks)
            options = config.head_options()
            radii = {"counts_radius": config.counts_radius, "bits_radius": config.bits_radius}

            def make() -> Learner:
                return Head(options, (*blocks, *encoded))

        else:
            maker = learners[name]
            if encoders and not maker().reads_encoders:
                raise ConfigError(
                    f"the learner {name!r} reads fingerprints alone, and no encoder's vectors",
                    where="encoder",
                    hint="leave --encoder out, or take another learner",
                )
            read = maker().blocks
            if backbone is None and maker().optional_embedding:
                read = tuple(block for block in read if block != "embedding")
            blocks = tuple(block for block in BLOCKS if block in read)

            def make() -> Learner:
                learner = maker()
                learner.blocks = (*read, *encoded)
                return learner

        if "embedding" in blocks and backbone is None:
            raise ConfigError(
                "the embedding needs a backbone",
                where="features",
                hint="give --backbone DIR, or --features 1d",
            )
        if backbone is not None and config.changes_backbone and name == "head":
            backbone = copy.deepcopy(backbone)  # the caller's backbone stays as it is
        read = blocks if not profiles or "counts" in blocks else (*blocks, "counts")
        features = MoleculeFeatures.build(read, backbone, reading=config.reading, **radii)
        features = replace(features, encoders=tuple(encoders))
        source = "" if features.backbone is None else features.backbone.digest
        if not profiles:
            return cls(name, make, features, source)
        keys = tuple(each.key for each in profiles)
        features = replace(features, profiles=tuple(profiles))
        projected = features.projected
        return cls(name, lambda: WithProfiles(make(), name, keys, projected), features, source)
