"""Cell values through calamine: fast, but it shows error cells as blanks.

The one module that imports calamine; what it loses is put back by `scan`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import python_calamine

from demand_model.annex_a.raw import RawValue
from demand_model.errors import InvalidInputError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SheetValues:
    """A sheet's used range: blanks are ``None``, dates are `datetime`."""

    name: str
    hidden: bool
    cells: npt.NDArray[np.object_]
    first_row: int
    first_column: int


def calamine_sheets(
    data: bytes, name: str, only: Collection[str] | None = None
) -> Iterator[SheetValues]:
    """Read the values of each worksheet (or of those in `only`).

    Raises
    ------
    InvalidInputError
        The file is damaged, or protected by a password.
    """
    with _one_error(name):
        for sheet, hidden in _worksheets(data, only):
            yield _values(sheet, hidden=hidden)


def _worksheets(
    data: bytes, only: Collection[str] | None
) -> Iterator[tuple[python_calamine.CalamineSheet, bool]]:
    """Each worksheet, and whether it is hidden."""
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    for meta in book.sheets_metadata:
        wanted = only is None or meta.name in only
        if wanted and meta.typ == python_calamine.SheetTypeEnum.WorkSheet:
            hidden = meta.visible != python_calamine.SheetVisibleEnum.Visible
            yield book.get_sheet_by_name(meta.name), hidden


@contextmanager
def _one_error(name: str) -> Iterator[None]:
    """Make one error of whatever calamine raises."""
    try:
        yield
    except python_calamine.PasswordError as error:
        raise InvalidInputError(
            f"{name} is password protected: open it in Excel, remove the password, save it, "
            "and use that."
        ) from error
    except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, InvalidInputError):
        raise
    except BaseException as error:  # a panic inside calamine is not an Exception
        raise damaged(name) from error


def filled_rows(data: bytes, name: str, only: Collection[str]) -> dict[str, int]:
    """Count the rows of each worksheet in `only` that hold anything, by its name.

    Raises
    ------
    InvalidInputError
        The file is damaged, or protected by a password.
    """
    with _one_error(name):
        return {
            sheet.name: sum(row.count("") < len(row) for row in sheet.to_python())
            for sheet, _ in _worksheets(data, only)
        }


def damaged(name: str) -> InvalidInputError:
    """Return the error for a file that cannot be read as the workbook it claims to be."""
    return InvalidInputError(
        f"{name} is damaged or cut short: open it in Excel, let Excel repair it, save it as an "
        "Excel Workbook (.xlsx), and use that."
    )


def _values(sheet: python_calamine.CalamineSheet, *, hidden: bool) -> SheetValues:
    rows = sheet.to_python(skip_empty_area=True)
    top, left = sheet.start or (0, 0)
    width = max((len(row) for row in rows), default=0)
    cells = np.empty((len(rows), width), dtype=object)
    for i, row in enumerate(rows):
        cells[i, : len(row)] = row
    _settle(cells)
    return SheetValues(
        name=sheet.name, hidden=hidden, cells=cells, first_row=top + 1, first_column=left + 1
    )


def _settle(cells: npt.NDArray[np.object_]) -> None:
    """Make blanks ``None``, whole numbers `int` and dates `datetime`, in place."""
    kinds = np.frompyfunc(type, 1, 1)(cells)
    cells[np.asarray(cells == "", dtype=bool)] = None
    for kind, settle in _SETTLE.items():
        of_kind = np.asarray(kinds == kind, dtype=bool)
        if of_kind.any():
            cells[of_kind] = [settle(value) for value in cells[of_kind]]


def _number(value: float) -> RawValue:
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


_EXACT = 1e15
_SETTLE: dict[type, Callable[..., RawValue]] = {
    float: _number,
    date: lambda value: datetime(value.year, value.month, value.day),  # noqa: DTZ001
    # A number shown as elapsed hours: no column of Annex A is one. Keep the number of days.
    timedelta: lambda value: value.total_seconds() / 86_400,
}
