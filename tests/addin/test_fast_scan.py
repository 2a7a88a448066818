"""A worksheet part is read the same in one go as by a parser, however it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand_addin.closed import sheetxml, spans
from demand_addin.closed.weave import Patch, patched

pytestmark = pytest.mark.unit

CONTENTS = (
    "",
    "<v>1</v>",
    "<v></v>",
    "<v/>",
    "<is><t>a &lt; b &amp;#10;</t></is>",
    '<is><r><rPr><b/></rPr><t xml:space="preserve"> x\n</t></r><r><t>y</t></r></is>',
    "<is/>",
    '<f>A1&amp;"/c"</f><v>2</v>',
    '<f t="shared" ref="B2:B4" si="0">A1+1</f><v>2</v>',
    '<f t="shared" si="0"/><v>3</v>',
    "<f/>",
    '<v>1</v><extLst><ext uri="x"/></extLst>',
    "<v><![CDATA[</c></row>]]></v>",
    "<!-- </c></row> --><v>1</v>",
)
TAILS = (
    "",
    "<mergeCells/>",
    "<extLst><ext><sheetData></sheetData></ext></extLst>",
    '<extLst><ext><sheetData><row r="1"></row></sheetData></ext></extLst>',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """How some program writes its XML."""

    quote: str = '"'
    space: str = ""
    prefix: str = ""
    is_reversed: bool = False

    def tag(self, name: str, attributes: dict[str, str], inside: str | None) -> str:
        pairs = sorted(attributes.items(), reverse=self.is_reversed)
        written = "".join(f" {k}={self.quote}{v}{self.quote}" for k, v in pairs)
        start = f"<{self.prefix}{name}{written}"
        return f"{start}/>" if inside is None else f"{start}>{inside}</{self.prefix}{name}>"

    def named(self, xml: str) -> str:
        if not self.prefix or "<!" in xml:
            return xml
        closing = xml.replace("</", "\0").replace("<", f"<{self.prefix}")
        return closing.replace("\0", f"</{self.prefix}")


HANDS = st.builds(
    Hand,
    quote=st.sampled_from(["'", '"', '"', '"']),
    space=st.sampled_from(["", "", "\r\n  "]),
    prefix=st.sampled_from(["", "", "x:"]),
    is_reversed=st.booleans(),
)


@st.composite
def cells(draw: st.DrawFn, hand: Hand, address: str) -> str:
    others = (("s", "0"), ("t", "str"), ("cm", "1"))
    attributes = {"r": address} | {k: v for k, v in others if draw(st.integers(0, 3)) == 0}
    content = hand.named(draw(st.sampled_from(CONTENTS)))
    inside = None if not content and draw(st.booleans()) else hand.space + content
    return hand.tag("c", attributes, inside) + hand.space


@st.composite
def parts(draw: st.DrawFn) -> bytes:
    hand = draw(HANDS)
    rows = []
    for number in sorted(draw(st.sets(st.integers(1, 12), max_size=6))):
        attributes = {"r": str(number)}
        if draw(st.booleans()):
            attributes |= {"spans": "1:4", "x14ac:dyDescent": "0.25"}
        columns = sorted(draw(st.sets(st.sampled_from("ABCDEF"), max_size=4)))
        inside = "".join(draw(cells(hand, f"{column}{number}")) for column in columns)
        is_closed = not inside and draw(st.booleans())
        rows.append(hand.tag("row", attributes, None if is_closed else hand.space + inside))
    is_open = draw(st.booleans()) or bool(rows)
    data = hand.tag("sheetData", {}, "".join(rows) if is_open else None)
    head = hand.tag("dimension", {"ref": "A1:B9"}, None) if draw(st.booleans()) else ""
    body = head + data + draw(st.sampled_from(TAILS))
    spaces = f'xmlns{":x" if hand.prefix else ""}="m" xmlns:x14ac="q"'
    root = f"{hand.prefix}worksheet"
    return f'<?xml version="1.0" encoding="UTF-8"?>\r\n<{root} {spaces}>{body}</{root}>'.encode()


def by_parser(data: bytes) -> sheetxml.SheetXml:
    """Read it the slow way: a comment, behind everything, is not as Excel writes."""
    return sheetxml.scan(data + b"<!-- -->")


def found(sheet: sheetxml.SheetXml) -> object:
    rows = {n: (r.start, r.end, r.attributes, r.cells) for n, r in sheet.rows.items()}
    return sheet.qname, sheet.start, sheet.end, sheet.dimension, rows


@given(data=parts())
@settings(max_examples=200, deadline=None)
def test_both_ways_find_the_same(data: bytes) -> None:
    assert found(sheetxml.scan(data)) == found(by_parser(data))


@given(data=parts(), top=st.integers(1, 8), column=st.integers(1, 6))
@settings(max_examples=100, deadline=None)
def test_both_ways_write_the_same(data: bytes, top: int, column: int) -> None:
    patch = Patch(top=top, columns=(column,), rows=[(1.5,), ("a<b",)], bottom=top + 2)
    one, other = (outcome(scan, data, patch) for scan in (sheetxml.scan, by_parser))
    assert one == other


def outcome(scan: Callable[[bytes], sheetxml.SheetXml], data: bytes, patch: Patch) -> object:
    try:
        return patched(scan(data), [patch], date_1904=False).data.removesuffix(b"<!-- -->")
    except ValueError as error:
        return str(error)


PLAIN = (
    b'<worksheet xmlns="m"><dimension ref="A1:B2"/><sheetData><row r="1" spans="1:2">'
    b'<c r="A1" s="3" t="str"><v>x</v></c><c r="B1"/></row><row r="2"/></sheetData></worksheet>'
)


def test_a_plain_sheet_is_read_without_a_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "require_well_formed", lambda _: None)
    monkeypatch.setattr(spans, "new_parser", lambda: pytest.fail("the slow way was taken"))
    sheet = sheetxml.scan(PLAIN)
    assert sorted(sheet.rows[1].cells) == [1, 2]
    with pytest.raises(pytest.fail.Exception, match="the slow way"):
        by_parser(PLAIN)


@pytest.mark.parametrize(
    "real", [b"<sheetData/>", b"<x:sheetData/>", b"<x:sheetData></x:sheetData>"]
)
def test_values_go_into_the_sheets_own_rows(real: bytes) -> None:
    other = b'<extLst><ext><sheetData><row r="1"></row></sheetData></ext></extLst>'
    data = b'<worksheet xmlns="m" xmlns:x="m">' + real + other + b"</worksheet>"
    patch = Patch(top=1, columns=(1,), rows=[(7.0,)], bottom=1)
    out = patched(sheetxml.scan(data), [patch], date_1904=False).data
    assert out.endswith(other + b"</worksheet>")
    assert out.index(b"v>7.0<") < out.index(b"<extLst>")
