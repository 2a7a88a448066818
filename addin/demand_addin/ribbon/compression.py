"""The compression of VBA sources (MS-OVBA, section 2.4.1).

A container is one signature byte and chunks. A chunk holds 4,096 bytes of the original,
the last one fewer: a header, then groups of eight tokens, each group behind a byte of
flags. A token is one byte as it is, or two bytes that say "copy so many bytes from so
far back"; how these two bytes are divided between length and distance depends on how
much of the chunk stands already.
"""

from __future__ import annotations

import struct

_SIGNATURE = b"\x01"
_CHUNK = 4096
_SHORTEST = 3
_RAW, _PACKED = 0x3000, 0xB000


def compress(data: bytes) -> bytes:
    r"""Return the compressed container of some bytes.

    >>> compress(b"aaaaaaaaaa").hex()
    '0103b002610600'
    """
    return _SIGNATURE + b"".join(
        _chunk(data[at : at + _CHUNK]) for at in range(0, len(data), _CHUNK)
    )


def _chunk(data: bytes) -> bytes:
    packed = _packed(data)
    if len(packed) > _CHUNK:
        # Rare: what does not get shorter is kept as it is, filled up to a whole chunk.
        return struct.pack("<H", _RAW | (_CHUNK - 1)) + data.ljust(_CHUNK, b"\0")
    return struct.pack("<H", _PACKED | (len(packed) - 1)) + packed


def _packed(data: bytes) -> bytes:
    out, at = bytearray(), 0
    seen: dict[bytes, list[int]] = {}
    while at < len(data):
        flags, group = 0, bytearray()
        for bit in range(8):
            if at >= len(data):
                break
            distance, length = _longest(data, at, seen)
            if length < _SHORTEST:
                group.append(data[at])
                step = 1
            else:
                flags |= 1 << bit
                group += _copy_token(distance, length, at)
                step = length
            for start in range(at, at + step):
                seen.setdefault(data[start : start + _SHORTEST], []).append(start)
            at += step
        out.append(flags)
        out += group
    return bytes(out)


def _longest(data: bytes, at: int, seen: dict[bytes, list[int]]) -> tuple[int, int]:
    """Return distance and length of the longest run that stands already; the nearest of them."""
    best, found = 0, 0
    limit = min(len(data) - at, (0xFFFF >> _distance_bits(at)) + _SHORTEST)
    for start in reversed(seen.get(data[at : at + _SHORTEST], ())):
        length = 0
        while length < limit and data[start + length] == data[at + length]:
            length += 1
        if length > found:
            best, found = at - start, length
            if found == limit:
                break
    return best, found


def _distance_bits(at: int) -> int:
    """Return the bits of a copy token that hold the distance: 4 at the start of a chunk, to 12."""
    return max((at - 1).bit_length(), 4) if at else 4


def _copy_token(distance: int, length: int, at: int) -> bytes:
    bits = _distance_bits(at)
    return struct.pack("<H", ((distance - 1) << (16 - bits)) | (length - _SHORTEST))
