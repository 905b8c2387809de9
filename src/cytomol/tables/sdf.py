r"""SD files, record by record: cut at the lines ``$$$$`` here, so that no record can swallow the next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from cytomol.errors import InputError, note
from cytomol.tables.columns import free_name
from cytomol.tables.text import cut_lines

__all__ = ["SdRecord", "cut_records", "parse_sdf"]

_END = "M  END"
_COUNTS = re.compile(r".{30,}V[23]000\s*$")
# "> <NAME>", "> 25 <NAME> (x)": what stands between the outer angle brackets is the name.
_NAMED = re.compile(r">[^<]*<(.*)>[^>]*$")
_FIELD_NUMBER = re.compile(r"\bDT\d+\b")


@dataclass(frozen=True)
class SdRecord:
    """Lines between two record ends.

    Attributes
    ----------
    lines
        The lines, without their ends.
    line
        Number of the first one in the file, from 1.
    """

    lines: list[str]
    line: int


def parse_sdf(content: str, *, where: str) -> tuple[pd.DataFrame, str, dict[int, str]]:
    """Read an SD file; a record that is no molecule keeps its row, with the reason.

    Parameters
    ----------
    content
        The text.
    where
        The source, for errors.

    Returns
    -------
    tuple
        The columns (SMILES and title of the structures, then the data as they stand, letter by letter),
        the column of the structures' SMILES, and the reasons by row.

    Raises
    ------
    InputError
        If one record holds two molecules: a line ``$$$$`` is missing or damaged.
    """
    rows: list[dict[str, str]] = []
    errors: dict[int, str] = {}
    structures: list[str] = []
    titles: list[str] = []
    stray: list[str] = []
    for number, record in enumerate(cut_records(content, where=where)):
        block, data = _cut_at_end(record, number, where)
        smiles, reason = _structure(block)
        structures.append(smiles)
        titles.append(record.lines[0].strip() if record.lines else "")
        if reason:
            errors[number] = f"{reason} (record {number + 1}, line {record.line})"
        properties, lost = _data_items(data)
        rows.append(properties)
        if lost and block:
            stray.append(f"record {number + 1} (line {record.line})")
    if stray:
        more = f" and {len(stray) - 1} more" if len(stray) > 1 else ""
        note(f"text that belongs to no data item is left out: {stray[0]}{more}", where=where)
    names = list(dict.fromkeys(name for row in rows for name in row))
    smiles_name = free_name("smiles", names, "structure_smiles")
    columns = {smiles_name: structures}
    if any(titles):
        columns[free_name("name", names, "title")] = titles
    columns |= {name: [row.get(name, "") for row in rows] for name in names}
    return pd.DataFrame(columns, dtype=str), smiles_name, errors


def cut_records(content: str, *, where: str) -> Iterator[SdRecord]:
    """Yield the records: what ends with a line ``$$$$``, and what is left after the last one, if anything."""
    lines: list[str] = []
    start, ends = 1, 0
    for number, line in enumerate(cut_lines(content), start=1):
        if line.startswith("$$$$"):
            yield SdRecord(lines, start)
            lines, start, ends = [], number + 1, ends + 1
        else:
            lines.append(line)
    if any(line.strip() for line in lines):
        if ends:
            note(f"the last record, from line {start} on, does not end with $$$$: is it whole?", where=where)
        yield SdRecord(lines, start)


def _cut_at_end(record: SdRecord, number: int, where: str) -> tuple[list[str], list[str]]:
    """Return the MOL block with its ``M  END``, and the data; no block where that line is missing."""
    ends = [i for i, line in enumerate(record.lines) if line.rstrip() == _END]
    counts = [i for i, line in enumerate(record.lines) if _COUNTS.match(line)]
    if max(len(ends), len(counts)) > 1:
        second = (ends if len(ends) > 1 else counts)[1]
        raise InputError(
            f"record {number + 1} holds two molecules: a line $$$$ between them is missing or damaged",
            where=f"{where}, line {record.line + second}",
            hint="write $$$$ on a line of its own after each record",
        )
    if ends:
        return record.lines[: ends[0] + 1], record.lines[ends[0] + 1 :]
    data = next((i for i, line in enumerate(record.lines) if i > 3 and line.startswith(">")), None)
    return [], [] if data is None else record.lines[data:]


def _structure(block: list[str]) -> tuple[str, str]:
    """Return the SMILES of a MOL block, or the reason why there is none."""
    from rdkit import Chem, rdBase

    if not block:
        return "", "the record has no line M  END"
    reason = "invalid MOL block"
    with rdBase.BlockLogs():
        try:
            molecule = Chem.MolFromMolBlock("\n".join(block) + "\n")
            smiles = "" if molecule is None else Chem.MolToSmiles(molecule)
        except (RuntimeError, ValueError) as error:  # broken invariants inside RDKit come as these
            return "", " ".join(str(error).split())[:200] or reason
        if molecule is None:
            return "", _rejected(block) or reason
    return smiles, "" if smiles else "a structure without atoms"


def _rejected(block: list[str]) -> str:
    """Return what RDKit says of a block that it rejects."""
    from rdkit import Chem, rdBase

    if not hasattr(rdBase, "CaptureErrorLog"):
        return ""
    # RDKit cuts its messages by bytes, which may split a letter.
    text = "\n".join(block).encode("ascii", errors="replace").decode("ascii")
    with rdBase.CaptureErrorLog() as capture:
        Chem.MolFromMolBlock(text + "\n")
    messages = re.sub(r"\[\d\d:\d\d:\d\d\] ", "", capture.messages)
    return " ".join(messages.split())[:200]


def _data_items(lines: list[str]) -> tuple[dict[str, str], bool]:
    """Return the data of a record by name, and whether text stands before the first of them.

    A value runs to the empty line before the next header; an empty line inside it, which the format
    forbids and people write, is part of it. A name that stands twice gets a number.
    """
    items: dict[str, str] = {}
    name: str | None = None
    value: list[str] = []
    after_blank, stray = True, False
    for line in lines:
        named = _NAMED.match(line)
        if named or (line.startswith(">") and after_blank):
            if name is not None:
                items[name] = _joined(value)
            name, value = _item_name(line), []
            name = free_name(name, items, f"{name}_2")
            after_blank = False
            continue
        after_blank = not line.strip()
        if name is None:
            stray |= not after_blank
        else:
            value.append(line)
    if name is not None:
        items[name] = _joined(value)
    return items, stray


def _item_name(header: str) -> str:
    named = _NAMED.match(header)
    if named and named.group(1).strip():
        return named.group(1)
    number = _FIELD_NUMBER.search(header)
    return number.group() if number else "unnamed"


def _joined(value: list[str]) -> str:
    while value and not value[-1].strip():
        value.pop()
    return "\n".join(value)
