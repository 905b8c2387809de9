"""Profiles of a corpus corrected for plate or library, as each modality declares it."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from cytomol.corpus.correction import GroupCorrection, Way
from cytomol.corpus.schema import Corpus
from cytomol.counted import counted
from cytomol.errors import ConfigError
from cytomol.methods.config import MethodConfig
from cytomol.progress import Reporter

__all__ = ["correct_profiles", "refuse_pooled"]


def correct_profiles(
    corpus: Corpus, held: NDArray[np.bool_], config: MethodConfig, reporter: Reporter
) -> tuple[Corpus, dict[str, GroupCorrection]]:
    """Return the corpus with corrected profiles, and the corrections by modality.

    Parameters
    ----------
    corpus
        The corpus; modalities without a declared correction stay as they are.
    held
        Validation molecules, whose profiles a correction is not fitted on, bool, shape (molecules,).
    config
        Options of the method; ``profile_correction`` "none" leaves all profiles as they are.
    reporter
        Is told what was corrected.
    """
    if config.profile_correction == "none":
        return corpus, {}
    corrections, modalities = {}, dict(corpus.modalities)
    for name, modality in corpus.modalities.items():
        about = modality.provenance
        if (groups := about.groups) is None:
            continue
        train = np.ones(len(modality), np.bool_) if modality.entity == "gene" else ~held[modality.rows]
        train = train if train.any() else np.ones(len(modality), np.bool_)
        fitted = GroupCorrection.fit(
            modality.values[train], groups[train], cast("Way", about.correction), by=about.by
        )
        corrections[name] = fitted
        modalities[name] = replace(modality, values=fitted.apply(modality.values, groups))
        number = counted(len(fitted.groups), "group")
        reporter.say(f"{name}: corrected by {about.by} ({about.correction}, {number})")
    return replace(corpus, modalities=modalities), corrections


def refuse_pooled(corpus: Corpus, config: MethodConfig) -> None:
    """Refuse to pool modalities whose profiles are to be weighted or corrected one by one.

    Raises
    ------
    ConfigError
        With what to do instead.
    """
    if config.target_spaces != "pooled":
        return
    corrected = config.profile_correction == "declared" and any(
        modality.provenance.by for modality in corpus.modalities.values()
    )
    if corrected or config.profile_weights != "none":
        what = "corrected" if corrected else "weighted"
        raise ConfigError(
            f"profiles of pooled modalities cannot be {what} one by one",
            hint="set target_spaces to separate, or profile_correction and profile_weights to none",
        )
