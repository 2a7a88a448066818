"""Reading single input cells: settings and scenarios share these few kinds of answer.

A cell that cannot be read is a problem with a place; all problems of a sheet
are collected and raised together, so that an analyst mends them in one go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from demand_model.annex_a.raw import CellError, RawValue, UncalculatedFormula
from demand_model.errors import InvalidSettingError

_YES = frozenset({"yes", "y", "true", "1"})
_NO = frozenset({"no", "n", "false", "0"})
_UK_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?")

_NUMBER = re.compile(
    r"(?P<sign>[-−+]?)\s*£?\s*"
    r"(?P<digits>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+)\s*(?P<share>%?)"
)
"""Pounds, per cent and commas between thousands; a decimal comma is asked about, not guessed."""


class SettingProblemsError(InvalidSettingError):
    """Several cells of the input sheets must be changed; `problems` has a line for each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Cell:
    """An input cell: what it says and where it stands."""

    sheet: str
    address: str
    value: RawValue

    @property
    def where(self) -> str:
        """``Sheet!Cell``."""
        return f"{self.sheet}!{self.address}"

    @property
    def blank(self) -> bool:
        """Nothing in it but space."""
        return self.value is None or (isinstance(self.value, str) and not self.value.strip())


class Problems:
    """Collects what is wrong with input cells, each with its place."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, cell: Cell, what: str, must_be: str) -> None:
        """Note that a cell must be changed."""
        self._lines.append(
            f"{cell.where}: invalid {what}: {shown(cell.value)}. It must be {must_be}."
        )

    def say(self, where: str, sentence: str) -> None:
        """Note a problem in words of its own."""
        self._lines.append(f"{where}: {sentence}")

    @property
    def lines(self) -> tuple[str, ...]:
        """All problems so far, one sentence each."""
        return tuple(self._lines)

    def raise_any(self) -> None:
        """Raise `SettingProblemsError` if anything was noted."""
        if self._lines:
            raise SettingProblemsError(self.lines)


def shown(value: RawValue) -> str:
    """Quote an input value for a message: short, on one line."""
    match value:
        case None:
            return "(blank)"
        case CellError():
            return value.code
        case UncalculatedFormula():
            return "a formula without a value (open in Excel, press F9, save)"
        case datetime() | date():
            return f"{value:%d/%m/%Y}"
        case str():
            plain = " ".join(value.split())
            return f'"{plain[:40]}"' if plain else "(blank)"
        case _:
            return str(value)


def read_number(
    cell: Cell,
    what: str,
    problems: Problems,
    *,
    least: float = 0.0,
    most: float = float("inf"),
    is_share: bool = False,
) -> float | None:
    """Read a number from `least` to `most`; ``None`` if blank or (noted) not such a number.

    A share is spoken of in per cent, as its cell shows it.
    """
    if cell.blank:
        return None
    number = _number(cell.value)
    if number is None or not least <= number <= most:
        span = f"{least:g} or more" if most == float("inf") else f"from {least:,g} to {most:,g}"
        span = "a number" if least == float("-inf") else f"a number {span}"
        if is_share:
            span = f"from {least:.0%} to {most:.0%}, typed with the per cent sign"
        problems.add(cell, what, span)
        return None
    return number


def read_whole(
    cell: Cell, what: str, problems: Problems, *, least: int = 0, most: int
) -> int | None:
    """Read a whole number from `least` to `most`; ``None`` if blank or (noted) not one."""
    if cell.blank:
        return None
    number = _number(cell.value)
    if number is None or number != int(number) or not least <= number <= most:
        problems.add(cell, what, f"a whole number from {least:,} to {most:,}")
        return None
    return int(number)


def read_date(cell: Cell, what: str, problems: Problems) -> date | None:
    """Read a day; text is read as day/month/year. ``None`` if blank or (noted) no date."""
    if cell.blank:
        return None
    day = as_date(cell.value)
    if day is None:
        problems.add(cell, what, "a date such as 31/03/2026")
    return day


def read_yes_no(cell: Cell, what: str, problems: Problems) -> bool | None:
    """Read Yes or No; ``None`` if blank or (noted) neither."""
    if cell.blank:
        return None
    word = str(cell.value).strip().casefold().removesuffix(".0")
    if word in _YES:
        return True
    if word in _NO:
        return False
    problems.add(cell, what, "Yes or No")
    return None


def read_choice(cell: Cell, what: str, problems: Problems, choices: Iterable[str]) -> str | None:
    """Read one of some words, case and spacing aside; ``None`` if blank or (noted) another."""
    if cell.blank:
        return None
    choices = tuple(choices)
    known = {_plain(choice): choice for choice in choices}
    found = known.get(_plain(str(cell.value))) if isinstance(cell.value, str) else None
    if found is None:
        problems.add(cell, what, "one of: " + ", ".join(choices))
    return found


def read_text(cell: Cell) -> str:
    """Read text without space around it; numbers as they are written."""
    value = cell.value
    if value is None or isinstance(value, CellError | UncalculatedFormula):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def as_date(value: RawValue) -> date | None:
    """Return the day that a value means, or ``None``."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        return None
    text = value.strip()
    if found := _UK_DATE.fullmatch(text):
        day, month, year = (int(part) for part in found.groups())
    elif found := _ISO_DATE.fullmatch(text):
        year, month, day = (int(part) for part in found.groups())
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _number(value: RawValue) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        number = float(value)
    elif isinstance(value, str):
        written = _NUMBER.fullmatch(value.strip())
        if written is None:
            return None
        number = float(written["digits"].replace(",", ""))
        number = -number if written["sign"] in ("-", "−") else number
        number = number / 100 if written["share"] else number
    else:
        return None
    return number if abs(number) < float("inf") else None


def _plain(text: str) -> str:
    return " ".join(text.replace("_", " ").split()).casefold()
