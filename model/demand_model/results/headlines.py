"""The forecast in sentences that a head of service can read out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from demand_model.exposure.tabulate import Exposure
from demand_model.flows import ALL
from demand_model.simulation.scenario import BASELINE
from demand_model.simulation.trajectories import Trajectories
from demand_model.units import counted, signed

FloatArray = npt.NDArray[np.float64]

_STOCKS = (
    ("cla_open", "Children in care"),
    ("cp_open", "Child protection plans"),
)
_YEAR = 12


def headlines(trajectories: Sequence[Trajectories], exposure: Exposure) -> tuple[str, ...]:
    """Sentences, most important first: care, plans, referrals, then the other scenarios.

    Scenarios stand in the order of their effect on children in care.
    """
    base = next((t for t in trajectories if t.scenario.name == BASELINE.name), None)
    sentences: list[str] = []
    if base is not None:
        sentences += scenario_headlines(base, exposure)
        others = [t for t in trajectories if t is not base]
        others.sort(key=lambda t: -abs(_change(t, base, "cla_open").mean()))
        sentences += [_difference(t, base) for t in others]
    return tuple(sentences)


def scenario_headlines(trajectory: Trajectories, exposure: Exposure) -> tuple[str, ...]:
    """Say what one scenario brings: care, plans, referrals."""
    name = trajectory.scenario.name
    when = "if nothing changes" if name == BASELINE.name else f"under {name}"
    stocks = (_stock(trajectory, measure, words, when) for measure, words in _STOCKS)
    return (*stocks, _referrals(trajectory, exposure, when))


def _change(trajectory: Trajectories, base: Trajectories, measure: str) -> FloatArray:
    """Difference at the horizon, by draw."""
    return np.asarray(trajectory.measures[measure, ALL][-1] - base.measures[measure, ALL][-1])


def _range(draws: FloatArray) -> tuple[int, int, int]:
    low, high = np.quantile(draws, (0.1, 0.9))
    return round(float(draws.mean())), round(float(low)), round(float(high))


def _stock(base: Trajectories, measure: str, name: str, if_so: str) -> str:
    now = base.opening[measure]
    mean, low, high = _range(base.measures[measure, ALL][-1])
    when = base.months[-1].strftime("%B %Y")
    return f"{name}: {now:,} today; {mean:,} in {when} (80% between {low:,} and {high:,}) {if_so}."


def _referrals(base: Trajectories, exposure: Exposure, if_so: str) -> str:
    months = min(_YEAR, len(base.months))
    mean, low, high = _range(base.measures["referrals", ALL][-months:].mean(axis=0))
    series = exposure.series
    past = series[(series["measure"] == "referrals") & (series["segment"] == ALL)]["value"]
    whole = f" ({counted(len(past), 'whole month')})"
    seen = f"{round(float(past.mean())):,} a month in the lists" if past.sum() > 0 else ""
    # A census date inside a month leaves parts of months out.
    seen += (whole * (len(past) < exposure.windows[3].months) + "; ") if seen else ""
    last = base.months[-1].strftime("%B %Y")
    span = f"in the {months} months to {last}" if months > 1 else f"in {last}"
    mean_words = f"{mean:,} a month" if months > 1 else f"{mean:,}"
    return f"Referrals: {seen}{mean_words} {span} (80% between {low:,} and {high:,}) {if_so}."


def _difference(trajectory: Trajectories, base: Trajectories) -> str:
    when = base.months[-1].strftime("%B %Y")
    if not any(_change(trajectory, base, measure).any() for measure, _ in _STOCKS):
        return f"{trajectory.scenario.name}: no difference by {when}."
    parts, is_seen = [], False
    for measure, one, many in (
        ("cla_open", "child in care", "children in care"),
        ("cp_open", "plan", "plans"),
    ):
        mean, low, high = _range(_change(trajectory, base, measure))
        name = one if abs(mean) == 1 else many
        is_seen = is_seen or bool(mean or low or high)
        parts.append(f"{signed(mean)} {name} (80% {signed(low)} to {signed(high)})")
    if not is_seen:
        return f"{trajectory.scenario.name}: no difference of a whole child or plan by {when}."
    return f"{trajectory.scenario.name}: by {when}, {' and '.join(parts)} against no change."
