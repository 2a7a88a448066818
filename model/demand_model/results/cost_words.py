"""Costs in sentences that a head of service can read out."""

from __future__ import annotations

import numpy as np

from demand_model.flows import ALL
from demand_model.results.cost_years import FinancialYear
from demand_model.results.costs import Costs
from demand_model.simulation.scenario import BASELINE

_MOST_SCENARIOS = 3
_SMALL = 50_000.0
"""£; a difference below this is not worth a sentence of its own."""


def money(pounds: float) -> str:
    """Return an amount in words: millions with one decimal, else thousands.

    >>> money(24_132_000), money(-461_200), money(310)
    ('£24.1m', '−£460,000', '£310')
    """
    sign, size = ("−" if pounds < 0 else ""), abs(pounds)
    if size >= 999_500:
        return f"{sign}£{size / 1e6:,.1f}m"
    if size >= 1_000:
        return f"{sign}£{round(size, -4 if size >= 100_000 else -3):,.0f}"
    return f"{sign}£{size:,.0f}"


def year_words(year: FinancialYear) -> str:
    """Return a financial year in words; of a part, its months."""
    if year.is_whole:
        return f"in {year.name}"
    first, last = year.first_day, year.last_day
    opens = f"{first:%B}" if first.day == 1 else f"{first.day} {first:%B}"
    return f"from {opens} to {last:%B %Y} (part of {year.name})"


def cost_sentences(costs: Costs) -> tuple[str, ...]:
    """Sentences, most important first: the baseline's years, where the money goes, scenarios.

    Scenarios stand in the order of their effect on the cost of the last whole year
    (or of the last part of one).
    """
    scenarios = list(dict.fromkeys(costs.by_year["scenario"]))
    first = BASELINE.name if BASELINE.name in scenarios else scenarios[0]
    years = [year for year in costs.years if year.is_whole] or list(costs.years[-1:])
    sentences = [_year_sentence(costs, first, year) for year in years[:2]]
    sentences.append(_where_it_goes(costs, first, years[0]))
    others = [name for name in scenarios if name != first]
    return (*(s for s in sentences if s), *_against(costs, first, others, years[-1]))


def _year_sentence(costs: Costs, scenario: str, year: FinancialYear) -> str:
    draws = costs.draws[scenario, year.name, ALL]
    low, high = np.quantile(draws, (0.1, 0.9))
    ending = " if nothing changes" if scenario == BASELINE.name else f" under {scenario}"
    return (
        f"Placements cost {money(float(draws.mean()))} {year_words(year)} (80% between "
        f"{money(float(low))} and {money(float(high))}){ending}."
    )


def _where_it_goes(costs: Costs, scenario: str, year: FinancialYear) -> str:
    """Name the group that costs most, with its share of children and of the cost."""
    total = float(costs.draws[scenario, year.name, ALL].mean())
    children = float(costs.today["children"].sum())
    if total <= 0.0 or children <= 0.0:
        return ""
    mean = {
        str(name): float(costs.draws[scenario, year.name, str(name)].mean())
        for name in costs.today["placement_group"]
    }
    dearest = max(mean, key=lambda name: mean[name])
    today = dict(zip(costs.today["placement_group"], costs.today["children"], strict=True))
    return (
        f"{dearest.capitalize()}: {float(today[dearest]) / children:.0%} of children today, "
        f"{mean[dearest] / total:.0%} of the cost {year_words(year)}."
    )


def _against(costs: Costs, first: str, others: list[str], year: FinancialYear) -> tuple[str, ...]:
    base = costs.draws[first, year.name, ALL]
    found = []
    for name in others:
        difference = costs.draws[name, year.name, ALL] - base
        mean = float(difference.mean())
        if abs(mean) < _SMALL:
            continue
        low, high = np.quantile(difference, (0.1, 0.9))
        word = "more" if mean > 0 else "less"
        ends = sorted((abs(float(low)), abs(float(high))))
        if money(ends[0]) == money(ends[1]) and float(low) * float(high) > 0.0:
            spread = "in every simulated future"
        elif float(low) < 0.0 < float(high):
            spread = f"80% between {money(-float(low))} less and {money(float(high))} more"
        else:
            spread = f"80% between {money(ends[0])} and {money(ends[1])} {word}"
        sentence = f"{name}: {money(abs(mean))} {word} than {first} {year_words(year)} ({spread})."
        found.append((abs(mean), sentence))
    found.sort(key=lambda item: -item[0])
    return tuple(sentence for _, sentence in found[:_MOST_SCENARIOS])
