"""What pretraining eats: schema, readers, checks, scaling, the planted corpus."""

from cytomol.corpus.readers import read_corpus
from cytomol.corpus.schema import Corpus, Modality, Relation
from cytomol.corpus.write import write_corpus

__all__ = ["Corpus", "Modality", "Relation", "read_corpus", "write_corpus"]
