"""The backbone that comes with the package, by its name."""

from __future__ import annotations

from pathlib import Path

__all__ = ["DEFAULT", "SHIPPED_FOLDER", "is_shipped", "model_place"]

DEFAULT = "default"
SHIPPED_FOLDER = Path(__file__).parent / "shipped_default"


def model_place(path: str | Path) -> Path:
    """Return the directory of a model: what ``default`` stands for, or the path as it is.

    The word ``default`` is the backbone that comes with cytomol wherever a model directory is read, whatever
    lies in the working directory, so that a command means the same everywhere. A directory of that name is
    ``./default``, or ``Path("default")``.

    Parameters
    ----------
    path
        The word ``default`` as text, or a path.

    Examples
    --------
    >>> model_place("models/mine").as_posix()
    'models/mine'
    >>> model_place("default") == SHIPPED_FOLDER, model_place("./default").as_posix()
    (True, 'default')
    """
    return SHIPPED_FOLDER if isinstance(path, str) and path == DEFAULT else Path(path)


def is_shipped(path: Path) -> bool:
    """Say whether a directory is that of the backbone that comes with the package, or lies in it."""
    return path == SHIPPED_FOLDER or SHIPPED_FOLDER in path.parents
