"""The words in which the workbook is declared: sheets, tables, areas, settings.

Everything is found by name, never by position: an `Area` becomes a defined
name, a `TableSpec` an Excel table, a `Setting` a defined name with a row of its
own on the Settings sheet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from demand_addin.ports import CellValue


class Kind(StrEnum):
    """What a sheet is for; each kind has its own tab colour and protection."""

    GUIDE = "guide"
    PASTE = "paste"
    INPUT = "input"
    OUTPUT = "output"
    HELPER = "helper"


class Style(StrEnum):
    """How a column's values are shown."""

    TEXT = "text"
    DATE = "date"
    MOMENT = "moment"
    WHOLE = "whole"
    NUMBER = "number"
    RATE = "rate"
    SHARE = "share"
    SHARE_FINE = "share_fine"
    GENERAL = "general"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    name
        The heading, which other tools rely on.
    meaning
        A plain sentence, shown when the heading (or an input cell) is selected.
    is_input
        The analyst fills it: blue cells, unlocked.
    is_wrapped
        Long texts take several lines.
    choices
        Words that a drop-down offers.
    """

    name: str
    meaning: str
    style: Style = Style.TEXT
    width: float = 13.0
    is_input: bool = False
    is_wrapped: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """An Excel table.

    Attributes
    ----------
    name
        The table's name in Excel.
    first_row
        1-based row of its headings.
    first_column
        1-based column that it begins in; most begin in column A.
    room
        Rows that the sheet keeps free below the headings.
    formulas
        Formulas that a plan may put into its cells, by name (`demand_addin.ports.Calculated`);
        without ``=``, in the words of the file format.
    """

    name: str
    columns: tuple[Column, ...]
    first_row: int = 5
    room: int = 1_000_000
    first_column: int = 1
    formulas: Mapping[str, str] = field(default_factory=dict)

    @property
    def headings(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A named cell or block of fixed size that plans fill.

    Attributes
    ----------
    name
        The defined name.
    cell
        Top left cell, for example ``"A5"``.
    rows, columns
        Size of the block.
    """

    name: str
    cell: str
    rows: int = 1
    columns: int = 1

    @property
    def corner(self) -> tuple[int, int]:
        """The 0-based row and column of the top left cell.

        >>> Area(name="x", cell="AB7").corner
        (6, 27)
        """
        letters = self.cell.rstrip("0123456789")
        column = 0
        for letter in letters:
            column = column * 26 + ord(letter) - 64
        return int(self.cell[len(letters) :]) - 1, column - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One input cell on the Settings sheet, with what the analyst needs to fill it.

    Attributes
    ----------
    key
        Stable identifier; the cell's defined name is `name`.
    default
        What the template holds; ``None`` is a blank cell.
    unit, note, source, dated
        Shown beside the cell; `dated` says of when the value is, or when to look at it again.
    least, most
        Bounds of a whole number.
    choices, choices_from
        Words that a drop-down offers, or the area that lists them.
    blank_leaves_out
        A blank cell means nothing at all; otherwise it means the default.
    """

    key: str
    label: str
    default: CellValue
    unit: str
    note: str
    source: str
    dated: str
    style: Style = Style.TEXT
    least: int | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()
    choices_from: str = ""
    blank_leaves_out: bool = False

    @property
    def name(self) -> str:
        """The defined name of the cell."""
        return f"setting_{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetSpec:
    """A sheet that the product owns.

    Attributes
    ----------
    name
        The tab's name.
    title
        Stands in A1 (paste sheets excepted, which open with their headings).
    purpose
        One sentence below the title.
    list_number
        For a paste sheet: the Annex A list it takes.
    is_too_long_to_print
        Only the lines above the table are printed, unless the user selects some cells.
    """

    name: str
    kind: Kind
    title: str
    purpose: str = ""
    tables: tuple[TableSpec, ...] = ()
    areas: tuple[Area, ...] = ()
    settings: tuple[Setting, ...] = ()
    list_number: int | None = None
    is_protected: bool = False
    is_too_long_to_print: bool = False

    @property
    def prints_top_only(self) -> bool:
        """No list of children, long table or helper sheet goes on paper by accident."""
        is_list = self.list_number is not None
        return is_list or self.kind is Kind.HELPER or self.is_too_long_to_print

    @property
    def status_name(self) -> str:
        """The defined name of the cell that repeats the master check on this sheet."""
        return f"status_{self.name.lower().replace(' ', '_').replace('-', '_')}"

    @property
    def shows_status(self) -> bool:
        """Every sheet that a run writes on, but Checks itself, repeats the master check.

        Paste sheets are the analyst's, and a helper sheet without areas is all formulas.
        """
        is_formulas = self.kind is Kind.HELPER and not self.areas
        return self.kind is not Kind.PASTE and not is_formulas and self.name != "Checks"
