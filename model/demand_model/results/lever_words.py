"""Outcomes of levers in words: names, units, values and changes for sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeWords:
    """An outcome for readers.

    Attributes
    ----------
    label
        What it is.
    unit
        What changes of it are told in.
    scale
        A change in `unit` is `scale` times the outcome's own.
    pattern
        Of the value itself.
    decimals
        Of a change in `unit`.
    prefix
        Stands before the number of a change, after its sign.
    """

    label: str
    unit: str
    pattern: str
    scale: float = 1.0
    decimals: int = 1
    prefix: str = ""

    def value(self, value: float) -> str:
        """The value for a sentence."""
        return self.pattern.format(value)

    def change(self, change: float) -> str:
        """A change with its sign, without its unit.

        >>> OUTCOME_WORDS["external_share"].change(-0.0123)
        '−1.2'
        """
        shown = round(change * self.scale, self.decimals)
        if shown == 0.0:
            return "0"
        return f"{'+' if shown > 0 else '−'}{self.prefix}{abs(shown):,.{self.decimals}f}"

    def told(self, change: float) -> str:
        """A change with its sign and unit.

        >>> OUTCOME_WORDS["net_cost"].told(1_204_600.0)
        '+£1,205 thousand'
        """
        return f"{self.change(change)} {self.unit.removeprefix(self.prefix).strip()}"


OUTCOME_WORDS: Mapping[str, OutcomeWords] = {
    "cla_open": OutcomeWords(label="Children in care", unit="children", pattern="{:,.0f}"),
    "cp_open": OutcomeWords(
        label="Children on protection plans", unit="children", pattern="{:,.0f}"
    ),
    "cin_open": OutcomeWords(
        label="Children in need (no plan, not in care)", unit="children", pattern="{:,.0f}"
    ),
    "referrals": OutcomeWords(
        label="Referrals in the twelve months", unit="referrals", pattern="{:,.0f}", decimals=0
    ),
    "caseload": OutcomeWords(
        label="Cases per worker", unit="cases a worker", pattern="{:,.1f}", decimals=2
    ),
    "workers": OutcomeWords(label="Social workers", unit="workers (FTE)", pattern="{:,.0f}"),
    "external_share": OutcomeWords(
        label="Share in external placements",
        unit="percentage points",
        pattern="{:.1%}",
        scale=100.0,
    ),
    "placement_cost": OutcomeWords(
        label="Cost of placements to then",
        unit="£ thousand",
        pattern="£{:,.0f}",
        scale=1e-3,
        decimals=0,
        prefix="£",
    ),
    "net_cost": OutcomeWords(
        label="Whole cost to then",
        unit="£ thousand",
        pattern="£{:,.0f}",
        scale=1e-3,
        decimals=0,
        prefix="£",
    ),
}
"""By name of `lever_runs.OUTCOMES`, in the same order."""
