"""What each part of the campaign says, in a few sentences made of the rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.cells.signal_page import comparisons

__all__ = ["FINDINGS"]

_RESULTS = Path(__file__).parents[1] / "results" / "cells"
_DIRECTIONS = ("molecule to profile", "profile to molecule")
_METHODS = {"contrastive": "contrastive", "chmr, projected": "CHMR", "infoalign": "InfoAlign"}
_FEWEST = 30  # molecules on which a measure of alignment says anything
_BACKED = {f"matcher with {name}": f"matcher with {name}" for name in ("contrastive", "chmr", "infoalign")}


def _rows(name: str) -> pd.DataFrame:
    return pd.read_csv(_RESULTS / f"{name}.csv", low_memory=False)


def _only(rows: pd.DataFrame, **values: object) -> pd.DataFrame:
    for column, value in values.items():
        rows = rows[rows[column] == value]
    return rows


def _surely(low: float, high: float) -> str:
    """Return in one word what an interval of a difference says."""
    return "better" if low > 0 else "worse" if high < 0 else "level"


def _matching() -> list[str]:
    rows = _rows("matching")
    said = []
    real = _only(rows, ground="real", folds="all folds", figure="recall at 5%")
    for stratum, called in (
        ("all", "all molecules"),
        ("bioactive=1", "known bioactives"),
        ("active=1 in bioactive=1", "active ones among known bioactives"),
    ):
        parts = []
        for direction in _DIRECTIONS:
            part = _only(real, stratum=stratum, direction=direction).set_index("model")
            one, ridge = part.loc["matcher"], part.loc["ridge"]
            parts.append(
                f"{one['value']:.1%} (ridge {ridge['value']:.1%}; difference "
                f"{100 * one['difference_low']:+.1f} to {100 * one['difference_high']:+.1f}: "
                f"{_surely(one['difference_low'], one['difference_high'])})"
            )
        said.append(
            f"Real corpus, {called}, {int(one['queries']):,} of them, right one in the top 5%, chance 5%: "
            f"the matcher {parts[0]} from molecule to profile, {parts[1]} back."
        )
    planted = _only(rows, figure="MRR", stratum="bioactive=1")
    planted = planted[planted["ground"] != "real"]
    shares = _shares(_only(planted, folds="all folds"), ["matcher", "ridge"])
    said.append(f"Planted corpus, MRR as a share of an oracle that knows the target: {shares} (aim: 80%).")
    models = ["matcher", *_METHODS, *_BACKED]
    for stratum, called in (("bioactive=1", "known bioactives"), ("all", "all molecules")):
        one_fold = _only(rows, figure="MRR", stratum=stratum, folds="fold 0")
        one_fold = one_fold[one_fold["ground"] != "real"]
        said.append(f"The same on one fold, one training each, {called}: {_shares(one_fold, models)}.")
    real0 = _only(rows, ground="real", folds="fold 0", figure="recall at 5%", stratum="bioactive=1")
    found = [
        f"{called} {' and '.join(f'{value:.1%}' for value in part['value'])}"
        for model, called in {"matcher": "matcher", **_METHODS, **_BACKED}.items()
        if len(part := _only(real0, model=model))
    ]
    said.append(
        f"Known bioactives of one real fold, top 5% in both directions, by backbones: {'; '.join(found)}."
    )
    said.append(_sufficiency(rows))
    return said


def _shares(rows: pd.DataFrame, models: list[str]) -> str:
    oracle = _only(rows, model="oracle: target").set_index("direction")["value"]
    parts = []
    for model in models:
        found = _only(rows, model=model).set_index("direction")["value"]
        if len(found):
            share = float(np.mean([found[name] / oracle[name] for name in _DIRECTIONS]))
            parts.append(f"{_METHODS.get(model, model)} {share:.0%}")
    return ", ".join(parts)


def _sufficiency(rows: pd.DataFrame) -> str:
    """Say whether the model that reconstructs finds more than the one that contrasts."""
    part = _only(rows[rows["ground"] != "real"], folds="fold 0", stratum="all", figure="recall at 5%")
    part = part[part["model"].isin(["contrastive", "infoalign"])]
    values = part.pivot_table(index="model", columns="direction", values="value")
    words = "; ".join(
        f"{direction}: InfoAlign {values.loc['infoalign', direction]:.1%}, "
        f"contrastive {values.loc['contrastive', direction]:.1%}"
        for direction in _DIRECTIONS
    )
    return (
        "That sufficiency beats contrastive alignment is not shown: on the planted corpus, top 5% of all "
        f"molecules, {words} (one seed, and not the same number of epochs)."
    )


def _imputation() -> list[str]:
    rows = _only(_rows("imputation"), against="measured", stratum="all", metric="r2")
    said = []
    rows = rows[~rows["backbone"].str.contains("small")]
    for (backbone, modality), part in rows.groupby(["backbone", "modality"], sort=False):
        one = part.set_index("source")
        joint = one.loc["joint"]
        said.append(
            f"{backbone}, {modality} ({int(joint['molecules'])} molecules): R² {joint['value']:.3f} (decoder"
            f" and ridge), {one.loc['ridge', 'value']:.3f} by ridge alone, "
            f"{one.loc['decoder', 'value']:.3f} by the decoder alone; gain over ridge "
            f"{joint['gain_low']:+.3f} to {joint['gain_high']:+.3f}: "
            f"{_surely(joint['gain_low'], joint['gain_high'])}."
        )
    return said


def _assays() -> list[str]:
    rows = _rows("assays")
    said = []
    for name, part in rows.groupby("set", sort=False):
        means = part.groupby("task")[["structure", "profiles", "norm", "chosen", "fused"]].mean()
        above = (means > 0.7).sum()
        said.append(
            f"{name}, {len(means)} assays, mean ROC-AUC: fused {means['fused'].mean():.3f}, structure "
            f"{means['structure'].mean():.3f}, profiles {means['profiles'].mean():.3f}, norm "
            f"{means['norm'].mean():.3f}, the best of these by validation {means['chosen'].mean():.3f}. "
            f"Above 0.7: {above['fused']}, structure {above['structure']}, profiles {above['profiles']}."
        )
    return said


def _missing() -> list[str]:
    rows = _only(_rows("missing"), study="planted", place="pretraining", pattern="random", metric="mrr")
    rows = _only(rows, fold="test")
    table = rows.pivot_table(index="filling", columns="rate", values="score")
    said = []
    for filling, line in table.iterrows():
        known = line.dropna()
        hidden = ", ".join(f"{known[rate]:.3f} with {rate:.0%} hidden" for rate in known.index[1:])
        said.append(
            f"Planted corpus, matching, {filling}: MRR {known.iloc[0]:.3f} with all profiles, {hidden}."
        )
    return said


def _hierarchy() -> list[str]:
    everything = _rows("hierarchy")
    rows = _only(everything, score="ami", of="molecules", who="all")
    rows = rows[rows["ground"] != "real"]
    said = []
    for model in ("CHMR", "contrastive", "InfoAlign"):
        for tree in ("trained", "fitted"):
            part = _only(rows, model=model, tree=tree)
            if part.empty:
                continue
            words = ", ".join(
                f"{name} {_only(part, classes=name, level=level)['value'].mean():.2f}"
                for name, level in (("family", 2), ("mechanism", 4), ("target", 5))
            )
            said.append(f"Planted corpus, {model}, {tree} tree, mutual information (AMI): {words}.")
    real = _only(everything, ground="real", score="nearer", of="molecules")
    real = real[real["tree"].isin(["trained", "fitted"])]
    found = ", ".join(
        f"{row['model']}, {row['tree']} {row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
        for _, row in real.drop_duplicates(["model", "tree"]).iterrows()
    )
    said.append(
        "Real corpus, chance that two molecules of one annotated mechanism are nearer in the tree than two "
        f"of two (0.5 says nothing; fingerprints know no cell): {found}."
    )
    return said


def _signal() -> list[str]:
    rows = comparisons(_rows("signal"))
    sure = rows[(rows["gain_low"] > 0) | (rows["gain_high"] < 0)]
    better, worse = int((sure["gain"] > 0).sum()), int((sure["gain"] < 0).sum())
    sentence = (
        f"Of {len(rows)} comparisons of weighted or corrected profiles with profiles as "
        f"measured, {better} are better and {worse} worse beyond their interval. Neither became a default."
    )
    return [sentence]


def _alignment() -> list[str]:
    rows = _only(_rows("alignment"), molecules_are="held out", first="molecule")
    rows = rows[rows["molecules"] >= _FEWEST]
    said = []
    for (corpus, method, second), part in rows.groupby(["corpus", "method", "second"], sort=False):
        by = part.set_index("stage")["cka_debiased"]
        if str(second).startswith("morphology") and {"untrained", "trained"} <= set(by.index):
            said.append(
                f"{corpus}, {method}: held-out molecules and {second} have a debiased CKA of "
                f"{by['trained']:.2f} trained, {by['untrained']:.2f} untrained, "
                f"{by.get('features', float('nan')):.2f} as features."
            )
    return said


def _explain() -> list[str]:
    rows = _rows("explain")
    said = []
    for subject, part in rows.groupby("subject", sort=False):
        ways = part.groupby("way")["auc"].mean()
        called = {"heteroatom": "by being no carbon"}
        words = ", ".join(f"{called.get(str(way), way)} {value:.2f}" for way, value in ways.items())
        said.append(f"{subject}: atoms of the planted rule, ROC-AUC, mean of its questions: {words}.")
    return said


def _memory() -> list[str]:
    said = []
    for command, part in _rows("memory").groupby("command", sort=False):
        part = part.sort_values("rows")  # noqa: PLW2901
        first, last = part.iloc[0], part.iloc[-1]
        said.append(
            f"{command}: {first['peak_mib']:.0f} MiB at {first['rows']:,.0f} rows"
            + (f", {last['peak_mib']:.0f} at {last['rows']:,.0f}." if len(part) > 1 else ".")
        )
    return said


FINDINGS: dict[str, Callable[[], list[str]]] = {
    "matching": _matching,
    "imputation": _imputation,
    "assays": _assays,
    "missing": _missing,
    "hierarchy": _hierarchy,
    "signal": _signal,
    "alignment": _alignment,
    "explain": _explain,
    "memory": _memory,
}
"""Name of the rows -> sentences on them."""
