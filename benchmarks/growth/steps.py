"""The steps of the study: what is prepared before the clock starts, what is timed, what is noted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from benchmarks.growth import drawn
from benchmarks.growth.made_up import among_note, merging, propagation_among

if TYPE_CHECKING:  # the parent process stays light: libraries load where the step runs
    from benchmarks.growth.material import Material

__all__ = ["LINKS", "STEPS", "Step", "context_note"]

LINKS = ("profile", "target", "readout", "gene_gene", "molecule_molecule")
"""Edges that are measured or known; none that is computed by comparing rows."""

_ANY = 10**9
_MOLECULES = ("molecules",)


@dataclass(frozen=True)
class Step:
    """A step of the study.

    Attributes
    ----------
    about
        What is timed, for the page.
    prepare
        Loads the inputs and returns what is timed.
    needs
        Inputs that other steps make.
    axes
        Axes on which the step is measured.
    limit
        Largest corpus.
    note
        What the table says of a result.
    product
        Name under which the result is kept for other steps; empty for none.
    beyond
        Further inputs that it needs on the axes other than molecules.
    fitted
        Whether its points are drawn and fitted; where not, other work ran beside and its memory counts alone.
    """

    about: str
    prepare: Callable[[Material], Callable[[], Any]]
    needs: tuple[str, ...] = ()
    axes: tuple[str, ...] = _MOLECULES
    limit: int = _ANY
    note: Callable[[Any], str] = lambda _: ""
    product: str = ""
    beyond: tuple[str, ...] = ()
    fitted: bool = True


def _planted(material: Material) -> Callable[[], Any]:
    from cytomol.corpus.planted import generate_planted

    return lambda: generate_planted(material.point.molecules).corpus


def _planted_note(corpus: Any) -> str:
    return "InChIKeys" if "inchikey" in corpus.molecules else "no InChIKeys"


def _features(*, maccs: bool) -> Callable[[Material], Callable[[], Any]]:
    def prepare(material: Material) -> Callable[[], Any]:
        from cytomol.chem.featurize import FeatureOptions, featurize

        smiles = material.corpus.smiles
        # One process at every size, or the exponent would be that of the pool.
        return lambda: featurize(smiles, FeatureOptions(maccs=maccs), workers=1, cache=None)

    return prepare


def _write(material: Material) -> Callable[[], Any]:
    from cytomol.corpus import write_corpus

    corpus, folder = material.corpus, material.path("corpus").with_name("written")
    return lambda: write_corpus(corpus, folder, force=True)


def _read(material: Material) -> Callable[[], Any]:
    from cytomol.corpus import read_corpus, write_corpus

    folder = material.path("corpus").with_name("written")
    if not (folder / "corpus.toml").exists():
        write_corpus(material.corpus, folder, force=True)
    return lambda: read_corpus(folder)


def _context(search: str, *, links: bool = False) -> Callable[[Material], Callable[[], Any]]:
    def prepare(material: Material) -> Callable[[], Any]:
        from cytomol.context import ContextOptions, build_context

        options = ContextOptions.build({"similarity_search": search, "criteria": LINKS if links else None})
        corpus, store = material.corpus, material.store
        return lambda: build_context(corpus, store, options)

    return prepare


def context_note(graph: Any) -> str:
    """Say which tables were searched how, as the graph's report does."""
    found: dict[str, set[str]] = {"index": set(), "exact": set()}
    for name in ("structure", "profile_similarity", "gene_similarity"):
        facts = graph.report.get(name, {})
        tables = {"molecules": facts} if name == "structure" else facts
        for table, values in tables.items():
            if isinstance(values, dict):
                found["index" if values.get("search") == "index" else "exact"].add(table)
    how = [f"{search}: {' '.join(sorted(tables))}" for search, tables in found.items() if tables]
    return f"{'; '.join(how) or 'exact'}; {graph.edge_count} edges"


def _neighbours(search: str) -> Callable[[Material], Callable[[], Any]]:
    def prepare(material: Material) -> Callable[[], Any]:
        from cytomol.chem.similarity import SimilaritySearch, structural_neighbours
        from cytomol.context import neighbour_matrix

        packed = np.asarray(material.store.blocks["morgan"])

        def run() -> Any:
            found = structural_neighbours(packed, 10, SimilaritySearch(search))  # type: ignore[arg-type]
            return neighbour_matrix(found.indices, found.similarity), found.text()

        return run

    return prepare


def _propagation(material: Material) -> Callable[[], Any]:
    from cytomol.context import propagate

    names = [name for name, m in material.corpus.modalities.items() if m.entity == "molecule"]
    if material.point.axis == "molecules":
        names = names[:1]
    W, profiles = material.neighbours, [material.profiles(name) for name in names]
    edges = W.nnz / W.shape[0]
    return lambda: [(propagate(W, values, rows), edges) for rows, values in profiles]


def _propagation_note(found: list[tuple[Any, float]]) -> str:
    edges = f"{found[0][1]:.2f} edges per molecule"
    return f"{sum(len(done.rows) for done, _ in found)} profiles reached; {edges}"


def _pretrain(
    method: str, *, links: bool = False, whole: bool = False
) -> Callable[[Material], Callable[[], Any]]:
    def prepare(material: Material) -> Callable[[], Any]:
        from benchmarks.growth.phases import SHORT, WHOLE, pretrain_by_phases

        folder = material.path("corpus").with_name("written")
        if not (folder / "corpus.toml").exists():
            from cytomol.corpus import write_corpus

            write_corpus(material.corpus, folder, force=True)
            del material.__dict__["corpus"]  # it is read anew, and would be held twice
        model = folder.with_name(f"model-{method}")

        def keep(graph: Any) -> None:
            if method == "infoalign":
                material.keep("graph", graph)

        return lambda: pretrain_by_phases(
            *(folder, material.path("store"), model, method),
            keep=None if links else keep,
            length=WHOLE if whole else SHORT,
        )

    return prepare


_VARIED = ("molecules", "modalities", "width")

STEPS: dict[str, Step] = {
    "planted": Step("plant a corpus", _planted, note=_planted_note, product="corpus"),
    "write": Step("write the corpus", _write, ("corpus",)),
    "read": Step("read the corpus", _read, ("corpus",)),
    "features": Step(
        "featurize: graph, Morgan; one process", _features(maccs=False), ("corpus",), product="store"
    ),
    "maccs": Step(
        "featurize: graph, Morgan, MACCS; one process", _features(maccs=True), ("corpus",), limit=100_000
    ),
    "context_index": Step(
        "context graph, index at any size",
        _context("index"),
        ("corpus", "store"),
        limit=200_000,
        note=context_note,
    ),
    "context": Step(
        "context graph", _context("auto"), ("corpus", "store"), _VARIED, note=context_note, product="graph"
    ),
    "neighbours_index": Step(
        "10 structural neighbours, index at any size",
        _neighbours("index"),
        ("store",),
        limit=200_000,
        note=lambda found: found[1],
    ),
    "neighbours": Step(
        "10 structural neighbours",
        _neighbours("auto"),
        ("store",),
        note=lambda found: found[1],
        product="neighbours",
    ),
    "propagation": Step(
        "propagate: one modality (of molecules), all (of modalities)",
        _propagation,
        ("corpus", "neighbours"),
        _VARIED,
        note=_propagation_note,
    ),
    "merging": Step(
        "merge 32 made-up edges of each molecule into a graph",
        merging,
        note=lambda edges: f"{edges} edges",
        fitted=False,
    ),
    "propagation_far": Step(
        "propagate: as many profiles and edges, to neighbours anywhere in the table",
        propagation_among(far=True),
        note=among_note,
        fitted=False,
    ),
    "propagation_near": Step(
        "propagate: as many profiles and edges, to the ten next molecules of the table",
        propagation_among(far=False),
        note=among_note,
        fitted=False,
    ),
    "walks": Step("a walk from every molecule", drawn.walks, ("graph",), ("molecules", "walk_length")),
    "collate": Step("graphs of 10,000 molecules, in batches", drawn.collate, ("store",)),
    "batches": Step(
        "views, walks and targets of 10,000 molecules, in batches",
        drawn.batches,
        ("corpus", "store", "graph"),
        ("molecules", "modalities", "width", "walk_length"),
        beyond=("neighbours",),
    ),
    "context_links": Step(
        "context graph of measurements and relations alone",
        _context("auto", links=True),
        ("corpus", "store"),
        note=lambda graph: f"{graph.edge_count} edges",
        product="links",
        fitted=False,
    ),
    "walks_links": Step("a walk from every molecule on it", drawn.walks_on_links, ("links",), fitted=False),
    "batches_links": Step(
        "views, walks on it and targets of 10,000 molecules, in batches",
        drawn.batches_on_links,
        ("corpus", "store", "links"),
        fitted=False,
    ),
    "pretrain": Step(
        "read, prepare and pretrain InfoAlign for five short epochs",
        _pretrain("infoalign"),
        ("corpus", "store"),
        note=lambda phases: phases.text(),
        fitted=False,
    ),
    "pretrain_links": Step(
        "as pretrain, on a context of measurements and relations alone",
        _pretrain("infoalign", links=True),
        ("corpus", "store"),
        note=lambda phases: phases.text(),
        fitted=False,
    ),
    "pretrain_whole": Step(
        "read, prepare and pretrain InfoAlign for an epoch of every molecule",
        _pretrain("infoalign", whole=True),
        ("corpus", "store"),
        note=lambda phases: phases.text(),
        fitted=False,
    ),
    "pretrain_chmr": Step(
        "read, prepare and pretrain CHMR for five short epochs",
        _pretrain("chmr"),
        ("corpus", "store"),
        note=lambda phases: phases.text(),
        fitted=False,
    ),
}
"""By name, in the order in which they run at a size."""
