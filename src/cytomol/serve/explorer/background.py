"""Work beside the page, in a thread: whatever ends it is said on the page."""

from __future__ import annotations

import threading
from collections.abc import Callable

from cytomol.errors import CytomolError

__all__ = ["in_background", "or_say"]


def in_background(work: Callable[[], object], failed: Callable[[str], None], *, name: str) -> None:
    """Start work in a thread that ends with the page.

    Parameters
    ----------
    work, failed
        As of :func:`or_say`.
    name
        Of the thread.
    """
    threading.Thread(target=or_say, args=(work, failed), name=name, daemon=True).start()


def or_say(work: Callable[[], object], failed: Callable[[str], None]) -> None:
    """Do the work, or say why not.

    What the user can mend is said and that is all; a defect goes to the terminal too, with its trace.

    Parameters
    ----------
    work
        What is done.
    failed
        Called with the reason.

    Examples
    --------
    >>> or_say(lambda: open("/no/such/file"), print)
    [Errno 2] No such file or directory: '/no/such/file'
    """
    try:
        work()
    except (CytomolError, OSError, MemoryError) as error:
        failed(str(error))
    except Exception as error:
        failed(f"a defect of the explorer ({type(error).__name__}); the terminal says more")
        raise
