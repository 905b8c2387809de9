"""How hard a molecule is to predict: what the width of its interval is proportional to."""

from cytomol.predict.uncertainty.difficulty.base import Clues, Difficulty, difficulties
from cytomol.predict.uncertainty.difficulty.choose import choose_difficulty
from cytomol.predict.uncertainty.difficulty.constant import Constant
from cytomol.predict.uncertainty.difficulty.disagreement import Spread
from cytomol.predict.uncertainty.difficulty.distance import Distance
from cytomol.predict.uncertainty.difficulty.spread_distance import SpreadDistance

__all__ = [
    "Clues",
    "Constant",
    "Difficulty",
    "Distance",
    "Spread",
    "SpreadDistance",
    "choose_difficulty",
    "difficulties",
]
