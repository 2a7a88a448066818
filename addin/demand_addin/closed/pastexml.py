"""A paste sheet's part: all rows replaced, without reading the old ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

from demand_addin.closed import spans
from demand_addin.closed.cells import column_number
from demand_addin.closed.sheetxml import DIGITS
from demand_addin.closed.spans import Splice, UnreadableXmlError


def replaced(data: bytes, cells_by_row: Sequence[str], reference: str) -> bytes:
    """Return a worksheet part with other rows altogether, without scanning the old ones.

    Parameters
    ----------
    data
        The part.
    cells_by_row
        The XML of each row's cells, from row 1.
    reference
        The new used range.
    """
    head = head_of(data)
    start, qname = head.start, head.qname
    opened = spans.opening_end(data, start)
    closing = f"</{qname}>".encode()
    is_empty = data[opened - 2 : opened] == b"/>"
    end = opened if is_empty else data.rindex(closing) + len(closing)
    p = qname[: -len("sheetData")]
    body = "".join(
        f'<{p}row r="{number}">{cells}</{p}row>'
        for number, cells in enumerate(cells_by_row, start=1)
        if cells
    )
    splices = [Splice(start, end, f"<{qname}>{body}</{qname}>".encode())]
    if head.dimension is not None:
        at, name = head.dimension
        after = spans.opening_end(data, at)
        is_empty = data[after - 2 : after] == b"/>"
        text = spans.tag(name, {"ref": reference}, is_empty=is_empty)
        splices.append(Splice(at, after, text.encode()))
    return spans.spliced(data, splices)


@dataclass(slots=True, kw_only=True)
class Head:
    """What stands before the rows: column styles, and the first row's own styles."""

    qname: str = ""
    start: int = 0
    dimension: tuple[int, str] | None = None
    column_styles: list[tuple[int, int, str]] = field(default_factory=list)
    first_row_styles: dict[int, str] = field(default_factory=dict)


class _EnoughError(Exception):
    """Stops the parser once the second row begins."""


def head_of(data: bytes) -> Head:
    """Read a worksheet part up to its second row."""
    parser = spans.new_parser()
    head = Head()

    def start(name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "dimension":
            head.dimension = (parser.CurrentByteIndex, name)
        elif local == "col" and "style" in attributes:
            bounds = int(attributes["min"]), int(attributes["max"])
            head.column_styles.append((*bounds, attributes["style"]))
        elif local == "sheetData":
            head.qname, head.start = name, parser.CurrentByteIndex
        elif local == "row" and attributes.get("r", "1") != "1":
            raise _EnoughError
        elif local == "c" and "s" in attributes:
            letters = attributes.get("r", "").rstrip(DIGITS)
            if letters:
                head.first_row_styles[column_number(letters)] = attributes["s"]

    def end(name: str) -> None:
        if name == head.qname:
            raise _EnoughError

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.Parse(data, True)  # noqa: FBT003  (expat's own signature)
    except _EnoughError:
        pass
    except expat.ExpatError as error:
        raise UnreadableXmlError(str(error)) from error
    if not head.qname:
        raise UnreadableXmlError("no sheetData")
    return head
