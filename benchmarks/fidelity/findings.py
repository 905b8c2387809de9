"""What the rows say, in sentences whose figures come from the rows."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
from benchmarks.fidelity.rows import DIFFERENCE

__all__ = ["DEFAULT", "findings"]

DEFAULT = "nodes-profiled"
"""The form whose points became the package's defaults."""

Get = Callable[..., pd.Series | None]
"""(corpus, method, form, cell, figure, fold, group) -> row."""

_NAMES = {"chmr": "CHMR", "infoalign": "InfoAlign"}
_RECALL = "recall 5% molecule to profile"
_SETS = {"chembl2k auc": "chembl2k", "broad6k auc": "broad6k", "biogenadme mae": "biogenadme"}

_TEXT = """\
- **What cell data add where it is known.** On planted corpora, in the form that is now the default:
  {planted_chmr} points of ROC-AUC (CHMR) and {planted_infoalign} (InfoAlign) on assays that
  follow from the cell's response; on assays that follow from structure {structure_chmr} and
  {structure_infoalign}.
- **On the real corpus**, evaluated molecules left out: {real} (MAE times 100, above 0 is better). With few
  epochs, one seed of pretraining and a linear learner, an effect smaller than these intervals would not be
  seen.{longer}
- **Leaving evaluated molecules in**, as the authors do, is worth {leaky_chmr} points on chembl2k to
  CHMR in the authors' form and {leaky_infoalign} to InfoAlign.
- **The default** has gene profiles on their genes, and genes with a profile alone (`{default}`): by its mean
  place over all figures on valid {standing}. On InfoAlign's response assays it is ahead of `before` by
  {chosen_infoalign} points on valid and {tested_infoalign} on test, on CHMR's by {chosen_chmr} and
  {tested_chmr}.
- **Alone, on response assays of planted corpora, test**: raw inputs {raw} points, z-scored inputs
  {zscore}, both hinges {hinges}, stuck steps {stuck}, alignment summed {summed}, reverse assignment
  within modalities {within}. On valid none of them was ahead of `before` on these assays beyond its
  interval, so none became a default.
- **The published forms** lose where a molecule has to find its profile: recall at 5% on planted corpora is
  {recall_authors} (`authors`) and {recall_paper} (`paper`) points from `before`. They contrast every row
  of the batch, and the rows without a profile all hold the same placeholder.
- **Finding a held-out profile** on the real corpus, among the first 5%, molecule to profile: CHMR {found},
  ridge {ridge}, chance {chance}; among known bioactives {found_bioactive}, {ridge_bioactive} and
  {chance_bioactive}. So what is found is library and plate more than phenotype.
"""


def findings(get: Get, stands_first: Callable[[str, str], str], longer: Get | None) -> str:
    """Return the section.

    Parameters
    ----------
    get
        Looks a row up.
    stands_first
        (corpus, method) -> form with the best mean place over all figures on valid.
    longer
        Looks up a row of the longer training on the real corpus; None without one.
    """
    values = {"default": DEFAULT, "standing": _standing(stands_first)}
    values["real"] = "; ".join(_added(get, method) for method in _NAMES)
    values["longer"] = "" if longer is None else _longer(longer)
    for method in _NAMES:
        for key, figure in (("planted", "response auc"), ("structure", "structure auc")):
            values[f"{key}_{method}"] = _told(get("planted", method, DEFAULT, DIFFERENCE, figure, "test"))
        for key, fold in (("chosen", "valid"), ("tested", "test")):
            row = get("planted", method, DEFAULT, "cell - before", "response auc", fold)
            values[f"{key}_{method}"] = _told(row)
        leaky = get("real", method, "authors", "leaky - cell", "chembl2k auc", "test")
        values[f"leaky_{method}"] = _told(leaky)
    for form in ("raw", "zscore", "hinges", "stuck", "summed", "within"):
        values[form] = _told(get("planted", "chmr", form, "cell - before", "response auc", "test"))
    for form in ("authors", "paper"):
        values[f"recall_{form}"] = _told(get("planted", "chmr", form, "cell - before", _RECALL, "test"))
    for name, place in (
        ("found", ("chmr", DEFAULT, "cell")),
        ("ridge", ("ridge", "", "")),
        ("chance", ("chance", "", "")),
    ):
        for group, suffix in (("all", ""), ("bioactive", "_bioactive")):
            values[f"{name}{suffix}"] = _told(get("real", *place, _RECALL, "test", group))
    return _TEXT.format(**values)


def _told(row: pd.Series | None) -> str:
    """Return a value in points with its interval; a dash where there is none."""
    if row is None or pd.isna(row["value"]):
        return "–"
    value = f"{100 * row['value']:.1f}"
    return value if pd.isna(row["low"]) else f"{value} [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"


def _added(get: Get, method: str) -> str:
    """Return what cell data add on each set."""
    told = [
        f"{_told(get('real', method, DEFAULT, DIFFERENCE, figure, 'test'))} on {name}"
        for figure, name in _SETS.items()
    ]
    return f"{_NAMES[method]} {', '.join(told)}"


def _longer(get: Get) -> str:
    """Say what cell data add after more epochs, and from where."""
    told = [text for method in _NAMES if "–" not in (text := _added(get, method))]
    if not told:
        return ""
    without = get("real", "chmr", DEFAULT, "structure", "biogenadme mae", "test")
    alone = get("real", "fingerprints", "", "", "biogenadme mae", "test")
    return (
        f" With four times as many epochs: {'; '.join(told)}. (On biogenadme CHMR without cell data then has "
        f"an MAE times 100 of {_told(without)}, fingerprints alone {_told(alone)}.)"
    )


def _standing(stands_first: Callable[[str, str], str]) -> str:
    """Say where the default stands first on valid, and which form does elsewhere."""
    won, lost = [], []
    for corpus, spoken in (("planted", "planted corpora"), ("real", "the real corpus")):
        for method, name in _NAMES.items():
            form = stands_first(corpus, method)
            if form == DEFAULT:
                won.append(f"{name} on {spoken}")
            else:
                lost.append(f"`{form}` does for {name} on {spoken}")
    return f"it stands first for {', '.join(won) or 'none'}" + (f"; {', '.join(lost)}" if lost else "")
