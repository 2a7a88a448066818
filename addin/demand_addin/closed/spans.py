"""Small XML parts as trees that know where each element stands in the bytes.

A part is changed by splicing bytes, so that all that is not meant to change
stays as it was: prefixes, attribute order, unknown extensions, white space.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from xml.parsers import expat


class UnreadableXmlError(ValueError):
    """The part is not the XML that a workbook holds."""


@dataclass(slots=True, kw_only=True, eq=False)
class Element:
    """An element and its bytes: ``data[start:end]``, its opening tag ``data[start:opened]``."""

    qname: str
    attributes: dict[str, str]
    start: int
    opened: int = 0
    end: int = 0
    children: list[Element] = field(default_factory=list)
    text: str = ""

    @property
    def local(self) -> str:
        """The name without its prefix."""
        return self.qname.rpartition(":")[2]

    @property
    def prefix(self) -> str:
        """The prefix with its colon, or nothing."""
        return self.qname[: -len(self.local)]

    def find(self, local: str) -> Element | None:
        """Return the first child of that name."""
        return next((child for child in self.children if child.local == local), None)

    def find_all(self, local: str) -> Iterator[Element]:
        """Iterate over the children of that name."""
        return (child for child in self.children if child.local == local)

    def get(self, local: str) -> str | None:
        """Return an attribute by its name without prefix."""
        return next((v for k, v in self.attributes.items() if k.rpartition(":")[2] == local), None)


@dataclass(frozen=True, slots=True)
class Splice:
    """Replace ``data[start:end]`` by `new`."""

    start: int
    end: int
    new: bytes


def new_parser() -> expat.XMLParserType:
    """Return a parser that refuses declarations and any encoding but UTF-8."""
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise UnreadableXmlError("document type declaration")

    def check_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.upper() not in ("UTF-8", "US-ASCII"):
            raise UnreadableXmlError("encoding")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.XmlDeclHandler = check_encoding
    parser.buffer_text = True
    return parser


def opening_end(data: bytes, start: int) -> int:
    """Return where the tag that begins at `start` ends; quoted ``>`` are not its end."""
    quote = 0
    for i in range(start, len(data)):
        byte = data[i]
        if quote:
            quote = 0 if byte == quote else quote
        elif byte in (0x22, 0x27):
            quote = byte
        elif byte == 0x3E:
            return i + 1
    raise UnreadableXmlError("tag without an end")


def closing_end(data: bytes, at: int, name: str) -> int:
    """Return where an element ends, given where expat reports its end.

    Expat reports the closing tag's start, or for ``<a/>`` the tag's own end.
    The element must not be able to hold another of its own name.
    """
    closing = f"</{name}".encode()
    return data.index(b">", at) + 1 if data[at : at + len(closing)] == closing else at


def parse(data: bytes) -> Element:
    """Read a part, or a fragment of one (prefixes need not be declared).

    Raises
    ------
    UnreadableXmlError
        Not well-formed, not UTF-8, or with a document type declaration.
    """
    parser = new_parser()
    root = Element(qname="", attributes={}, start=0)
    stack = [root]

    def start(name: str, attributes: dict[str, str]) -> None:
        at = parser.CurrentByteIndex
        element = Element(qname=name, attributes=attributes, start=at, opened=opening_end(data, at))
        stack[-1].children.append(element)
        stack.append(element)

    def end(_name: str) -> None:
        element = stack.pop()
        if data[element.opened - 2 : element.opened] == b"/>":
            element.end = element.opened
        else:
            element.end = data.index(b">", parser.CurrentByteIndex) + 1

    def text(content: str) -> None:
        stack[-1].text += content

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parse_with(parser, data)
    return root.children[0]


def require_well_formed(data: bytes) -> None:
    """Raise `UnreadableXmlError` as `parse` does, without looking at the elements."""
    parse_with(new_parser(), data)


def parse_with(parser: expat.XMLParserType, data: bytes) -> None:
    """Let a parser's handlers see a whole part."""
    try:
        parser.Parse(data, True)  # noqa: FBT003  (expat's own signature)
    except expat.ExpatError as error:
        raise UnreadableXmlError(str(error)) from error


def tag(qname: str, attributes: dict[str, str], *, is_empty: bool = False) -> str:
    """Return an opening tag."""
    inside = "".join(f' {key}="{_quoted(value)}"' for key, value in attributes.items())
    return f"<{qname}{inside}{'/' if is_empty else ''}>"


def _quoted(value: str) -> str:
    """Return an attribute's value as XML: white space other than blanks is kept by number."""
    text = escape(value, quote=True)
    return text.replace("\n", "&#10;").replace("\r", "&#13;").replace("\t", "&#9;")


def retag(data: bytes, element: Element, **changed: str | None) -> Splice:
    """Return the splice that changes attributes of an element (``None`` removes one)."""
    merged = element.attributes | {k: v for k, v in changed.items() if v is not None}
    kept = {k: v for k, v in merged.items() if not (k in changed and changed[k] is None)}
    is_empty = data[element.opened - 2 : element.opened] == b"/>"
    new = tag(element.qname, kept, is_empty=is_empty)
    return Splice(element.start, element.opened, new.encode())


def spliced(data: bytes, splices: Iterable[Splice]) -> bytes:
    """Return `data` with all splices carried out; they must not overlap."""
    pieces: list[bytes] = []
    at = 0
    for splice in sorted(splices, key=lambda s: s.start):
        pieces += (data[at : splice.start], splice.new)
        at = splice.end
    return b"".join((*pieces, data[at:]))
