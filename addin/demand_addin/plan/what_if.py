"""What a run writes to sheet What-if data: the effective values behind the formulas."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_addin.layout import what_if as declared
from demand_addin.ports import CellValue, RangeValues
from demand_model.results.what_if_data import Placed, StartRates, WhatIf
from demand_model.results.what_if_survival import Survival

FloatArray = npt.NDArray[np.float64]
Rows = tuple[tuple[CellValue, ...], ...]

_DIGITS = 9
"""Significant digits: beyond what the formulas' agreement with the engine can show."""


def what_if_ranges(values: WhatIf) -> tuple[RangeValues, ...]:
    """Plan the blocks of sheet What-if data; months beyond the horizon stay blank."""
    facts: dict[str, CellValue] = {
        "census_date": values.census_date,
        "months": len(values.months),
        "plans": values.opening_plans,
        "care": values.opening_care,
        "inflation": values.placed.inflation_a_year,
    }
    weights = (values.referral_share, values.plan_starts.weight, values.care_starts.weight)
    return (
        *(
            RangeValues(name=declared.FACTS[key].name, rows=((value,),))
            for key, value in facts.items()
        ),
        RangeValues(name=declared.SOURCES.name, rows=_rows(np.stack(weights, axis=1))),
        RangeValues(name=declared.PLACEMENTS.name, rows=_placements(values.placed)),
        RangeValues(name=declared.MONTH_BLOCK.name, rows=_months(values)),
        RangeValues(name=declared.ENTRY_BLOCK.name, rows=_since_entry(values)),
    )


def _months(values: WhatIf) -> Rows:
    """Return the columns of `what_if.MONTH_COLUMNS`, the month's end first."""
    observed = np.zeros(len(values.months))
    observed[0] = values.observed.get("referrals", 0.0)
    base, exits = values.baseline, values.exits
    numbers = np.column_stack(
        [
            values.end_days,
            observed,
            values.to_come("referrals"),
            base["referrals"],
            base["cp_open"],
            base["cla_open"],
            _starts(values.plan_starts),
            _starts(values.care_starts),
            values.uasc_starts,
            exits.care_from_open_plans,
            values.care_from_new_plans_month,
            exits.open_plans.base,
            _of_plans(exits.open_plans),
            exits.open_care.base,
            exits.open_care.response,
            values.plan_correction,
            values.care_correction,
            exits.open_ages.neutral,
            exits.open_ages.home,
            exits.open_ages.other,
        ]
    )
    placed = values.placed
    lacking: tuple[CellValue, ...] = (None,) * (declared.GROUP_ROOM - len(placed.groups))
    money = np.stack([placed.days, placed.years], axis=1)
    blocks = (_rows(part) for part in (numbers, placed.baseline, placed.correction, money))
    days = [_last_day(month) for month in values.months]
    return tuple(
        (day, *row, *baseline, *lacking, *right, *lacking, *of_money)
        for day, row, baseline, right, of_money in zip(days, *blocks, strict=True)
    )


def _placements(placed: Placed) -> Rows:
    """Return the columns of `what_if.PLACEMENT_COLUMNS`."""
    numbers = _rows(np.column_stack([placed.weekly_costs, placed.today, placed.mix.T]))
    return tuple((group.label, *row) for group, row in zip(placed.groups, numbers, strict=True))


def _last_day(month: pd.Period) -> date:
    return month.end_time.date()


def _starts(rates: StartRates) -> FloatArray:
    return np.column_stack([rates.pipeline, rates.kernel, rates.other])


def _of_plans(survival: Survival) -> FloatArray:
    """Plans end for one reason only: the responses to `other` and its square."""
    return survival.response[:, [1, 4]]


def _since_entry(values: WhatIf) -> Rows:
    """Return the rows of `what_if.ENTRY_ROWS`; months since entry run to the right."""
    exits, ages = values.exits, values.exits.new_ages
    columns = np.column_stack(
        [
            exits.new_plans.base,
            _of_plans(exits.new_plans),
            exits.care_from_new_plans,
            exits.new_care.base,
            exits.new_care.response,
            exits.new_uasc.base,
            exits.new_uasc.response,
            *(part[:, :-1] for part in (ages.neutral, ages.home, ages.other)),
        ]
    )
    return _rows(columns.T)


def _rows(numbers: FloatArray) -> Rows:
    return tuple(tuple(float(f"{value:.{_DIGITS}g}") for value in row) for row in numbers.tolist())
