"""Table `rates`: its columns, and the formulas that its figures are.

An analyst can click any black figure and see how it was made, and a rate typed in the
blue column moves the rates beside it at once. Each formula gives the very figure of
`demand_model.rates.table`; where a figure comes from a fit that no row of cells can hold,
the cell holds the value, and column ``how`` says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from demand_addin.layout.declare import Area, Column, Style, TableSpec
from demand_model.rates.table import Basis


def _own(column: str) -> str:
    """Return the reference to a column's cell in the same row, as the file holds it."""
    return f"rates[[#This Row],[{column}]]"


_OCCURRENCES, _EXPOSURE, _DISPERSION = map(_own, ("occurrences", "exposure", "dispersion"))
_N, _E = _own("effective_occurrences"), _own("effective_exposure")
_A, _B = _own("prior_events"), _own("prior_exposure")
_FITTED, _OVERRIDE, _RATE = map(_own, ("fitted_rate", "override", "rate"))
_EVENTS = _own("interval_events")
_WHOLE = f'{_own("flow")}&"|all|all"'
_WHOLE_IS_SET = f'COUNTIFS(rates[rate_id],{_WHOLE},rates[override],">=0")'
_OWN_OR_FITTED = f'IF({_OVERRIDE}="",{_FITTED},{_OVERRIDE})'
_LOW, _HIGH, _Z = "0.025", "0.975", "1.959964"


def _unless_set(formula: str) -> str:
    """Return a bound of the range: a rate that the analyst has set has none."""
    return f'IF({_OVERRIDE}="",{formula},{_RATE})'


def _unless_flow_set(formula: str) -> str:
    return f'IF(AND({_OVERRIDE}="",{_WHOLE_IS_SET}=0),{formula},{_RATE})'


def _half_width() -> str:
    return f"{_Z}*SQRT({_RATE}*(1-{_RATE})/({_EXPOSURE}+{_B}+1))"


FORMULAS: Mapping[str, str] = {
    "raw": f'IF({_EXPOSURE}>0,{_OCCURRENCES}/{_EXPOSURE},"")',
    "effective_occurrences": f"{_OCCURRENCES}/{_DISPERSION}",
    "effective_exposure": f"{_EXPOSURE}/{_DISPERSION}",
    "posterior": f"({_N}+{_A})/({_E}+{_B})*{_own('correction')}",
    "whole": f"SUMIFS(rates[expected_events],rates[flow],{_own('flow')})/{_EXPOSURE}",
    "ratio": f"{_OCCURRENCES}/{_EXPOSURE}",
    "in_use": _OWN_OR_FITTED,
    "in_use_of_flow": f"IF({_WHOLE_IS_SET}=0,{_OWN_OR_FITTED},IFERROR({_OWN_OR_FITTED}"
    f"*SUMIFS(rates[override],rates[rate_id],{_WHOLE})"
    f"/SUMIFS(rates[fitted_rate],rates[rate_id],{_WHOLE}),0))",
    "low": _unless_set(f"GAMMAINV({_LOW},{_EVENTS},{_FITTED}/{_EVENTS})"),
    "high": _unless_set(f"GAMMAINV({_HIGH},{_EVENTS},{_FITTED}/{_EVENTS})"),
    "low_of_flow": _unless_flow_set(f"GAMMAINV({_LOW},{_EVENTS},{_FITTED}/{_EVENTS})"),
    "high_of_flow": _unless_flow_set(f"GAMMAINV({_HIGH},{_EVENTS},{_FITTED}/{_EVENTS})"),
    "low_share": _unless_set(f"MAX(0,{_RATE}-{_half_width()})"),
    "high_share": _unless_set(f"MIN(1,{_RATE}+{_half_width()})"),
    "low_level": _unless_set(f"{_FITTED}*EXP(-{_Z}/SQRT({_EVENTS})-0.5/{_EVENTS})"),
    "high_level": _unless_set(f"{_FITTED}*EXP({_Z}/SQRT({_EVENTS})-0.5/{_EVENTS})"),
    "low_conversion": _unless_set(
        f"{_FITTED}*EXP(-{_Z}*SQRT({_DISPERSION}/MAX({_OCCURRENCES},0.5)))"
    ),
    "high_conversion": _unless_set(
        f"{_FITTED}*EXP({_Z}*SQRT({_DISPERSION}/MAX({_OCCURRENCES},0.5)))"
    ),
    "prior_weight": f"{_B}/({_B}+{_E})",
    "prior_weight_of_whole": f"{_A}/({_A}+{_N})",
    "expected_events": f"{_OWN_OR_FITTED}*{_EXPOSURE}",
}
"""By name. References are structured, so that sorting the table or moving it breaks nothing."""

_COUNTS = {
    "raw_rate": "raw",
    "effective_occurrences": "effective_occurrences",
    "effective_exposure": "effective_exposure",
}
_RANGE = {"low": "low", "high": "high"}
FORMULAS_OF: Mapping[Basis, Mapping[str, str]] = {
    Basis.CELL: _COUNTS
    | {
        "fitted_rate": "posterior",
        "rate": "in_use_of_flow",
        "low": "low_of_flow",
        "high": "high_of_flow",
        "prior_weight": "prior_weight",
        "expected_events": "expected_events",
    },
    Basis.ALONE: _COUNTS
    | _RANGE
    | {"fitted_rate": "posterior", "rate": "in_use", "prior_weight": "prior_weight"},
    Basis.WHOLE: _COUNTS
    | _RANGE
    | {"fitted_rate": "whole", "rate": "in_use", "prior_weight": "prior_weight_of_whole"},
    Basis.SHARE: _COUNTS
    | {
        "fitted_rate": "posterior",
        "rate": "in_use",
        "low": "low_share",
        "high": "high_share",
        "prior_weight": "prior_weight",
    },
    Basis.PER_MONTH: {"raw_rate": "raw", "fitted_rate": "ratio", "rate": "in_use"},
    Basis.CONVERSION: {
        "raw_rate": "raw",
        "rate": "in_use",
        "low": "low_conversion",
        "high": "high_conversion",
    },
    Basis.LEVEL: {"raw_rate": "raw", "rate": "in_use", "low": "low_level", "high": "high_level"},
    Basis.UNSEEN: {"raw_rate": "raw"},
}
"""Which columns of a row are formulas, and which; all its other figures are values."""

HOW: Mapping[Basis, str] = {
    Basis.CELL: "(effective occurrences + prior events) / (effective exposure + prior exposure) x "
    "correction; the prior exposure follows the level of the whole flow",
    Basis.ALONE: "(effective occurrences + prior events) / (effective exposure + prior exposure)",
    Basis.WHOLE: "the rates of its groups below, averaged over their exposure; an override here "
    "scales them all",
    Basis.SHARE: "(occurrences + prior events) / (referrals + prior exposure)",
    Basis.PER_MONTH: "occurrences / months, a model having told starts that follow no referral "
    "from the others; the range is a value, which follows an override at the next run",
    Basis.CONVERSION: "a value, fitted by the model week by week since referral, so that fitted "
    "starts equal those seen; the exposure is the referrals that it stands for",
    Basis.LEVEL: "a value, fitted by the model: where monthly referrals stand at the end, season "
    "and chance apart; not the average of the months counted",
    Basis.UNSEEN: "values: nobody was at risk in the lists, so it is the national figure; an "
    "override is followed at the next run",
}

RATES_BASIS = Area(name="rates_basis", cell="B4")
"""What all rates rest on: rows, months, and months from before the lists."""

RATES = TableSpec(
    name="rates",
    formulas=FORMULAS,
    columns=(
        Column(name="rate_id", meaning="The rate's stable identifier.", width=38),
        Column(name="flow", meaning="The movement of children.", width=20),
        Column(name="segment", meaning="The group of children, or all.", width=20),
        Column(name="duration_band", meaning="Time since the spell began.", width=20),
        Column(
            name="occurrences",
            meaning="Events seen in the lists.",
            style=Style.NUMBER,
            width=12,
        ),
        Column(
            name="exposure",
            meaning="Time at risk (or referrals) in which they were seen.",
            style=Style.NUMBER,
            width=11,
        ),
        Column(name="exposure_unit", meaning="Unit of the exposure.", width=14),
        Column(
            name="raw_rate",
            meaning="Formula: occurrences / exposure, nothing else.",
            style=Style.RATE,
            width=10,
        ),
        Column(
            name="prior_rate",
            meaning="The national figure that thin evidence leans on.",
            style=Style.RATE,
            width=11,
        ),
        Column(
            name="fitted_rate",
            meaning="Your lists and the national figure together, each by its weight; column how "
            "says by which formula.",
            style=Style.RATE,
            width=12,
        ),
        Column(
            name="override",
            meaning="Type your own rate here, in the same unit: it wins over the fitted one, "
            "in every run until you clear it.",
            style=Style.RATE,
            is_input=True,
            width=11,
        ),
        Column(
            name="rate",
            meaning="Formula: the rate in use, yours where you typed one. The forecast follows at "
            "the next run.",
            style=Style.RATE,
            width=10,
        ),
        Column(name="low", meaning="Low end of the 95% range.", style=Style.RATE, width=10),
        Column(name="high", meaning="High end of the 95% range.", style=Style.RATE, width=10),
        Column(name="unit", meaning="Unit of the rate.", width=28),
        Column(
            name="prior_weight",
            meaning="How much of the fitted rate comes from the national figure.",
            style=Style.SHARE,
            width=12,
        ),
        Column(name="evidence", meaning="How well the lists support it.", width=46),
        Column(
            name="dispersion",
            meaning="Brothers and sisters move together: so many events count as one.",
            style=Style.RATE,
            width=11,
        ),
        Column(
            name="effective_occurrences",
            meaning="Formula: occurrences / dispersion.",
            style=Style.NUMBER,
            width=21,
        ),
        Column(
            name="effective_exposure",
            meaning="Formula: exposure / dispersion.",
            style=Style.NUMBER,
            width=18,
        ),
        Column(
            name="prior_events",
            meaning="Events that the national figure is worth.",
            style=Style.NUMBER,
            width=12,
        ),
        Column(
            name="prior_exposure",
            meaning="Exposure that the national figure is worth, in the same unit.",
            style=Style.NUMBER,
            width=14,
        ),
        Column(
            name="correction",
            meaning="Factor for periods that the lists cannot show; 1 is none.",
            style=Style.RATE,
            width=11,
        ),
        Column(
            name="interval_events",
            meaning="Events behind the 95% range.",
            style=Style.NUMBER,
            width=14,
        ),
        Column(
            name="expected_events",
            meaning="Formula: your own rate or the fitted one, times exposure; the rate of the "
            "whole flow adds these up.",
            style=Style.NUMBER,
            width=15,
        ),
        Column(name="source", meaning="Where the national figure comes from.", width=60),
        Column(name="how", meaning="How the fitted rate is worked out.", width=60),
    ),
)
