"""The three sample workbooks and what is true of them."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from demand_samples.dirt import Dirt, soil
from demand_samples.extract import annex_a, window_start
from demand_samples.history import CENSUS_DATE, History
from demand_samples.observe import monthly_truth, occurrence_exposure, open_on
from demand_samples.presets import Size, authority
from demand_samples.sheets import Sheet, in_d2i_style, to_sheet
from demand_samples.simulate import simulate_authority
from demand_samples.truth import CARE_BAND_START_MONTHS, CARE_REASONS, PLAN_BAND_START_MONTHS
from demand_samples.write import write_workbook

WINDOW_MONTHS = 6
_POPULATION_SEED = 5_000
_POPULATION_AUTHORITIES = {"small": 60, "middling": 24, "large": 6}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One workbook to build."""

    size: Size
    name: str
    seed: int
    style: str
    """How it is typed: "d2i", "dirty" or "official"."""


SAMPLES = (
    Sample(size="small", name="Littledale", seed=1097, style="d2i"),
    Sample(size="middling", name="Middlemarch", seed=2015, style="dirty"),
    Sample(size="large", name="Great Barset", seed=3025, style="official"),
)

_DIRT: dict[int, Dirt] = {
    3: Dirt(
        title="List 3: Referrals in the six months to 30/09/2026",
        spelling_share=0.55,
        text_date_share=0.02,
        nbsp_share=0.03,
        missing_ids=2,
        not_available=4,
        duplicates=3,
        blank_rows=2,
        total_row=True,
    ),
    7: Dirt(
        title="List 7: Child protection plans",
        spelling_share=0.6,
        text_date_share=0.02,
        nbsp_share=0.03,
        missing_ids=1,
        not_available=3,
        duplicates=1,
        placeholder_dates=1,
        open_far_dates=3,
        blank_rows=1,
        footnote="Source: case management system, run on 01/10/2026",
    ),
    8: Dirt(
        spelling_share=0.5,
        text_date_share=0.02,
        nbsp_share=0.03,
        not_available=3,
        duplicates=1,
        open_far_dates=2,
        decimal_age=True,
    ),
}


def sheets_of(lists: dict[int, pd.DataFrame], sample: Sample) -> list[Sheet]:
    """Return the lists as this authority would type them."""
    if sample.style == "dirty":
        names = {3: "Referrals", 7: "List 7", 8: "LAC"}
        plain = [to_sheet(names[number], frame) for number, frame in lists.items()]
        return [
            soil(sheet, _DIRT[number], seed=sample.seed + number)
            for number, sheet in zip(lists, plain, strict=True)
        ]
    plain = [to_sheet(f"List_{number}", frame) for number, frame in lists.items()]
    return [in_d2i_style(sheet) for sheet in plain] if sample.style == "d2i" else plain


def _bands(starts: tuple[int, ...]) -> list[str]:
    ends = [f"-{end}" for end in starts[1:]]
    return [f"{start}{end}" for start, end in zip(starts, [*ends, "+"], strict=True)]


def _measured(size: Size) -> dict[str, Any]:
    """Measure the rates of many draws of the same process, seen in full."""
    tables, months, shares = [], [], []
    for number in range(_POPULATION_AUTHORITIES[size]):
        history = simulate_authority(authority(size), seed=_POPULATION_SEED + number)
        tables.append(occurrence_exposure(history, history.first_date, history.last_date))
        months.append(
            monthly_truth(history, history.first_date, history.last_date).drop(columns="month_end")
        )
        shares.append(_conversions(history))
    total = (
        pd.concat(tables)
        .groupby(["spell", "from_month", "to_month", "reason"], dropna=False, sort=False)[
            ["occurrences", "exposure_child_months"]
        ]
        .sum()
        .reset_index()
    )
    mean = pd.concat(months).mean()
    rates: dict[str, Any] = {
        "authorities": len(tables),
        "mean_per_month": {name: round(float(value), 4) for name, value in mean.items()},
        **{name: round(float(np.mean([share[name] for share in shares])), 6) for name in shares[0]},
    }
    for spell, starts in (
        ("plan", PLAN_BAND_START_MONTHS),
        ("care", CARE_BAND_START_MONTHS),
        ("care_uasc", CARE_BAND_START_MONTHS),
    ):
        rows = total[total["spell"] == spell]
        rates[f"{spell}_end_hazard_per_child_month"] = _hazard_table(rows, starts)
    return rates


def _hazard_table(rows: pd.DataFrame, starts: tuple[int, ...]) -> dict[str, Any]:
    bands = _bands(starts)
    exposure = rows.groupby("from_month")["exposure_child_months"].first()
    table: dict[str, Any] = {
        "duration_months": bands,
        "exposure_child_months": [round(float(exposure[start]), 1) for start in starts],
    }
    for reason, part in rows.groupby("reason", sort=False):
        count = part.set_index("from_month")["occurrences"]
        table[str(reason)] = [
            None if exposure[start] == 0 else round(float(count[start] / exposure[start]), 6)
            for start in starts
        ]
    return table


def _conversions(history: History) -> dict[str, float]:
    """Measure conversions of referrals early enough to have led on, and other starts a month."""
    referrals, plans, care = history.referrals, history.plans, history.care
    first, last = pd.Timestamp(history.first_date), pd.Timestamp(history.last_date)
    settled = referrals[
        (referrals["date"] >= first) & (referrals["date"] <= last - pd.Timedelta(days=160))
    ]
    months = (last - first).days / 30.4375
    later_plans = plans[plans["start"] >= first]
    later_care = care[care["start"] >= first]
    routes = later_care["route"].value_counts() / months
    return {
        "referral_to_plan_share": float((settled["outcome"] == "plan").mean()),
        "referral_to_care_share": float((settled["outcome"] == "care").mean()),
        "referral_nfa_share": float(settled["nfa"].mean()),
        "plan_other_starts_per_month": float((later_plans["route"] == "other").sum() / months),
        "care_from_plan_starts_per_month": float(routes.get("plan", 0.0)),
        "care_other_starts_per_month": float(routes.get("other", 0.0)),
        "care_re_entry_starts_per_month": float(routes.get("re-entry", 0.0)),
        "care_uasc_starts_per_month": float(routes.get("uasc", 0.0)),
    }


def _counts(history: History, lists: dict[int, pd.DataFrame]) -> dict[str, Any]:
    day = history.census_date
    window = monthly_truth(history, window_start(day, WINDOW_MONTHS), day)
    flows = ["referrals", "cp_starts", "cp_ends", "cla_starts", "cla_ends"]
    return {
        **open_on(history, day),
        "rows": {f"list_{number}": len(frame) for number, frame in lists.items()},
        "in_window": {name: int(window[name].sum()) for name in flows},
    }


def _next_months(history: History, months: int = 24) -> list[dict[str, Any]]:
    """Count what happened after the census date, month by month."""
    after = pd.Timestamp(history.census_date) + pd.DateOffset(days=1)
    last = after + pd.DateOffset(months=months - 1)
    frame = monthly_truth(history, after.date(), last.date())
    frame["month_end"] = frame["month_end"].dt.strftime("%Y-%m-%d")
    rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records"))
    return rows


def _plain(value: object) -> object:
    """Rewrite for JSON: tuples as lists, and infinity (a drift that never fades) as None."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and math.isinf(value) else value


def true_rates(sample: Sample, history: History, lists: dict[int, pd.DataFrame]) -> dict[str, Any]:
    """Gather what is true of one sample: parameters, measured rates, counts, aftermath."""
    truth = history.truth
    parameters = asdict(truth)
    del parameters["name"]
    return {
        "authority": truth.name,
        "file": f"{sample.size}.xlsx",
        "census_date": history.census_date.isoformat(),
        "window_months": WINDOW_MONTHS,
        "seed": sample.seed,
        "care_reasons": list(CARE_REASONS),
        "plan_duration_bands_months": _bands(PLAN_BAND_START_MONTHS),
        "care_duration_bands_months": _bands(CARE_BAND_START_MONTHS),
        "parameters": _plain(parameters),
        "sibling_mean_family_size": round(truth.families.mean_size, 6),
        "sibling_batch_dispersion": round(truth.families.batch_dispersion, 6),
        "measured": _measured(sample.size),
        "at_census": _counts(history, lists),
        "what_happened_next": _next_months(history),
    }


def build(out: Path, *, census_date: date = CENSUS_DATE) -> list[Path]:
    """Write the three workbooks and ``true_rates.json`` into `out`; return what was written."""
    out.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    truths: dict[str, Any] = {}
    for sample in SAMPLES:
        truth = authority(sample.size, name=sample.name)
        history = simulate_authority(truth, seed=sample.seed, census_date=census_date)
        lists = annex_a(history, window_months=WINDOW_MONTHS)
        path = out / f"{sample.size}.xlsx"
        write_workbook(path, sheets_of(lists, sample), author=sample.name)
        truths[sample.size] = true_rates(sample, history, lists)
        written.append(path)
    rates = out / "true_rates.json"
    text = json.dumps(truths, indent=1, ensure_ascii=False, allow_nan=False)
    rates.write_text(text + "\n", encoding="utf-8", newline="\n")
    return [*written, rates]
