"""What a reader must know of single levers: why one does nothing here, what another assumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from demand_model.results.lever_list import Lever, LeverSetting
from demand_model.results.lever_runs import LeverContext, Outcome, run_levers
from demand_model.results.lever_words import OUTCOME_WORDS, OutcomeWords
from demand_model.results.placement_need import NEEDS, external_shares
from demand_model.simulation.system_today import with_lists
from demand_model.system.front_door import GREATEST_NFA_SHARE

FloatArray = npt.NDArray[np.float64]

EMPTY_PLACES = (
    "The cost counts children who are placed, not empty places or building: type those as the "
    "lever's own cost a year (sheet Lever choices)."
)
_NEEDS_PLACES = (
    " and enter how many places each group of the authority's own has (column places of sheet "
    "System)"
)


def lever_notes(context: LeverContext, settings: Sequence[LeverSetting]) -> tuple[str, ...]:
    """Say what levers take for granted, of each that does nothing why, what matching rests on.

    Parameters
    ----------
    settings
        Levers that are tried; new places and a guard are tried together as well, which
        takes one more simulation where links from places are on.
    """
    levers = [s.of for s in settings]
    said = [
        *(_assumed(context, setting) for setting in settings),
        *(_guard(context, lever) for lever in levers if lever.is_guard),
        *(_ideal(context, lever) for lever in levers if lever.key == "ideal_caseload"),
        *(_places(context) for lever in levers if lever.places is not None),
        _guarded(context, settings),
        _overfull(context, settings),
        *(_matching(context, setting) for setting in settings if setting.of.is_matched),
    ]
    return tuple(text for text in said if text)


def _assumed(context: LeverContext, setting: LeverSetting) -> str:
    """Say what a lever's effect takes for granted and its name does not say."""
    if setting.lever == "referrals":
        return (
            f"{setting.of.label}: assumes that none of these referrals comes back, and that their "
            "families need nothing else that is modelled."
        )
    if setting.lever == "early_help":
        return (
            f"{setting.of.label}: nothing changes until {setting.waits_months:g} months after its "
            "start (column delay_months of sheet Lever choices, a judgement); its own cost runs "
            "from the start."
        )
    if setting.lever == "nfa_share":
        return _closed_share(context, setting)
    if setting.lever == "workers":
        return (
            f"{setting.of.label}: the whole cost counts their pay (sheet System), so their own "
            "cost should hold only what comes on top."
        )
    return _new_places(context, setting)


def _closed_share(context: LeverContext, setting: LeverSetting) -> str:
    if context.system is None:
        return ""
    given = context.system.inputs.front_door.nfa_share
    listed = with_lists(context.system, context.prepared.common.rates).nfa_share or 0.0
    now = listed if given is None else given
    then = min(now * (1.0 + setting.size), GREATEST_NFA_SHARE)
    return (
        f"{setting.of.label}: the share of referrals closed without action goes from {now:.1%} to "
        f"{then:.1%}; some of those closed come back."
    )


def _new_places(context: LeverContext, setting: LeverSetting) -> str:
    """Say what the saving of new places rests on, and what it leaves out."""
    new, placements = setting.new_places, context.placements
    if new is None or placements is None:
        return ""
    week = {group.name: group.weekly_cost for group in placements.groups}
    return (
        f"The saving of {setting.words}, rests on one assumption: that as many children now in "
        f"{new.filled_from} (£{week.get(new.filled_from, 0.0):,.0f} a week) can live in "
        f"{new.group} (£{week.get(new.group, 0.0):,.0f} a week). {EMPTY_PLACES}"
    )


def _guard(context: LeverContext, lever: Lever) -> str:
    system = context.system
    if system is None or any(link.is_of_free_places for link in system.links):
        return ""
    return (
        f"{lever.label}: no effect here, since no causal link from places to entries to care is "
        "on, so that free places draw nobody in and there is nothing to guard. To see it, say Yes "
        f"beside the loop Free places get filled at the foot of sheet System"
        f"{'' if system.has_places else _NEEDS_PLACES}."
    )


def _ideal(context: LeverContext, lever: Lever) -> str:
    system = context.system
    felt = ("ideal_caseload", "caseload_ratio")
    if system is None:
        return ""
    if any(link.driver in felt for link in system.links):
        return (
            f"{lever.label}: today's caseload then counts as heavier against it, so the links that "
            "are on act more strongly. Workers come only through such links."
        )
    return (
        f"{lever.label}: no effect here, since no causal link from the caseload relative to the "
        "ideal is on (foot of sheet System). It moves the yardstick, not the workers."
    )


def _places(context: LeverContext) -> str:
    if not context.answers_to_places:
        return ""
    return (
        "New places stand free until children have moved in; while they do, the links from places "
        "that are on let more children into care. A guarded threshold takes that away."
    )


def _guarded(context: LeverContext, settings: Sequence[LeverSetting]) -> str:
    """Say what new places do with the threshold guarded, where both are tried."""
    new = next((s for s in settings if s.of.places is not None), None)
    guard = next((s for s in settings if s.of.is_guard), None)
    if new is None or guard is None or not context.answers_to_places:
        return ""
    asked = {"new": (new,), "guard": (guard,), "both": (new, guard)}
    found = run_levers(context, asked)

    def told(outcome: str) -> str:
        words = OUTCOME_WORDS[outcome]
        alone = found["new"][outcome] - found[""][outcome]
        held = found["both"][outcome] - found["guard"][outcome]
        return f"{_ranged(words, alone)}; with the threshold guarded {_ranged(words, held)}"

    said = f"What {new.words} do by {context.at:%d/%m/%Y}: {told('cla_open')}"
    return f"{said}. Their whole cost: {told('net_cost')}." if _has_cost(found) else f"{said}."


def _ranged(words: OutcomeWords, effect: FloatArray) -> str:
    low, high = (words.change(q) for q in np.quantile(effect, (0.1, 0.9)).tolist())
    told = words.told(float(effect.mean()))
    return f"{told} (80% range {low} to {high})" if low != high else told


def _has_cost(found: Mapping[str, Outcome]) -> bool:
    return "net_cost" in found[""]


def _overfull(context: LeverContext, settings: Sequence[LeverSetting]) -> str:
    """Say that own places are never free where more children live in them than there are."""
    is_about_places = any(s.of.is_guard or s.of.places is not None for s in settings)
    if not (context.answers_to_places and is_about_places) or context.system is None:
        return ""
    places, today = context.system.inputs.placements.places, context.today
    if places is None or today is None:
        return ""
    taken = float(today.counts.sum()) * (context.system.placed_share or 0.0)
    added = sum(n.places for s in settings if (n := s.new_places) is not None)
    if taken <= places + added:
        return ""
    return (
        f"More children live in the authority's own places today (about {taken:,.0f}) than sheet "
        f"System has places for ({places:,.0f}{f' and {added:,.0f} new ones' if added else ''}): "
        "none ever stands free, so the links from places do nothing. Check the numbers of places."
    )


def _matching(context: LeverContext, setting: LeverSetting) -> str:
    placements, today, needs = context.placements, context.today, context.needs
    if placements is None or today is None or needs is None:
        return ""
    outside = external_shares(placements, today, needs)
    chosen = {match.need for match in setting.matches}
    share = sum(outside[row] for row, need in enumerate(NEEDS) if need in chosen)
    unknown = (
        " Children whose need is not recorded are taken to be like the others."
        if needs.unknown
        else ""
    )
    return (
        f"Matching by need: about {share:.0%} of entrants are of the needs that are matched and go "
        f"to external placements by today's practice; {setting.size:.0%} of them are matched. The "
        f"table Entrants by need has the counts behind it.{unknown}"
    )
