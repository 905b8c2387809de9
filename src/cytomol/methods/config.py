"""Options of the methods: one flat, frozen model each; the command line is generated from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from cytomol.config import Config
from cytomol.methods.presets import CHMR, CONTRASTIVE, INFOALIGN, preset_options
from cytomol.registry import Registry

__all__ = ["CHMRConfig", "ContrastiveConfig", "InfoAlignConfig", "MethodConfig", "configs"]

# the options of each method by its name, for whoever must not load torch to list them
configs: Registry[type[MethodConfig]] = Registry("method")

VIEWS = ("1d", "2d", "3d")


class MethodConfig(Config):
    """Options that every method shares.

    The defaults are settings that a laptop can run; ``preset`` gives the published ones. Every
    option carries its own description.
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"default": {}}

    # what the method looks at
    views: tuple[str, ...] = Field(
        VIEWS, description="Molecular views: 1d (fingerprints), 2d (graph), 3d (geometry)."
    )
    modalities: tuple[str, ...] | None = Field(
        None,
        description="Cell modalities to learn from; all when not given, an empty list for none.",
    )
    molecule_targets: tuple[str, ...] = Field(
        ("morgan",), description="Molecular features to reconstruct: morgan, maccs, counts, descriptors."
    )
    profile_targets: tuple[str, ...] | None = Field(
        None,
        description="Modalities whose profiles are reconstructed; all that are learnt from if not given.",
    )
    relation_targets: tuple[str, ...] = Field(
        (),
        description="Relations of molecules with genes that are reconstructed, as 0 or 1 for each gene.",
    )
    morgan_radius: int = Field(4, ge=1, le=8, description="Radius of the Morgan fingerprint, in bonds.")
    morgan_bits: int = Field(
        1024, ge=64, le=16384, multiple_of=8, description="Bits of the Morgan fingerprint."
    )
    geometry: str = Field("rdkit", description="Provider of the 3d view: rdkit or unimol.")
    geometry_timeout: float = Field(
        20.0,
        gt=0,
        description="Seconds after which a molecule's conformer is given up and its 3d view masked.",
    )
    chirality: Literal["canonical", "as_written"] = Field(
        "canonical",
        description="Stereocentres as the molecule has them, however it is written (canonical), or as RDKit "
        "tags them in the order of the SMILES (as_written, the papers and their code).",
    )
    standardize: Literal["keep", "parent"] = Field(
        "keep",
        description="Read salts, mixtures and charges as they are (keep), or the largest part, uncharged "
        "(parent); the saved model does the same when it predicts.",
    )
    max_atoms: int = Field(
        1000, ge=1, description="Atoms, hydrogens apart, beyond which a molecule is invalid."
    )
    molecule_timeout: float = Field(
        20.0,
        gt=0,
        description="Seconds of processor time after which a molecule's features are given up.",
    )
    scaling: Literal["robust", "minmax"] = Field(
        "robust",
        description="How profile features are scaled to [0, 1]: robust to tails, or by minimum and maximum.",
    )

    target_spaces: Literal["separate", "pooled"] = Field(
        "separate",
        description="Modalities of one kind: each for itself (separate), or joined column by column into "
        "one, with one projector, one decoder and one mean over its entries (pooled, the authors' code).",
    )

    # context
    gene_profiles: Literal["leaf", "node"] = Field(
        "node",
        description="Where a gene's profile sits in the context graph: on a node of its own that hangs on "
        "the gene (leaf), or on the gene's own node (node, as in the authors' code).",
    )
    unprofiled_genes: bool = Field(
        False,
        description="Let genes without a profile take part in the context graph; where no gene has one, all "
        "do.",
    )
    candidates: Literal["all", "shortcut"] = Field(
        "all",
        description="Pairs compared for similarity edges: all, or within scaffolds and clusters (shortcut).",
    )
    similarity_radius: int | None = Field(
        None,
        ge=1,
        le=8,
        description="Morgan radius of the fingerprints by which molecules are similar; that of the target if "
        "not given.",
    )
    similarity_digits: int | None = Field(
        None,
        ge=1,
        le=7,
        description="Digits to which the weight of a similarity edge is rounded; all if not given.",
    )
    compared_modalities: tuple[str, ...] | None = Field(
        None,
        description="Modalities whose profiles are compared for similarity edges; all when not given.",
    )
    compared_values: Literal["auto", "scaled", "stored", "filled"] = Field(
        "auto",
        description="Values by which profiles are compared, on what two of them share: scaled by feature, as "
        "stored, or (auto) scaled where features are in different units; filled takes the column's mean for "
        "what is not measured, as the published code does.",
    )
    minimum_similarity: float = Field(0.8, gt=0, le=1, description="Lowest threshold of a similarity edge.")
    maximum_similarity: float = Field(0.99, gt=0, le=1, description="Highest threshold of a similarity edge.")
    drop_fraction: float = Field(
        0.995, ge=0, lt=1, description="Share of candidate pairs that the similarity threshold drops."
    )
    readout_fraction: float = Field(
        0.01,
        ge=0,
        le=1,
        description="Share of expression values, largest first, that link a molecule to a gene.",
    )
    readout_weight: Literal["scaled", "raw"] = Field(
        "scaled",
        description="Weight of such a link: |value| scaled to at most 1, or as it stands (raw, the authors' "
        "code).",
    )
    similarity_search: Literal["auto", "exact", "index"] = Field(
        "auto",
        description="How similar molecules and profiles are found: exact compares all, index asks an "
        "approximate index, auto takes the index above exact_up_to.",
    )
    exact_up_to: int = Field(
        200_000,
        ge=1,
        description="Molecules or profiles up to which the automatic search compares all pairs.",
    )
    criteria: tuple[str, ...] | None = Field(
        None,
        description="Reasons for an edge of the context graph (profile, target, readout, structure, "
        "profile_similarity, gene_similarity, gene_gene, molecule_molecule); all when not given.",
    )
    walk_length: int = Field(4, ge=0, le=64, description="Steps of a context walk; 0 leaves the context out.")
    count_stuck: bool = Field(
        False,
        description="Count the steps of a walk at a node without neighbours as entries of weight 0 (the "
        "authors' code), so that the mean over entries shrinks.",
    )
    neighbours: int = Field(
        10, ge=1, le=1000, description="Structural neighbours that fill a missing profile."
    )
    propagation_steps: int = Field(
        5, ge=0, le=100, description="Steps of filling missing profiles from neighbours."
    )

    # architecture
    encoder: Literal["gin", "gcn"] = Field(
        "gin", description="Graph encoder: graph isomorphism (gin) or graph convolution (gcn)."
    )
    width: int = Field(300, ge=8, le=4096, description="Width of every representation.")
    layers: int = Field(5, ge=1, le=32, description="Message-passing layers of the graph encoder.")
    virtual_node: bool = Field(True, description="Give every molecular graph a virtual node.")
    readout: Literal["sum", "mean", "max"] = Field("sum", description="How atoms are pooled into a molecule.")
    zero_biases: bool = Field(
        False, description="Start the biases of all linear layers at 0 (the authors' code), not at random."
    )
    dropout: float = Field(0.1, ge=0, lt=1, description="Dropout of the graph encoder.")
    decoder_dropout: float = Field(0.1, ge=0, lt=1, description="Dropout of the decoders.")

    # training
    epochs: int = Field(20, ge=0, description="Passes over the molecules; 0 writes the untrained model.")
    batch_size: int = Field(512, ge=1, description="Molecules in a step.")
    lr: float = Field(5e-4, gt=0, lt=1, description="Learning rate of Adam.")
    weight_decay: float = Field(1e-8, ge=0, lt=1, description="Weight decay of Adam.")
    warmup_epochs: float = Field(
        0.5, ge=0, description="Epochs over which the learning rate rises to its value."
    )
    schedule: Literal["cosine", "constant"] = Field(
        "cosine", description="Course of the learning rate after warm-up."
    )
    cosine_cycles: float = Field(
        7 / 16,
        gt=0,
        le=0.5,
        description="Part of a cosine wave that the learning rate follows; 0.5 ends at zero.",
    )
    gradient_clip: float = Field(1.0, ge=0, description="Largest norm of the gradient; 0 does not clip.")
    validation_fraction: float = Field(
        0.05, ge=0, lt=1, description="Share of molecules held out to validate; 0 for none."
    )
    patience: int = Field(
        0, ge=0, description="Epochs without better validation before stopping; 0 never stops."
    )
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of everything random.")
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field(
        "32-true", description="Arithmetic of training."
    )
    accelerator: str = Field("auto", description="Where to train: auto, cpu, cuda or mps.")
    devices: int = Field(1, ge=1, description="Devices or processes that train together.")
    workers: int = Field(0, ge=0, description="Processes that featurize molecules; 0 takes one per core.")
    threads: int = Field(0, ge=0, description="Threads of a process; 0 leaves the choice to torch.")
    logger: str = Field("csv", description="Where losses are logged: csv, tensorboard or none.")

    @field_validator("views")
    @classmethod
    def _known_views(cls, views: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [view for view in views if view not in VIEWS]
        if unknown or not views or len(set(views)) != len(views):
            raise ValueError(f"views are one or more of {', '.join(VIEWS)}, each once")
        return tuple(view for view in VIEWS if view in views)

    @model_validator(mode="after")
    def _ordered_thresholds(self) -> Self:
        if self.minimum_similarity > self.maximum_similarity:
            raise ValueError("minimum_similarity is above maximum_similarity")
        return self

    @classmethod
    def preset(cls, name: str) -> Self:
        """Return the settings of a preset: "default", "paper", "authors" or, for CHMR, "authors:SET".

        Raises
        ------
        ConfigError
            If there is no such preset.
        """
        return cls.build(dict(preset_options(cls.presets, name)))


@configs.register("infoalign")
class InfoAlignConfig(MethodConfig):
    """Options of InfoAlign (Liu et al., ICLR 2025)."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = INFOALIGN

    views: tuple[str, ...] = Field(
        ("2d",), description="Molecular views; InfoAlign reads the graph, 2d, alone."
    )
    beta: float = Field(1e-9, ge=0, description="Weight of the minimality term.")
    decode: Literal["mean", "sample"] = Field(
        "mean",
        description="What decoders read: the bottleneck's mean (authors' code) or a sample (paper).",
    )

    @model_validator(mode="after")
    def _graph_alone(self) -> Self:
        if self.views != ("2d",):
            raise ValueError("InfoAlign reads the graph alone: views must be 2d")
        return self


@configs.register("chmr")
class CHMRConfig(MethodConfig):
    """Options of CHMR (Li et al., AAAI 2026)."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = CHMR

    molecule_targets: tuple[str, ...] = Field(
        ("morgan", "maccs"),
        description="Molecular features to reconstruct: morgan, maccs, counts, descriptors.",
    )

    # modality augmentation
    profile_inputs: Literal["minmax", "zscore", "raw"] = Field(
        "minmax",
        description="How projectors read profiles: scaled to [0, 1] as the targets are, to mean 0 and "
        "variance 1 (zscore), or as they lie in the file (raw, the authors' code).",
    )
    augmentation: Literal["propagation", "authors", "nearest", "zero", "random"] = Field(
        "propagation",
        description="What stands in for a missing profile: neighbours' profiles spread step by step "
        "(propagation; authors: as their code has it), the mean of the measured neighbours (nearest), zeros "
        "or noise.",
    )
    restore_observed: bool = Field(
        True,
        description="Observed profiles keep their values during propagation (not so in the authors' code).",
    )
    propagation_fill: Literal["renormalise", "mean"] = Field(
        "renormalise",
        description="Neighbours without a profile: left out of the average, or counted as the column mean.",
    )

    # semantic consistency alignment
    lambda_sca: float = Field(
        10.0, ge=0, description="Weight of the alignment of molecules and profiles; 0 for none."
    )
    instance_alignment: bool = Field(True, description="Contrast molecules with their profiles (InfoNCE).")
    distribution_alignment: bool = Field(
        True, description="Keep profiles consistent with neighbours' (VICReg)."
    )
    alignment: Literal["paper", "held_out"] = Field(
        "held_out",
        description="Align all rows, placeholders too (paper), or measured ones alone (held_out).",
    )
    augmented_weight: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Weight of augmented profiles in the held_out contrast; 0 leaves them out.",
    )
    temperature: float = Field(0.2, gt=0, le=10, description="Temperature of the contrast.")
    alignment_reduction: Literal["mean", "sum"] = Field(
        "mean",
        description="The alignment terms of the modalities are averaged, or summed (the authors' code).",
    )
    variance_hinges: Literal["mean", "sum"] = Field(
        "mean",
        description="VICReg's two variance hinges are averaged (Bardes et al.), or summed (the authors' "
        "code).",
    )

    # hierarchical quantization
    lambda_vq: float = Field(10.0, ge=0, description="Weight of the quantization loss; 0 for none.")
    quantizer: Literal["tree", "flat", "none"] = Field(
        "tree", description="Code book: a binary tree, flat, or none."
    )
    depth: int = Field(
        6, ge=1, le=14, description="Levels of the tree; a flat code book holds as many codes as its leaves."
    )
    eta: float = Field(
        1.0, ge=0, description="Weight of moving codes towards projections in the quantization loss."
    )
    reverse_assignment: Literal["none", "pooled", "within", "authors"] = Field(
        "pooled",
        description="Also pull every code towards its nearest sample: of all modalities (pooled), of each "
        "modality and among those that reach the code's parent (within), or so that codes which none "
        "reaches go to the first sample (authors, as coded).",
    )
    reseed_dead_codes: bool = Field(True, description="Re-seed codes that stay unused from the batch.")

    # context-propagation reconstruction
    reconstruction: bool = Field(True, description="Reconstruct molecular features and profiles along walks.")
    decode_from: Literal["modality", "anchor", "both"] = Field(
        "both",
        description="What profiles are decoded from: their own projection (paper), the molecule's, or both.",
    )
    missing_input: Literal["augmented", "placeholder"] = Field(
        "augmented",
        description="What decoders read for a missing profile: the augmented one or the column mean.",
    )
    continuous_loss: Literal["mse", "bce"] = Field(
        "mse", description="Loss of continuous targets: mse (paper) or bce (the authors' code)."
    )

    @field_validator("reverse_assignment", mode="before")
    @classmethod
    def _once_a_switch(cls, chosen: Any) -> Any:
        """Read backbones of 0.1, which knew on and off."""
        return {True: "pooled", False: "none"}.get(chosen, chosen) if isinstance(chosen, bool) else chosen


@configs.register("contrastive")
class ContrastiveConfig(MethodConfig):
    """Options of the contrast of molecules and profiles (Sanchez-Fernandez et al., 2023)."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = CONTRASTIVE

    views: tuple[str, ...] = Field(
        ("1d", "2d"), description="Molecular views: 1d (fingerprints), 2d (graph), 3d (geometry)."
    )
    profile_inputs: Literal["minmax", "zscore", "raw"] = Field(
        "minmax", description="How profiles are read: in [0, 1], as z-scores, or as they lie in the file."
    )
    temperature: float = Field(1 / 14.3, gt=0, le=10, description="Temperature of the contrast.")
    retrieval: bool = Field(True, description="Contrast what modern Hopfield networks retrieve (CLOOB).")
    retrieval_scale: float = Field(14.3, gt=0, le=1000, description="Inverse temperature of retrieval.")
    hidden: int = Field(512, ge=8, le=16384, description="Width of hidden layers of views and profiles.")
    hidden_layers: int = Field(1, ge=0, le=8, description="Hidden layers of views and profiles.")
