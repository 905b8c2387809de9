"""Results of jobs become rows: figures with intervals, and paired differences between entries."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from benchmarks.fidelity.matching import SHARES, hits, taken
from benchmarks.fidelity.plan import Entry
from numpy.typing import NDArray

from cytomol.files import atomic_file

__all__ = ["AGAINST", "COLUMNS", "DIFFERENCE", "Figure", "interval", "records", "write_rows"]

COLUMNS = (
    *("corpus", "corpus_seed", "method", "form", "cell", "figure", "group", "fold"),
    *("value", "low", "high", "n", "epochs", "seconds"),
)
DIFFERENCE = "cell - structure"
AGAINST = {"cell": "cell - before", DIFFERENCE: "difference - before"}
"""What a form's embedding, and its difference, has more than those of the form "before"."""

_LEAK = "leaky - cell"
_DRAWS = 1_000


class Figure(NamedTuple):
    """What is looked at: name, group of molecules, and fold."""

    name: str
    group: str
    fold: str


Units = dict[Figure, dict[str, float]]
"""The single values behind each figure: a score of each task, a hit of each molecule."""


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95% percentile interval of the mean when the values are drawn again."""
    if len(values) < 2:
        return float("nan"), float("nan")
    low, high = np.quantile(_weights(len(values)) @ values, [0.025, 0.975])
    return float(low), float(high)


@lru_cache(maxsize=64)
def _weights(n: int) -> NDArray[np.float64]:
    return np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=_DRAWS) / n


def records(results: Mapping[Entry, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of all entries that have results, then of what several seeds say together.

    Differences are paired, task by task or molecule by molecule, and above 0 where the first is better.
    """
    seeds: dict[tuple[str, str, str, str], dict[int, Entry]] = {}
    for entry in results:
        if entry.cell == "structure" and replace(entry, cell="cell") not in results:
            continue  # forms share it: it is a row of those that are there
        seeds.setdefault((entry.corpus, entry.method, entry.form, entry.cell), {})[entry.seed] = entry
    units: dict[tuple[str, str], dict[tuple[str, str, str], Units]] = {}
    costs: dict[tuple[str, str, str, str, str], tuple[Any, Any]] = {}
    for (corpus, method, form, cell), by_seed in seeds.items():
        for entry in by_seed.values():
            place = (corpus, str(entry.seed))
            units.setdefault(place, {})[method, form, cell] = _units(results[entry])
            costs[(*place, method, form, cell)] = _cost([results[entry]])
        if len(by_seed) > 1:
            together: Units = {}
            for seed, entry in by_seed.items():
                for figure, values in _units(results[entry]).items():
                    own = {f"{seed} {unit}": value for unit, value in values.items()}
                    together.setdefault(figure, {}).update(own)
            units.setdefault((corpus, "all"), {})[method, form, cell] = together
            costs[(corpus, "all", method, form, cell)] = _cost([results[e] for e in by_seed.values()])
    for (corpus, seed), table in units.items():
        yield from _records_of(corpus, seed, table, costs)
        for entry, result in results.items():
            if not entry.method and (entry.corpus, str(entry.seed)) == (corpus, seed):
                yield from _chance(corpus, seed, result)


def _cost(results: list[Mapping[str, Any]]) -> tuple[int, float]:
    """Return epochs and mean seconds of a pretraining."""
    return results[0]["epochs"], float(np.mean([result["seconds"] for result in results]))


def _units(result: Mapping[str, Any]) -> Units:
    found: Units = {}
    for figure, by_fold in result["scores"].items():
        for fold, scores in by_fold.items():
            found[Figure(figure, "all", fold)] = dict(scores)
    for by_direction in result["places"].values():
        for direction, by_group in by_direction.items():
            for group, by_fold in by_group.items():
                for fold, places in by_fold.items():
                    for share in SHARES:
                        hit = {str(i): float(value) for i, value in enumerate(hits(places, share))}
                        found[Figure(f"recall {share:.0%} {direction}", group, fold)] = hit
    return found


def _less(first: Units, second: Units) -> Units:
    """Return by how much the first is better, unit by unit, where both have one."""
    found: Units = {}
    for figure in [figure for figure in first if figure in second]:
        sign = -1.0 if figure.name.endswith("mae") else 1.0
        left, right = first[figure], second[figure]
        shared = {unit: sign * (left[unit] - right[unit]) for unit in left if unit in right}
        if shared:
            found[figure] = shared
    return found


def _gain(first: Units, second: Units) -> Units:
    """Return by how much one difference is above another; both already say "better"."""
    found: Units = {}
    for figure in [figure for figure in first if figure in second]:
        left, right = first[figure], second[figure]
        if shared := {unit: left[unit] - right[unit] for unit in left if unit in right}:
            found[figure] = shared
    return found


def _records_of(
    corpus: str,
    seed: str,
    table: dict[tuple[str, str, str], Units],
    costs: Mapping[tuple[str, str, str, str, str], tuple[Any, Any]],
) -> Iterator[dict[str, Any]]:
    compared: dict[tuple[str, str, str], Units] = {}
    for (method, form, cell), units in table.items():
        if cell == "cell" and (method, form, "structure") in table:
            compared[method, form, DIFFERENCE] = _less(units, table[method, form, "structure"])
        if cell == "leaky" and (method, form, "cell") in table:
            compared[method, form, _LEAK] = _less(units, table[method, form, "cell"])
    for method, form, cell in [*table, *compared]:
        if cell not in AGAINST or form == "before":
            continue
        source, combine = (table, _less) if cell == "cell" else (compared, _gain)
        if (method, "before", cell) in source:
            pair = source[method, form, cell], source[method, "before", cell]
            compared[method, form, AGAINST[cell]] = combine(*pair)
    for (method, form, cell), units in [*table.items(), *compared.items()]:
        epochs, seconds = costs.get((corpus, seed, method, form, cell), ("", ""))
        for figure, values in units.items():
            yield {
                "corpus": corpus,
                "corpus_seed": seed,
                "method": method or _baseline(figure.name),
                "form": form,
                "cell": cell,
                "figure": figure.name,
                "group": figure.group,
                "fold": figure.fold,
                **_summary(values, epochs, seconds),
            }


def _baseline(figure: str) -> str:
    return "ridge" if figure.startswith("recall") else "fingerprints"


def _summary(values: Mapping[str, float], epochs: Any, seconds: Any) -> dict[str, Any]:
    numbers = np.array(list(values.values()))
    low, high = interval(numbers)
    value = float(numbers.mean()) if len(numbers) else float("nan")
    return {
        "value": value,
        "low": low,
        "high": high,
        "n": len(numbers),
        "epochs": epochs,
        "seconds": seconds,
    }


def _chance(corpus: str, seed: str, result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what guessing finds."""
    for direction, by_group in result["places"].get("ridge", {}).items():
        for group, by_fold in by_group.items():
            for fold, places in by_fold.items():
                for share in SHARES:
                    yield {
                        "corpus": corpus,
                        "corpus_seed": seed,
                        "method": "chance",
                        "form": "",
                        "cell": "",
                        "figure": f"recall {share:.0%} {direction}",
                        "group": group,
                        "fold": fold,
                        "value": taken(share, len(places)) / len(places),
                        "n": len(places),
                    }


def write_rows(path: Path, results: Mapping[Entry, Mapping[str, Any]]) -> None:
    """Write the rows; earlier ones stay whose corpus, seed, method and form have no results here."""
    table = pd.DataFrame(list(records(results)), columns=list(COLUMNS))
    text = table.to_csv(index=False, float_format="%.5g")
    table = pd.read_csv(io.StringIO(text), keep_default_na=False, dtype=str)
    if path.exists():
        old = pd.read_csv(path, keep_default_na=False, dtype=str)
        keys = ["corpus", "corpus_seed", "method", "form", "cell"]
        new = set(table[keys].itertuples(index=False, name=None))
        kept = [key not in new for key in old[keys].itertuples(index=False, name=None)]
        table = pd.concat([old[kept], table], ignore_index=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path, force=True) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
