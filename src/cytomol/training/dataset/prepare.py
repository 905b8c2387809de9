"""A corpus becomes what pretraining draws its batches from."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cytomol.artifact.backbone import feature_options_of
from cytomol.artifact.batches import BatchBuilder
from cytomol.chem.features import ATOM_FEATURE_SIZES, BOND_FEATURE_SIZES
from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.chem.similarity import SimilaritySearch
from cytomol.chem.standardize import kept_whole
from cytomol.chem.store import MoleculeStore
from cytomol.context import ContextGraph, ContextOptions, build_context
from cytomol.context.criteria import criteria
from cytomol.corpus.lift import molecule_profiles
from cytomol.corpus.pooled import pool_modalities
from cytomol.corpus.scaling import FeatureScaler
from cytomol.corpus.schema import Corpus, Modality
from cytomol.corpus.typical import TypicalProfile
from cytomol.counted import agreeing, counted
from cytomol.errors import ConfigError, InputError
from cytomol.methods import method_of
from cytomol.methods.config import ContextConfig, MethodConfig
from cytomol.methods.needs import Needs
from cytomol.nn.batch import Dimensions
from cytomol.progress import Reporter
from cytomol.training.dataset.corrected import correct_profiles, refuse_pooled
from cytomol.training.dataset.data import PretrainData, stream
from cytomol.training.dataset.exclude import molecule_groups
from cytomol.training.dataset.profile_inputs import Neighbours, ProfileInput, profile_inputs
from cytomol.training.dataset.profile_targets import profile_targets
from cytomol.training.dataset.profile_weights import mean_modality, profile_weights
from cytomol.training.dataset.relation_targets import relation_targets
from cytomol.training.dataset.targets import BitTarget, DenseTarget, Target

__all__ = ["corpus_digest", "edge_criteria", "prepare"]

SPLIT = 4  # purpose of the random numbers that choose the validation molecules


def prepare(corpus: Corpus, config: MethodConfig, reporter: Reporter) -> PretrainData:
    """Featurize, join and scale a corpus for pretraining.

    Parameters
    ----------
    corpus
        The corpus.
    config
        Options of the method.
    reporter
        Is told each step.

    Raises
    ------
    InputError
        If no two valid molecules are left, or a modality does not exist.
    ConfigError
        If an edge criterion, a molecular target or a relation to be reconstructed is unknown.
    """
    needs = method_of(config).needs(config)
    corpus = _readable(corpus.select(config.modalities), needs, reporter)
    reconstructed: set[str] = set()
    if isinstance(config, ContextConfig):
        reconstructed = set(corpus.select(config.profile_targets).modalities)
        corpus.select(config.compared_modalities)  # an unknown one is said now
        edge_criteria(config)  # as well
    store = _featurize(corpus, config, reporter)
    corpus = _without_empty(corpus.without_profiles_of(~np.asarray(store.valid)), reporter)
    refuse_pooled(corpus, config)
    if config.target_spaces == "pooled":
        corpus = pool_modalities(corpus)
    train, validation = _split(corpus, _learnt_from(corpus, store, needs), config, reporter)
    held = np.zeros(len(store), np.bool_)
    held[validation] = True
    corpus, corrections = correct_profiles(corpus, held, config, reporter)
    weights = profile_weights(corpus, held, config)

    scalers = {name: _fit_scaler(corpus, name, held, config) for name in corpus.modalities}
    neighbours, graph = None, _no_context(store)
    builder = BatchBuilder.fit(config.views, store, train)
    targets: dict[str, Target] = {}
    if isinstance(config, ContextConfig):
        fingerprints = _compared_fingerprints(store, config)
        search = SimilaritySearch(config.similarity_search, config.exact_up_to)
        neighbours = Neighbours(fingerprints, search, reporter)
        known = _context_corpus(corpus, config)
        graph = _context(known, store, config, fingerprints, reporter)
        targets = {
            **_molecule_targets(store, config, train, held),
            **relation_targets(corpus, config.relation_targets, np.asarray(store.valid), held),
            **profile_targets(
                known, graph, scalers, held, config, reconstructed=reconstructed, weights=weights
            ),
        }
    profiles_in: dict[str, ProfileInput] = {}
    input_scalers: dict[str, FeatureScaler] = {}
    if needs.profiles is not None:
        profiles_in, input_scalers = profile_inputs(
            corpus,
            needs.profiles,
            scalers,
            valid=np.asarray(store.valid),
            held=held,
            neighbours=neighbours,
            reporter=reporter,
            seed=config.seed,
            weights=weights,
        )
    dimensions = Dimensions(
        atom_features=tuple(ATOM_FEATURE_SIZES),
        bond_features=tuple(BOND_FEATURE_SIZES),
        views=builder.widths(store.widths),
        modalities={name: modality.width for name, modality in corpus.modalities.items()},
        targets={name: target.width for name, target in targets.items()},
        binary_targets=tuple(name for name, target in targets.items() if isinstance(target, BitTarget)),
    )
    return PretrainData(
        store=store,
        graph=graph,
        builder=builder,
        targets=targets,
        profiles=profiles_in,
        scalers=scalers,
        input_scalers=input_scalers,
        train=train,
        validation=validation,
        walk_length=config.walk_length if isinstance(config, ContextConfig) else 0,
        dimensions=dimensions,
        modalities={
            name: {"kind": m.kind, "entity": m.entity, "columns": list(m.columns)}
            for name, m in corpus.modalities.items()
        },
        typical={
            name: TypicalProfile.fit(_learnt_values(m, held), scalers[name])
            for name, m in corpus.modalities.items()
        },
        corrections=corrections,
    )


def corpus_digest(corpus: Corpus) -> str:
    """Return a SHA-256 over molecules, profiles and relations: equal data, equal digest."""
    digest = hashlib.sha256("\n".join(str(text) for text in corpus.smiles).encode())
    for name, modality in corpus.modalities.items():
        digest.update(f"{name}{modality.values.shape}".encode())
        digest.update(np.ascontiguousarray(modality.rows).data)
        digest.update(np.ascontiguousarray(modality.values).data)
        if not (about := modality.provenance).empty:
            digest.update(f"{about.correction}{about.by}{about.frame().to_csv()}".encode())
    for name, relation in corpus.relations.items():
        digest.update(f"{name}{len(relation)}".encode())
        for part in (relation.source, relation.target, relation.weight):
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()


def _readable(corpus: Corpus, needs: Needs, reporter: Reporter) -> Corpus:
    """Return the corpus without the modalities that the method cannot learn from."""
    if needs.targets or needs.profiles is None or needs.profiles.of_genes:
        return corpus
    of_genes = [name for name, modality in corpus.modalities.items() if modality.entity == "gene"]
    if of_genes:
        reporter.say(f"of genes, so not learnt from: {', '.join(of_genes)}")
    return corpus.select([name for name in corpus.modalities if name not in of_genes])


def _learnt_from(corpus: Corpus, store: MoleculeStore, needs: Needs) -> NDArray[np.bool_]:
    """Return which molecules the method learns from, bool, shape (molecules,).

    Raises
    ------
    InputError
        If it needs molecules with profiles and fewer than two have one.
    """
    valid = np.array(store.valid)
    if needs.molecules == "all":
        return valid
    profiled = np.zeros(len(valid), np.bool_)
    for name in corpus.modalities:
        profiled[molecule_profiles(corpus, name)[0]] = True
    if (number := int((valid & profiled).sum())) < 2:
        raise InputError(
            f"{agreeing(number, 'molecule', 'has', 'have')} a profile, and the method learns from those"
            " alone",
            hint="add profiles of molecules, or choose another method",
        )
    return valid & profiled


def _no_context(store: MoleculeStore) -> ContextGraph:
    """Return the graph of a method that takes no walks: every molecule by itself."""
    return ContextGraph(
        indptr=np.zeros(len(store) + 1, np.int64),
        indices=np.zeros(0, np.int32),
        weights=np.zeros(0, np.float32),
        spaces=("molecule",),
        offsets={"molecule": 0},
    )


def _without_empty(corpus: Corpus, reporter: Reporter) -> Corpus:
    empty = [name for name, modality in corpus.modalities.items() if not len(modality)]
    if empty:
        reporter.say(f"without profiles, so not learnt from: {', '.join(empty)}")
    return corpus.select([name for name in corpus.modalities if name not in empty])


def _featurize(corpus: Corpus, config: MethodConfig, reporter: Reporter) -> MoleculeStore:
    """Featurize all molecules and say how many are invalid."""
    views = feature_options_of(config)
    known = ("morgan", "maccs", "counts", "descriptors")
    wanted: tuple[str, ...] = ()
    bits = views.morgan_bits
    if isinstance(config, ContextConfig):
        wanted, bits = config.molecule_targets, config.morgan_bits  # the context compares them in any case
    if unknown := [name for name in wanted if name not in known]:
        raise ConfigError(f"unknown molecule_targets {', '.join(unknown)}", hint=f"known: {', '.join(known)}")
    if clash := set(known) & set(corpus.modalities):
        raise InputError(f"modality {clash.pop()!r} has the name of a molecular feature", hint="rename it")
    options: FeatureOptions = replace(
        views,
        morgan_bits=bits,
        maccs=views.maccs or "maccs" in wanted,
        counts="counts" in wanted,
        descriptors="descriptors" in wanted,
    )
    with reporter.bar(f"featurize {counted(len(corpus), 'molecule')}") as progress:
        store = featurize(corpus.smiles, options, workers=config.workers or None, progress=progress)
    invalid = np.flatnonzero(~store.valid)
    if len(invalid):
        reasons = Counter(store.errors[row] for row in invalid).most_common(1)
        reporter.say(
            f"{agreeing(len(invalid), 'molecule', 'is', 'are', of=len(store))} invalid and left out"
            f" (most often: {reasons[0][0]}; first in row {invalid[0]})"
        )
    if options.standardize == "keep" and (
        whole := kept_whole(store.smiles[row] for row in np.flatnonzero(store.valid))
    ):
        reporter.say(whole)
    if "3d" in config.views:
        masked = int(np.isnan(store.blocks["geometry"]).all(axis=1)[store.valid].sum())
        placed = counted(int(store.valid.sum()) - masked, "molecule")
        reporter.say(f"3d view: {placed}, {masked:,} masked")
    return store


def _split(
    corpus: Corpus, usable: NDArray[np.bool_], config: MethodConfig, reporter: Reporter
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return training and validation molecules; molecules of equal connectivity stay together."""
    valid = np.flatnonzero(usable)
    if len(valid) < 2:
        left = agreeing(len(valid), "valid molecule", "is", "are")
        raise InputError(f"{left} left", hint="pretraining needs at least 2")
    # two are left to learn from, whatever share was asked for
    wanted = min(round(config.validation_fraction * len(valid)), len(valid) - 2)
    if wanted == 0:
        return valid, valid[:0]
    group = molecule_groups(corpus)[valid]
    names, sizes = np.unique(group, return_counts=True)
    order = stream(config.seed, SPLIT).permutation(len(names))
    taken = names[order[np.cumsum(sizes[order]) <= wanted]]
    held = np.isin(group, taken)
    reporter.say(f"{int((~held).sum()):,} molecules to train on, {int(held.sum()):,} to validate")
    return valid[~held], valid[held]


def _fit_scaler(corpus: Corpus, name: str, held: NDArray[np.bool_], config: MethodConfig) -> FeatureScaler:
    """Fit on the profiles of training molecules (of all genes)."""
    try:
        return FeatureScaler.fit(_learnt_values(corpus.modalities[name], held), config.scaling)
    except InputError as error:
        raise InputError(error.what, where=f"modality {name}, {error.where}", hint=error.hint) from None


def _learnt_values(modality: Modality, held: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the profiles of training molecules, or of all genes."""
    train = np.ones(len(modality), np.bool_) if modality.entity == "gene" else ~held[modality.rows]
    # With profiles of validation molecules alone there is nothing else to learn the scale from.
    return modality.values[train] if train.any() else modality.values


def _compared_fingerprints(store: MoleculeStore, config: ContextConfig) -> NDArray[np.uint8]:
    """Return the packed fingerprints by which molecules are similar."""
    if config.similarity_radius in {None, config.morgan_radius}:
        return np.asarray(store.blocks["morgan"])
    options = feature_options_of(config).fingerprint(config.similarity_radius or 0, config.morgan_bits)
    return np.asarray(featurize(store.smiles, options, workers=config.workers or None).blocks["morgan"])


def _context_corpus(corpus: Corpus, config: ContextConfig) -> Corpus:
    """Return the corpus as the context graph has it.

    Genes without a profile may be left out, unless that would be all; profiles on genes are one for each.
    """
    if not config.unprofiled_genes:
        profiled = np.zeros(len(corpus.genes), np.bool_)
        for modality in corpus.modalities.values():
            if modality.entity == "gene":
                profiled[modality.rows] = True
        corpus = corpus.with_genes(profiled) if profiled.any() else corpus
    if config.gene_profiles == "leaf":
        return corpus
    single = {}
    for name, modality in corpus.modalities.items():
        single[name] = mean_modality(modality) if modality.entity == "gene" else modality
    return replace(corpus, modalities=single)


def edge_criteria(config: MethodConfig) -> tuple[str, ...]:
    """Return the edge criteria that apply: those chosen, else all; none where no walk is taken or known.

    Raises
    ------
    ConfigError
        If one is unknown; the known ones are listed.
    """
    if not isinstance(config, ContextConfig):
        return ()
    chosen = criteria.names() if config.criteria is None else config.criteria
    for name in chosen:
        criteria[name]
    if not config.walk_length:
        return ()
    return tuple(name for name in chosen if name != "readout" or config.readout_fraction > 0)


def _context(
    corpus: Corpus,
    store: MoleculeStore,
    config: ContextConfig,
    fingerprints: NDArray[np.uint8],
    reporter: Reporter,
) -> ContextGraph:
    chosen = {name: getattr(config, name) for name in ContextOptions.model_fields}
    options = ContextOptions.build({**chosen, "criteria": edge_criteria(config)})
    with reporter.step("context graph") as status:
        graph = build_context(corpus, store, options, fingerprints=fingerprints, progress=status)
    reporter.say(graph.text())
    return graph


def _molecule_targets(
    store: MoleculeStore, config: ContextConfig, train: NDArray[np.int64], held: NDArray[np.bool_]
) -> dict[str, Target]:
    """Return the target spaces of molecule nodes; they are the first nodes of the graph."""
    targets: dict[str, Target] = {}
    learnt = store.valid & ~held
    for name in config.molecule_targets:
        if name in {"morgan", "maccs"}:
            packed = np.ascontiguousarray(store.blocks[name])
            targets[name] = BitTarget(
                0, packed, store.widths[name], learnt, store.valid, count_stuck=config.count_stuck
            )
        else:
            values = store.dense(name)
            scaled = FeatureScaler.fit(values[train], config.scaling).transform(values)
            targets[name] = DenseTarget(
                0, np.clip(scaled, 0, 1), learnt, store.valid, count_stuck=config.count_stuck
            )
    return targets
