"""cytomol: molecular representations that know what a molecule does to a cell."""

__version__ = "0.1.0"
