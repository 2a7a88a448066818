"""The Settings sheet, parsed once into a strict frozen class.

What may stand in each cell is declared in `layout.settings`; a blank cell
means the declared default. All problems are raised together, each with its cell.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from demand_addin.cells import (
    Cell,
    Problems,
    read_choice,
    read_date,
    read_number,
    read_text,
    read_whole,
    shown,
)
from demand_addin.layout.declare import Setting, Style
from demand_addin.layout.settings import SETTINGS
from demand_addin.ports import CellValue, WorkbookPort
from demand_model.annex_a import decode
from demand_model.annex_a.checked import CheckSettings
from demand_model.annex_a.code_sets import CodeSet
from demand_model.annex_a.lists_of_need import ALL_LISTS
from demand_model.annex_a.raw import RawValue
from demand_model.errors import InvalidSettingError
from demand_model.flows import Flow

LISTS = (3, 7, 8)
_COMPARED = (1, 2, 3, 4)
_CODES_SHOWN = 6
_SHARES = Flow.REFERRAL_NFA.value
"""Beginning of the rates that are shares of something."""

SettingValue = None | str | int | date


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What a run is asked to do.

    Attributes
    ----------
    authority
        Name shown on outputs; may be empty.
    census_date
        ``None`` detects it from the lists.
    window_months
        Whole months that a list covers, by list number; an absent list is detected.
    horizon_months
        Months to forecast, 1 to 120.
    draws
        Simulated futures, 100 to 20,000.
    seed
        Of the random streams, 0 or more.
    child_population
        Children aged 0 to 17 in the area, or ``None``.
    include_short_breaks
        Count children under V3 and V4.
    interval_shown
        80 or 95 (per cent).
    fan_scenario, compare_scenarios, hidden_need_scenario
        Which scenarios the charts draw; ``None`` leaves a line out.
    set_aside_limit
        Per cent of a needed column that may be set aside, 0 to 50.
    """

    authority: str = ""
    census_date: date | None = None
    window_months: Mapping[int, int] = field(default_factory=dict)
    horizon_months: int = 24
    draws: int = 1000
    seed: int = 2020
    child_population: int | None = None
    include_short_breaks: bool = False
    interval_shown: int = 80
    fan_scenario: str | None = "Baseline"
    compare_scenarios: tuple[str | None, ...] = ()
    hidden_need_scenario: str | None = None
    set_aside_limit: int = 5

    def __post_init__(self) -> None:
        _within("horizon_months", self.horizon_months)
        _within("draws", self.draws)
        _within("seed", self.seed)
        _within("set_aside_limit", self.set_aside_limit)
        if self.interval_shown not in (80, 95):
            raise InvalidSettingError(
                f"Invalid interval_shown: {self.interval_shown}. It must be 80 or 95."
            )

    def with_options(self, *, seed: int | None = None, draws: int | None = None) -> RunSettings:
        """Let the command line's options win over the sheet."""
        changed = self if seed is None else replace(self, seed=seed)
        return changed if draws is None else replace(changed, draws=draws)

    def check_settings(self, mapping: Mapping[tuple[int, str, str], str]) -> CheckSettings:
        """Pick out what the checks need, with the spellings that the analyst has settled."""
        return CheckSettings(
            census_date=self.census_date,
            window_months=dict(self.window_months),
            include_short_breaks=self.include_short_breaks,
            set_aside_limit=self.set_aside_limit / 100,
            mapping=mapping,
        )


def read_settings(book: WorkbookPort) -> RunSettings:
    """Read every named setting of the workbook.

    Raises
    ------
    SettingProblemsError
        All cells that must be changed, together.
    InvalidInputError
        A named cell is missing: the workbook is not the product's.
    """
    problems = Problems()
    found = {setting.key: _value(setting, book, problems) for setting in SETTINGS}
    problems.raise_any()
    windows = {n: months for n in LISTS if (months := found[f"window_months_list_{n}"])}
    return RunSettings(
        authority=_text(found["authority"]) or "",
        census_date=_day(found["census_date"]),
        window_months={n: _number(months) for n, months in windows.items()},
        horizon_months=_number(found["horizon_months"]),
        draws=_number(found["draws"]),
        seed=_number(found["seed"]),
        child_population=_whole(found["child_population"]),
        include_short_breaks=found["include_short_breaks"] == "Yes",
        interval_shown=_number(found["interval_shown"]),
        fan_scenario=_text(found["fan_scenario"]),
        compare_scenarios=tuple(_text(found[f"compare_scenario_{n}"]) for n in _COMPARED),
        hidden_need_scenario=_text(found["hidden_need_scenario"]),
        set_aside_limit=_number(found["set_aside_limit"]),
    )


def require_fan_scenario(book: WorkbookPort, settings: RunSettings, names: Sequence[str]) -> None:
    """Refuse a scenario of the fan charts that is not run: the Dashboard would be empty.

    Raises
    ------
    SettingProblemsError
        The cell names none of `names`, the scenarios of this run.
    """
    setting = next(s for s in SETTINGS if s.key == "fan_scenario")
    if (settings.fan_scenario or setting.default) in names:
        return
    named, problems = book.read_name(setting.name), Problems()
    cell = Cell(named.sheet, named.address, named.value)
    problems.add(cell, "scenario of the fan charts", "a scenario of sheet Scenarios marked Yes")
    problems.raise_any()


def entered_settings(book: WorkbookPort) -> dict[str, CellValue]:
    """Read every setting as it stands in its cell, so that a later change can be seen."""
    found: dict[str, CellValue] = {}
    for setting in SETTINGS:
        value = book.read_name(setting.name).value
        found[setting.key] = value if isinstance(value, str | int | float | date) else None
    return found


def read_mapping(book: WorkbookPort) -> dict[tuple[int, str, str], str]:
    """Read the spellings that the analyst has settled on sheet Mapping.

    Returns
    -------
    (list number, heading, raw value, stripped and case aside) to official code.

    Raises
    ------
    SettingProblemsError
        Rows that name no list, no column with codes, or a code that the column does not have.
    """
    table, problems = book.read_table("mapping"), Problems()
    settled: dict[tuple[int, str, str], str] = {}
    for values, addresses in zip(table.rows, table.addresses, strict=True):
        cells = {
            name: Cell(table.sheet, address, value)
            for name, value, address in zip(table.columns, values, addresses, strict=True)
        }
        code = read_text(cells["official_code"])
        if not code:
            continue
        number = read_text(cells["list"]).casefold().removeprefix("list").strip()
        if number not in {str(n) for n in ALL_LISTS}:
            problems.add(cells["list"], "list", "List 3, List 4, List 6, List 7 or List 8")
            continue
        column = ALL_LISTS[int(number)].find(read_text(cells["heading"]))
        if column is None or column.code_set is None:
            problems.add(cells["heading"], "heading", f"a column of codes of List {number}")
            continue
        known = decode(int(number), column.heading, code)
        if known is None:
            problems.add(cells["official_code"], "official code", _codes_in_words(column.code_set))
            continue
        settled[(int(number), column.heading, read_text(cells["raw_value"]).casefold())] = known
    problems.raise_any()
    return settled


def read_overrides(book: WorkbookPort) -> dict[str, float]:
    """Read the rates that the analyst has typed into column ``override`` of sheet Rates.

    Raises
    ------
    SettingProblemsError
        All overrides that are not a number of 0 or more, or as shares not up to 1, together.
    """
    table, problems = book.read_table("rates"), Problems()
    found: dict[str, float] = {}
    for values, addresses in zip(table.rows, table.addresses, strict=True):
        cells = dict(zip(table.columns, zip(values, addresses, strict=True), strict=True))
        value, address = cells["override"]
        rate_id = cells["rate_id"][0]
        most = 1.0 if str(rate_id).startswith(_SHARES) else float("inf")
        cell, refused = Cell(table.sheet, address, value), Problems()
        number = read_number(cell, "override", refused, most=most)
        if refused.lines:
            problems.say(cell.where, _own_rate_words(cell, rate_id, is_share=most == 1.0))
        if number is not None and isinstance(rate_id, str):
            found[rate_id] = number
    problems.raise_any()
    return found


def _own_rate_words(cell: Cell, rate_id: RawValue, *, is_share: bool) -> str:
    number = "a number from 0 to 1 (0.3 for 30%)" if is_share else "a number of 0 or more"
    return (
        f"your own rate for {shown(rate_id)} is {shown(cell.value)}. Type {number}, in the unit "
        "that the row names, or clear the cell: then the fitted rate is used."
    )


def settings_hash(*parts: object) -> str:
    """Fingerprint of settings, scenarios and overrides: what a run was asked to do."""
    return hashlib.sha256(json.dumps([repr(p) for p in parts]).encode()).hexdigest()[:16]


def _value(setting: Setting, book: WorkbookPort, problems: Problems) -> SettingValue:
    named = book.read_name(setting.name)
    cell = Cell(named.sheet, named.address, named.value)
    what = setting.label[0].lower() + setting.label[1:]
    if cell.blank:
        if setting.blank_leaves_out:
            return None
        return setting.default if isinstance(setting.default, str | int | date) else None
    if setting.choices:
        whole = isinstance(cell.value, float) and cell.value.is_integer()
        text = Cell(cell.sheet, cell.address, read_text(cell)) if whole else _worded(cell)
        return read_choice(text, what, problems, setting.choices)
    if setting.style is Style.DATE:
        return read_date(cell, what, problems)
    if setting.style is Style.WHOLE:
        return read_whole(
            cell, what, problems, least=setting.least or 0, most=setting.most or 2_147_483_647
        )
    return read_text(cell)


def _worded(cell: Cell) -> Cell:
    """Turn a number or a yes/no cell into the word that a choice expects."""
    if isinstance(cell.value, bool):
        return Cell(cell.sheet, cell.address, "Yes" if cell.value else "No")
    if isinstance(cell.value, int):
        return Cell(cell.sheet, cell.address, str(cell.value))
    return cell


def _codes_in_words(codes: CodeSet) -> str:
    few = [code.code for code in codes.codes[:_CODES_SHOWN]]
    return ("one of: " if len(few) == len(codes.codes) else "a code such as ") + ", ".join(few)


def _within(key: str, value: int) -> None:
    setting = next(s for s in SETTINGS if s.key == key)
    least, most = setting.least or 0, setting.most or 0
    if not least <= value <= most:
        raise InvalidSettingError(
            f"Invalid {key}: {value}. It must be a whole number from {least:,} to {most:,}."
        )


def _text(value: SettingValue) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: SettingValue) -> int:
    # These settings have defaults, so a value is always there.
    if not isinstance(value, int | str):
        raise InvalidSettingError(f"Invalid setting: {value}. It must be a whole number.")
    return int(value)


def _whole(value: SettingValue) -> int | None:
    return value if isinstance(value, int) else None


def _day(value: SettingValue) -> date | None:
    return value if isinstance(value, date) else None
