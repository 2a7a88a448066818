"""Small made-up authorities for tests of the engine: checked lists, straight from frames."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import lru_cache

import numpy as np
import pandas as pd

from demand_model.annex_a.checked import Lists, RowTally, Window
from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.exposure.opening import StockMembers
from demand_model.exposure.tabulate import Exposure, tabulate
from demand_model.flows import Flow
from demand_model.rates.fit import FlowRates, fit, overridable_rate_ids, rate_id
from demand_model.rates.priors import Drift, Priors
from demand_model.spell.build import spells
from demand_model.units import add_months

CENSUS = date(2026, 3, 31)
WINDOW_START = date(2025, 10, 1)
_REASONS = ("E4A", "E11", "E45", "E8")
_PLACEMENTS = ("U6", "U3", "K2", "H5", "P1")


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


def windows(
    start: date = WINDOW_START, months: int = 6, *, referrals: date | None = None
) -> dict[int, Window]:
    one = Window(start=start, months=months, detected=True)
    three = one if referrals is None else Window(start=referrals, months=months, detected=True)
    return {3: three, 7: one, 8: one}


def referral_frame(rows: list[tuple[str, str, str]]) -> pd.DataFrame:
    """Referrals from (child, date, source group)."""
    frame = pd.DataFrame(rows, columns=["child_id", "date", "source_group"])
    frame["date"] = pd.to_datetime(frame["date"])
    frame["nfa"] = pd.array([False] * len(frame), dtype="boolean")
    frame["date_of_birth"] = pd.Timestamp("2015-01-01")
    frame["source_code"] = pd.NA
    frame["previous_referrals"] = pd.array([pd.NA] * len(frame), dtype="Int64")
    return frame


def plan_frame(rows: list[tuple[str, str, str | None, str | None]]) -> pd.DataFrame:
    """Plans from (child, date of birth, start, end)."""
    frame = pd.DataFrame(rows, columns=["child_id", "date_of_birth", "start", "end"])
    for name in ("date_of_birth", "start", "end"):
        frame[name] = pd.to_datetime(frame[name])
    frame["category"] = "Neglect"
    frame["previous_plans"] = pd.array([0] * len(frame), dtype="Int64")
    return frame


def care_frame(
    rows: list[tuple[str, str | None, str, str | None, str | None]],
    *,
    uasc: tuple[str, ...] = (),
    placements: dict[str, str] | None = None,
) -> pd.DataFrame:
    """Care from (child, date of birth, start, end, reason ceased)."""
    columns = ["child_id", "date_of_birth", "start", "end", "reason_ceased"]
    frame = pd.DataFrame(rows, columns=columns)
    for name in ("date_of_birth", "start", "end"):
        frame[name] = pd.to_datetime(frame[name])
    frame["uasc"] = frame["child_id"].isin(uasc)
    frame["category_of_need"] = "N1"
    frame["second_period"] = pd.array([False] * len(frame), dtype="boolean")
    frame["legal_status"] = "C2"
    frame["short_break"] = False
    frame["placement_type"] = [(placements or {}).get(c, "U6") for c in frame["child_id"]]
    frame["placement_provider"] = "PR1"
    frame["placement_start"] = frame["start"]
    return frame


def lists_of(
    referrals: pd.DataFrame | None = None,
    plans: pd.DataFrame | None = None,
    care: pd.DataFrame | None = None,
    *,
    census: date = CENSUS,
    covering: dict[int, Window] | None = None,
) -> Lists:
    frames = (
        referral_frame([]) if referrals is None else referrals,
        plan_frame([]) if plans is None else plans,
        care_frame([]) if care is None else care,
    )
    return Lists(
        census_date=census,
        windows=covering or windows(add_months(date(census.year, census.month, 1), -5)),
        referrals=frames[0],
        plans=frames[1],
        care=frames[2],
        tallies=tuple(
            RowTally(list_number=n, found=len(f), used=len(f), set_aside={})
            for n, f in zip((3, 7, 8), frames, strict=True)
        ),
    )


def made_up_lists(
    seed: int = 1,
    *,
    referrals: int = 180,
    plans: int = 30,
    care: int = 30,
    uasc: int = 3,
    census: date = CENSUS,
) -> Lists:
    """An authority with families, links between lists, closures, UASC and every reason.

    Of plans and care spells in the lists, a third have ended. Ages are known.
    """
    rng = np.random.default_rng(seed)
    opens = add_months(date(census.year, census.month, 1), -5)
    length = (census - opens).days
    back = pd.Timestamp(census) - pd.to_timedelta(rng.integers(0, length + 1, referrals), "D")
    child = [f"c{i // 2 if i % 5 == 0 else i}" for i in range(referrals)]  # some come again
    source = rng.choice(np.asarray(SOURCE_GROUPS, dtype=object), referrals)
    refs = referral_frame(
        [(c, str(d.date()), s) for c, d, s in zip(child, back, source, strict=True)]
    )
    plan_rows = _spell_rows(rng, plans, "p", census, length, refs, every=2, longest=400)
    care_rows = _spell_rows(rng, care, "k", census, length, refs, every=4, longest=1500)
    ended = [i for i, row in enumerate(care_rows) if row[3] is not None]
    reasons = {i: _REASONS[n % len(_REASONS)] for n, i in enumerate(ended)}
    rows = [(*row, reasons.get(i)) for i, row in enumerate(care_rows)]
    alone = tuple(row[0] for row in rows[:uasc])
    rows = [(c, "2009-06-01", s, e, r) if c in alone else (c, b, s, e, r) for c, b, s, e, r in rows]
    placed = {c: _PLACEMENTS[n % len(_PLACEMENTS)] for n, (c, *_) in enumerate(rows)}
    return lists_of(
        refs,
        plan_frame(plan_rows),
        care_frame(rows, uasc=alone, placements=placed),
        census=census,
        covering=windows(opens),
    )


def _spell_rows(
    rng: np.random.Generator,
    count: int,
    prefix: str,
    census: date,
    window_days: int,
    refs: pd.DataFrame,
    *,
    every: int,
    longest: int,
) -> list[tuple[str, str, str, str | None]]:
    """Spells, some of them linked to a referral, siblings on one day, a third ended."""
    today = pd.Timestamp(census)
    out: list[tuple[str, str, str, str | None]] = []
    pool = refs.drop_duplicates("child_id").sort_values("date").head(2 * count)
    for i in range(count):
        born = today - pd.Timedelta(days=int(rng.integers(200, 17 * 365)))
        if i % every == 0:
            row = pool.iloc[(i // every) % len(pool)]
            name, start = str(row["child_id"]), row["date"] + pd.Timedelta(days=21)
            start = min(start, today - pd.Timedelta(days=1))
        else:
            name = f"{prefix}{i}"
            start = today - pd.Timedelta(days=int(rng.integers(1, longest)))
        if i % 3 == 1 and out and i % every != 0:
            start = pd.Timestamp(out[-1][2])  # a sibling
        end = None
        if i % 3 == 0:
            first = max(start, today - pd.Timedelta(days=window_days))
            end = first + pd.Timedelta(days=int(rng.integers(0, (today - first).days + 1)))
        out.append(
            (name, str(born.date()), str(start.date()), None if end is None else str(end.date()))
        )
    return out


def exposure_of(lists: Lists) -> Exposure:
    return tabulate(spells(lists))


@lru_cache(maxsize=8)
def made_up_exposure(seed: int = 1) -> Exposure:
    return exposure_of(made_up_lists(seed))


@lru_cache(maxsize=8)
def made_up_rates(seed: int = 1) -> FlowRates:
    return fit(made_up_exposure(seed))


STILL = Drift(sd=1e-9, time_constant_months=12.0)
STILL_PRIORS = replace(
    Priors(),
    plan_conversion_drift=STILL,
    care_conversion_drift=STILL,
    plan_exit_drift=STILL,
    care_exit_drift=STILL,
)
"""No drift: a rate that is overridden is then a known number in every draw."""


def certain_rates(exposure: Exposure, **per_month: float) -> FlowRates:
    """Every rate fixed: 0 but for the flows given by name (the same in every cell).

    The level of referrals stays as fitted unless it is given.
    """
    values = {name: per_month.get(name.split("|")[0], 0.0) for name in overridable_rate_ids()}
    if "referrals" not in per_month:
        del values[rate_id(Flow.REFERRALS)]
    return fit(exposure, priors=STILL_PRIORS, overrides=values)


def stock_of(days: np.ndarray, age_years: np.ndarray, *, uasc: bool = False) -> StockMembers:
    """Children in a stock who began on days of their own."""
    return StockMembers(
        days=days.astype(float),
        age_days=age_years * 365.25,
        uasc=np.full(len(days), uasc),
        placement_group=np.full(len(days), "fostering", dtype=object),
        together=np.arange(len(days)),
    )


def with_opening(exposure: Exposure, **stocks: StockMembers) -> Exposure:
    """The same table with another opening stock."""
    return replace(exposure, opening=replace(exposure.opening, **stocks))
