"""What each column of a table of profiles is: a feature, an id, or something that stands beside these."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from cytomol.counted import counted
from cytomol.errors import InputError

__all__ = ["ColumnChoice", "ColumnReport", "fits", "not_a_feature", "set_of", "some", "words_of"]

_EXAMPLES = 5


def set_of(words: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(words.split())


# Metadata_Plate, metadata_plate, Image_Metadata_Well, Cytoplasm_Metadata_Site, meta_batch
_METADATA = re.compile(r"^([a-z0-9]+_)?meta(data)?[_.: -]", re.IGNORECASE)
# What pandas, R and Parquet call a column without a name
_NAMELESS = re.compile(
    r"^(unnamed(: ?|_)?\d*(_level_\d+)?(\.\d+)?|__index_level_\d+__|level_\d+|\.\.\.\d+|index|row_?names"
    r"|rn|_id)?$",
    re.IGNORECASE,
)
_BOOKKEEPING = re.compile(
    r"^image_?(group|filename|pathname|url|executiontime|md5digest|moduleerror|processingstatus|scaling|series"
    r"|frame|width|height)(_|$)|^(image|object|table|objectnumber|imagenumber)_?number(_[a-z]+)?$",
    re.IGNORECASE,
)
_COUNTS = re.compile(
    r"^((image_)?count_\w+"
    r"|(n|nr|no|num|number)_?(of)?_?(cell|nuclei|nucleus|object|site|image|field|replicate|well|gene|count)s?"
    r"|(total|cells?|nuclei|nucleus|objects?|sites?|images?|replicates?|wells?)_?counts?"
    r"|.*\bnumber of (objects|cells|nuclei))$",
    re.IGNORECASE,
)
_FILLERS = set_of(
    "id ids name names number no nr type map position pos index label code value values level final "
    "pert perturbation treatment compound drug assay experiment library unit units cell cells line "
    "sample broad by in"
)
_PLACE = set_of(
    "plate plates well wells row rows col cols column columns site sites field fov batch barcode "
    "replicate replicates rep quadrant run"
)
_AMOUNT = set_of("dose doses dosage idose conc concentration concentrations mmoles molarity")
_AMOUNT_UNITS = set_of(
    "um nm mm µm μm m micromolar nanomolar millimolar molar mg ug ng ml l per liter litre log "
    "log10 neglog10 max min"
)
_TIME = set_of("time times timepoint timepoints itime hours hour hpi hrs hr duration incubation days")
_TIME_UNITS = set_of("h d min mins minute minutes s sec day point exposure post")
_CELL = set_of("line lineage type iname mfc model id name")
_CELL_NAMES = set_of("cellline celllines celltype cellid celliname cell depmapid ccle")
_CONTROL_NAMES = set_of("perttype controltype control iscontrol welltype welltypes sampletype")


def some(names: Sequence[str], count: int = _EXAMPLES, separator: str = ", ") -> str:
    """Return the first few of some names, with dots if there are more; an empty name is ''."""
    shown = separator.join(name or "''" for name in names[:count])
    return shown + (f"{separator}..." if len(names) > count else "")


def words_of(name: str) -> list[str]:
    """Return the words of a column name in lower case: ``Well_Row`` and ``wellRow`` are alike."""
    name = re.sub(r"^([A-Za-z0-9]+_)?[Mm]eta(data)?[_.: -]", "", name)
    parts = re.split(r"[^A-Za-z0-9µμ]+", re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name))
    return [part.lower() for part in parts if part]


def _only(words: Sequence[str], core: frozenset[str], beside: frozenset[str] = frozenset()) -> bool:
    return any(word in core for word in words) and all(
        word in core or word in beside or word in _FILLERS for word in words
    )


def _is_cell_line(words: Sequence[str]) -> bool:
    if "".join(words) in _CELL_NAMES:
        return True
    return len(words) > 1 and words[0] == "cell" and all(word in _CELL for word in words[1:])


# The first that fits gives the reason.
_REASONS: tuple[tuple[str, Callable[[str, list[str]], bool]], ...] = (
    ("metadata by their prefix", lambda name, _: _METADATA.match(name) is not None),
    ("without a name (row numbers)", lambda name, _: _NAMELESS.match(name.strip()) is not None),
    ("bookkeeping of the image software", lambda name, _: _BOOKKEEPING.match(name) is not None),
    ("counts", lambda name, _: _COUNTS.match(name.strip()) is not None),
    ("place on a plate", lambda _, words: _only(words, _PLACE)),
    ("dose", lambda _, words: _only(words, _AMOUNT, _AMOUNT_UNITS)),
    ("time", lambda _, words: _only(words, _TIME, _TIME_UNITS)),
    ("cell line", lambda _, words: _is_cell_line(words)),
    ("kind of well", lambda _, words: "".join(words) in _CONTROL_NAMES),
)


def not_a_feature(name: str) -> str | None:
    """Return why a column is no feature, judged by the conventions of the field; None if it may be one.

    >>> not_a_feature("Image_Metadata_Well")
    'metadata by their prefix'
    >>> not_a_feature("concentration_uM")
    'dose'
    >>> not_a_feature("Cells_AreaShape_Area") is None
    True
    """
    words = words_of(name)
    return next((reason for reason, holds in _REASONS if holds(name, words)), None)


def fits(name: str, patterns: Iterable[str]) -> bool:
    """Return whether a name fits a pattern as of file names; capitals count."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


@dataclass(frozen=True)
class ColumnChoice:
    """Which columns are features, where the user says so.

    Attributes
    ----------
    features
        Patterns as of file names (``Cells_*``); only the columns that fit one are features, whatever they
        are called. Empty: what is left over when ids and metadata are taken away.
    leave_out
        Patterns of columns that are no features.
    """

    features: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()

    def check(self, names: Iterable[str], where: str) -> None:
        """Refuse features of which a table has none.

        Raises
        ------
        InputError
            With the table's columns.
        """
        names = list(names)
        if self.features and not any(fits(name, self.features) for name in names):
            raise InputError(
                f"no column fits --features {' or '.join(map(repr, self.features))}",
                where=where,
                hint=f"columns: {some(names, 12)}; NAME:PATTERN speaks of the tables of one name",
            )

    def idle(self, names: Collection[str]) -> list[str]:
        """Return the patterns, with their option, that fit none of the columns of any table."""
        return [
            f"{option} {pattern!r}"
            for option, patterns in (("--features", self.features), ("--leave-out", self.leave_out))
            for pattern in patterns
            if not any(fits(name, (pattern,)) for name in names)
        ]

    def reason(self, name: str) -> str | None:
        """Return why a column is no feature; None if it is one."""
        if fits(name, self.leave_out):
            return "left out as asked"
        if self.features:
            return None if fits(name, self.features) else "not among the features asked for"
        return not_a_feature(name)


@dataclass(frozen=True)
class ColumnReport:
    """Which columns of a table became features, and why the others did not.

    Attributes
    ----------
    features
        Names of the features.
    ids
        Columns that are named like an id.
    left_out
        Columns that are neither, by reason.
    """

    features: tuple[str, ...]
    ids: tuple[str, ...]
    left_out: dict[str, tuple[str, ...]]

    def __str__(self) -> str:
        """Return one sentence."""
        text = f"{counted(len(self.features), 'feature')} ({some(self.features, 3)})"
        if self.left_out:
            parts = [f"{reason}: {some(names)}" for reason, names in self.left_out.items()]
            count = sum(map(len, self.left_out.values()))
            text += f"; {counted(count, 'column')} left out ({'; '.join(parts)})"
        return text

    def names(self) -> list[str]:
        """Return every column."""
        return [*self.features, *self.ids, *(name for some in self.left_out.values() for name in some)]

    def as_dict(self) -> dict[str, object]:
        """Return counts and examples, as the report of a build has them."""
        return {
            "features": {"count": len(self.features), "examples": list(self.features[:_EXAMPLES])},
            "ids": list(self.ids),
            "left_out": [
                {"reason": reason, "count": len(names), "examples": list(names[:_EXAMPLES])}
                for reason, names in self.left_out.items()
            ],
        }
