"""Which of a workbook's cell styles show a number as a date."""

from __future__ import annotations

import re

from demand_addin.closed import spans

_BUILT_IN_DATES = frozenset({14, 15, 16, 17, 22, *range(27, 37), *range(50, 59)})
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')


def date_styles(styles: bytes) -> tuple[str, ...]:
    """Return the style indices whose number format is a date; the plainest first."""
    root = spans.parse(styles)
    formats = {
        int(f.attributes["numFmtId"]): f.attributes.get("formatCode", "")
        for group in root.find_all("numFmts")
        for f in group.find_all("numFmt")
    }
    found: list[tuple[int, int]] = []
    for group in root.find_all("cellXfs"):
        for index, xf in enumerate(group.find_all("xf")):
            number = int(xf.attributes.get("numFmtId", "0"))
            if number in _BUILT_IN_DATES or _shows_day(formats.get(number, "")):
                dressing = sum(
                    xf.attributes.get(key, "0") != "0" for key in ("fontId", "fillId", "borderId")
                )
                found.append((dressing, index))
    return tuple(str(index) for _, index in sorted(found))


def _shows_day(code: str) -> bool:
    bare = _QUOTED.sub("", code.lower())
    return "d" in bare or "yy" in bare
