"""A compound file (MS-CFB, version 3): the container that holds a VBA project.

Two sizes of stream are easily confused: one of at least 4,096 bytes stands in sectors
of 512 bytes of its own; a shorter one stands in pieces of 64 bytes inside one common
"mini stream", which belongs to the root entry.

Source: [MS-CFB], sections 2.2 to 2.6.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

_SECTOR, _MINI, _CUTOFF, _ENTRY = 512, 64, 4096, 128
_FREE, _END, _FAT, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_RED, _BLACK = 0, 1
_HEADER_FATS = 109
_LONGEST_NAME = 31
_PER_SECTOR = _SECTOR // 4

Tree = Mapping[str, "bytes | Tree"]
"""Streams and storages by name; a storage is a tree itself."""


@dataclass(slots=True)
class _Entry:
    name: str
    kind: int
    data: bytes = b""
    colour: int = _BLACK
    left: int = _NONE
    right: int = _NONE
    child: int = _NONE
    start: int = _END


@dataclass(slots=True)
class _Sectors:
    """Sectors of one size, and the chain from each to the next."""

    size: int
    pieces: list[bytes] = field(default_factory=list)
    chain: list[int] = field(default_factory=list)

    def add(self, data: bytes) -> int:
        """Append data; return the number of its first sector."""
        if not data:
            return _END
        first = len(self.pieces)
        for at in range(0, len(data), self.size):
            self.pieces.append(data[at : at + self.size].ljust(self.size, b"\0"))
            self.chain.append(len(self.pieces))
        self.chain[-1] = _END
        return first


def compound_file(root: Tree) -> bytes:
    """Return the bytes of a compound file. The same tree always gives the same bytes.

    Parameters
    ----------
    root
        What stands in its root storage.

    Raises
    ------
    ValueError
        A name is too long, or the streams are larger than a header without further
        allocation sectors can hold (7 MB).
    """
    entries = _entries(root)
    minis, sectors = _Sectors(size=_MINI), _Sectors(size=_SECTOR)
    for entry in entries:
        if entry.kind == _STREAM:
            entry.start = (minis if len(entry.data) < _CUTOFF else sectors).add(entry.data)
    mini_stream = b"".join(minis.pieces)
    entries[0].data, entries[0].start = mini_stream, sectors.add(mini_stream)
    mini_table = _numbers(minis.chain)
    mini_start = sectors.add(mini_table)
    directory_start = sectors.add(_directory(entries))
    fat_numbers = _allocate(sectors)
    header = _header(
        fat_numbers,
        directory_start=directory_start,
        mini_start=mini_start,
        mini_count=len(mini_table) // _SECTOR,
    )
    return header + b"".join(sectors.pieces)


def _entries(root: Tree) -> list[_Entry]:
    entries = [_Entry(name="Root Entry", kind=_ROOT)]
    _place(entries, 0, root)
    return entries


def _place(entries: list[_Entry], parent: int, tree: Tree) -> None:
    """Append the entries of a storage, then those of the storages in it."""
    names = sorted(tree, key=_order)
    numbers = {name: len(entries) + index for index, name in enumerate(names)}
    for name in names:
        if len(name) > _LONGEST_NAME:
            raise ValueError(f"Invalid stream name: {name}. It must have 31 characters at most.")
        value = tree[name]
        if isinstance(value, bytes):
            entries.append(_Entry(name=name, kind=_STREAM, data=value))
        else:
            entries.append(_Entry(name=name, kind=_STORAGE, start=0))
    ordered = [numbers[name] for name in names]
    entries[parent].child = _balance(entries, ordered, depth=len(ordered).bit_length() - 1)
    for name in names:
        value = tree[name]
        if not isinstance(value, bytes):
            _place(entries, numbers[name], value)


def _order(name: str) -> tuple[int, str]:
    # A shorter name stands before a longer one, whatever its letters.
    return len(name.encode("utf-16-le")), name.upper()


def _balance(entries: list[_Entry], ordered: list[int], *, depth: int) -> int:
    """Make a search tree of siblings; its last, incomplete level is red."""
    if not ordered:
        return _NONE
    middle = len(ordered) // 2
    entry = entries[ordered[middle]]
    entry.left = _balance(entries, ordered[:middle], depth=depth - 1)
    entry.right = _balance(entries, ordered[middle + 1 :], depth=depth - 1)
    is_whole = depth == 0 and entry.left == _NONE and entry.right == _NONE
    entry.colour = _RED if is_whole else _BLACK
    return ordered[middle]


def _directory(entries: list[_Entry]) -> bytes:
    packed = b"".join(_pack(entry) for entry in entries)
    empty = struct.pack("<64sHBBIII", b"", 0, 0, 0, _NONE, _NONE, _NONE).ljust(_ENTRY, b"\0")
    return packed + empty * (-len(entries) % (_SECTOR // _ENTRY))


def _pack(entry: _Entry) -> bytes:
    name = (entry.name + "\0").encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16sIQQIQ",
        name,
        len(name),
        entry.kind,
        entry.colour,
        entry.left,
        entry.right,
        entry.child,
        b"",  # class of the storage
        0,
        0,  # made: no time, so that the bytes are always the same
        0,  # changed
        entry.start,
        len(entry.data),
    )


def _numbers(chain: list[int]) -> bytes:
    packed = struct.pack(f"<{len(chain)}I", *chain)
    return packed + struct.pack("<I", _FREE) * (-len(chain) % _PER_SECTOR)


def _allocate(sectors: _Sectors) -> list[int]:
    """Append the allocation table, which lists its own sectors too; return their numbers."""
    used, count = len(sectors.pieces), 1
    while count * _PER_SECTOR < used + count:
        count += 1
    if count > _HEADER_FATS:
        raise ValueError(f"Invalid size: {used} sectors. A compound file here holds up to 7 MB.")
    table = _numbers([*sectors.chain, *(_FAT,) * count])
    sectors.pieces += [table[at : at + _SECTOR] for at in range(0, len(table), _SECTOR)]
    return list(range(used, used + count))


def _header(
    fat_numbers: list[int], *, directory_start: int, mini_start: int, mini_count: int
) -> bytes:
    listed = fat_numbers + [_FREE] * (_HEADER_FATS - len(fat_numbers))
    return struct.pack(
        f"<8s16sHHHHH6sIIIIIIIII{_HEADER_FATS}I",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"",
        0x003E,
        0x0003,
        0xFFFE,
        9,  # sectors of 2**9 bytes
        6,  # pieces of 2**6 bytes
        b"",
        0,
        len(fat_numbers),
        directory_start,
        0,
        _CUTOFF,
        mini_start,
        mini_count,
        _END,
        0,
        *listed,
    )
