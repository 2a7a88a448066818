"""Sheet Costs: sentences, a small table, charts' blocks and the tidy tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from demand_addin.layout import costs as declared
from demand_addin.plan.values import frame_rows, month_name, number, span
from demand_addin.ports import BookPlan, CellValue, RangeValues, TableValues
from demand_model.flows import ALL
from demand_model.results.cost_words import cost_sentences
from demand_model.results.cost_years import FinancialYear
from demand_model.results.costs import WORKERS, Costs
from demand_model.simulation.scenario import BASELINE

_MILLION = 1e6
_FEW = 0.5
"""Children above their group's places at the census date from which it is said."""

Rows = tuple[tuple[CellValue, ...], ...]


def costs_values(costs: Costs, *, scenario: str, authority: str = "") -> BookPlan:
    """Plan what a run writes on sheets Costs and Costs data.

    Parameters
    ----------
    scenario
        Of the small table and the first two charts; the baseline where it was not run.
    """
    shown = scenario if scenario in set(costs.by_year["scenario"]) else BASELINE.name
    years = list(costs.years)
    blocks = {
        "chart_costs_years": _year_block(costs, shown, years),
        "chart_costs_groups": _group_block(costs, shown),
        "chart_costs_scenarios": _scenario_block(costs),
    }
    ranges = [
        RangeValues(name=declared.SUBTITLE.name, rows=((_subtitle(costs, shown, authority),),)),
        _lines(declared.SENTENCES.name, cost_sentences(costs), declared.SENTENCE_ROWS),
        RangeValues(name=declared.NUMBERS.name, rows=_numbers(costs, shown)),
        _lines(declared.NOTES.name, _notes(costs), declared.NOTE_ROWS),
        *(RangeValues(name=name, rows=rows) for name, rows in blocks.items()),
    ]
    return BookPlan(tables=(_cost_table(costs), _placement_table(costs)), ranges=tuple(ranges))


def no_costs() -> BookPlan:
    """Plan the same where there is nothing to show: sheet Costs is as before the first run."""
    blank: dict[str, Rows] = {
        declared.SUBTITLE.name: ((declared.NO_RUN,),),
        declared.SENTENCES.name: (),
        declared.NUMBERS.name: (declared.NUMBER_HEADS,),
        declared.NOTES.name: (),
        **{name: (heads,) for name, heads in declared.HEADS.items()},
    }
    tables = (declared.COSTS, declared.PLACEMENTS)
    return BookPlan(
        tables=tuple(TableValues(name=t.name, columns=t.headings, rows=()) for t in tables),
        ranges=tuple(RangeValues(name=name, rows=rows) for name, rows in blank.items()),
    )


def _lines(name: str, sentences: Sequence[str], room: int) -> RangeValues:
    return RangeValues(name=name, rows=tuple((text,) for text in sentences[:room]))


def _subtitle(costs: Costs, scenario: str, authority: str) -> str:
    until = month_name(costs.years[-1].last_day)
    whose = f"{authority}. " if authority else ""
    return f"{whose}Scenario shown: {scenario}. Forecast to {until}. Weekly costs: sheet System."


def _notes(costs: Costs) -> tuple[str, ...]:
    choices = costs.choices
    if choices.unit_cost_sd > 0.0:
        holds = (
            "Ranges hold chance, uncertain rates, and weekly costs that may be off by about "
            f"{choices.unit_cost_sd:.0%}."
        )
    else:
        holds = (
            "Ranges hold chance and uncertain rates; weekly costs are taken as known (sheet System "
            "can say how far they may be off)."
        )
    base = "the census date" if choices.prices_of is None else f"{choices.prices_of:%d/%m/%Y}"
    parts = [year for year in costs.years if not year.is_whole]
    partial = "; ".join(f"{y.name}: {y.first_day:%d/%m/%Y} to {y.last_day:%d/%m/%Y}" for y in parts)
    found = [
        holds,
        f"Prices are those of {base}, growing by {choices.inflation_a_year:.1%} a year. "
        f"{_counted(costs)}",
        *((f"Not whole years: {partial}.",) if parts else ()),
        *_above_their_places(costs),
        "Fewer children in care is not in itself a better outcome: the effects on children are not "
        "modelled.",
    ]
    return tuple(found)


def _counted(costs: Costs) -> str:
    if WORKERS in set(costs.by_year["placement_group"]):
        return (
            "Placements only; social workers stand apart in the table below. Support after care "
            "and overheads are not in these figures."
        )
    return (
        "Placements only: social workers, support after care and overheads are not in these "
        "figures."
    )


def _above_their_places(costs: Costs) -> tuple[str, ...]:
    today = costs.today
    over = today[today["children"] > today["places"].fillna(np.inf) + _FEW]
    if over.empty:
        return ()
    told = "; ".join(
        f"{name}: {number(children)} children today, {number(places)} places"
        for name, children, places in zip(
            over["placement_group"], over["children"], over["places"], strict=True
        )
    )
    return (
        f"More children than places on sheet System ({told}): those above go elsewhere from the "
        "first month on.",
    )


# --- tables -------------------------------------------------------------------------------------


def _cost_table(costs: Costs) -> TableValues:
    frame = costs.by_year.rename(columns={"first_day": "from", "last_day": "to"})
    money_columns = list(declared.MONEY)
    frame = frame.assign(**{name: frame[name].round() for name in money_columns})
    headings = declared.COSTS.headings
    return TableValues(name=declared.COSTS.name, columns=headings, rows=frame_rows(frame, headings))


def _placement_table(costs: Costs) -> TableValues:
    headings = declared.PLACEMENTS.headings
    return TableValues(
        name=declared.PLACEMENTS.name,
        columns=headings,
        rows=frame_rows(costs.children, headings, decimals=1),
    )


def _numbers(costs: Costs, scenario: str) -> Rows:
    """Return a row a group, then all: children and money, today and in the first two years."""
    years = costs.years[:2]
    later = _later(costs, scenario)
    heads: list[CellValue] = ["Kind of placement", "Children today", "£ a week today"]
    heads += [f"Children in {month_name(later['month_end'].iloc[0].date())}", "80% range"]
    for year in years:
        heads += [f"Cost {year.name}{'' if year.is_whole else ' (part)'}", "80% range, £m"]
    rows: list[tuple[CellValue, ...]] = [tuple(heads)]
    there = _by_group(later)
    for name, children, weekly in zip(
        *(costs.today[c] for c in ("placement_group", "children", "weekly_cost")), strict=True
    ):
        mean, low, high = there[str(name)]
        rows.append(
            (
                str(name).capitalize(),
                round(float(children)),
                float(weekly),
                round(mean),
                span(low, high),
                *_money_cells(costs, scenario, str(name), years),
            )
        )
    total = float(costs.today["children"].sum())
    weekly_now = float((costs.today["children"] * costs.today["weekly_cost"]).sum())
    rows.append(
        (
            declared.ALL_PLACEMENTS,
            round(total),
            round(weekly_now / total) if total else None,
            round(float(later["mean"].sum())),
            None,
            *_money_cells(costs, scenario, ALL, years),
        )
    )
    return tuple(rows[:1] + rows[1:-1][: declared.GROUPS] + rows[-1:])


def _money_cells(
    costs: Costs, scenario: str, group: str, years: Sequence[FinancialYear]
) -> tuple[CellValue, ...]:
    cells: list[CellValue] = []
    for year in years:
        draws = costs.draws[scenario, year.name, group]
        low, high = (float(q) for q in np.quantile(draws, (0.1, 0.9)))
        cells += [round(float(draws.mean())), f"{low / _MILLION:,.2f} to {high / _MILLION:,.2f}"]
    return tuple(cells)


def _later(costs: Costs, scenario: str) -> pd.DataFrame:
    """Children by group at the end of the forecast."""
    table = costs.children
    is_last = table["month_end"] == table["month_end"].max()
    mine: pd.DataFrame = table[is_last & (table["scenario"] == scenario)]
    return mine


def _by_group(later: pd.DataFrame) -> dict[str, tuple[float, float, float]]:
    """Mean and ends of the 80% range, by group."""
    columns = (later[name] for name in ("placement_group", "mean", "p10", "p90"))
    return {
        str(name): (float(mean), float(low), float(high))
        for name, mean, low, high in zip(*columns, strict=True)
    }


# --- what the charts draw -----------------------------------------------------------------------


def _arms(mean: float, low: float, high: float) -> tuple[float, float, float]:
    """Lengths of the range's arms above and below the mean, and its high end."""
    return max(high - mean, 0.0), max(mean - low, 0.0), max(high, mean)


def _year_block(costs: Costs, scenario: str, years: Sequence[FinancialYear]) -> Rows:
    rows: list[tuple[CellValue, ...]] = [declared.YEAR_COLUMNS]
    for year in years[: declared.YEARS]:
        draws = costs.draws[scenario, year.name, ALL]
        mean, (low, high) = float(draws.mean()), np.quantile(draws, (0.1, 0.9))
        part = "" if year.is_whole else f"\n{year.first_day:%b} to {year.last_day:%b} only"
        rows.append((f"{year.name}{part}", mean, *_arms(mean, float(low), float(high))))
    return tuple(rows)


def _group_block(costs: Costs, scenario: str) -> Rows:
    later = _later(costs, scenario)
    there = _by_group(later)
    then = month_name(later["month_end"].iloc[0].date())
    rows: list[tuple[CellValue, ...]] = [("Group", "Today", then, *declared.GROUP_COLUMNS[3:])]
    for name, children in zip(costs.today["placement_group"], costs.today["children"], strict=True):
        mean, low, high = there[str(name)]
        rows.append((str(name).capitalize(), float(children), mean, *_arms(mean, low, high)))
    return tuple(rows[: declared.GROUPS + 1])


def _scenario_block(costs: Costs) -> Rows:
    """Return scenarios by the size of their effect in the last whole year (or part of one)."""
    year = next((y for y in reversed(costs.years) if y.is_whole), costs.years[-1])
    table = costs.by_year
    mine = table[(table["year"] == year.name) & (table["placement_group"] == ALL)]
    mine = mine[mine["less_baseline_mean"].notna()]
    mine = mine.iloc[np.argsort(-mine["less_baseline_mean"].abs().to_numpy(), kind="stable")]
    rows: list[tuple[CellValue, ...]] = [
        ("Scenario", f"Against the baseline {year.name}, £", *declared.SCENARIO_COLUMNS[2:])
    ]
    for name, mean, low, high in zip(
        *(mine[c] for c in ("scenario", "less_baseline_mean", "less_baseline_p10",
                            "less_baseline_p90")),
        strict=True,
    ):  # fmt: skip
        arms = _arms(float(mean), float(low), float(high))
        rows.append((str(name), float(mean), *arms, min(float(low), float(mean))))
    return tuple(rows[: declared.SCENARIOS + 1])
