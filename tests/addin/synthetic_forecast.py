"""A forecast that looks like a real one, without the engine: for plans, pictures and speed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd

from demand_addin.plan import ChartChoices, RunChoices, RunLogEntry
from demand_addin.plan.values import month_end
from demand_model.annex_a.checked import CheckResult, Lists, RowTally, Window
from demand_model.annex_a.codes import PLACEMENT_GROUPS, SOURCE_GROUPS
from demand_model.annex_a.findings import Finding, Findings, Severity
from demand_model.results.forecast import FORECAST_COLUMNS, MEASURES, QUANTILE_COLUMNS, Forecast

SCENARIOS = (
    "Baseline",
    "Lockdown like spring 2020",
    "Winter lockdown like January 2021",
    "Lockdown with a third returning",
    "Lockdown with all of it returning",
    "Schools closed only",
    "New normal -10%",
    "New normal +10%",
)
AGE_GROUPS = ("Under 1", "1 to 4", "5 to 9", "10 to 15", "16 to 17", "UASC")
_SEASON = (0.99, 1.01, 1.04, 0.94, 1.04, 1.11, 1.04, 0.81, 1.0, 1.05, 1.10, 0.87)
_LEVEL = {
    "referrals": 268.0,
    "cp_starts": 27.0,
    "cp_ends": 26.0,
    "cp_open": 318.0,
    "cla_starts": 17.0,
    "cla_ends": 15.5,
    "cla_open": 612.0,
}
_GROWTH = {"cp_open": 0.8, "cla_open": 1.3}
_Z = (-1.96, -1.282, -0.674, 0.0, 0.674, 1.282, 1.96)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that `plan_run` is given."""

    check: CheckResult
    rates: pd.DataFrame
    forecast: Forecast
    choices: RunChoices
    log: RunLogEntry


def segments_of(measure: str) -> dict[str, float]:
    """Segments besides "all", with their shares."""
    if measure == "referrals":
        shares = np.linspace(3, 0.2, len(SOURCE_GROUPS))
        return dict(zip(SOURCE_GROUPS, shares / shares.sum(), strict=True))
    if measure == "cla_open":
        place = np.array([0.18, 0.44, 0.14, 0.09, 0.05, 0.07, 0.03])[: len(PLACEMENT_GROUPS)]
        ages = np.array([0.05, 0.12, 0.17, 0.36, 0.22, 0.08])
        return {
            **dict(zip(PLACEMENT_GROUPS, place / place.sum(), strict=True)),
            **dict(zip(AGE_GROUPS, ages, strict=True)),
        }
    return {}


def _effect(measure: str, scenario: str, k: int) -> float:
    """A multiplier that makes the scenarios differ plausibly."""
    flow = not measure.endswith("_open")
    if "10%" in scenario:
        size = -0.1 if "-" in scenario else 0.1
        return 1 + (size if flow else size * min(k / 24, 1) * 0.8)
    if "ockdown" in scenario or "Schools" in scenario:
        fall = -0.27 if 4 <= k <= 7 else 0.0
        back = 0.13 if "all" in scenario and 8 <= k <= 14 else 0.0
        return 1 + (fall + back if flow else 0.03 * np.exp(-(((k - 9) / 6) ** 2)))
    return 1.0


def _rows(measure: str, segment: str, share: float, scenario: str, census: date, horizon: int):
    for k in range(1, horizon + 1):
        end = month_end(census, k)
        base = _LEVEL[measure] * share
        if measure.endswith("_open"):
            middle = base + _GROWTH[measure] * share * k
            spread = 0.012 * base * np.sqrt(k) + 0.3 * np.sqrt(base) * np.sqrt(min(k, 24)) * 0.3
        else:
            middle = base * _SEASON[end.month - 1]
            spread = np.sqrt(middle * 1.6) + 0.01 * middle * np.sqrt(k)
        middle *= _effect(measure, scenario, k)
        quantiles = [max(middle + z * spread, 0.0) for z in _Z]
        yield (pd.Timestamp(end), measure, segment, scenario, middle * 1.002, *quantiles)


def forecast_case(
    census: date = date(2026, 3, 31), *, horizon: int = 24, history: int = 6, seed: int = 1
) -> Forecast:
    """Make a forecast for eight scenarios, all measures and all segments."""
    rng = np.random.default_rng(seed)
    rows, past = [], []
    for measure in MEASURES:
        segments = {"all": 1.0, **segments_of(measure)}
        walk = np.cumsum(rng.normal(0, 3, history))
        for segment, share in segments.items():
            for scenario in SCENARIOS:
                rows += _rows(measure, segment, share, scenario, census, horizon)
            for j in range(history):
                end = month_end(census, j - history + 1)
                level = _LEVEL[measure] * share
                if measure.endswith("_open"):
                    value = level + share * (walk[j] - walk[-1]) - share * (history - 1 - j)
                else:
                    value = level * _SEASON[end.month - 1] + rng.normal(0, np.sqrt(level))
                past.append((pd.Timestamp(end), measure, segment, float(round(value))))
    table = pd.DataFrame(rows, columns=list(FORECAST_COLUMNS))
    return Forecast(
        census_date=census,
        table=table,
        history=pd.DataFrame(past, columns=["month_end", "measure", "segment", "value"]),
        hidden_need=_hidden(census, horizon),
        differences=table.iloc[:0],
        headlines=(
            "Children in care: 612 today; 643 in March 2028 (80% between 579 and 707) if nothing "
            "changes.",
            "Children on a protection plan: 318 today; 337 in March 2028 (80% between 296 and "
            "378) if nothing changes.",
            "Referrals: about 268 a month today; much the same over the next two years.",
            "A lockdown like spring 2020 would hide about 290 referrals in four months; in 2020 "
            "almost none of them came back within two years.",
        ),
    )


def _hidden(census: date, horizon: int) -> pd.DataFrame:
    rows = []
    for scenario in SCENARIOS:
        share = {"Lockdown with all of it returning": 1.0, "Lockdown with a third returning": 1 / 3}
        returning = share.get(scenario, 0.05)
        if "ockdown" not in scenario:
            continue
        for k in range(1, horizon + 1):
            made = 290 * np.clip((k - 3) / 4, 0, 1)
            back = 290 * returning * np.clip((k - 8) / 7, 0, 1)
            never = (1 - returning) * made
            rows.append((pd.Timestamp(month_end(census, k)), scenario, made, back, never,
                         made - back - never))  # fmt: skip
    columns = ["month_end", "scenario", "suppressed", "returned", "not_returning", "hidden"]
    return pd.DataFrame(rows, columns=columns)


def rates_case() -> pd.DataFrame:
    """Make a table of rates as `FlowRates.table` gives it."""
    rows = [
        (
            f"{flow}|{band}|all", flow, "all", band, 31.0 + i, 812.5, "child-months",
            0.037 + i / 900,
            0.026, 0.05, 0.041, 0.22, "per child-month",
            "well supported" if i % 2 else "thin: leans on the national figure",
            "DfE, Characteristics of children in need 2024 to 2025", "cell", 0.037 + i / 900, 1.5,
            6.0, 140.0, 1.0, 25.0,
        )
        for i, (flow, band) in enumerate(
            (f, b) for f in ("plan_ends", "care_ends_home", "plan_to_care")
            for b in ("up to 3 months", "3 to 6 months", "6 to 12 months", "12 months and over")
        )
    ]  # fmt: skip
    return pd.DataFrame(
        rows,
        columns=["rate_id", "flow", "segment", "duration_band", "occurrences", "exposure",
                 "exposure_unit", "rate", "low", "high", "prior_rate", "prior_weight", "unit",
                 "evidence", "source", "basis", "fitted_rate", "dispersion", "prior_events",
                 "prior_exposure", "correction", "interval_events"],
    )  # fmt: skip


def check_case(census: date = date(2026, 3, 31), *, stops: bool = False) -> CheckResult:
    """Make the outcome of a check with findings, tallies and unmapped spellings."""
    frame = pd.DataFrame({"child_id": ["a"]})
    windows = {n: Window(start=date(2025, 10, 1), months=6, detected=n != 7) for n in (3, 7, 8)}
    tallies = (
        RowTally(list_number=3, found=1612, used=1608, set_aside={"duplicate-row": 4}),
        RowTally(list_number=7, found=460, used=458, set_aside={"end-before-start": 2}),
        RowTally(list_number=8, found=361, used=360, set_aside={"date-unreadable": 1}),
    )
    findings = [
        Finding(list_number=3, sheet="List 3", cell="F12", rule="date-text",
                column="Date of referral",
                severity=Severity.CLEANED, message="Text dates were read as day/month.", count=31),
        Finding(list_number=8, sheet="List 8", cell="K7", rule="code-unmapped",
                column="Placement Type",
                severity=Severity.WARN, message="A spelling is not known: see Mapping.", count=3),
    ]  # fmt: skip
    if stops:
        findings.append(
            Finding(list_number=7, sheet="List 7", cell="", rule="column-missing",
                    severity=Severity.STOP, message="The column of start dates is missing.")
        )  # fmt: skip
    lists = Lists(
        census_date=census,
        windows=windows,
        referrals=frame,
        plans=frame,
        care=frame,
        tallies=tallies,
    )
    return CheckResult(
        findings=Findings.of(findings),
        lists=None if stops else lists,
        tallies=tallies,
        unmapped=pd.DataFrame(
            [(8, "Placement Type", "Independent fostering (oob)", 3)],
            columns=["list", "heading", "raw_value", "count"],
        ),
    )


def run_case(
    *,
    horizon: int = 24,
    history: int = 6,
    interval: int = 80,
    census: date = date(2026, 3, 31),
    entered: dict[str, object] | None = None,
) -> Case:
    """Make everything that `plan_run` is given."""
    return Case(
        check=check_case(census),
        rates=rates_case(),
        forecast=forecast_case(census, horizon=horizon, history=history),
        choices=RunChoices(
            authority="Exampleshire",
            charts=ChartChoices(
                interval=interval,
                fan_scenario="Baseline",
                compare=(SCENARIOS[0], SCENARIOS[1], SCENARIOS[4], SCENARIOS[6]),
                hidden_need_scenario=SCENARIOS[4],
            ),
            entered=entered or {"horizon_months": horizon, "draws": 1000, "seed": 2020},
        ),
        log=RunLogEntry(
            when=datetime(2026, 4, 3, 9, 15),  # noqa: DTZ001
            version="0.1.0",
            seed=2020,
            draws=1000,
            horizon_months=horizon,
            list_hashes="List 3: 0a1b2c3d; List 7: 4e5f6a7b; List 8: 8c9d0e1f",
            settings_hash="0123456789abcdef",
            rows_used="List 3: 1608; List 7: 458; List 8: 360",
            previous_hash="first run",
            packages="numpy 2.3; pandas 3.1",
        ),
    )


assert len(QUANTILE_COLUMNS) == len(_Z)
