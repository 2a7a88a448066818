"""Colours and cell formats: one look for inputs everywhere, one for outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demand_addin.layout.declare import Kind, Style

if TYPE_CHECKING:
    import xlsxwriter
    from xlsxwriter.format import Format

FONT = "Arial"

BLUE, TEAL, MAROON, ORANGE, GREY, LILAC = (
    "#12436D",
    "#28A197",
    "#801650",
    "#F46A25",
    "#3D3D3D",
    "#A285D1",
)
"""The palette of the Government Analysis Function, chosen for colour-blind readers."""

INPUT_FILL = "#DCE9F5"
INPUT_FONT = "#0B2E8A"
RULE = "#BFC7D1"

TABS = {
    Kind.GUIDE: GREY,
    Kind.PASTE: INPUT_FONT,
    Kind.INPUT: INPUT_FONT,
    Kind.OUTPUT: BLUE,
    Kind.HELPER: "#9AA5B1",
}

NUMBER_FORMATS = {
    Style.TEXT: "General",
    Style.GENERAL: "General",
    Style.DATE: "dd/mm/yyyy",
    Style.MOMENT: "dd/mm/yyyy hh:mm",
    Style.WHOLE: "#,##0",
    Style.NUMBER: "#,##0.0",
    Style.RATE: "0.0000",
    Style.SHARE: "0%",
    Style.SHARE_FINE: "0.0%",
}


class Formats:
    """The workbook's cell formats, each made once."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}

    def get(self, **properties: object) -> Format:
        """Return a format; the same properties give the same format."""
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            base: dict[str, object] = {"font_name": FONT, "font_size": 10, "valign": "top"}
            self._made[key] = self._book.add_format(base | properties)
        return self._made[key]

    @property
    def title(self) -> Format:
        """For A1."""
        return self.get(bold=True, font_size=16, font_color=BLUE, valign="vcenter")

    @property
    def heading(self) -> Format:
        """For a heading within a sheet."""
        return self.get(bold=True, font_size=12, font_color=BLUE)

    @property
    def note(self) -> Format:
        """For explanations."""
        return self.get(font_color=GREY)

    @property
    def wrapped(self) -> Format:
        """For explanations within a column."""
        return self.get(font_color=GREY, text_wrap=True)

    @property
    def status(self) -> Format:
        """For the master check."""
        return self.get(bold=True, font_color=GREY)

    @property
    def column_heading(self) -> Format:
        """For headings over texts."""
        return self.get(bold=True, font_color="#FFFFFF", bg_color=BLUE, text_wrap=True)

    @property
    def link(self) -> Format:
        """For a way to another sheet."""
        return self.get(font_color=BLUE, underline=1)

    @property
    def needs_a_look(self) -> dict[str, object]:
        """How the master check stands out where it says that something needs a look."""
        style = self.get(bold=True, font_color=MAROON)
        return {"type": "text", "criteria": "containing", "value": "need", "format": style}

    def heading_of(self, style: Style) -> Format:
        """Return the format of a heading, aligned as its column is."""
        aligned: dict[str, object] = (
            {"indent": 1, "align": "left"} if style is Style.TEXT else {"align": "right"}
        )
        return self.get(bold=True, font_color="#FFFFFF", bg_color=BLUE, text_wrap=True, **aligned)

    @property
    def free(self) -> Format:
        """For columns beside a protected table, where the user may write."""
        return self.get(locked=False)

    def number(self, style: Style) -> str:
        """Return the number format of a style."""
        return NUMBER_FORMATS[style]

    def output(self, style: Style) -> Format:
        """For values that the product writes."""
        aligned: dict[str, object] = (
            {"indent": 1, "align": "left"} if style is Style.TEXT else {"align": "right"}
        )
        return self.get(num_format=NUMBER_FORMATS[style], **aligned)

    def input(
        self, style: Style, *, is_wrapped: bool = False, number_format: str | None = None
    ) -> Format:
        """For values that the user writes: blue on light blue, unlocked, boxed."""
        aligned: dict[str, object] = (
            {"indent": 1, "align": "left"} if style is Style.TEXT else {"align": "right"}
        )
        if is_wrapped:
            aligned["text_wrap"] = True
        return self.get(
            num_format=number_format or NUMBER_FORMATS[style],
            font_color=INPUT_FONT,
            bg_color=INPUT_FILL,
            border=1,
            border_color=RULE,
            locked=False,
            **aligned,
        )
