"""What a workbook holds, by name: its sheets, defined names and tables."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from demand_addin.closed import spans
from demand_addin.closed.archive import Archive
from demand_addin.closed.cells import Block
from demand_addin.closed.spans import Element
from demand_addin.refusals import cell_not_found, table_not_found
from demand_model.errors import InvalidInputError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """An Excel table and the part that declares it."""

    name: str
    sheet: str
    part: str
    block: Block
    columns: tuple[str, ...]
    has_totals: bool
    is_filtered: bool

    @property
    def first_row(self) -> int:
        """The first row below the headings."""
        return self.block.top + 1

    def column(self, name: str) -> int:
        """Return the sheet's column number of a heading."""
        return self.block.left + self.columns.index(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A block of cells on a sheet."""

    sheet: str
    block: Block


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Index:
    """The workbook's own table of contents.

    Attributes
    ----------
    file
        Bare file name, for messages.
    book_part
        The workbook part.
    sheets
        Worksheet name to part, in the workbook's order.
    names
        Lower-case defined name to its text, for example ``"Settings!$B$6"``.
    tables
        By lower-case table name.
    """

    file: str
    book_part: str
    sheets: Mapping[str, str]
    names: Mapping[str, str]
    tables: Mapping[str, Table]
    date_1904: bool

    def sheet_part(self, sheet: str) -> str:
        """Return a sheet's part."""
        if sheet not in self.sheets:
            raise InvalidInputError(
                f"{self.file}: sheet {sheet} was not found, so nothing was written; it was "
                f"renamed or deleted. Sheets found: {', '.join(self.sheets)}."
            )
        return self.sheets[sheet]

    def table(self, name: str) -> Table:
        """Return a table."""
        found = self.tables.get(name.lower())
        if found is None:
            raise table_not_found(self.file, name)
        return found

    def place(self, name: str) -> Place:
        """Return the cells that a defined name stands for."""
        text = self.names.get(name.lower())
        sheet, _, reference = (text or "").rpartition("!")
        sheet = sheet.strip("'").replace("''", "'")
        try:
            if sheet in self.sheets:
                return Place(sheet=sheet, block=Block.of(reference))
        except ValueError:
            pass
        raise cell_not_found(self.file, name)


def read_index(archive: Archive, file: str) -> Index:
    """Read a workbook's table of contents."""
    book_part = next(
        (t for t, kind in _relationships(archive, "").values() if kind == "officeDocument"),
        "xl/workbook.xml",
    )
    book = spans.parse(archive.read(book_part))
    targets = _relationships(archive, book_part)
    sheets: dict[str, str] = {}
    for sheet in _grandchildren(book, "sheets", "sheet"):
        target, kind = targets.get(sheet.get("id") or "", ("", ""))
        if kind == "worksheet":
            sheets[sheet.attributes["name"]] = target
    settings = book.find("workbookPr")
    return Index(
        file=file,
        book_part=book_part,
        sheets=sheets,
        names={
            name.attributes["name"].lower(): name.text.strip()
            for name in _grandchildren(book, "definedNames", "definedName")
            if "localSheetId" not in name.attributes
        },
        tables={
            table.name.lower(): table
            for sheet, part in sheets.items()
            for table in _tables(archive, sheet, part)
        },
        date_1904=settings is not None and settings.get("date1904") in ("1", "true"),
    )


def related(archive: Archive, part: str, kind: str) -> tuple[str, ...]:
    """Return the parts that `part` refers to by relationships of that kind."""
    return tuple(t for t, k in _relationships(archive, part).values() if k == kind)


def relationships_part(part: str) -> str:
    """Return the name of the part that holds a part's relationships."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _relationships(archive: Archive, part: str) -> dict[str, tuple[str, str]]:
    """Return id to (target part, last word of the type), external targets aside."""
    name = relationships_part(part)
    if name not in archive.names:
        return {}
    return {
        item.attributes["Id"]: (
            resolved(part, item.attributes["Target"]),
            item.attributes["Type"].rpartition("/")[2],
        )
        for item in spans.parse(archive.read(name)).find_all("Relationship")
        if item.attributes.get("TargetMode") != "External"
    }


def resolved(part: str, target: str) -> str:
    """Return a relationship's target as the name of a part."""
    if target.startswith("/"):
        return target[1:]
    return posixpath.normpath(posixpath.join(posixpath.dirname(part), target))


def _tables(archive: Archive, sheet: str, part: str) -> Iterator[Table]:
    for target in related(archive, part, "table"):
        root = spans.parse(archive.read(target))
        filters = root.find("autoFilter")
        yield Table(
            name=root.get("displayName") or root.attributes["name"],
            sheet=sheet,
            part=target,
            block=Block.of(root.attributes["ref"]),
            columns=tuple(
                c.attributes["name"] for c in _grandchildren(root, "tableColumns", "tableColumn")
            ),
            has_totals=(root.get("totalsRowCount") or "0") != "0",
            is_filtered=filters is not None and bool(filters.children),
        )


def _grandchildren(root: Element, group: str, local: str) -> Iterator[Element]:
    for child in root.find_all(group):
        yield from child.find_all(local)
