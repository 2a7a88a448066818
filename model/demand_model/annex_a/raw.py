"""Cells as they stand in a sheet, before anything is decoded.

The reader keeps cells, not frames: nothing is guessed to be missing, and each
value can be traced to `Sheet!Cell`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time

import numpy as np
import numpy.typing as npt
import pandas as pd


@dataclass(frozen=True, slots=True)
class CellError:
    """An Excel error value such as ``#N/A``; never a blank."""

    code: str


@dataclass(frozen=True, slots=True)
class UncalculatedFormula:
    """A formula that was saved without a calculated value."""


RawValue = (
    None | str | int | float | bool | datetime | date | time | CellError | UncalculatedFormula
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawSheet:
    """One sheet's used range.

    Attributes
    ----------
    file, sheet
        Names for messages; `file` is a bare name, never a path.
    cells
        Object array of `RawValue`, shape (rows, columns).
    first_row, first_column
        1-based position of ``cells[0, 0]`` in the sheet.
    hidden
        The sheet itself is hidden or very hidden.
    hidden_rows, hidden_columns
        1-based numbers of hidden rows and columns.
    merged
        Merged ranges within the sheet, as ``"A5:A9"``.
    formula_cells
        How many cells hold a formula.
    date_1904
        The workbook counts days from 1904 (serial numbers only; dates are
        already decoded by the reader).
    is_text_file
        The sheet came from a CSV file: every value is text.
    external_formulas
        How many formulas refer to another workbook.
    stray_cells
        Addresses of cells far outside the used range, which were not read.
    total_rows
        1-based numbers of rows that an Excel table declares as its totals.
    comments, pictures
        How many comments (notes), and how many pictures or embedded files, lie on the
        sheet; none is read.
    """

    file: str
    sheet: str
    cells: npt.NDArray[np.object_]
    first_row: int = 1
    first_column: int = 1
    hidden: bool = False
    hidden_rows: frozenset[int] = field(default_factory=frozenset)
    hidden_columns: frozenset[int] = field(default_factory=frozenset)
    merged: tuple[str, ...] = ()
    formula_cells: int = 0
    date_1904: bool = False
    is_text_file: bool = False
    external_formulas: int = 0
    stray_cells: tuple[str, ...] = ()
    total_rows: frozenset[int] = field(default_factory=frozenset)
    comments: int = 0
    pictures: int = 0

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, name: str = "data frame") -> RawSheet:
        """Make a sheet of a data frame: its column names become row 1.

        Missing values (NaN, NaT, None, NA) become blank cells.
        """
        body = frame.astype(object).where(frame.notna(), None).to_numpy(dtype=object)
        values = [
            [v.to_pydatetime() if isinstance(v, pd.Timestamp) else v for v in row] for row in body
        ]
        cells = np.empty((len(frame) + 1, frame.shape[1]), dtype=object)
        cells[0, :] = [str(c) for c in frame.columns]
        for i, row in enumerate(values, start=1):
            cells[i, :] = row
        return cls(file=name, sheet=name, cells=cells)
