"""Ready-made scenarios, each parameter with its source.

The findings of 2020-22 behind them (DfE, Characteristics of children in need;
Children looked after; Vulnerable children and young people survey): about a
quarter of referrals were missing at the trough, almost none came back within
two years, and exits fell too, so that care numbers rose while starts fell.
"""

from __future__ import annotations

from datetime import date

from demand_model.flows import ALL, Flow
from demand_model.simulation.scenario import BASELINE, Lockdown, Multiply, Scenario
from demand_model.units import add_months

LOCKDOWN_STARTS_AFTER_MONTHS = 6
"""Presets place a lockdown half a year after the first month of the forecast."""

SPRING_2020 = {ALL: 0.85, "Schools": 0.35, "Education services": 0.45, "Police": 1.0}
"""Referrals against the same months of 2017-19: .74 to .88 overall; schools -76% in late May."""

WINTER_2021 = {
    ALL: 0.92,
    "Schools": 0.50,
    "Education services": 0.55,
    "Police": 0.90,
    "Individual": 0.78,
}
"""January and February 2021: .86 and .88 overall; schools -57%, police -10%, individuals -22%."""

SOURCES: dict[str, str] = {
    BASELINE.name: "No change: what the lists show goes on.",
    "Lockdown like spring 2020": (
        "DfE referrals by month: .74 (April) to .88 (July 2020) of the same months of 2017-19; "
        "by source: VCYP survey, late May 2020. Plan ends 0.92, care ends 0.90: DfE 2020/21 "
        "against 2019/20, spread over the lockdown's months †. Share returning 5%: no net "
        "payback within two years."
    ),
    "Winter lockdown like January 2021": (
        "DfE referrals by month: .86 and .88 in January and February 2021; by source: VCYP "
        "survey, late January 2021. Exits as in spring 2020 †."
    ),
    "Lockdown with a third returning": (
        "Spring 2020, with schools' later regain of about a third of their loss "
        "(DfE referrals by source 2019/20 to 2021/22) for all sources."
    ),
    "Lockdown with all of it returning": (
        "The fear of 2020 (warnings of +24% to +250%), which did not come true nationally."
    ),
    "Schools closed only": "VCYP survey: schools -76% in late May 2020; other sources unchanged.",
    "New normal -10%": "Illustrative: referrals 10% lower from now on.",
    "New normal +10%": "Illustrative: referrals 10% higher from now on.",
}


def presets(census_date: date) -> tuple[Scenario, ...]:
    """The eight ready-made scenarios, placed in time from the census date."""
    first = add_months(census_date.replace(day=1), 1)
    begin = add_months(first, LOCKDOWN_STARTS_AFTER_MONTHS)

    def lockdown(name: str, *, months: int, **parameters: object) -> Scenario:
        values: dict[str, object] = {
            "referrals": SPRING_2020,
            "plan_ends": 0.92,
            "care_ends": 0.90,
            "share_returning": 0.05,
            "return_delay_months": 2.0,
            "return_spread_months": 6.0,
        }
        values.update(parameters)
        lock = Lockdown(start=begin, end=add_months(begin, months), **values)  # type: ignore[arg-type]
        return Scenario(name=name, changes=(lock,), description=SOURCES[name])

    def new_normal(name: str, factor: float) -> Scenario:
        change = Multiply(flow=Flow.REFERRALS, factor=factor, start=first)
        return Scenario(name=name, changes=(change,), description=SOURCES[name])

    schools = {ALL: 1.0, "Schools": 0.24, "Education services": 0.24}
    return (
        BASELINE,
        lockdown("Lockdown like spring 2020", months=4),
        lockdown("Winter lockdown like January 2021", months=2, referrals=WINTER_2021),
        lockdown("Lockdown with a third returning", months=4, share_returning=1 / 3),
        lockdown(
            "Lockdown with all of it returning",
            months=4,
            share_returning=1.0,
            severity=1.2,
        ),
        lockdown("Schools closed only", months=4, referrals=schools, plan_ends=1.0, care_ends=1.0),
        new_normal("New normal -10%", 0.9),
        new_normal("New normal +10%", 1.1),
    )
