"""Whatever two forecasts say, the steps between them add up, and blame only what differs."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand_model.results.explain import Waterfall, explain_change
from demand_model.results.forecast import MEASURES
from demand_model.results.waterfall import rounded_to_add_up
from explain_cases import between, books, forecast_of, past, record

pytestmark = pytest.mark.properties

CENSUSES = (date(2026, 8, 31), date(2026, 9, 12), date(2026, 9, 30))
counts = st.one_of(st.just(0.0), st.floats(0.0, 5000.0), st.integers(0, 5).map(float))
measures = st.sampled_from(MEASURES)
shares = st.fixed_dictionaries({"cp": st.floats(0.0, 1.0), "cla": st.floats(0.0, 1.0)})


@st.composite
def arbitrary(draw: st.DrawFn) -> dict[str, np.ndarray]:
    """Any forecast at all: its stocks need not follow from its flows."""
    months = draw(st.integers(3, 15))
    return {
        measure: np.array(draw(st.lists(counts, min_size=months, max_size=months)))
        for measure in MEASURES
    }


@st.composite
def kept_books(draw: st.DrawFn, months: int = 14) -> dict[str, object]:
    """What makes a forecast that keeps its books."""
    positive = st.floats(0.0, 1.0)
    return {
        "referrals": np.array(
            draw(st.lists(st.floats(10.0, 2000.0), min_size=months, max_size=months))
        ),
        "opening": draw(st.fixed_dictionaries({"cp": counts, "cla": counts})),
        "share": draw(st.fixed_dictionaries({"cp": positive, "cla": positive})),
        "leaving": draw(st.fixed_dictionaries({"cp": positive, "cla": positive})),
    }


def adds_up(waterfall: Waterfall) -> None:
    values = waterfall.table["value"].to_numpy()
    assert np.isfinite(values).all()
    assert abs(values[0] + values[1:-1].sum() - values[-1]) <= 1e-9 * max(1.0, np.abs(values).max())
    for decimals in (0, 1):
        written = waterfall.written(decimals)["value"].to_numpy()
        whole = np.rint(written * 10**decimals)
        assert whole[0] + whole[1:-1].sum() == whole[-1]
        assert np.abs(written - values).max() <= 10.0**-decimals + 1e-9
    assert waterfall.table["running"].iloc[-1] == values[-1]


@settings(max_examples=60, deadline=None)
@given(arbitrary(), arbitrary(), st.sampled_from(CENSUSES), st.sampled_from(CENSUSES), measures,
       counts, shares)  # fmt: skip
def test_any_two_runs_add_up(
    first: dict[str, np.ndarray],
    second: dict[str, np.ndarray],
    before: date,
    after: date,
    measure: str,
    known: float,
    from_referrals: dict[str, float],
) -> None:
    history = past((before.isoformat(), "cp_open", known), (before.isoformat(), "cla_open", known))
    waterfall = explain_change(
        record(before, first),
        record(after, second),
        history,
        measure=measure,
        from_referrals=from_referrals,
    )
    adds_up(waterfall)
    assert waterfall.sentence.endswith(".")


@settings(max_examples=40, deadline=None)
@given(arbitrary(), st.sampled_from(CENSUSES), measures)
def test_identical_forecasts_give_nothing_but_zeros(
    made: dict[str, np.ndarray], census: date, measure: str
) -> None:
    waterfall = explain_change(record(census, made), record(census, made), past(), measure=measure)
    assert (waterfall.table["value"].to_numpy()[1:-1] == 0.0).all()


@settings(max_examples=40, deadline=None)
@given(kept_books(), kept_books(), measures)
def test_referrals_alone_are_blamed_for_referrals(
    one: dict[str, object], other: dict[str, object], measure: str
) -> None:
    changed = {**one, "referrals": other["referrals"]}
    forecast = forecast_of(CENSUSES[0], {"A": books(**one), "B": books(**changed)})  # type: ignore[arg-type]
    waterfall = between(forecast, "A", "B", measure=measure)
    adds_up(waterfall)
    table = waterfall.table.set_index("driver")["value"]
    size = max(1.0, abs(table.iloc[0]), abs(table.iloc[-1]))
    blamed = {d for d in table.index[1:-1] if abs(table[d]) > 1e-6 * size}
    assert blamed <= {"Intake level"}


@settings(max_examples=40, deadline=None)
@given(kept_books(), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_leaving_alone_is_blamed_for_leaving(
    one: dict[str, object], plans: float, care: float
) -> None:
    changed = {**one, "leaving": {"cp": plans, "cla": care}}
    forecast = forecast_of(CENSUSES[0], {"A": books(**one), "B": books(**changed)})  # type: ignore[arg-type]
    waterfall = between(forecast, "A", "B", measure="cla_open")
    table = waterfall.table.set_index("driver")["value"]
    size = max(1.0, abs(table.iloc[0]), abs(table.iloc[-1]))
    blamed = {d for d in table.index[1:-1] if abs(table[d]) > 1e-6 * size}
    assert blamed <= {"Rates out"}


@settings(max_examples=40, deadline=None)
@given(kept_books(), kept_books(), measures)
def test_there_and_back_cancel(
    one: dict[str, object], other: dict[str, object], measure: str
) -> None:
    forecast = forecast_of(CENSUSES[0], {"A": books(**one), "B": books(**other)})  # type: ignore[arg-type]
    there = between(forecast, "A", "B", measure=measure).table["value"].to_numpy()
    back = between(forecast, "B", "A", measure=measure).table["value"].to_numpy()
    size = max(1.0, np.abs(there).max())
    assert np.abs(there[1:-1] + back[1:-1]).max() <= 1e-7 * size


@given(
    st.floats(0.0, 1e5),
    st.lists(st.one_of(st.just(0.0), st.floats(-1e4, 1e4)), min_size=1, max_size=8),
    st.integers(0, 2),
)
def test_rounding_adds_up_and_moves_no_figure_by_more_than_a_unit(
    start: float, steps: list[float], decimals: int
) -> None:
    values = np.array([start, *steps, start + sum(steps)])
    written = rounded_to_add_up(values, decimals)
    whole = np.rint(written * 10**decimals)
    assert whole[0] + whole[1:-1].sum() == whole[-1]
    assert np.abs(written - values).max() <= 10.0**-decimals * (1 + 1e-6) + 1e-9
    assert (written[1:-1][np.array(steps) == 0.0] == 0.0).all()
