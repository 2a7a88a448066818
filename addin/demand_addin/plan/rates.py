"""What a run writes to sheet Rates: counts as values, rates as formulas with their results."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping

import pandas as pd

from demand_addin.layout.rates import FORMULAS_OF, HOW, RATES
from demand_addin.ports import Calculated, CellValue, TableCell, TableValues
from demand_model.rates.table import Basis

_DIGITS = 12
"""Significant digits: the formulas must give what the engine used."""


def rates_values(rates: pd.DataFrame, overrides: Mapping[str, float]) -> TableValues:
    """Plan table `rates`, with the analyst's own rates in it; none of these is ever lost.

    Parameters
    ----------
    rates
        From `demand_model.rates_table`.
    overrides
        The analyst's own rates, by ``rate_id``.
    """
    rows = [_row(record, overrides) for record in rates.to_dict("records")]
    known = set(rates["rate_id"])
    rows += [_unused(name, value) for name, value in overrides.items() if name not in known]
    return TableValues(name=RATES.name, columns=RATES.headings, rows=tuple(rows))


def _row(
    record: Mapping[Hashable, object], overrides: Mapping[str, float]
) -> tuple[TableCell, ...]:
    basis = Basis(str(record["basis"]))
    results = {str(name): _cell(value) for name, value in record.items()}
    own = overrides.get(str(record["rate_id"]))
    results |= {"override": own, "how": HOW[basis]} | _worked_out(record, basis, own)
    formulas = FORMULAS_OF[basis]
    return tuple(
        Calculated(formula=formulas[name], result=results.get(name))
        if name in formulas
        else results.get(name)
        for name in RATES.headings
    )


def _worked_out(
    record: Mapping[Hashable, object], basis: Basis, own: float | None
) -> dict[str, CellValue]:
    """Return the results of the formulas that the engine's table does not hold."""
    exposure, occurrences = _number(record["exposure"]), _number(record["occurrences"])
    dispersion = _number(record["dispersion"])
    out: dict[str, CellValue] = {
        "raw_rate": _cell(occurrences / exposure) if exposure > 0.0 else "",
        "effective_occurrences": _cell(occurrences / dispersion),
        "effective_exposure": _cell(exposure / dispersion),
    }
    if basis is Basis.CELL:
        rate = _number(record["fitted_rate"]) if own is None else own
        out["expected_events"] = _cell(rate * exposure)
    if basis not in (Basis.CELL, Basis.ALONE, Basis.WHOLE, Basis.SHARE):
        out |= dict.fromkeys(("effective_occurrences", "effective_exposure"))
    return out


def _unused(rate_id: str, value: float) -> tuple[CellValue, ...]:
    told: dict[str, CellValue] = {
        "rate_id": rate_id,
        "override": value,
        "evidence": "not used: this run has no such rate",
    }
    return tuple(told.get(name) for name in RATES.headings)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _cell(value: object) -> CellValue:
    if isinstance(value, int | float):
        return float(f"{float(value):.{_DIGITS}g}") if math.isfinite(value) else None
    return str(value)
