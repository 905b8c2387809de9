"""Files and folders: outputs that are whole or absent, whose they are, locks, the place of caches."""

from cytomol.files.expansion import check_archive, check_expansion, check_hdf5, gunzip, open_bytes
from cytomol.files.locks import Lock
from cytomol.files.ours import REPORT, SIGNATURE, refuse_foreign, written_files
from cytomol.files.outputs import (
    atomic_directory,
    atomic_file,
    cache_root,
    check_output,
    check_place,
    check_space,
    discard_output,
    remove_output,
    require_file,
    sha256,
)
from cytomol.files.replace import publish_file, settled
from cytomol.files.temporary import sweep

__all__ = [
    "REPORT",
    "SIGNATURE",
    "Lock",
    "atomic_directory",
    "atomic_file",
    "cache_root",
    "check_archive",
    "check_expansion",
    "check_hdf5",
    "check_output",
    "check_place",
    "check_space",
    "discard_output",
    "gunzip",
    "open_bytes",
    "publish_file",
    "refuse_foreign",
    "remove_output",
    "require_file",
    "settled",
    "sha256",
    "sweep",
    "written_files",
]
