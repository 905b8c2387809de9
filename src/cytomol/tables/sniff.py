"""What a file seems to be by its content, whatever its name says."""

from __future__ import annotations

import re

from cytomol.errors import InputError
from cytomol.tables.columns import SMILES_NAMES

__all__ = ["NAMES", "refuse_other_kind", "sniff_bytes", "sniff_text"]

# Kind -> what it is called in messages, and the name that a file of it should have.
NAMES = {
    "gzip": ("gzip-compressed", "the same name with .gz"),
    "xlsx": ("an Excel workbook", "a name in .xlsx"),
    "xls": ("an Excel workbook of the old kind", "a copy saved as .xlsx"),
    "zip": ("a zip archive", "the file that is in it"),
    "parquet": ("a Parquet table", "a name in .parquet"),
    "hdf5": ("an HDF5 file", "a table"),
    "pdf": ("a PDF document", "a table"),
    "html": ("a web page", "the file itself, which the page may link to"),
    "json": ("JSON", "a table"),
    "sdf": ("an SD file", "a name in .sdf"),
    "csv": ("a table separated by commas", "a name in .csv"),
    "tsv": ("a table separated by tabs", "a name in .tsv"),
    "semicolons": ("a table separated by semicolons", "a copy with commas, named .csv"),
    "smi": ("a list of SMILES", "a name in .smi"),
    "text": ("text of another kind", "a table, an SD file or a list of SMILES"),
}
_MARKS = {
    b"\x1f\x8b": "gzip",
    b"PAR1": "parquet",
    b"\xd0\xcf\x11\xe0": "xls",
    b"\x89HDF": "hdf5",
    b"%PDF": "pdf",
}
_HEAD = 65536
_SMILES = re.compile(r"[A-Za-z0-9@+\-\[\]()\\/%=#$.:*~&>]+")
# A record end, or a counts line where it belongs; a table may hold MOL blocks in its cells.
_SD_LINE = re.compile(r"(?:^|\n)\$\$\$\$|^.*\n.*\n.*\n.{30,}V[23]000[ \t]*(?:\n|$)")


def sniff_bytes(data: bytes) -> str:
    """Return the kind of a file that is no text, by its first bytes; "" if it may be text."""
    if data.startswith(b"PK\x03\x04"):
        return "xlsx" if b"xl/" in data or b"[Content_Types].xml" in data[:2000] else "zip"
    return next((kind for mark, kind in _MARKS.items() if data.startswith(mark)), "")


def sniff_text(content: str) -> str:
    """Return the kind of a text: "sdf", "csv", "tsv", "semicolons", "smi", "html", "json" or "text"."""
    head = content[:_HEAD].replace("\r\n", "\n").replace("\r", "\n")
    if _SD_LINE.search(head):
        return "sdf"
    start = head.lstrip()[:200].lower()
    if start.startswith(("<!doctype", "<html", "<?xml")):
        return "html"
    if re.match(r'\{\s*"|\[\s*[{"]', start):
        return "json"
    return _kind_of_lines([line for line in head.split("\n") if line.strip()][:50])


def _kind_of_lines(lines: list[str]) -> str:
    for separator, kind in ((",", "csv"), ("\t", "tsv"), (";", "semicolons")):
        if (
            lines
            and separator in lines[0]
            and any(name in SMILES_NAMES for name in _names(lines[0], separator))
        ):
            return kind
    # No SMILES holds a comma or a semicolon, so a first word that does is several cells of a table.
    for separator, kind in ((",", "csv"), (";", "semicolons")):
        if 2 * sum(separator in line.split()[0] for line in lines) > len(lines):
            return kind
    if 2 * sum(bool(_SMILES.fullmatch(line.split()[0])) for line in lines) > len(lines):
        return "smi"
    return "text"


def _names(header: str, separator: str) -> list[str]:
    return [cell.strip().strip('"').lower() for cell in header.split(separator)]


def refuse_other_kind(found: str, *, where: str, wanted: str) -> None:
    """Raise an error that says what the file seems to be and what it should be called."""
    what, remedy = NAMES[found]
    raise InputError(f"seems to be {what}, not {wanted}", where=where, hint=f"give it {remedy}")
