"""The planted corpus: molecules, biology and measurements that were made up, with the truth kept.

A structure decides the mechanism by a rule that no local substructure gives away (core class and
pharmacophore together; look-alikes do not bind), the mechanism decides the cell's response, the response
decides the profiles and some of the assays. Profiles cover many molecules, labels few and other
scaffolds: what a method learns from profiles is what it needs for those assays.
"""

from cytomol.corpus.planted.generate import generate_planted
from cytomol.corpus.planted.options import PlantedOptions
from cytomol.corpus.planted.truth import PlantedCorpus, Truth
from cytomol.corpus.planted.write import write_planted

__all__ = ["PlantedCorpus", "PlantedOptions", "Truth", "generate_planted", "write_planted"]
