"""Scenario rows and scenario objects are each other's inverse; problems name their cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand_addin.cells import SettingProblemsError
from demand_addin.ports import TableRead
from demand_addin.scenario_sheet import COLUMNS, read_scenarios, scenario_rows
from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.annex_a.raw import RawValue
from demand_model.errors import InvalidSettingError
from demand_model.flows import Flow
from demand_model.simulation.presets import presets
from demand_model.simulation.scenario import (
    BASELINE,
    Add,
    AddPlaces,
    AddPosts,
    Change,
    Lockdown,
    Multiply,
    MultiplySystem,
    Overwrite,
    Scenario,
)
from demand_model.units import add_months

pytestmark = pytest.mark.unit

CENSUS = date(2026, 3, 31)
SIMULATED = [f for f in Flow if f not in (Flow.REFERRAL_NFA, Flow.RE_REFERRALS)]
SOURCES = ("Police", "Schools", "Health services")


def table(rows: Sequence[Sequence[RawValue]]) -> TableRead:
    letters = [chr(ord("A") + i) for i in range(len(COLUMNS))]
    return TableRead(
        name="scenarios",
        sheet="Scenarios",
        columns=COLUMNS,
        rows=tuple(tuple(row) for row in rows),
        addresses=tuple(
            tuple(f"{letter}{number}" for letter in letters)
            for number, _ in enumerate(rows, start=5)
        ),
    )


def rows_of(*records: Mapping[str, RawValue]) -> TableRead:
    return table([[record.get(column) for column in COLUMNS] for record in records])


def change(kind: str, *, since: RawValue, **cells: RawValue) -> Mapping[str, RawValue]:
    return {"scenario": "A", "change": kind, "from": since, **cells}


def as_excel_gives_it(value: object) -> RawValue:
    """Excel returns whole numbers as floats and days as midnights."""
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001
    assert value is None or isinstance(value, str | float)
    return value


def round_trip(scenarios: Sequence[Scenario], excluded: Sequence[str] = ()) -> tuple[Scenario, ...]:
    rows = scenario_rows(scenarios, CENSUS, excluded=excluded)
    return read_scenarios(
        table([[as_excel_gives_it(v) for v in row] for row in rows]),
        CENSUS,
        segments=SOURCES,
        included_only=bool(excluded),
    )


amounts = st.floats(0, 50, allow_nan=False)
shares = st.floats(0, 1)
days = st.integers(0, 60).map(lambda m: add_months(date(2026, 4, 1), m)) | st.dates(
    date(2020, 1, 1), date(2032, 1, 1)
)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    start = draw(days)
    end = draw(st.none() | days.filter(lambda d: d > start))
    kind = draw(st.sampled_from(["Multiply", "Add", "Overwrite", "Lockdown"]))
    if kind == "Lockdown":
        referrals = draw(st.dictionaries(st.sampled_from(("all", *SOURCES)), amounts))
        return Lockdown(
            start=start,
            end=end or add_months(start, 3),
            referrals=referrals,
            plan_ends=draw(amounts),
            care_ends=draw(amounts),
            share_returning=draw(shares),
            return_delay_months=draw(amounts),
            return_spread_months=draw(amounts),
            severity=draw(amounts),
            new_normal=draw(amounts),
        )
    ramp = draw(st.floats(0, 24))
    amount = draw(amounts)
    flow = draw(st.sampled_from([f for f in SIMULATED if f.is_area_flow or kind != "Add"]))
    segment = draw(st.sampled_from(("all", *SOURCES))) if flow is Flow.REFERRALS else "all"
    if kind == "Multiply":
        return Multiply(
            flow=flow, factor=amount, start=start, end=end, segment=segment, ramp_months=ramp
        )
    if kind == "Add":
        less = -amount if draw(st.booleans()) else amount
        return Add(
            flow=flow, per_month=less, start=start, end=end, segment=segment, ramp_months=ramp
        )
    return Overwrite(
        flow=flow, value=amount, start=start, end=end, segment=segment, ramp_months=ramp
    )


def one_lockdown_a_span(found: list[Change]) -> bool:
    spans = [(c.start, c.end) for c in found if isinstance(c, Lockdown)]
    return len(set(spans)) == len(spans)


scenario_lists = st.lists(
    st.builds(
        Scenario,
        name=st.text("abcdefg ", min_size=1, max_size=8)
        .map(str.strip)
        .filter(lambda n: n and n != BASELINE.name),
        changes=st.lists(changes(), max_size=4).filter(one_lockdown_a_span).map(tuple),
        description=st.sampled_from(["", "DfE survey, wave 30", "board paper"]),
    ),
    max_size=4,
    unique_by=lambda s: s.name,
)


@settings(max_examples=150, deadline=None)
@given(scenario_lists)
def test_rows_and_objects_are_inverse(scenarios: list[Scenario]) -> None:
    assert round_trip([BASELINE, *scenarios]) == (BASELINE, *scenarios)


def test_a_lockdown_with_several_sources_is_several_rows_of_one_lockdown() -> None:
    lockdown = Lockdown(
        start=date(2027, 1, 1),
        end=date(2027, 4, 1),
        referrals={"Schools": 0.4, "all": 0.9},
        share_returning=0.3,
    )
    rows = scenario_rows([Scenario(name="L", changes=(lockdown,))], CENSUS)
    assert [row[COLUMNS.index("segment")] for row in rows] == ["all", "Schools"]
    assert [row[COLUMNS.index("from")] for row in rows] == [9, 9]
    assert [row[COLUMNS.index("share_returning")] for row in rows] == [0.3, None]


def test_months_move_with_the_census_date() -> None:
    found = read_scenarios(
        rows_of(
            {"scenario": "S", "change": "Multiply", "flow": "referrals", "from": 3.0, "amount": 0.9}
        ),
        date(2026, 9, 30),
    )
    assert found[1].changes[0].start == date(2027, 1, 1)


def test_the_presets_are_rows_of_months_and_come_back_from_any_census_date() -> None:
    rows = scenario_rows(presets(CENSUS), CENSUS)
    at = COLUMNS.index("from")
    assert {type(row[at]) for row in rows} == {int, type(None)}
    later = date(2027, 1, 15)
    assert read_scenarios(table(rows), later, segments=SOURCE_GROUPS) == presets(later)  # type: ignore[arg-type]


def test_a_date_that_was_pasted_as_a_number_is_read_as_meant() -> None:
    found = read_scenarios(
        rows_of(change("Multiply", flow="referrals", since=46296.0, amount=1)), CENSUS
    )
    assert found[1].changes[0].start == date(2026, 10, 1)


def test_dates_may_be_text_and_words_may_be_spelt_freely() -> None:
    found = read_scenarios(
        rows_of(
            {
                "scenario": "S",
                "include": "yes",
                "change": "multiply",
                "flow": "Plan ends",
                "from": "1/4/2027",
                "to": "2027-10-01",
                "amount": "90%",
            }
        ),
        CENSUS,
    )
    assert found[1].changes == (
        Multiply(flow=Flow.PLAN_ENDS, factor=0.9, start=date(2027, 4, 1), end=date(2027, 10, 1)),
    )


def test_excluded_scenarios_stay_out_but_the_baseline_is_always_there() -> None:
    kept = Scenario(name="Kept")
    assert round_trip([BASELINE, kept, Scenario(name="Out")], excluded=["Baseline", "Out"]) == (
        BASELINE,
        kept,
    )


def test_names_are_the_same_whatever_their_case() -> None:
    rows = rows_of(
        {**change("Multiply", flow="referrals", since=1, amount=2), "scenario": "Second wave"},
        {**change("Multiply", flow="plan_ends", since=1, amount=2), "scenario": "second WAVE"},
    )
    baseline, found = read_scenarios(rows, CENSUS, segments=SOURCES)
    assert (baseline, found.name, len(found.changes)) == (BASELINE, "Second wave", 2)


@pytest.mark.parametrize("name", ["Baseline", "baseline"])
def test_the_baseline_holds_no_change(name: str) -> None:
    row = {**change("Multiply", flow="referrals", since=1, amount=0.5), "scenario": name}
    with pytest.raises(SettingProblemsError, match=r"Scenarios!C5: Baseline is what happens if"):
        read_scenarios(rows_of(row), CENSUS, segments=SOURCES)


def test_all_problems_are_reported_together_by_cell() -> None:
    with pytest.raises(SettingProblemsError) as caught:
        read_scenarios(
            rows_of(
                change("Multiply", flow="referals", since=1, amount=1),
                change("Multiply", flow="referrals", since=5000, amount="x"),
                change("Add", flow="plan_ends", since=1, amount=2),
                change("Lockdown", since=6, to=3, amount=0.5),
                change("Lockdown", since=6, amount=0.5),
                change("Lockdown", since=7, to=9, amount=1, share_returning=1.5),
                change("Lockdown", since=8, to=9, amount=1),
                change("Lockdown", since=8, to=9, amount=2),
                {"change": "Multiply"},
                change("Multiply", flow="referral_nfa", since=1, amount=1),
                change("Multiply", flow="referrals", segment="Martians", since=1, amount=1),
            ),
            CENSUS,
            segments=SOURCES,
        )
    places = {line.split(":")[0] for line in caught.value.problems}
    expected = {"D5", "F6", "H6", "C7", "F8", "G9", "L10", "H12", "A13", "C14", "E15"}
    assert places == {f"Scenarios!{address}" for address in expected}


def test_changes_of_the_system_are_rows_and_come_back() -> None:
    start = date(2027, 1, 1)
    asked = Scenario(
        name="System",
        changes=(
            MultiplySystem(target="nfa_share", factor=1.2, start=start, ramp_months=3.0),
            MultiplySystem(target="ideal_caseload", factor=0.9, start=start, end=date(2028, 1, 1)),
            MultiplySystem(target="free_places", factor=0.0, start=start, ramp_months=6.0),
            AddPosts(workers=6.0, start=start, ramp_months=2.0),
        ),
    )
    assert round_trip([asked])[1] == asked
    rows = scenario_rows([asked], CENSUS)
    flow, kind = COLUMNS.index("flow"), COLUMNS.index("change")
    assert [(r[kind], r[flow]) for r in rows] == [
        ("Multiply", "nfa_share"),
        ("Multiply", "ideal_caseload"),
        ("Multiply", "free_places"),
        ("Add", "workers"),
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (change("Overwrite", flow="nfa_share", since=1, amount=0.5), "must be Multiply"),
        (change("Add", flow="free_places", since=1, amount=1), "must be Multiply"),
        (change("Multiply", flow="workers", since=1, amount=1.1), "must be Add"),
        (change("Add", flow="workers", since=1, to=5, amount=3), "no last day"),
    ],
)
def test_a_change_that_the_system_cannot_take_is_named_by_cell(
    row: Mapping[str, RawValue], words: str
) -> None:
    with pytest.raises(SettingProblemsError, match=rf"Scenarios!C5: .*{words}"):
        read_scenarios(rows_of(row), CENSUS)


def test_two_lockdowns_with_the_same_dates_cannot_be_written() -> None:
    span = {"start": CENSUS, "end": add_months(CENSUS, 3)}
    twice = Scenario(name="S", changes=(Lockdown(**span), Lockdown(**span)))
    with pytest.raises(InvalidSettingError, match="must be one"):
        scenario_rows([twice], CENSUS)


def test_own_places_are_no_row_of_a_scenario() -> None:
    places = Scenario(name="Six", changes=(AddPlaces(places=6.0, start=CENSUS),))
    with pytest.raises(InvalidSettingError, match="table of new places of sheet System"):
        scenario_rows([places], CENSUS)


def test_a_missing_column_is_said() -> None:
    broken = TableRead(
        name="scenarios", sheet="Scenarios", columns=("scenario",), rows=(), addresses=()
    )
    with pytest.raises(InvalidSettingError, match="lacks the column include"):
        read_scenarios(broken, CENSUS)
