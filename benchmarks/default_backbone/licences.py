"""Where the corpus comes from, under which licences, and what of it the shipped backbone may learn from."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MODALITIES", "MOLECULES", "OPEN_LICENCES", "RELATIONS", "Source", "allowed"]

OPEN_LICENCES = frozenset({"CC0", "CC BY 4.0", "MIT", "BSD-3", "CC0 / CC BY", "CC0 / BSD, MIT"})
"""Licences under which something learnt from the data may be passed on without further conditions."""


@dataclass(frozen=True)
class Source:
    """One source of molecules, profiles or relations.

    Attributes
    ----------
    name
        As the corpus writes it in ``sources``, or the name of a modality or relation.
    origin
        Who published it.
    licence
        Licence that is stated there; "none stated" where there is none.
    note
        What had to be decided; "" where nothing had.
    """

    name: str
    origin: str
    licence: str
    note: str = ""

    @property
    def open(self) -> bool:
        """Whether the backbone may learn from it."""
        return self.licence in OPEN_LICENCES


_OGB = "Open Graph Benchmark / MoleculeNet"
_NO_LABELS = "structures alone, no labels"

MOLECULES = (
    Source("repurposing_hub", "Broad Drug Repurposing Hub", "CC0"),
    Source("jump_pilot", "JUMP-Target", "CC0 / BSD, MIT"),
    Source("bbbp", _OGB, "MIT", _NO_LABELS),
    Source("bace", _OGB, "MIT", _NO_LABELS),
    Source("clintox", _OGB, "MIT", _NO_LABELS),
    Source("sider", _OGB, "MIT", _NO_LABELS),
    Source("toxcast", "InfoAlign's raw data", "none stated"),
    Source("chembl2k", "InfoAlign's raw data; ChEMBL (CC BY-SA)", "none stated"),
    Source("broad6k", "InfoAlign's raw data; Broad Institute", "none stated"),
    Source("biogenadme", "InfoAlign's raw data; Biogen", "none stated"),
    Source("cdrp_bioactivity", "bhklab/DNF", "none stated"),
    Source("drugbank_l1000", "DrugBank", "CC BY-NC", "its molecules stay where an open source has them too"),
)
"""Sources of structures. A molecule is learnt from where at least one open source has it."""

MODALITIES = (
    Source("expression_l1000_978", "dhimmel/lincs", "CC BY 4.0", "of molecules with an open structure"),
    Source("morphology_jump_phenotype60", "WayScience/phenotypic_profiling", "CC BY 4.0"),
    Source("gene_crispr_jump_phenotype60", "WayScience/phenotypic_profiling", "CC BY 4.0"),
    Source("gene_orf_jump_phenotype60", "WayScience/phenotypic_profiling", "CC BY 4.0"),
    Source("gene_orf_l1000_978", "carpenterlab/2017_rohban_elife", "BSD-3"),
    Source("morphology_cdrp_pc50", "bhklab/DNF", "none stated"),
    Source("morphology_jump_dino384", "JCreighton19/Cellpainting-SSL-MoA", "none stated"),
)
"""Kinds of profiles."""

RELATIONS = (
    Source(
        "compound_targets_gene",
        "Broad Drug Repurposing Hub",
        "CC0",
        "the pairs that the Hub itself states; those of Hetionet are partly DrugBank's (CC BY-NC)",
    ),
    Source("gene_gene_ppi", "dhimmel/ppi, dhimmel/integrate", "CC0 / CC BY"),
    Source("gene_regulates_gene", "dhimmel/lincs", "CC BY 4.0"),
)
"""Relations."""


def allowed(sources: tuple[Source, ...]) -> list[str]:
    """Return the names of those that may be learnt from.

    Examples
    --------
    >>> "morphology_cdrp_pc50" in allowed(MODALITIES)
    False
    """
    return [source.name for source in sources if source.open]
