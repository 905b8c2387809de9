"""What pretraining eats: schema, readers, checks, scaling, the planted corpus."""

from cytomol.corpus.readers import read_corpus
from cytomol.corpus.schema import Corpus, Modality, Relation

__all__ = ["Corpus", "Modality", "Relation", "read_corpus"]
