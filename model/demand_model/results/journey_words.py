"""The journeys in sentences: where children go, how long they wait, what holds them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from demand_model.results.journey_counts import FEWEST_SHOWN, rounded_count

Row = Mapping[str, str | float]
"""A row of one of the tables of `demand_model.results.journeys.Journeys`."""

_ALL = "All"
_FROM_REFERRAL = {
    "No further action": "{n} {are} closed at once with no further action",
    "Child protection plan": "{n} {lead} to a child protection plan",
    "Care": "{n} {lead} to care",
    "Referred again": "{n} {are} followed by another referral first",
    "None of these so far": "{n} {lead} to none of these",
}
_FROM_PLAN = {
    "Care": "{n} {end} with the child in care",
    "Ended, no care": "{n} {end} without care",
    "18th birthday": "{n} {end} at the 18th birthday",
}
_FROM_CARE = {
    "Home": "{n} {go} home",
    "Adoption": "{n} {are} adopted",
    "SGO or CAO": "{n} {leave} to a special guardian or on a child arrangements order",
    "Other reason": "{n} {leave} for another reason",
    "18th birthday": "{n} {leave} at 18",
}
_SMALL = " (the rest are small numbers)"
_PLURAL = {"are": "are", "lead": "lead", "end": "end", "go": "go", "leave": "leave"}
_SINGULAR = {"are": "is", "lead": "leads", "end": "ends", "go": "goes", "leave": "leaves"}
_STAGE_WORDS = {
    "Referral to plan": "the wait from referral to plan",
    "Referral to care": "the time from referral to care",
    "On a plan": "time on a plan",
    "In care": "time in care",
}


def journey_sentences(
    flows: Sequence[Row], stages: Sequence[Row], *, undecided: tuple[int, int] = (0, 0)
) -> tuple[str, ...]:
    """Say what the tables show of everyone; what is withheld or not known is left out.

    Parameters
    ----------
    flows, stages
        Rows of the tables of `demand_model.results.journeys.Journeys`.
    undecided
        Referrals that do not say whether they were closed with no further action, and all.
    """
    everyone = [row for row in flows if row["group"] == _ALL]
    whole = {str(row["stage"]): row for row in stages if row["group"] == _ALL}
    said = (
        _from_referral([row for row in everyone if row["from"] == "Referral"]),
        _undecided(*undecided),
        _again([row for row in flows if row["from"] == "Any referral"]),
        _time_in(whole.get("Referral to plan"), "Of those who go on a plan, half start", "waits"),
        _in_the_end(everyone, "Child protection plan", "Of 100 plans that end", _FROM_PLAN),
        _time_in(whole.get("On a plan"), "Half of plans end", "plan"),
        _in_the_end(everyone, "Care", "Of 100 children who leave care", _FROM_CARE),
        _time_in(whole.get("In care"), "Half of stays in care end", "stay"),
        _held(stages),
        _tail(whole),
    )
    return tuple(sentence for sentence in said if sentence)


def per_100(share: float) -> str:
    """Say a share as so many of 100, with one decimal below 10.

    >>> per_100(0.1234), per_100(0.0123), per_100(0.02)
    ('12', '1.2', '2')
    """
    of_100 = round(100.0 * share, 0 if share >= 0.0995 else 1)
    return f"{of_100:.0f}" if of_100 == int(of_100) else f"{of_100:.1f}"


def _of(row: Row, name: str) -> float:
    return float(row[name])


def _knows(row: Row, *names: str) -> bool:
    return not any(math.isnan(_of(row, name)) for name in names)


def _range(row: Row, name: str) -> str:
    low, high = (per_100(_of(row, f"{name}_{end}")) for end in ("low", "high"))
    return f"(80% range {low} to {high})"


def _said(words: str, share: float) -> str:
    number = per_100(share)
    return words.format(n=number, **(_SINGULAR if number == "1" else _PLURAL))


def _from_referral(rows: Sequence[Row]) -> str:
    for name, months in (("m6", 6), ("m3", 3)):
        known = {str(row["to"]): row for row in rows if _knows(row, name)}
        if not known:
            continue
        parts = []
        for to, row in known.items():
            text = _said(_FROM_REFERRAL[to], _of(row, name))
            parts.append(f"{text} {_range(row, name)}" if to == "Child protection plan" else text)
        counted = _counted(known.get("Child protection plan"), name)
        rest = _SMALL if len(known) < len(rows) else ""
        return f"Of 100 referrals, within {months} months {_listed(parts)}{rest}.{counted}"
    return ""


def _undecided(unknown: int, referrals: int) -> str:
    """Say how many referrals may have been closed at once though they count as not closed."""
    if not unknown:
        return ""
    if unknown < FEWEST_SHOWN:
        many = f"Fewer than {FEWEST_SHOWN}"
    else:
        many = f"About {rounded_count(unknown):,} of {rounded_count(referrals):,}"
    return (
        f"{many} referrals do not say whether they were closed with no further action. They count "
        "as not closed, so the true share closed at once may be higher."
    )


def _counted(plan: Row | None, name: str) -> str:
    """Say what plain counting would have, where it differs."""
    if plan is None or not _knows(plan, "plain"):
        return ""
    plain = per_100(_of(plan, "plain"))
    if plain == per_100(_of(plan, name)):
        return ""
    return (
        f" Plain counting would say {plain} for plans, since late referrals have not had their "
        "time yet."
    )


def _again(rows: Sequence[Row]) -> str:
    known = {str(row["group"]): row for row in rows if row["to"] == "Referred again"}
    everyone = known.get(_ALL)
    if everyone is None or not _knows(everyone, "m3"):
        return ""
    name, months = ("m6", 6) if _knows(everyone, "m6") else ("m3", 3)
    text = (
        f"Of 100 referrals, {per_100(_of(everyone, name))} are followed by another within "
        f"{months} months {_range(everyone, name)}"
    )
    closed = known.get("After no further action")
    if closed is not None and _knows(closed, name):
        text += f"; of 100 closed with no further action, {per_100(_of(closed, name))}"
    return f"{text}."


def _time_in(row: Row | None, opening: str, noun: str) -> str:
    """Say by when half have left, and what the slowest tenth take."""
    if row is None or not _knows(row, "p50"):
        return ""
    text = f"{opening} within {_time(row, 'p50')}"
    text += " of the referral" if noun == "waits" else ""
    if _knows(row, "p90"):
        who = "one in ten waits" if noun == "waits" else f"one {noun} in ten lasts"
        text += f", and {who} longer than {_time(row, 'p90')}"
    return f"{text}."


def _in_the_end(everyone: Sequence[Row], stage: str, opening: str, words: Mapping[str, str]) -> str:
    rows = [row for row in everyone if row["from"] == stage and row["to"] in words]
    known = [row for row in rows if _knows(row, "end") and _of(row, "end") > 0]
    if not known:
        return ""
    parts = [_said(words[str(row["to"])], _of(row, "end")) for row in known]
    parts[0] += f" {_range(known[0], 'end')}"
    rest = _SMALL if len(known) < len(rows) - _noughts(rows) else ""
    return f"{opening}, {_listed(parts)}{rest}."


def _noughts(rows: Sequence[Row]) -> int:
    return sum(_of(row, "end") == 0 for row in rows)


def _held(stages: Sequence[Row]) -> str:
    held = [row for row in stages if _knows(row, "held")]
    whole = {str(row["stage"]): _of(row, "held") for row in held if row["group"] == _ALL}
    if not {"On a plan", "In care"} <= set(whole):
        return ""
    most = max(whole, key=lambda stage: whole[stage])
    where = {"On a plan": "on a plan", "In care": "in care"}
    ages = [row for row in held if row["stage"] == most and row["by"] == "Age at start"]
    text = f"Of 100 child-months on a plan or in care, {per_100(whole[most])} are {where[most]}"
    if ages:
        top = max(ages, key=lambda row: _of(row, "held"))
        began = "went on a plan" if most == "On a plan" else "came into care"
        group = str(top["group"])
        who = "unaccompanied" if group == "UASC" else f"aged {group.lower()}"
        text += (
            f"; children who {began} {who} hold {per_100(_of(top, 'held'))} of them, more than "
            "any other age group"
        )
    return f"{text}."


def _tail(whole: Mapping[str, Row]) -> str:
    known = {s: row for s, row in whole.items() if s in _STAGE_WORDS and _knows(row, "p50", "p90")}
    if not known:
        return ""
    ratio = {stage: _of(row, "p90") / _of(row, "p50") for stage, row in known.items()}
    most = max(ratio, key=lambda stage: ratio[stage])
    row = known[most]
    return (
        f"The longest tail is {_STAGE_WORDS[most]}: the slowest tenth take more than "
        f"{ratio[most]:.1f} times as long as the middle child ({_number(_of(row, 'p90'))} against "
        f"{_number(_of(row, 'p50'))} {row['unit']})."
    )


def _time(row: Row, name: str) -> str:
    """Say a percentile with its unit and interval."""
    text = f"{_number(_of(row, name))} {row['unit']}"
    if not _knows(row, f"{name}_low", f"{name}_high"):
        return text
    low, high = (_number(_of(row, f"{name}_{end}")) for end in ("low", "high"))
    return f"{text} (80% range {low} to {high})"


def _number(value: float) -> str:
    """Whole from 20 up, one decimal below."""
    return f"{value:.0f}" if value >= 19.95 else f"{value:.1f}"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
