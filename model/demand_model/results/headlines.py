"""The forecast in sentences that a head of service can read out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from demand_model.exposure.tabulate import Exposure
from demand_model.flows import ALL
from demand_model.simulation.scenario import BASELINE
from demand_model.simulation.trajectories import Trajectories

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
        sentences += [_stock(base, measure, name) for measure, name in _STOCKS]
        sentences.append(_referrals(base, exposure))
        others = [t for t in trajectories if t is not base]
        others.sort(key=lambda t: -abs(_change(t, base, "cla_open").mean()))
        sentences += [_difference(t, base) for t in others]
    return tuple(sentences)


def _change(trajectory: Trajectories, base: Trajectories, measure: str) -> FloatArray:
    """Difference at the horizon, by draw."""
    return np.asarray(trajectory.measures[measure, ALL][-1] - base.measures[measure, ALL][-1])


def _signed(number: int) -> str:
    """A change with its sign; 0 has none."""
    return f"{number:+,}" if number else "0"


def _range(draws: FloatArray) -> tuple[int, int, int]:
    low, high = np.quantile(draws, (0.1, 0.9))
    return round(float(draws.mean())), round(float(low)), round(float(high))


def _stock(base: Trajectories, measure: str, name: str) -> str:
    now = base.opening[measure]
    mean, low, high = _range(base.measures[measure, ALL][-1])
    when = base.months[-1].strftime("%B %Y")
    return (
        f"{name}: {now:,} today; {mean:,} in {when} "
        f"(80% between {low:,} and {high:,}) if nothing changes."
    )


def _referrals(base: Trajectories, exposure: Exposure) -> str:
    months = min(_YEAR, len(base.months))
    mean, low, high = _range(base.measures["referrals", ALL][-months:].mean(axis=0))
    series = exposure.series
    past = series[(series["measure"] == "referrals") & (series["segment"] == ALL)]["value"]
    whole = f" ({len(past)} whole month{'s' if len(past) != 1 else ''})"
    seen = f"{round(float(past.mean())):,} a month in the lists" if past.sum() > 0 else ""
    # A census date inside a month leaves parts of months out.
    seen += (whole * (len(past) < exposure.windows[3].months) + "; ") if seen else ""
    span = (
        f"in the {months} month{'s' if months > 1 else ''} to {base.months[-1].strftime('%B %Y')}"
    )
    return (
        f"Referrals: {seen}{mean:,} a month {span} "
        f"(80% between {low:,} and {high:,}) if nothing changes."
    )


def _difference(trajectory: Trajectories, base: Trajectories) -> str:
    parts = []
    for measure, name in (("cla_open", "children in care"), ("cp_open", "plans")):
        mean, low, high = _range(_change(trajectory, base, measure))
        parts.append(f"{_signed(mean)} {name} (80% {_signed(low)} to {_signed(high)})")
    when = base.months[-1].strftime("%B %Y")
    return f"{trajectory.scenario.name}: by {when}, {' and '.join(parts)} against no change."
