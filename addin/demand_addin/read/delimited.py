"""Delimited text files: every value is text, and stays so."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from demand_model.annex_a.raw import RawSheet
from demand_model.errors import InvalidInputError

_DELIMITERS = ",;\t|"
_MAX_CELLS = 60_000_000


def sheet_from_text(data: bytes, path: Path) -> RawSheet:
    """Read a delimited text file as one sheet, named after the file.

    The encoding is UTF-16 where the file opens with its mark, else UTF-8, else
    Windows-1252 (which Excel on Windows writes); the delimiter is the one of
    comma, semicolon, tab and bar that the first lines agree on.
    """
    text = _decoded(data, path.name)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))
    except csv.Error as error:
        raise InvalidInputError(
            f"{path.name} cannot be read as a table: open it in Excel, check that its columns "
            "line up, and save it as an Excel Workbook (.xlsx)."
        ) from error
    width = max((len(row) for row in rows), default=0)
    if width * len(rows) > _MAX_CELLS:
        raise InvalidInputError(f"{path.name} has too many cells: keep only the lists in it.")
    cells = np.empty((len(rows), width), dtype=object)
    for i, row in enumerate(rows):
        cells[i, : len(row)] = [value if value != "" else None for value in row]
    return RawSheet(file=path.name, sheet=path.stem, cells=cells, is_text_file=True)


def _decoded(data: bytes, name: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidInputError(
        f"{name} has characters in an unknown encoding: open it in Excel and save it as "
        '"CSV UTF-8" or as an Excel Workbook (.xlsx).'
    )


def _delimiter(text: str) -> str:
    """Return the delimiter that splits most of the first lines into as many columns."""
    lines = [line for line in text[:20_000].splitlines() if line.strip()][:20]

    def score(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        common = max(set(widths), key=lambda w: (widths.count(w), w), default=1)
        return (widths.count(common) if common > 1 else 0, common)

    return max(_DELIMITERS, key=score) if lines else ","
