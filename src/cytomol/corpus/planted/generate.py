"""Plant a corpus: draw molecules, give them biology, measure some of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.planted.assays import choose_folds, plant_assays
from cytomol.corpus.planted.biology import RESPONSE_WIDTH, molecule_biology, plant_biology
from cytomol.corpus.planted.fragments import PHARMACOPHORES
from cytomol.corpus.planted.library import CORE_TABLE, sample_molecules
from cytomol.corpus.planted.links import plant_gene_gene, plant_regulation, plant_targets
from cytomol.corpus.planted.measurements import Noise, Readout, measure, observed_rows, plant_readout
from cytomol.corpus.planted.options import MAXIMUM_SIZE, MINIMUM_SIZE, PlantedOptions
from cytomol.corpus.planted.pathways import plant_genes
from cytomol.corpus.planted.truth import PlantedCorpus, Truth
from cytomol.corpus.schema import Corpus, Entity, Modality, Relation
from cytomol.errors import InputError

__all__ = ["generate_planted"]

_INCHIKEY_LIMIT = (
    20_000  # molecules; beyond this the column is left out, for InChI costs more than all the rest
)
_REPEATED = 0.05  # share of morphology profiles that were measured on a second plate
_KINDS: dict[str, tuple[str, Entity]] = {
    "morphology": ("morphology", "molecule"),
    "expression": ("expression", "molecule"),
    "gene_knockout": ("perturbation", "gene"),
}
_COMPARTMENTS = ("Cells", "Cytoplasm", "Nuclei")
_MEASUREMENTS = ("AreaShape", "Granularity", "Intensity", "RadialDistribution", "Texture")
_STREAMS = (
    "molecules",
    "biology",
    "response",
    "genes",
    "readouts",
    "folds",
    "assays",
    "profiles",
    "relations",
)


def generate_planted(size: int, seed: int = 0, options: PlantedOptions | None = None) -> PlantedCorpus:
    """Return a corpus of ``size`` molecules with known truth.

    Parameters
    ----------
    size
        Molecules, 200 to 1,000,000. A million takes a few minutes and about 1 GB of memory.
    seed
        Everything follows from it: same size, seed and options, same corpus.
    options
        Widths, rates, noise.

    Raises
    ------
    InputError
        If ``size`` or ``seed`` is out of range.
    """
    options = options or PlantedOptions()
    rng = _streams(size, seed)
    drawn = sample_molecules(size, rng["molecules"])
    biology = plant_biology(np.unique(drawn["core"].to_numpy()), rng["biology"])
    effects, responses = molecule_biology(drawn, biology, rng["response"])
    genes, gene_responses = plant_genes(options.genes, biology, rng["genes"])
    column_genes = _expression_genes(genes, options, rng["readouts"])
    readouts = _readouts(options, len(column_genes), rng["readouts"])
    folds = choose_folds(drawn["core"].to_numpy(), rng["folds"], options.labelled)
    smiles = drawn["smiles"].to_numpy(dtype=object)
    assays, recipes = plant_assays(smiles[folds.rows].tolist(), responses[folds.rows], biology, rng["assays"])
    modalities, plates = _modalities(
        readouts,
        {"molecule": responses, "gene": gene_responses},
        propensities=_propensities(drawn, effects, rng["profiles"]),
        columns=_columns(options, genes, column_genes),
        options=options,
        rng=rng["profiles"],
    )
    planted = _relations(
        effects, genes, new=folds.rows[folds.fold == "test"],
        effect=readouts["expression"](gene_responses) / readouts["expression"].unit,
        column_genes=column_genes, rng=rng["relations"],
    )  # fmt: skip
    ids = [f"P{number:07d}" for number in range(size)]
    corpus = Corpus(
        molecules=_molecule_table(ids, smiles),
        genes=genes[["gene_id"]].copy(),
        modalities=modalities,
        relations={relation.name: relation for relation, _ in planted},
        notes=(f"planted with size {size}, seed {seed}: made up, no measurement of anything",),
    )
    truth = Truth(
        molecules=_truth_table(ids, drawn, effects),
        responses=responses,
        genes=genes,
        gene_responses=gene_responses,
        targets=biology.targets,
        target_responses=biology.leaf_response,
        assays=recipes,
        readouts=readouts,
        plates=plates,
        relations={relation.name: correct for relation, correct in planted},
        entities={name: entity for name, (_, entity) in _KINDS.items()},
    )
    return PlantedCorpus(corpus, truth, assays, folds.fold, folds.rows)


def _streams(size: int, seed: int) -> dict[str, np.random.Generator]:
    """Return one independent source of randomness per part, so that no part shifts another."""
    if not MINIMUM_SIZE <= size <= MAXIMUM_SIZE:
        raise InputError(
            f"cannot plant a corpus of {size} molecules", hint=f"choose {MINIMUM_SIZE} to {MAXIMUM_SIZE:,}"
        )
    if seed < 0:
        raise InputError(f"seed {seed} is negative", hint="choose 0 or more")
    children = np.random.SeedSequence(seed).spawn(len(_STREAMS))
    return {name: np.random.default_rng(child) for name, child in zip(_STREAMS, children, strict=True)}


def _expression_genes(
    genes: pd.DataFrame, options: PlantedOptions, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the genes that expression is measured of, sorted rows."""
    if options.expression_width > len(genes):
        raise InputError(
            f"cannot measure the expression of {options.expression_width} genes: there are {len(genes)}",
            hint="raise genes or lower expression_width",
        )
    return np.sort(rng.permutation(len(genes))[: options.expression_width])


def _readouts(options: PlantedOptions, expressed: int, rng: np.random.Generator) -> dict[str, Readout]:
    return {
        "morphology": plant_readout(rng, RESPONSE_WIDTH, options.morphology_width, center=3.0, unit=1.0),
        "expression": plant_readout(rng, RESPONSE_WIDTH, expressed, density=0.3, unit=0.4),
        "gene_knockout": plant_readout(rng, RESPONSE_WIDTH, options.perturbation_width, center=1.0, unit=0.5),
    }


def _columns(
    options: PlantedOptions, genes: pd.DataFrame, column_genes: NDArray[np.int64]
) -> dict[str, tuple[str, ...]]:
    def features(width: int) -> tuple[str, ...]:
        kinds = [f"{place}_{what}" for place in _COMPARTMENTS for what in _MEASUREMENTS]
        return tuple(f"{kinds[i % len(kinds)]}_{i // len(kinds) + 1}" for i in range(width))

    return {
        "morphology": features(options.morphology_width),
        "expression": tuple(genes["gene_id"].to_numpy()[column_genes]),
        "gene_knockout": features(options.perturbation_width),
    }


def _propensities(
    drawn: pd.DataFrame, effects: pd.DataFrame, rng: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    """Return how likely each molecule is to be measured: what acts is looked at more often.

    Cores differ in how much they are looked at, and a molecule that was looked at once is more likely
    to be looked at again, so that the modalities overlap more than by chance.
    """
    fashion = np.exp(0.25 * rng.normal(size=len(CORE_TABLE)))[drawn["core"].to_numpy()]
    fashion *= np.exp(0.5 * rng.normal(size=len(drawn)))
    efficacy = effects["efficacy"].to_numpy()
    return {
        "morphology": fashion * np.where(efficacy > 0, 1.3, 0.65),
        "expression": fashion * (0.5 + efficacy),
    }


def _modalities(
    readouts: dict[str, Readout],
    responses: dict[Entity, NDArray[np.float32]],
    *,
    propensities: dict[str, NDArray[np.float64]],
    columns: dict[str, tuple[str, ...]],
    options: PlantedOptions,
    rng: np.random.Generator,
) -> tuple[dict[str, Modality], dict[str, NDArray[np.int32]]]:
    rates = {
        "morphology": options.morphology_rate,
        "expression": options.expression_rate,
        "gene_knockout": options.perturbation_rate,
    }
    tails = {"morphology": 4.0, "expression": 2.5, "gene_knockout": 5.0}
    modalities, plates = {}, {}
    for name, (kind, entity) in _KINDS.items():
        behind = responses[entity]
        rows = observed_rows(rng, rates[name], propensities.get(name, np.ones(len(behind))))
        if name == "morphology":
            rows = np.sort(np.concatenate([rows, rng.permutation(rows)[: round(_REPEATED * len(rows))]]))
        noise = Noise(replicate=options.noise, tail=tails[name], batch=options.batch)
        measured = measure(readouts[name], behind[rows], noise, rng)
        modalities[name] = Modality(name, kind, entity, rows, measured.values, columns[name])
        plates[name] = measured.plate
    return modalities, plates


def _relations(
    effects: pd.DataFrame,
    genes: pd.DataFrame,
    *,
    new: NDArray[np.int64],
    effect: NDArray[np.float32],
    column_genes: NDArray[np.int64],
    rng: np.random.Generator,
) -> tuple[tuple[Relation, NDArray[np.bool_]], ...]:
    """Return each relation and which of its links are right; nobody has annotated ``new`` molecules yet."""
    unannotated = np.zeros(len(effects), dtype=bool)
    unannotated[new] = True
    return (
        plant_targets(effects, genes, unannotated, rng),
        plant_gene_gene(genes, rng),
        plant_regulation(effect, column_genes, rng),
    )


def _molecule_table(ids: list[str], smiles: NDArray[np.object_]) -> pd.DataFrame:
    table = pd.DataFrame({"mol_id": ids, "smiles": smiles})
    if len(ids) <= _INCHIKEY_LIMIT:
        from cytomol.chem.keys import inchikey
        from cytomol.chem.parse import parse_smiles

        molecules = (parse_smiles(one).mol for one in smiles)
        table["inchikey"] = [inchikey(mol) if mol is not None else "" for mol in molecules]
    return table


def _truth_table(ids: list[str], drawn: pd.DataFrame, effects: pd.DataFrame) -> pd.DataFrame:
    core = drawn["core"].to_numpy()
    chemotypes = np.array([chemotype for chemotype, _ in CORE_TABLE], dtype=object)
    cores = np.array([smiles for _, smiles in CORE_TABLE], dtype=object)
    names = np.array([one.name for one in PHARMACOPHORES] + [""], dtype=object)
    head = pd.DataFrame(
        {
            "mol_id": ids,
            "core": cores[core],
            "chemotype": chemotypes[core],
            "pharmacophore": names[drawn["pharmacophore"].to_numpy()],
            "binds": drawn["binds"].to_numpy(),
            "lipophilicity": drawn["lipophilicity"].to_numpy(),
        }
    )
    return pd.concat([head, effects], axis=1)
