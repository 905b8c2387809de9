"""Inside, edge or outside: one plain word for how well a model knows a molecule, and why."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["WORDS", "DomainLimits", "Word"]

Word = Literal["inside", "edge", "outside"]
WORDS: tuple[Word, ...] = ("outside", "edge", "inside")
"""By place, 0 to 2."""

_TRIED_PERCENTILE = 0.05  # below, hardly a molecule was tried
_WORSE = 1.25  # times the error of the nearer molecules is the edge
_ROWS = 40  # below, the error of the far tail is that of a handful of molecules
_CANDIDATES = np.linspace(0.1, 0.3, 5)  # shares of the tried molecules beyond the edge


@dataclass(frozen=True)
class DomainLimits:
    """Similarities to the nearest training molecule that separate inside, edge and outside.

    Attributes
    ----------
    outside
        Below it a molecule is outside.
    edge
        Below it, if not outside, a molecule is at the edge.
    worse
        Error at the edge over the error inside, of held-out molecules; NaN if not measured.
    tried
        Whether the limits come from held-out molecules; else from the training molecules among themselves.
    """

    outside: float
    edge: float
    worse: float
    tried: bool

    @classmethod
    def at(cls, threshold: float) -> Self:
        """Return limits without an edge, from the training molecules among themselves."""
        return cls(threshold, threshold, float("nan"), tried=False)

    @classmethod
    def fit(cls, similarity: NDArray[np.floating], error: NDArray[np.float64]) -> Self:
        """Find where the errors of held-out molecules grow.

        Outside lies what is less like the training molecules than 19 of 20 molecules on which the model
        was tried: nothing is known of it. The edge are the largest share of the tried molecules, of those
        farthest out (three tenths at most), whose mean error is at least 1.25 times that of the rest; the
        farthest tenth where there is no such share.

        Parameters
        ----------
        similarity
            Of each held-out molecule to the nearest one that its model was fitted on, shape (n,); NaN
            where there is none.
        error
            Its error in the unit of a typical one, shape (n,); NaN where not measured.
        """
        near = np.asarray(similarity, dtype=np.float64)[~np.isnan(similarity)]
        outside = float(np.quantile(near, _TRIED_PERCENTILE)) if len(near) else 1.0
        farthest = float(np.quantile(near, _CANDIDATES[0])) if len(near) else 1.0
        edge, worse = farthest, float("nan")
        known = ~np.isnan(similarity) & ~np.isnan(error)
        if known.sum() >= _ROWS:
            s, e = np.asarray(similarity, dtype=np.float64)[known], error[known]
            for share in _CANDIDATES:
                limit = float(np.quantile(near, share))
                ratio = _ratio(e[s < limit], e[s >= limit])
                if ratio >= _WORSE:
                    edge = limit
            worse = _ratio(e[(s < edge) & (s >= outside)], e[s >= edge])
        return cls(outside, max(edge, outside), worse, tried=True)

    def places(self, similarity: NDArray[np.floating]) -> NDArray[np.int64]:
        """Return the place of each molecule in :data:`WORDS`, shape (n,); 0 where similarity is NaN."""
        # the limits are quantiles in double precision of single-precision values, so one may lie a
        # rounding above the very value that it is
        near = np.asarray(similarity, dtype=np.float32)
        limits = np.array([self.outside, self.edge], dtype=np.float32)
        place: NDArray[np.int64] = (near[:, None] >= limits).sum(axis=1)
        return place

    def words(self, similarity: NDArray[np.floating]) -> list[Word | None]:
        """Return the word for each molecule; None where similarity is NaN."""
        places = zip(self.places(similarity), similarity, strict=True)
        return [None if np.isnan(near) else WORDS[place] for place, near in places]

    def reasons(self, similarity: NDArray[np.floating]) -> list[str | None]:
        """Return why, in a sentence, for each molecule; None where similarity is NaN."""
        tails = [self._reason(place) for place in range(len(WORDS))]
        places = zip(self.places(similarity), similarity, strict=True)
        return [
            None if np.isnan(near) else f"nearest training molecule is {near:.2f} alike; {tails[place]}"
            for place, near in places
        ]

    def _reason(self, place: int) -> str:
        if not self.tried:
            what = f"19 of 20 training molecules have one {self.outside:.2f} alike or more"
            return what if WORDS[place] == "outside" else f"{what}, too"
        if WORDS[place] == "outside":
            return f"19 of 20 molecules that the model was tried on had one {self.outside:.2f} alike or more"
        if WORDS[place] == "edge":
            if self.worse >= _WORSE:
                return f"below {self.edge:.2f} errors were {self.worse:.1f} times those above"
            return f"9 of 10 molecules that the model was tried on had one {self.edge:.2f} alike or more"
        return f"the model was tried on many with one {self.edge:.2f} alike or more"

    def values(self) -> NDArray[np.float64]:
        """Return the limits as numbers, float64, shape (4,)."""
        return np.array(astuple(self), dtype=np.float64)

    @classmethod
    def restore(cls, values: NDArray[np.float64]) -> Self:
        """Rebuild from :meth:`values`."""
        outside, edge, worse, tried = (float(value) for value in values)
        return cls(outside, edge, worse, tried=bool(tried))


def _ratio(far: NDArray[np.float64], near: NDArray[np.float64]) -> float:
    """Return the mean error far away over that near by; NaN where there is no error to compare."""
    if not len(far) or not len(near) or not near.mean() > 0:
        return float("nan")
    return float(far.mean() / near.mean())
