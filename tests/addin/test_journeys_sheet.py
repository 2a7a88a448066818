"""Sheet Journeys: tables with small numbers marked, flow pictures, bars, and their places."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich_workbook import parts_of
from synthetic_forecast import SCENARIOS, run_case

from demand_addin.closed import ClosedWorkbook
from demand_addin.layout import journeys as declared
from demand_addin.layout.template import build_template
from demand_addin.plan import plan_run
from demand_addin.plan.journeys import WITHHELD, flow_shares, journey_values, ribbon_rows
from demand_addin.ports import BookPlan, RangeValues, TableValues
from demand_model import Journeys, journeys
from demand_model.annex_a.code_sets import CATEGORY_OF_ABUSE
from demand_model.annex_a.codes import REASON_GROUPS, SOURCE_GROUPS
from demand_model.exposure.bands import AGE_BANDS, CARE_SEGMENTS
from engine_cases import lists_of, made_up_lists

pytestmark = pytest.mark.unit

PICTURES = {picture.key: picture for picture in declared.FLOW_PICTURES}
LARGE = made_up_lists(3, referrals=900, plans=260, care=260)


@pytest.fixture(scope="module")
def found() -> Journeys:
    return journeys(LARGE)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("journeys") / "book.xlsx"
    build_template(path)
    return path


@pytest.fixture(scope="module")
def values(found: Journeys) -> tuple[dict[str, TableValues], dict[str, RangeValues]]:
    tables, ranges = journey_values(found)
    return {t.name: t for t in tables}, {r.name: r for r in ranges}


def column(table: TableValues, name: str) -> list[object]:
    at = table.columns.index(name)
    return [row[at] for row in table.rows]


# --- tables --------------------------------------------------------------------------------------


def test_every_block_fits_its_place(values) -> None:
    tables, ranges = values
    places = {a.name: a for a in (*declared.JOURNEYS_SHEET.areas, *declared.BLOCKS)}
    assert set(ranges) == set(places)
    for name, block in ranges.items():
        assert len(block.rows) <= places[name].rows
        assert all(len(row) == places[name].columns for row in block.rows)
    assert set(tables) == {"journey_flows", "journey_stages"}
    assert len(tables["journey_stages"].rows) <= declared.STAGES.room
    for spec in (declared.STAGES, declared.FLOWS):
        assert tables[spec.name].columns == spec.headings


def test_the_largest_tables_there_can_be_fit_their_room() -> None:
    """Everyone five times, and every group there can be."""
    categories = len(CATEGORY_OF_ABUSE.codes)
    reasons = len(REASON_GROUPS) + 1
    groups = len(SOURCE_GROUPS) + len(AGE_BANDS) + categories + len(CARE_SEGMENTS) + reasons
    assert 5 + groups <= declared.STAGES.room
    assert declared.FLOWS.first_row > declared.STAGES.first_row + declared.STAGES.room


def test_what_is_withheld_is_marked_with_its_range_and_the_rest_is_blank(found, values) -> None:
    tables, _ = values
    table = tables["journey_flows"]
    marked = 0
    for row, hidden in enumerate(found.flows["withheld"]):
        for name in ("m3", "m6", "m12", "end", "seen"):
            shown = column(table, name)[row]
            if name in hidden.split():
                marked += 1
                assert shown == WITHHELD
                if f"{name}_low" in table.columns:
                    assert column(table, f"{name}_low")[row] == WITHHELD
            elif math.isnan(found.flows[name].iloc[row]):
                assert shown is None
            else:
                assert shown == pytest.approx(found.flows[name].iloc[row], abs=0.0005)
    assert marked > 0


def test_no_count_from_one_to_four_is_written(values) -> None:
    for table in values[0].values():
        for name in ("seen", "at_a_time"):
            if name in table.columns:
                assert not {1, 2, 3, 4} & set(column(table, name))


def test_sentences_stand_on_top_with_the_census_date(found, values) -> None:
    _, ranges = values
    assert "31 March 2026" in str(ranges["journeys_top"].rows[0][0])
    lines = " ".join(str(row[0]) for row in ranges["journeys_sentences"].rows)
    for sentence in found.sentences:
        assert sentence in lines


# --- flow pictures -------------------------------------------------------------------------------


def test_ribbons_keep_their_width_and_part_evenly() -> None:
    picture = PICTURES["plan"]
    head, *points = ribbon_rows(picture, (("Care", 0.25), ("Ended, no care", 0.75)))
    block = np.array([[float(v) for v in row[1 : 1 + 2 * picture.ribbons]] for row in points])
    gaps, ribbons = block[:, 0::2], block[:, 1::2]
    assert len(points) == declared.FLOW_POINTS
    assert (np.ptp(ribbons, axis=0) == 0).all()
    assert ribbons[0].tolist() == [0.0, 0.0, 75.0, 25.0], "the first on top, stacked last"
    assert gaps[0, 3] == 0.0, "together on the left"
    assert gaps[-1, 3] > 5, "apart on the right"
    bottom, top = gaps[:, :3].sum(axis=1), gaps.sum(axis=1) + 100
    assert np.ptp(bottom + top) == pytest.approx(0.0, abs=0.01), "the middle stays level"
    assert head[1 + 2 * picture.ribbons :][2:] == ("Ended, no care: 75", "Into care: 25")


def test_a_label_stands_at_the_middle_of_its_ribbons_end() -> None:
    picture = PICTURES["care"]
    shares = (("Home", 0.5), ("Adoption", 0.3), ("18th birthday", 0.2))
    _, *points = ribbon_rows(picture, shares)
    first = 1 + 2 * picture.ribbons
    assert all(row[first:] == (None,) * picture.ribbons for row in points[:-1])
    last = points[-1]
    heights = np.cumsum([float(v) for v in last[1:first]])
    for ribbon in range(picture.ribbons):
        label = last[first + ribbon]
        if label is not None:
            low, high = heights[2 * ribbon], heights[2 * ribbon + 1]
            assert label == pytest.approx((low + high) / 2, abs=0.01)
    assert sum(label is not None for label in last[first:]) == len(shares)


def rows_of(shares: dict[str, float], withheld: dict[str, str] | None = None) -> pd.DataFrame:
    """A stage's rows of the table of flows: 'end' known, nothing else."""
    frame = pd.DataFrame({"to": list(shares), "end": list(shares.values())})
    frame["withheld"] = [(withheld or {}).get(to, "") for to in shares]
    return frame.assign(m3=math.nan, m6=math.nan, m12=math.nan)


def test_small_numbers_are_one_ribbon_together_and_noughts_none() -> None:
    caption, shares = flow_shares(
        rows_of(
            {"Home": 0.6, "Adoption": math.nan, "SGO or CAO": math.nan, "Other": 0.3, "18": 0.0},
            {"Adoption": "seen end", "SGO or CAO": "seen end"},
        )
    )
    assert caption == "Of 100 that end"
    assert [to for to, _ in shares] == ["Home", "Other", "Small numbers"]
    assert dict(shares)["Small numbers"] == pytest.approx(0.1)


def test_too_few_children_give_no_picture() -> None:
    caption, shares = flow_shares(rows_of({"Home": math.nan, "Other": math.nan}))
    assert shares == ()
    assert caption.startswith("Too few children")
    picture = PICTURES["care"]
    assert ribbon_rows(picture, shares) == (picture.columns,)


def test_a_stage_has_no_more_outcomes_than_its_picture_has_ribbons(found: Journeys) -> None:
    for picture in declared.FLOW_PICTURES:
        mine = found.flows[(found.flows["from"] == picture.stage) & (found.flows["by"] == "")]
        assert 0 < len(mine) <= picture.ribbons


def test_bars_end_where_the_percentiles_stand(found, values) -> None:
    bars = values[1]["journey_time_plan"].rows
    everyone = found.stages[
        (found.stages["stage"] == "On a plan") & (found.stages["group"] == "All")
    ].iloc[0]
    assert bars[0] == declared.TIME_COLUMNS
    parts = [float(v) for v in bars[1][1:] if v is not None]
    ends = [everyone[p] for p in ("p25", "p50", "p75", "p90")]
    assert np.cumsum(parts) == pytest.approx([e for e in ends if not math.isnan(e)], abs=0.01)
    assert str(bars[2][0]).startswith("Closed cases only")


# --- the workbook --------------------------------------------------------------------------------


def test_six_native_charts_are_described_and_drawn_from_the_helper_sheet(template: Path) -> None:
    parts = parts_of(template.read_bytes())
    book = parts["xl/workbook.xml"].decode()
    number = re.findall(r'<sheet name="([^"]+)"', book).index("Journeys") + 1
    rels = parts[f"xl/worksheets/_rels/sheet{number}.xml.rels"].decode()
    drawing = re.search(r"drawings/(drawing\d+\.xml)", rels)
    assert drawing is not None
    xml = parts[f"xl/drawings/{drawing[1]}"].decode()
    descriptions = re.findall(r'descr="([^"]+)"', xml)
    assert len(descriptions) == 6
    assert all(len(text) > 100 for text in descriptions)
    charts = parts[f"xl/drawings/_rels/{drawing[1]}.rels"].decode()
    names = re.findall(r"charts/(chart\d+\.xml)", charts)
    kinds = []
    for name in names:
        chart = parts[f"xl/charts/{name}"].decode()
        assert set(re.findall(r"<c:f>('[^']+')!", chart)) == {"'Journeys data'"}
        kinds.append("area" if "<c:areaChart>" in chart else "bar")
    assert kinds == ["area"] * 3 + ["bar"] * 3


def test_a_run_fills_the_sheet_and_a_smaller_one_clears_it(template: Path, found) -> None:
    case = run_case(horizon=3)
    book = ClosedWorkbook.open(template)
    whole = plan_run(
        check=case.check,
        rates=case.rates,
        forecast=case.forecast,
        scenario_names=SCENARIOS,
        choices=case.choices,
        log=case.log,
        journeys=found,
    )
    book.write(whole)
    flows = book.read_table("journey_flows")
    assert len(flows.rows) == len(found.flows)
    assert flows.rows[0][:4] == ("Referral", None, "All", "No further action")
    tables, ranges = journey_values(journeys(lists_of()))
    book.write(BookPlan(tables=tables, ranges=ranges))
    after = book.read_table("journey_flows")
    assert len(after.rows) < len(flows.rows)
    heading = after.columns.index("m3")
    assert all(row[heading] is None for row in after.rows)


def test_without_journeys_a_run_leaves_the_sheet_alone() -> None:
    case = run_case(horizon=3)
    plan = plan_run(
        check=case.check,
        rates=case.rates,
        forecast=case.forecast,
        scenario_names=SCENARIOS,
        choices=case.choices,
        log=case.log,
    )
    assert not {t.name for t in plan.tables} & {"journey_flows", "journey_stages"}
