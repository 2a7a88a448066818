"""What levers come to, in plain words: the best, one against all exits, side effects, loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from demand_model.results.lever_list import ALL_EXITS, LeverSetting
from demand_model.results.lever_loops import ALL_LOOPS
from demand_model.results.lever_words import OUTCOME_WORDS
from demand_model.results.levers import TOGETHER, LeverEffects
from demand_model.simulation.scenario import BASELINE

CAUTION = (
    "Fewer children in care is not in itself a better outcome: the effects on children are not "
    "modelled. That a lever does what it is set to do is assumed, not forecast."
)
LOOPS_OFF = (
    "No feedback loop is on, so levers act as if workload, thresholds and free places did not "
    "answer. To see what loops do, say Yes in column on of the table of causal links at the foot "
    "of sheet System."
)
_TO_SEE_LOOPS = (
    " Loops answer to change, and what drives them hardly changes there. To see them at work, lay "
    "the levers on another scenario, such as one with more referrals (sheet Lever choices, "
    "Scenario that the levers are laid upon), or type references of your own on sheet System."
)
_SURE = 0.9
_MOST_WATCHED = 3
_WORTH = 0.01
"""A rise of less than this share of what there is without the lever is not worth a warning."""
FEW_LEVERS = 5
"""Up to so many get a sentence each."""
_SIDE = ("cla_open", "cp_open", "cin_open", "referrals", "caseload", "external_share", "net_cost")
_SIDE_WORDS = {
    "cla_open": "children in care",
    "cp_open": "children on plans",
    "cin_open": "children in need",
    "referrals": "referrals a year",
    "caseload": "cases a worker",
    "external_share": "points of share in external placements",
    "net_cost": "thousand of whole cost",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A lever's effect on one outcome."""

    lever: str
    without: float
    effect: float
    low: float
    high: float
    with_lever: float
    lower: float


def lever_names(settings: Sequence[LeverSetting]) -> dict[str, str]:
    """Each lever and how much of it, by key; all together by `TOGETHER`."""
    names = {s.lever: s.words for s in settings}
    return {**names, TOGETHER: "all levers together"}


def lever_sentences(
    found: LeverEffects, settings: Sequence[LeverSetting], comparisons: Sequence[LeverSetting] = ()
) -> tuple[str, ...]:
    """Say what matters most; of few levers, what each does.

    Every change has its 80% range in brackets.

    Parameters
    ----------
    settings, comparisons
        As given to `levers`.
    """
    names = lever_names((*settings, *comparisons))
    headline = {row.lever: row for row in _rows(found.effects, found.headline)}
    singles = [headline[s.lever] for s in settings]
    singles.sort(key=lambda row: row.effect)
    said = [_best(found, names, singles)]
    best = singles[0]
    by_key = {s.lever: s for s in settings}
    if 1 < len(settings) <= FEW_LEVERS:
        said += [_of_lever(found, by_key[row.lever], row) for row in singles]
    if best.effect < 0.0 and ALL_EXITS in headline and headline[ALL_EXITS].effect < 0.0:
        said.append(_against_exits(found, names[best.lever], best, headline[ALL_EXITS]))
    if TOGETHER in headline:
        row = headline[TOGETHER]
        said.append(
            f"All {len(settings)} levers together: {_change(found.headline, row)}, from "
            f"{_value(found.headline, row.without)} to {_value(found.headline, row.with_lever)}"
            f"{_also(found, TOGETHER)}."
        )
    if best.effect < 0.0 and not 1 < len(settings) <= FEW_LEVERS:
        said.append(
            f"What else {names[best.lever]} {_does(by_key[best.lever])}: "
            f"{_sides(found, best.lever) or 'nothing that is modelled'}."
        )
    watched = _watch(found, names)
    return (*said, *((watched,) if watched else ()))


def loop_sentences(loops: pd.DataFrame, at: date, base: str = BASELINE.name) -> tuple[str, ...]:
    """Say which behaviour does most, that none moves anything here, or that none is on.

    Parameters
    ----------
    loops
        From `demand_model.results.lever_loops.loop_effects`.
    base
        Scenario that was simulated.
    """
    if loops.empty:
        return (LOOPS_OFF,)
    alone = loops[loops["loop"] != ALL_LOOPS]
    said, still = [], []
    for outcome in ("cla_open", "caseload"):
        mine = _rows(alone.rename(columns={"loop": "lever"}), outcome)
        if not mine:
            continue
        words = OUTCOME_WORDS[outcome]
        moving = [row for row in mine if _is_noticed(outcome, row)]
        if not moving:
            still.append(_lower(words.label))
            continue
        most = max(moving, key=lambda row: abs(row.effect))
        said.append(
            f"Of the feedback loops that are on, {most.lever} does most to "
            f"{_lower(words.label)}: without it, on {at:%d/%m/%Y}, "
            f"{words.told(most.effect)} (80% range {words.change(most.low)} to "
            f"{words.change(most.high)})."
        )
    if still:
        said.append(
            f"None of the feedback loops that are on moves {' or '.join(still)} noticeably by "
            f"{at:%d/%m/%Y} under {base}.{'' if said else _TO_SEE_LOOPS}"
        )
    return tuple(said)


def _is_noticed(outcome: str, row: _Row) -> bool:
    """A loop's effect is shown, and large beside what there is or surely on one side of none."""
    if OUTCOME_WORDS[outcome].change(row.effect) == "0":
        return False
    return abs(row.effect) >= _WORTH * abs(row.without) or row.low > 0.0 or row.high < 0.0


def _rows(frame: pd.DataFrame, outcome: str) -> list[_Row]:
    mine = frame[frame["outcome"] == outcome]
    reached = mine["with"] if "knocked_out" not in mine else mine["knocked_out"]
    without = mine["without"] if "without" in mine else mine["with"]
    lower = mine["share_lower"] if "share_lower" in mine else mine["effect"]
    columns = (without, mine["effect"], mine["p10"], mine["p90"], reached, lower)
    return [
        _Row(
            lever=str(lever),
            without=float(base),
            effect=float(effect),
            low=float(low),
            high=float(high),
            with_lever=float(end),
            lower=float(share),
        )
        for lever, base, effect, low, high, end, share in zip(mine["lever"], *columns, strict=True)
    ]


def _best(found: LeverEffects, names: Mapping[str, str], singles: Sequence[_Row]) -> str:
    outcome, best = found.headline, singles[0]
    label = _lower(OUTCOME_WORDS[outcome].label)
    when = f"by {found.at:%d/%m/%Y}"
    if best.effect >= 0.0:
        return f"None of the levers lowers {label} {when}."
    said = (
        f"What lowers {label} most {when} is {names[best.lever]}: {_change(outcome, best)}, from "
        f"{_value(outcome, best.without)} to {_value(outcome, best.with_lever)}."
    )
    if len(singles) == 1 or singles[1].effect >= 0.0:
        return said
    second = singles[1]
    share = _beats(found, best.lever, second.lever)
    return (
        f"{said} Next is {names[second.lever]}, {_with_range(outcome, second)}; the first does "
        f"more in {share:.0%} of the simulated futures."
    )


def _against_exits(found: LeverEffects, name: str, best: _Row, exits: _Row) -> str:
    share = _beats(found, best.lever, ALL_EXITS)
    return (
        f"One lever alone against all exits together: {name} does {best.effect / exits.effect:.0%} "
        f"of what every way out of plans and care together does, "
        f"{_with_range(found.headline, best)} against {_with_range(found.headline, exits)}, and "
        f"more than they do in {share:.0%} of the simulated futures."
    )


def _of_lever(found: LeverEffects, setting: LeverSetting, row: _Row) -> str:
    """One lever, its effect on the headline and on all else."""
    outcome = found.headline
    words = OUTCOME_WORDS[outcome]
    name = f"{setting.words[0].upper()}{setting.words[1:]}{_assuming(setting)}"
    if row.effect == row.low == row.high == 0.0:
        return f"{name}: no change in {_lower(words.label)}{_also(found, setting.lever)}."
    if outcome in _SIDE_WORDS:
        own = _with_range(outcome, row, _SIDE_WORDS[outcome])
    else:
        own = f"{_lower(words.label)} {_change(outcome, row)}"
    reached = f"from {words.value(row.without)} to {words.value(row.with_lever)}"
    return f"{name}: {own}, {reached}{_also(found, setting.lever)}."


def _assuming(setting: LeverSetting) -> str:
    """What the name of a lever does not say of what is taken for granted."""
    new = setting.new_places
    if new is not None:
        unpaid = "" if setting.cost_a_year else "; building and empty places are not costed"
        return f" (if as many children now in {new.filled_from} can live there{unpaid})"
    return " (none comes back)" if setting.lever == "referrals" else ""


def _does(setting: LeverSetting) -> str:
    return "do" if setting.new_places is not None and setting.size != 1.0 else "does"


def _also(found: LeverEffects, lever: str) -> str:
    sides = _sides(found, lever)
    return f"; also {sides}" if sides else ""


def _sides(found: LeverEffects, lever: str) -> str:
    """What else changes, each with its range."""
    parts = []
    for outcome in _SIDE:
        row = next((r for r in _rows(found.effects, outcome) if r.lever == lever), None)
        if row is None or outcome == found.headline:
            continue
        if OUTCOME_WORDS[outcome].change(row.effect) != "0":
            parts.append(_with_range(outcome, row, _SIDE_WORDS[outcome]))
    return ", ".join(parts)


def _watch(found: LeverEffects, names: Mapping[str, str]) -> str:
    """Levers that make something else rise, whatever chance brings."""
    rising = []
    for outcome in _SIDE:
        for row in _rows(found.effects, outcome):
            shown = OUTCOME_WORDS[outcome].change(row.effect)
            is_sure = row.low > 0.0 or (row.effect > 0.0 and row.lower < 1.0 - _SURE)
            relative = row.effect / abs(row.without) if row.without else 0.0
            is_sure = is_sure and relative > _WORTH
            if is_sure and shown.startswith("+") and row.lever not in (TOGETHER, ALL_EXITS):
                text = f"{names[row.lever]}: {_with_range(outcome, row, _SIDE_WORDS[outcome])}"
                rising.append((relative, text))
    rising.sort(key=lambda pair: -pair[0])
    listed = "; ".join(text for _, text in rising[:_MOST_WATCHED])
    return f"Side effects to watch, where something rises: {listed}." if listed else ""


def _beats(found: LeverEffects, one: str, two: str) -> float:
    table = found.beats
    mine = table[(table["lever"] == one) & (table["beaten"] == two)]
    return float(mine["share"].iloc[0])


def _change(outcome: str, row: _Row) -> str:
    words = OUTCOME_WORDS[outcome]
    low, high = words.change(row.low), words.change(row.high)
    held = f"80% range {low} to {high}" if low != high else "the same in every future"
    return f"{words.told(row.effect)} ({held})"


def _with_range(outcome: str, row: _Row, what: str = "") -> str:
    """A change and its 80% range: "−3.1 children on plans (−5.0 to −1.2)"."""
    words = OUTCOME_WORDS[outcome]
    change, low, high = (words.change(x) for x in (row.effect, row.low, row.high))
    told = f"{change} {what}".strip()
    return f"{told} ({low} to {high})" if low != high else f"{told} (the same in every future)"


def _value(outcome: str, value: float) -> str:
    return OUTCOME_WORDS[outcome].value(value)


def _lower(label: str) -> str:
    return f"{label[0].lower()}{label[1:]}"
