"""What a write replaced, kept so that one call brings it back.

Each command of the ribbon runs in a process of its own, and Excel may be closed in
between: so the record is a small JSON file in the user's own profile (never beside
the workbook, whose folder may be shared or on the web, and never in the workbook,
where it would travel). It is written **before** the workbook is touched. It holds
the product's own tables and cells, no row of a list: of lists that were imported into
empty sheets it holds a checksum, by which an undo sees that they are still the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from demand_addin.commands.outcome import Json
from demand_addin.live.values import Formula, OldValue
from demand_model.annex_a.lists_of_need import ALL_LISTS
from demand_model.annex_a.raw import CellError

KEPT = 20
"""Records of so many workbooks stay; the oldest go."""
_VERSION = 1
_HEADINGS = frozenset(
    {None, *(heading for spec in ALL_LISTS.values() for heading in spec.headings)}
)

Old = tuple[tuple[OldValue, ...], ...]
New = Old


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """One block of cells: as it was, and as it was written.

    Attributes
    ----------
    kind, name
        What the block hangs on: ``"table"``, ``"cells"`` (a defined name) or
        ``"sheet"``. It is found again by name, wherever it has moved to.
    row, column
        0-based, from the first data row of the table, or from the first cell.
    checksum
        Of `new`, where that is a list and was not kept; `new` is empty then.
    """

    kind: str
    name: str
    row: int
    column: int
    old: Old
    new: New
    checksum: str = ""

    @property
    def had_rows(self) -> bool:
        """Whether a list stood there before: more than the official headings."""
        if self.kind != "sheet":
            return False
        first, *others = self.old
        return not set(first) <= _HEADINGS or any(v is not None for row in others for v in row)

    def is_as_written(self, found: Old) -> bool:
        """Whether cells are still what was written, for one that has a checksum."""
        return checksum_of(found, self.checksum.partition(":")[0]) == self.checksum


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that a write replaced.

    Attributes
    ----------
    book
        Full name of the workbook, as Excel has it.
    rows
        Data rows of each table, before and after.
    """

    book: str
    blocks: tuple[Replaced, ...]
    rows: dict[str, tuple[int, int]]

    @property
    def is_private(self) -> bool:
        """Whether it holds earlier rows of a list, which are kept in memory only."""
        return any(block.had_rows for block in self.blocks)


class UndoFolder:
    """The records on disk: one a workbook, readable by its user only.

    Parameters
    ----------
    folder
        Where they stand; the user's own profile by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or profile_folder() / "undo"

    def keep(self, record: Record) -> None:
        """Keep a record, in place of an older one of the same workbook.

        Raises
        ------
        OSError
            The folder cannot be written to.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        target = self._path(record.book)
        temporary = target.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(_to_json(record), file, ensure_ascii=True, allow_nan=False)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        self._tidy()

    def find(self, book: str) -> Record | None:
        """Return the record of a workbook; ``None`` if there is none that can be read."""
        try:
            return _from_json(json.loads(self._path(book).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def forget(self, book: str) -> None:
        """Drop the record of a workbook."""
        with contextlib.suppress(OSError):
            self._path(book).unlink(missing_ok=True)

    def _path(self, book: str) -> Path:
        return self._folder / f"{hashlib.sha256(book.casefold().encode()).hexdigest()[:24]}.json"

    def _tidy(self) -> None:
        found = sorted(self._folder.glob("*.json"), key=lambda p: p.stat().st_mtime)
        for old in found[:-KEPT]:
            old.unlink(missing_ok=True)


def profile_folder() -> Path:
    """Return the product's folder in the user's own profile."""
    local = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_STATE_HOME")
    return (Path(local) if local else Path.home() / ".local" / "state") / "csc-demand"


def checksum_of(rows: Sequence[Sequence[OldValue]], salt: str) -> str:
    """Return a checksum of cells, from which none of them can be found again."""
    digest = hashlib.sha256(salt.encode())
    for row in rows:
        digest.update(json.dumps([_cell_out(value) for value in row]).encode())
    return f"{salt}:{digest.hexdigest()}"


def _to_json(record: Record) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "book": record.book,
        "rows": {name: list(pair) for name, pair in record.rows.items()},
        "blocks": [
            {
                "kind": block.kind,
                "name": block.name,
                "row": block.row,
                "column": block.column,
                **(_list_out(block) if block.kind == "sheet" else _values_out(block)),
            }
            for block in record.blocks
        ],
    }


def _from_json(data: dict[str, Any]) -> Record:
    if data["version"] != _VERSION:
        raise ValueError("another version")
    return Record(
        book=data["book"],
        rows={name: (before, after) for name, (before, after) in data["rows"].items()},
        blocks=tuple(
            Replaced(
                kind=block["kind"],
                name=block["name"],
                row=block["row"],
                column=block["column"],
                **(_list_in(block) if block["kind"] == "sheet" else _values_in(block)),
            )
            for block in data["blocks"]
        ),
    )


def _values_out(block: Replaced) -> dict[str, Any]:
    return {"old": _grid_out(block.old), "new": _grid_out(block.new)}


def _values_in(block: dict[str, Any]) -> dict[str, Any]:
    return {"old": _grid_in(block["old"]), "new": _grid_in(block["new"])}


def _list_out(block: Replaced) -> dict[str, Any]:
    """Headings, size and checksum: no row of a list."""
    return {
        "old": _grid_out(block.old[:1]),
        "height": len(block.old),
        "checksum": block.checksum or checksum_of(block.new, secrets.token_hex(16)),
    }


def _list_in(block: dict[str, Any]) -> dict[str, Any]:
    (headings,) = _grid_in(block["old"])
    blank = (None,) * len(headings)
    old = (headings, *(blank,) * (int(block["height"]) - 1))
    return {"old": old, "new": (), "checksum": str(block["checksum"])}


def _grid_out(rows: Sequence[Sequence[OldValue]]) -> list[list[Any]]:
    return [[_cell_out(value) for value in row] for row in rows]


def _cell_out(value: OldValue) -> Json:
    match value:
        case Formula():
            return {"formula": value.text}
        case CellError():
            return {"error": value.code}
        case datetime():
            return {"moment": value.isoformat()}
        case None | bool() | int() | float() | str():
            return value
        case _:
            # A time of day or the like: none of the product's own cells holds one.
            return str(value)


def _grid_in(rows: list[list[Any]]) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(_cell_in(value) for value in row) for row in rows)


def _cell_in(value: Json) -> OldValue:
    match value:
        case {"formula": str(text)}:
            return Formula(text)
        case {"error": str(code)}:
            return CellError(code)
        case {"moment": str(text)}:
            return datetime.fromisoformat(text)
        case None | bool() | int() | float() | str():
            return value
        case _:
            raise ValueError("not a cell")
