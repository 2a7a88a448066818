"""What the last writes replaced, kept so that one call each brings it back, the newest first.

Each command of the ribbon runs in a process of its own, and Excel may be closed in
between: so each record is a JSON file in the user's own profile (never beside the
workbook, whose folder may be shared or on the web, and never in the workbook, where it
would travel). It is written **before** the workbook is touched. It holds the product's
own tables and cells, no row of a list: of lists that were imported into empty sheets it
holds a checksum, by which an undo sees that they are still the same. Where an import
replaced lists, its record says only that, and what lies below it is out of reach.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

from demand_addin.commands.outcome import Json
from demand_addin.live.values import Formula, OldValue, same
from demand_model.annex_a.lists_of_need import ALL_LISTS
from demand_model.annex_a.raw import CellError

KEPT_A_BOOK = 5
"""So many writes of one workbook can be undone."""
KEPT = 50
"""So many records stay, of all workbooks; the oldest go."""
KEPT_BYTES = 100_000_000
"""Room for all records together, but for the newest of all, which always stays."""
_VERSION = 2
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
    def is_list(self) -> bool:
        """Whether it is the whole of a paste sheet."""
        return self.kind == "sheet"

    @property
    def changes_any(self) -> bool:
        """Whether any cell was written as it had not been."""
        return any(
            not same(old, new)
            for its, their in zip(self.old, self.new, strict=True)
            for old, new in zip(its, their, strict=True)
        )

    @property
    def had_rows(self) -> bool:
        """Whether a list stood there before: more than the official headings."""
        if not self.is_list:
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
    label
        Which button wrote, and when, for messages.
    is_lost
        It replaced rows of a list, of which nothing is kept: it cannot be undone.
    """

    book: str
    blocks: tuple[Replaced, ...]
    rows: dict[str, tuple[int, int]]
    label: str = ""
    is_lost: bool = False

    @property
    def is_private(self) -> bool:
        """Whether it holds earlier rows of a list, which are kept in memory only."""
        return any(block.had_rows for block in self.blocks)

    def for_disk(self) -> Record:
        """Return it without blocks that were written as they were, and without rows of a list."""
        if self.is_private:
            return replace(self, blocks=(), rows={}, is_lost=True)
        return replace(self, blocks=tuple(b for b in self.blocks if b.is_list or b.changes_any))


class UndoFolder:
    """The records on disk: a stack for each workbook, readable by its user only.

    Parameters
    ----------
    folder
        Where they stand; the user's own profile by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or profile_folder() / "undo"

    def keep(self, record: Record) -> None:
        """Put a record on top of those of the same workbook; `tidy` when the write has succeeded.

        Raises
        ------
        OSError
            The folder cannot be written to.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        paths = self._paths(record.book)
        number = 1 + (_number(paths[0]) if paths else 0)
        target = self._folder / f"{_key(record.book)}-{number:06d}.json"
        temporary = target.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(
                _to_json(record.for_disk()),
                file,
                ensure_ascii=True,
                allow_nan=False,
                separators=(",", ":"),
            )
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)

    def find(self, book: str) -> Record | None:
        """Return the newest record of a workbook; ``None`` if there is none that can be read."""
        return next(iter(self._readable(book)), None)

    def labels(self, book: str) -> tuple[str, ...]:
        """Return what can be undone one after the other, the next first."""
        return tuple(r.label for r in takewhile(lambda r: not r.is_lost, self._readable(book)))

    def drop_newest(self, book: str) -> None:
        """Take the newest record of a workbook off."""
        with contextlib.suppress(OSError, IndexError):
            self._paths(book)[0].unlink(missing_ok=True)

    def tidy(self, book: str) -> None:
        """Let the oldest records go, of a workbook and of all, and those that nothing reads."""
        for old in self._paths(book)[KEPT_A_BOOK:]:
            _remove(old)
        seen = 0
        found = [(path, its) for path in self._folder.glob("*.json") if (its := _stat_of(path))]
        found.sort(key=lambda pair: pair[1].st_mtime_ns, reverse=True)
        for number, (path, its) in enumerate(found):
            seen += its.st_size
            is_numbered = "-" in path.stem  # the first version of a record had no number
            if number >= KEPT or (number and seen > KEPT_BYTES) or not is_numbered:
                _remove(path)

    def _readable(self, book: str) -> Iterator[Record]:
        """Records from the newest down to the first that is damaged."""
        for path in self._paths(book):
            try:
                record = _from_json(json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError, KeyError, TypeError):
                return
            yield record

    def _paths(self, book: str) -> list[Path]:
        return sorted(self._folder.glob(f"{_key(book)}-*.json"), key=_number, reverse=True)


def _remove(path: Path) -> None:
    # A virus scanner may hold it: it goes another time, and what was written stands.
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _stat_of(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:  # gone, or held, meanwhile
        return None


def _key(book: str) -> str:
    return hashlib.sha256(book.casefold().encode()).hexdigest()[:24]


def _number(path: Path) -> int:
    number = path.stem.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0


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
        "label": record.label,
        "is_lost": record.is_lost,
        "rows": {name: list(pair) for name, pair in record.rows.items()},
        "blocks": [
            {
                "kind": block.kind,
                "name": block.name,
                "row": block.row,
                "column": block.column,
                **(_list_out(block) if block.is_list else _values_out(block)),
            }
            for block in record.blocks
        ],
    }


def _from_json(data: dict[str, Any]) -> Record:
    if data["version"] != _VERSION:
        raise ValueError("another version")
    return Record(
        book=data["book"],
        label=str(data["label"]),
        is_lost=bool(data["is_lost"]),
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
