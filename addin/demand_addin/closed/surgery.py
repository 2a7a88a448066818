"""Which bytes of which parts a plan changes: worked out whole before anything is changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from demand_addin.closed import pastexml, sheetxml, spans, weave
from demand_addin.closed.archive import Archive
from demand_addin.closed.cells import Block, CellWriter
from demand_addin.closed.index import Index, Table, related, relationships_part, resolved
from demand_addin.closed.spans import Splice
from demand_addin.closed.styles import date_styles
from demand_addin.closed.weave import FormulaCell, FormulaInTheWayError, Patch
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.formulas import formula_text
from demand_addin.layout.tables import TYPED_TABLES
from demand_addin.ports import (
    BookPlan,
    Calculated,
    CellValue,
    RangeValues,
    SheetRows,
    TableCell,
    TableValues,
)
from demand_addin.refusals import in_the_way, require_fit
from demand_model.errors import InvalidInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class _TableEdit:
    table: Table
    patch: Patch
    block: Block


class Surgery:
    """Works out the new bytes of the parts that a plan touches."""

    def __init__(self, archive: Archive, index: Index) -> None:
        self._archive = archive
        self._index = index
        self._scans: dict[str, sheetxml.SheetXml] = {}
        self._changed_formulas = False

    def carried_out(self, plan: BookPlan) -> tuple[dict[str, bytes], set[str]]:
        """Return the new bytes by part, and the parts to leave out."""
        changes: dict[str, bytes] = {}
        patches: defaultdict[str, list[Patch]] = defaultdict(list)
        for values in plan.tables:
            edit = self._table_edit(values)
            patches[edit.table.sheet].append(edit.patch)
            changes[edit.table.part] = self._resized(edit)
        for block in plan.ranges:
            sheet, patch = self._range_patch(block)
            patches[sheet].append(patch)
        for sheet, its_patches in patches.items():
            changes[self._index.sheet_part(sheet)] = self._patched(sheet, its_patches)
        for rows in plan.sheets:
            changes[self._index.sheet_part(rows.sheet)] = self._replaced(rows)
        if not changes:
            return {}, set()
        changes[self._index.book_part] = self._recalculating()
        removed = self._without_chain(changes) if self._changed_formulas else set()
        return changes, removed

    def _scan(self, sheet: str) -> sheetxml.SheetXml:
        if sheet not in self._scans:
            part = self._index.sheet_part(sheet)
            self._scans[sheet] = sheetxml.scan(self._archive.read(part))
        return self._scans[sheet]

    def _table_edit(self, values: TableValues) -> _TableEdit:
        table = self._index.table(values.name)
        missing = [name for name in values.columns if name not in table.columns]
        require_fit(
            self._index.file, table.name, table.sheet, missing=missing, has_totals=table.has_totals
        )
        scan = self._scan(table.sheet)
        if values.append:
            table = _with_typed_rows(table, scan)
        columns = tuple(table.column(name) for name in values.columns)
        old_bottom = table.block.bottom
        top = table.first_row
        if values.append:
            top = scan.last_filled_row(top, old_bottom, columns) + 1
        last = max(top + len(values.rows) - 1, table.first_row)
        block = Block(
            top=table.block.top, left=table.block.left, bottom=last, right=table.block.right
        )
        self._refuse_in_the_way(table, block, scan)
        patch = Patch(
            top=top,
            columns=columns,
            rows=_with_formulas(values),
            bottom=max(last, old_bottom),
            style_row=table.first_row,
            shows_rows=table.is_filtered,
        )
        return _TableEdit(table=table, patch=patch, block=block)

    def _refuse_in_the_way(self, table: Table, block: Block, scan: sheetxml.SheetXml) -> None:
        if block.bottom <= table.block.bottom:
            return
        grown = Block(
            top=table.block.bottom + 1, left=block.left, bottom=block.bottom, right=block.right
        )
        at = scan.first_filled(grown)
        others = (
            t.block.reference
            for t in self._index.tables.values()
            if t.sheet == table.sheet and t.name != table.name and t.block.meets(grown)
        )
        at = at or next(others, "")
        if at:
            raise in_the_way(self._index.file, table.name, table.sheet, at=at, bottom=block.bottom)

    def _resized(self, edit: _TableEdit) -> bytes:
        """Return the table part with its new extent; a filter on old values is cleared."""
        data = self._archive.read(edit.table.part)
        root = spans.parse(data)
        reference = edit.block.reference
        splices = [spans.retag(data, root, ref=reference)]
        filters = root.find("autoFilter")
        if filters is not None:
            text = spans.tag(filters.qname, filters.attributes | {"ref": reference}, is_empty=True)
            splices.append(Splice(filters.start, filters.end, text.encode()))
        order = root.find("sortState")
        if order is not None:
            splices.append(Splice(order.start, order.end, b""))
        return spans.spliced(data, splices)

    def _range_patch(self, values: RangeValues) -> tuple[str, Patch]:
        place = self._index.place(values.name)
        block = place.block
        height, width = block.bottom - block.top + 1, block.right - block.left + 1
        if len(values.rows) > height or any(len(row) > width for row in values.rows):
            raise InvalidInputError(
                f"{self._index.file}: the named cells {values.name} ({place.sheet}!"
                f"{block.reference}) have become too small; rows or columns were deleted. "
                "Nothing was written. Undo that, or make a new workbook."
            )
        columns = tuple(range(block.left, block.right + 1))
        patch = Patch(
            top=block.top,
            columns=columns,
            rows=[(*row, *(None,) * (width - len(row))) for row in values.rows],
            bottom=block.bottom,
            keeps_formulas=True,
        )
        return place.sheet, patch

    def _patched(self, sheet: str, patches: Sequence[Patch]) -> bytes:
        try:
            result = weave.patched(self._scan(sheet), patches, date_1904=self._index.date_1904)
        except FormulaInTheWayError as error:
            raise InvalidInputError(
                f"{self._index.file}: a formula over {sheet}!{error.args[0]} reaches into cells "
                "that must be written. Nothing was written. Clear it, or move it beside the table."
            ) from error
        self._changed_formulas |= result.changed_formulas
        return result.data

    def _replaced(self, rows: SheetRows) -> bytes:
        part = self._index.sheet_part(rows.sheet)
        for table in self._index.tables.values():
            if table.sheet == rows.sheet:
                raise InvalidInputError(
                    f"{self._index.file}: sheet {rows.sheet} holds the table {table.name}. "
                    "Nothing was written. Convert it to a range (Table Design) and try again."
                )
        data = self._archive.read(part)
        head = pastexml.head_of(data)
        self._changed_formulas |= b"<f" in data or b":f" in data
        dates = self._date_styles()
        dresser = _Dresser(head, dates)
        writer = CellWriter(prefix=head.qname[: -len("sheetData")], date_1904=self._index.date_1904)
        width = max(map(len, rows.rows), default=0)
        letters = [column_letters(c) for c in range(1, width + 1)]
        lines = [
            "".join(
                writer.cell(f"{letter}{number}", dresser.style(number, column, value), value)
                for column, (letter, value) in enumerate(zip(letters, row, strict=False), start=1)
            )
            for number, row in enumerate(rows.rows, start=1)
        ]
        used = Block(top=1, left=1, bottom=max(len(lines), 1), right=max(width, 1))
        return pastexml.replaced(data, lines, used.reference)

    def _date_styles(self) -> tuple[str, ...]:
        parts = related(self._archive, self._index.book_part, "styles")
        return date_styles(self._archive.read(parts[0])) if parts else ()

    def _recalculating(self) -> bytes:
        """Return the workbook part with the request to calculate everything on opening."""
        data = self._archive.read(self._index.book_part)
        root = spans.parse(data)
        calculation = root.find("calcPr")
        if calculation is not None:
            return spans.spliced(data, [spans.retag(data, calculation, fullCalcOnLoad="1")])
        before = {"definedNames", "externalReferences", "functionGroups", "sheets"}
        after = max(child.end for child in root.children if child.local in before)
        text = spans.tag(f"{root.prefix}calcPr", {"fullCalcOnLoad": "1"}, is_empty=True)
        return spans.spliced(data, [Splice(after, after, text.encode())])

    def _without_chain(self, changes: dict[str, bytes]) -> set[str]:
        """Drop the calculation chain: it no longer names the cells that hold formulas."""
        book = self._index.book_part
        chains = set(related(self._archive, book, "calcChain"))
        if not chains:
            return set()
        links = relationships_part(book)
        data = self._archive.read(links)
        gone = [
            Splice(item.start, item.end, b"")
            for item in spans.parse(data).find_all("Relationship")
            if resolved(book, item.attributes["Target"]) in chains
        ]
        changes[links] = spans.spliced(data, gone)
        kinds = "[Content_Types].xml"
        data = self._archive.read(kinds)
        gone = [
            Splice(item.start, item.end, b"")
            for item in spans.parse(data).find_all("Override")
            if item.attributes["PartName"].lstrip("/") in chains
        ]
        changes[kinds] = spans.spliced(data, gone)
        return chains


def _with_formulas(values: TableValues) -> Sequence[Sequence[CellValue | FormulaCell]]:
    """Return the rows with the text of each formula that the table declares."""
    if _are_values(values.rows):
        return values.rows
    return [
        [
            FormulaCell(formula_text(values.name, cell), cell.result)
            if isinstance(cell, Calculated)
            else cell
            for cell in row
        ]
        for row in values.rows
    ]


def _are_values(
    rows: tuple[tuple[TableCell, ...], ...],
) -> TypeGuard[tuple[tuple[CellValue, ...], ...]]:
    return not any(Calculated in map(type, row) for row in rows)


def _with_typed_rows(table: Table, scan: sheetxml.SheetXml) -> Table:
    """Return a table that only the analyst writes as it is read: with the rows directly below."""
    block = table.block
    if table.name.lower() not in TYPED_TABLES:
        return table
    while scan.filled_cells(block.bottom + 1, block.left, block.right) > 1:
        block = replace(block, bottom=block.bottom + 1)
    return replace(table, block=block)


class _Dresser:
    """Chooses the style of a pasted cell: a date must look like one, a number must not."""

    def __init__(self, head: pastexml.Head, dates: tuple[str, ...]) -> None:
        self._headings = head.first_row_styles
        self._columns = {
            column: style
            for first, last, style in head.column_styles
            for column in range(first, min(last, 400) + 1)
        }
        self._dates = frozenset(dates)
        self._date = f' s="{dates[0]}"' if dates else ""

    def style(self, row: int, column: int, value: CellValue) -> str:
        if row == 1 and isinstance(value, str) and column in self._headings:
            return f' s="{self._headings[column]}"'
        own = self._columns.get(column, "")
        is_date = hasattr(value, "toordinal")
        if is_date and own not in self._dates:
            return self._date
        if value is not None and not is_date and not isinstance(value, str) and own in self._dates:
            return ""
        return f' s="{own}"' if own and value is not None else ""
