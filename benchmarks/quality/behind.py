"""The pages behind the page of results: every table of the campaign, with what is needed to read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from benchmarks.newcomer import page as newcomer
from benchmarks.newcomer.rows import read as newcomer_rows
from benchmarks.quality.beside import beside
from benchmarks.quality.lengths import lengths
from benchmarks.quality.published import SOURCES
from benchmarks.quality.repeated import page as repeated
from benchmarks.quality.repeated.figure import TITLE as REPEATED
from benchmarks.quality.rows import LEAKY, OURS, TODAY, Rows
from benchmarks.quality.sections import ablation, averaged, cell_data, coverage, levers, planted, stereo
from benchmarks.quality.tables import above, costs, models, places, single, targets, wins

__all__ = ["BEHIND", "Behind"]


class Behind(NamedTuple):
    """A page behind the page of results.

    Attributes
    ----------
    file, title
        Name of its file, and its heading.
    about
        What the page of results says of it.
    command
        What makes its rows.
    lines
        Returns its text from the rows.
    figure
        Title of the figure at its end, or "".
    """

    file: str
    title: str
    about: str
    command: str
    lines: Callable[[Rows], Iterable[str]]
    figure: str = ""


_CAMPAIGN = f"""\
**{OURS}** is the one recipe as it was for the campaign: perceptrons on a backbone's embedding, fingerprints
and descriptors, trees, boosting and a Gaussian process, stacked. `cytomol`, the recipe of today, has a
random forest and nearest neighbours too. What stands in brackets is the backbone, pretrained by InfoAlign:
`default` [comes with the package](../default_backbone.md), and `+minimol` says that one member more reads
MiniMol's vectors; `long` and `cell` with the cell data of molecules that are in no valid or test fold of
any set (30 epochs, 240 wide; 12 epochs, 300 wide), `structure` on molecules alone, `structure-75` too (75
epochs in batches of 1,024, 240 wide, on [a GPU](../gpu.md)), `leaky` with the profiles and annotated
targets of evaluated molecules left in; `chmr` and `chmr-structure` are pretrained by CHMR, with and without
cell data. All but `default`, `long` and `structure-75` were pretrained when gene profiles hung on nodes of
their own (`--gene-profiles leaf --unprofiled-genes`, then the default; [what that
changes](../fidelity.md)). `cytomol-five-refit` is the recipe whose members, once their weights stand, learn
from the valid rows' labels too: no published method and no baseline here does, so it stands beside and not
among them. `cytomol-five-plain` has no backbone. `mlp-one` and `mlp-embedding-one` are one perceptron where
`mlp` and `mlp-embedding` are five, `forest-bits` is a forest on bits; these and the recipe of five are
learners of the campaign alone (`benchmarks/quality/study_learners.py`). All other names are in [the
guide](../guide.md).

On every page: test fold; mean ± standard deviation over seeds of the mean over tasks, in brackets the
number of seeds. ROC-AUC in %, higher is better; MAE (biogenadme) times 100, lower is better. Differences
are in the same points, above 0 where the first is better.

## What was known when

The settings of the perceptrons were chosen on the valid folds of chembl2k, biogenadme and clintox. Trial
runs had shown test scores of a forest, nearest neighbours and a perceptron on bace and clintox, and earlier
work fine-tuned heads on three sets ([first real run](../first_real_run.md)). An earlier state of the recipe
was scored on test (one or two seeds, all nine sets). Then two things were changed: how far the stacking
draws weights to equal ones follows from the number of measured values, as half folds of valid rows had it
(what toxcast's weights looked like had led there), and the extremely randomised trees are half as many, for
their cost. All rows of the recipe were made after that. Isotonic calibration from 1,000 rows on was chosen
after a look at broad6k's test fold; it touches calibrated probabilities alone. The backbones pretrained by
CHMR came then; nothing was chosen by their rows.

Last, a forest and nearest neighbours joined the recipe, because of what they add in [repeated
cross-validation](repeated.md) on six sets. Its folds hold the molecules of the published test folds too,
and that neighbours did well on the published folds of bace and sider was known. So the rows of {TODAY} on
these six sets are not blind; those on broad6k are blind to that choice. The backbone that comes with the
package was chosen among several on folds of train and valid rows, when test scores of an earlier one were
known. What MiniMol adds was known from the first repeat of repeated cross-validation, on biogenadme too.
`structure-75` was chosen by one perceptron on the valid folds of chembl2k, biogenadme and sider
([levers](levers.md)), and by a linear learner on [folds of train and valid rows](pretraining.md), before a
test row of it was read.
"""
_TARGETS = f"""\
The best baseline is chosen on test, set by set, which favours it; published means are each method's own.
{LEAKY} stands beside them because its pretraining, like theirs, leaves no evaluated molecule's cell
data out ([why](#beside-rows-that-know-as-much)); the verdicts are on models whose pretraining does.

bace, bbbp, clintox and sider have no published figure here, and hiv none but a leaderboard's. That does not
mean that there are none: CHMR is evaluated on OGB's folds of these five sets too, with figures only in the
first version of its paper, and our table of published results does not hold those. On the first four the best
baseline and one point more were to be reached, which is a lottery: the best of nine, chosen by 150 test
molecules. What such a set says is in [repeated cross-validation](repeated.md). On the others there is one
target for models that learn from the train fold alone, and one for those refitted on the valid fold too.
"""
_BESIDE = """\
The authors of InfoAlign and CHMR leave no evaluated molecule out of pretraining. The profile files that
belong to the benchmarks cover all 589 test molecules of chembl2k and 1,624 of broad6k's 1,642 (whether the
same rows lie in their files for pretraining could not be checked), and the edges that join molecules to the
genes that they target bear the names of the genes that the tasks are about. The epoch is chosen on valid,
test is read at that epoch, and seeds are not set. So their figures compare with our rows on a `leaky`
backbone, which has seen profiles and targets of evaluated molecules too. The rows below those leave them out:
they are the honest figure for a molecule of which nobody has measured a profile yet. What leaving them in is
worth, on equal tasks and seeds, is in [what the cell data add](cell_data.md).
"""
_ABOVE = """\
Sets with several tasks: mean score, and in brackets the shares of tasks, in %, with a ROC-AUC above 80, 85
and 90%, mean over seeds.
"""
_PLACES = f"""\
{OURS} and the baselines: the place among those of them that have rows on the set, mean over tasks; 1 is best.
"""
_STEREO = """\
A scaffold split can put stereoisomers of one molecule into train and test. Of broad6k's 1,642 test rows 643
are of the connectivity (first block of the InChIKey) of a train row; none is the very same molecule. Here
test is scored with all rows, without those, and on those alone: mean ± standard deviation over seeds of the
mean over the tasks that have both classes in these rows, then over the tasks that have them in all three
groups. Published figures are of all rows. The groups differ in more than their stereoisomers, so that what
lies between them is not the worth of those alone. Predictions that the campaign did not keep were made again,
on one thread.
"""
_WINS = f"""\
{OURS} less the model of the row; * marks p < 0.05, corrected over the models of a set (Holm). From six
tasks on, tasks are paired (Wilcoxon signed-rank); with fewer, seeds (Student's t), which says nothing about
other molecules. Intervals are 95%, not corrected, by bootstrap over tasks and seeds; where there are fewer
than five tasks, over test molecules and seeds (`python -m benchmarks.quality.molecules`). A baseline is
undecided where the interval holds 0.
"""
_COST = """\
Seconds are those of a job with its share of the cores: two jobs at once on two cores unless said otherwise,
so that one thread did the work. Features are cached; their seconds are those of the job that computed them.
Other work shared the machine during most jobs, so the seconds are upper bounds.
Pretraining a backbone, once, is not in them, and neither is measuring what the uncertainty is worth.
"""
_COVERAGE = """\
Of the test rows, mean over seeds: the share of measured values within the stated sets and intervals; mean
number of classes in a set, or mean width in standard deviations of the task; Brier score and calibration
error before → after calibration; molecules inside the domain, and coverage and error (Brier, or absolute
error in standard deviations) inside and outside; rank correlation of the members' spread with the
absolute error.
"""
_CELL = """\
The same recipe with another backbone or none, compared on equal tasks and seeds. Intervals are 95%, by
bootstrap over tasks and seeds; where fewer than five tasks are compared, over test molecules and seeds. One
backbone of each kind was pretrained, so that the chance of pretraining is in none of them
([pretraining with three seeds](pretraining.md)). Tasks share
molecules, so intervals over the tasks of a small group of them are too narrow, and there are many groups.

A test molecule has an own profile if one of its connectivity has one in the corpus, and is near a profile at
a Tanimoto coefficient of 0.5 (Morgan, radius 2) with a molecule whose profile stayed in pretraining.
"""
_LENGTHS = """\
Does a longer pretraining give a better embedding, and is what cell data add more than the chance of a seed?
A linear learner reads the embedding of backbones (240 wide, bfloat16), alone or beside fingerprints, on
five scaffold folds of the **train and valid rows** of seven sets; no test row is read. What is known of the
molecules of all sets is left out of pretraining. Without cell data a backbone has neither profiles nor
relations nor walks. Points are ROC-AUC in %, for biogenadme MAE times 100; the mean counts MAE below 0. ±
is the standard deviation over seeds of pretraining, brackets Welch's 95% interval over them: the folds, and
so the molecules, are the same for all. Differences are above 0 where cell data help. Batches of 128 were
pretrained on a CPU, those of 1,024 on [a GPU](../gpu.md#what-was-measured), where time ended before the
longest: "61 of 300" is a training that was cut there, its learning rate still high.

- **Beside fingerprints, length decides little**: the means of a method lie within a point from 8 epochs to
  108. Alone, an embedding gains up to 25 epochs of batches of 1,024, CHMR's without cell data up to 75.
- **Cell data cost InfoAlign's embedding alone two to three points of the mean** after 25 epochs, and after
  8 of batches of 128, most of it on clintox; beside fingerprints about half a point.
- CHMR's embedding after 8 epochs is better with cell data, alone and beside fingerprints; one seed.

Longer pretrainings on the openly licensed part of the corpus are on [the default backbone's
page](../default_backbone.md#which-form).
"""
_PLANTED = """\
In a planted corpus it is known which assays follow from what a molecule does to a cell (response) and which
from its structure; profiles of tested molecules are left out.

```sh
python -m benchmarks.quality.planted && python -m benchmarks.quality.planted --method chmr
```
"""
_LEVERS = """\
What was tried beside the recipe, on valid folds alone: nothing of a test fold is read. `embedding trained
along` chooses its epoch on the fold that scores it, which favours it. `annotated neighbours` are, per gene,
the highest Tanimoto coefficient with another molecule of the corpus that is annotated with it as a target.
Pretraining reads the structures (never labels) of all sets but hiv, whose molecules are mostly not in the
corpus; `evaluated molecules unseen` leaves out those of all valid and test folds, `no descriptors as targets`
reconstructs fingerprints alone. The backbone of 75 epochs on [a GPU](../gpu.md) is 240 wide and reconstructs
descriptors; the one shipped [comes with the package](../default_backbone.md).
"""
_AVERAGED = """\
Mean score of single seeds → score of their mean prediction, test fold, in brackets the number of seeds. An
average costs what its seeds cost together, on the larger sets more than the limit, so it is no recipe
(`python -m benchmarks.quality.averaged`).
"""
_ABLATION = """\
One part of a method left out or changed at a time (`cytomol ablate`), with a head alike on the frozen
backbone, which reads the embedding alone: no fingerprints, no ensemble. Planted corpora, few labels; profiles
of tested molecules are left out. Single corpora of this size differ by some points by chance.
"""


def _campaign(rows: Rows) -> Iterator[str]:
    yield _CAMPAIGN
    yield from ("## Missing\n", *_missing(rows), "## Sources\n", *_sources(rows))


def _missing(rows: Rows) -> Iterator[str]:
    gone = list(rows.missing(5))
    if not gone:
        yield "Nothing: all sets, models and seeds of the campaign have rows.\n"
        return
    yield f"{len(gone)} models lack seeds of the campaign:\n"
    yield from (f"- {text}" for text in gone)
    yield ""


def _sources(rows: Rows) -> Iterator[str]:
    """Say which state of the code made how many jobs."""
    jobs = rows.scores.drop_duplicates(["set", "label", "seed"])
    counts = jobs["commit"].replace("", "unknown").value_counts(sort=False)
    told = ", ".join(f"{commit} ({count})" for commit, count in counts.items())
    yield f"Jobs by the commit that ran them (dirty: with changes that were not committed): {told}.\n"


def _published(rows: Rows) -> Iterator[str]:
    yield from ("## Targets\n", _TARGETS, *targets(rows))
    yield from ("## Beside rows that know as much\n", _BESIDE, *beside(rows))
    yield f"Sources of published figures: {SOURCES}\n"


def _learners(rows: Rows) -> Iterator[str]:
    yield from (*models(rows), "## One network\n", *single(rows))
    yield from ("## Tasks above 80, 85 and 90%\n", _ABOVE, *above(rows))
    yield from ("## Ranks\n", _PLACES, *places(rows))


def _cell_data(rows: Rows) -> Iterator[str]:
    yield from (_CELL, *cell_data(rows), "## On planted corpora\n", _PLANTED, *planted(rows))


def _levers(rows: Rows) -> Iterator[str]:
    yield from (_LEVERS, *levers(rows), "## Seeds averaged\n", _AVERAGED, *averaged(rows))


_OURS = "python -m benchmarks.quality --stage baselines ours"
BEHIND = (
    Behind(
        "learners.md",
        "All models on all sets",
        "scores of every learner and backbone, ranks, tasks above 80%",
        _OURS,
        _learners,
    ),
    Behind(
        "differences.md",
        "Wins and losses",
        "the recipe against every other model, with tests and intervals",
        f"{_OURS} && python -m benchmarks.quality.molecules",
        lambda rows: [_WINS, *wins(rows)],
    ),
    Behind(
        "repeated.md",
        "Repeated cross-validation",
        "25 folds a set, the same for all models, and what is sure over them",
        repeated.COMMAND,
        repeated.lines,
        REPEATED,
    ),
    Behind(
        "published.md",
        "Published figures and targets",
        "what others reached, what they may have seen, what was to be reached",
        "python -m benchmarks.quality",
        _published,
        "Models against the best baseline",
    ),
    Behind(
        "cell_data.md",
        "What the cell data add",
        "by set, by what is known of a molecule, and on planted corpora",
        "python -m benchmarks.quality --stage ours cell chmr && python -m benchmarks.quality.cell",
        _cell_data,
        "What the cell data add",
    ),
    Behind(
        "pretraining.md",
        "How long to pretrain, and what its chance does",
        "embeddings by epochs of pretraining, with and without cell data, three seeds each",
        "python -m benchmarks.quality.pretraining",
        lambda rows: [_LENGTHS, *lengths(rows)],
    ),
    Behind(
        "calibration.md",
        "What the stated uncertainty is worth",
        "coverage, size of intervals, calibration, inside and outside the domain",
        _OURS,
        lambda rows: [_COVERAGE, *coverage(rows)],
        "Stated and observed coverage",
    ),
    Behind(
        "newcomer.md",
        "300 molecules and every default",
        "what one small assay and no backbone give, beside a constant, a forest and chemprop",
        "make newcomer",
        lambda _: newcomer.lines(newcomer_rows()),
    ),
    Behind(
        "stereo.md",
        "Stereoisomers in train",
        "broad6k without the test molecules whose stereoisomer was learnt from",
        "python -m benchmarks.quality.stereo",
        lambda rows: [_STEREO, *stereo(rows)],
    ),
    Behind(
        "levers.md",
        "Levers",
        "what was tried beside the recipe, on valid folds; averages of seeds",
        "python -m benchmarks.quality.levers",
        _levers,
    ),
    Behind(
        "ablations.md",
        "Ablations",
        "one part of InfoAlign or CHMR left out at a time, on planted corpora",
        "python -m benchmarks.quality.ablation",
        lambda rows: [_ABLATION, *ablation(rows)],
    ),
    Behind(
        "cost.md",
        "Cost",
        "seconds and memory of every model",
        _OURS,
        lambda rows: [_COST, *costs(rows)],
    ),
    Behind(
        "campaign.md",
        "The campaign",
        "names, what was known when choices were made, seeds that are missing",
        "make benchmarks",
        _campaign,
    ),
)
"""All of them, in the order in which they are listed."""
