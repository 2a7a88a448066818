"""What a scenario does to each flow at each step, before any chance.

For every flow, changes are combined in a fixed order whatever the order of the
rows: multipliers first, then overwrites, then additions. A change that holds for
part of a step counts for that part; a ramp is linear.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt

from demand_model.errors import InvalidSettingError
from demand_model.flows import ALL, CARE_ENDS, Flow
from demand_model.simulation.scenario import (
    Add,
    AddPlaces,
    AddPosts,
    FlowChange,
    Lockdown,
    Multiply,
    MultiplySystem,
    Overwrite,
    PlacesChange,
    Scenario,
    SystemChange,
)
from demand_model.simulation.timeline import Timeline
from demand_model.system.equations import WORKFORCE_TARGETS
from demand_model.units import DAYS_PER_MONTH

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FlowEffect:
    """One flow's changes by step: ``(value * multiplier) * (1 - weight) + target + added``.

    Attributes
    ----------
    multiplier
        Shape (steps,).
    overwrite_weight, overwrite_target
        Share of each step under an overwrite, and that share times its value.
    added_per_month
        Children a month.
    """

    multiplier: FloatArray
    overwrite_weight: FloatArray
    overwrite_target: FloatArray
    added_per_month: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReferralEffect:
    """Changes of ordinary referrals; each array of shape (steps, sources).

    ``value * multiplier * kept + (shared * source's share + own) * share of month``

    Attributes
    ----------
    multiplier
        Of referrals that would come anyway.
    kept
        Share of a step that no overwrite holds.
    shared
        Children a month that overwrites and additions give all sources together:
        divided by each source's share of referrals.
    own
        Children a month that they give to this source.
    """

    multiplier: FloatArray
    kept: FloatArray
    shared: FloatArray
    own: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LockdownEffect:
    """One lockdown by step.

    Attributes
    ----------
    suppressed_share
        Share of each source's referrals that is hidden; shape (steps, sources).
    release
        Share of the lockdown's whole hidden need that leaves it in each step,
        by returning or not; shape (steps,), adding up to 1 where the horizon allows.
    share_returning, severity
        As in `Lockdown`.
    """

    suppressed_share: FloatArray
    release: FloatArray
    share_returning: float
    severity: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacesEffect:
    """The authority's own places by step; each array of shape (steps,) or (steps, draws).

    ``taken = children in care · (share today + moved_share) + moved_in``, at most the places

    Attributes
    ----------
    added
        Places beyond those of the census date.
    moved_in
        Children who have moved into places that were added.
    moved_share
        Share of children in care who live in own places beyond today's share.
    """

    added: FloatArray
    moved_in: FloatArray
    moved_share: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SystemEffect:
    """What a scenario does to the system around the children, by step.

    Attributes
    ----------
    by_target
        Multipliers of what the system works out itself; shape (steps,).
    posts_a_month
        Posts added, FTE a month; shape (steps,).
    places
        Own places added and who moves into them; ``None``: as at the census date.
    """

    by_target: dict[str, FloatArray]
    posts_a_month: FloatArray
    places: PlacesEffect | None = None

    @property
    def acts(self) -> bool:
        """Whether anything changes but places, which act through links alone."""
        return bool(self.by_target) or bool(np.any(self.posts_a_month))

    @property
    def needs_workforce(self) -> bool:
        """Whether a change is one of workers."""
        return bool(np.any(self.posts_a_month)) or any(
            target in WORKFORCE_TARGETS for target in self.by_target
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScenarioEffects:
    """A scenario resolved onto a timeline.

    Attributes
    ----------
    referrals
        Changes of ordinary referrals, by source.
    lockdowns
        In order of their start.
    flows
        All other flows that the scenario changes.
    system
        Changes of the system around the children.
    """

    referrals: ReferralEffect
    lockdowns: tuple[LockdownEffect, ...]
    flows: dict[Flow, FlowEffect]
    system: SystemEffect

    def of(self, flow: Flow, steps: int) -> FlowEffect:
        """Effect on a flow; neutral where the scenario leaves it alone."""
        return self.flows.get(flow, neutral(steps))


def neutral(steps: int) -> FlowEffect:
    """No change."""
    zeros = np.zeros(steps)
    return FlowEffect(
        multiplier=np.ones(steps),
        overwrite_weight=zeros,
        overwrite_target=zeros,
        added_per_month=zeros,
    )


def resolve(scenario: Scenario, line: Timeline, sources: tuple[str, ...]) -> ScenarioEffects:
    """Lay a scenario's changes onto the steps.

    Raises
    ------
    InvalidSettingError
        A change names a source group that does not exist, or a segment for a
        flow that has none.
    """
    _check_segments(scenario, sources)
    lockdowns = sorted(
        (c for c in scenario.changes if isinstance(c, Lockdown)), key=lambda c: c.start
    )
    flows = {flow: _flow_effect(scenario, flow, line) for flow in _changed_flows(scenario)}
    for lock in lockdowns:
        _slow_exits(flows, lock, line)
    return ScenarioEffects(
        referrals=_referral_effect(scenario, lockdowns, line, sources),
        lockdowns=tuple(_lockdown_effect(lock, line, sources) for lock in lockdowns),
        flows=flows,
        system=_system_effect(scenario, line),
    )


def _system_effect(scenario: Scenario, line: Timeline) -> SystemEffect:
    by_target: dict[str, FloatArray] = {}
    posts = np.zeros(line.steps)
    for change in scenario.changes:
        if isinstance(change, MultiplySystem):
            now = by_target.get(change.target, np.ones(line.steps))
            by_target[change.target] = now * _blend(change, line)
        elif isinstance(change, AddPosts):
            begin = line.days_since(change.start)
            close = begin + change.ramp_months * DAYS_PER_MONTH
            reached = np.clip((line.edges - begin) / (close - begin), 0.0, 1.0)
            posts = posts + change.workers * np.diff(reached) / line.step_months
    return SystemEffect(
        by_target=by_target, posts_a_month=posts, places=_places_effect(scenario, line)
    )


def _places_effect(scenario: Scenario, line: Timeline) -> PlacesEffect | None:
    added, moved_in, moved_share = np.zeros((3, line.steps))
    changes = [c for c in scenario.changes if isinstance(c, PlacesChange)]
    for change in changes:
        if isinstance(change, AddPlaces):
            added += change.places * _active(change.start, None, line)
            filled = _come(change.start, None, change.fill_months, line)
            moved_in += change.moved_in * filled
        else:
            at = np.minimum(line.month, len(change.shares) - 1)
            moved_share += np.asarray(change.shares)[at]
    if not changes:
        return None
    return PlacesEffect(added=added, moved_in=moved_in, moved_share=moved_share)


def _referral_effect(
    scenario: Scenario, lockdowns: list[Lockdown], line: Timeline, sources: tuple[str, ...]
) -> ReferralEffect:
    size = (line.steps, len(sources))
    multiplier, kept = np.ones(size), np.ones(size)
    shared, own = np.zeros(size), np.zeros(size)
    mine = [c for c in flow_changes(scenario) if c.flow is Flow.REFERRALS]
    for change in mine:
        if isinstance(change, Multiply):
            multiplier[:, _columns(change.segment, sources)] *= _blend(change, line)[:, None]
    for lock in lockdowns:
        multiplier *= _more_and_after(lock, line, sources)
    for change in mine:
        if isinstance(change, Overwrite):
            columns, weight = _columns(change.segment, sources), _weight(change, line)[:, None]
            for part in (kept, shared, own):
                part[:, columns] *= 1.0 - weight
            target = shared if change.segment == ALL else own
            target[:, columns] += weight * change.value
    for change in mine:
        if isinstance(change, Add):
            target = shared if change.segment == ALL else own
            target[:, _columns(change.segment, sources)] += (
                _weight(change, line)[:, None] * change.per_month
            )
    return ReferralEffect(multiplier=multiplier, kept=kept, shared=shared, own=own)


def _check_segments(scenario: Scenario, sources: tuple[str, ...]) -> None:
    for change in scenario.changes:
        if isinstance(change, SystemChange):
            continue
        named = tuple(change.referrals) if isinstance(change, Lockdown) else (change.segment,)
        flow = Flow.REFERRALS if isinstance(change, Lockdown) else change.flow
        allowed = (ALL, *sources) if flow is Flow.REFERRALS else (ALL,)
        for segment in named:
            if segment not in allowed:
                raise InvalidSettingError(
                    f"Invalid segment in scenario {scenario.name!r}: {segment!r}. For "
                    f"{flow.value} it must be one of: {', '.join(allowed)}."
                )


def _changed_flows(scenario: Scenario) -> set[Flow]:
    return {c.flow for c in flow_changes(scenario) if c.flow is not Flow.REFERRALS}


def flow_changes(scenario: Scenario) -> list[FlowChange]:
    """Changes of one flow each, in their order."""
    return [c for c in scenario.changes if isinstance(c, FlowChange)]


def _columns(segment: str, sources: tuple[str, ...]) -> list[int]:
    return list(range(len(sources))) if segment == ALL else [sources.index(segment)]


def _active(start: date, end: date | None, line: Timeline) -> FloatArray:
    """Share of each step that lies in ``[start, end)``; shape (steps,)."""
    begin = line.days_since(start)
    close = np.inf if end is None else line.days_since(end)
    low = np.maximum(line.edges[:-1], begin)
    high = np.minimum(line.edges[1:], close)
    return np.asarray(np.maximum(high - low, 0.0) / np.diff(line.edges))


def _weight(change: FlowChange | MultiplySystem, line: Timeline) -> FloatArray:
    """How far a change has come at each step: 0 before, 1 once its ramp is done."""
    return _come(change.start, change.end, change.ramp_months, line)


def _come(start: date, end: date | None, ramp_months: float, line: Timeline) -> FloatArray:
    active = _active(start, end, line)
    if ramp_months == 0:
        return active
    since = line.middle_months - line.days_since(start) / DAYS_PER_MONTH
    return np.asarray(active * np.clip(since / ramp_months, 0.0, 1.0))


def _blend(change: Multiply | MultiplySystem, line: Timeline) -> FloatArray:
    return np.asarray(1.0 + (change.factor - 1.0) * _weight(change, line))


def _flow_effect(scenario: Scenario, flow: Flow, line: Timeline) -> FlowEffect:
    multiplier, added = np.ones(line.steps), np.zeros(line.steps)
    keep, target = np.ones(line.steps), np.zeros(line.steps)
    for change in flow_changes(scenario):
        if change.flow is not flow:
            continue
        if isinstance(change, Multiply):
            multiplier = multiplier * _blend(change, line)
        elif isinstance(change, Add):
            added = added + _weight(change, line) * change.per_month
        else:
            weight = _weight(change, line)
            keep = keep * (1.0 - weight)
            target = target * (1.0 - weight) + weight * change.value
    return FlowEffect(
        multiplier=multiplier,
        overwrite_weight=1.0 - keep,
        overwrite_target=target,
        added_per_month=added,
    )


def _slow_exits(flows: dict[Flow, FlowEffect], lock: Lockdown, line: Timeline) -> None:
    active = _active(lock.start, lock.end, line)
    for flow, factor in [
        (Flow.PLAN_ENDS, lock.plan_ends),
        *[(f, lock.care_ends) for f in CARE_ENDS],
    ]:
        if factor != 1.0:
            now = flows.get(flow, neutral(line.steps))
            slowed = now.multiplier * (1.0 + (factor - 1.0) * active)
            flows[flow] = replace(now, multiplier=slowed)


def _more_and_after(lock: Lockdown, line: Timeline, sources: tuple[str, ...]) -> FloatArray:
    """Raise sources that rise during a lockdown; apply its new normal after; (steps, sources)."""
    rest = lock.referrals.get(ALL, 1.0)
    rise = np.array([max(lock.referrals.get(source, rest), 1.0) for source in sources])
    during = _active(lock.start, lock.end, line)[:, None]
    after = _active(lock.end, None, line)[:, None]
    return np.asarray((1.0 + (rise - 1.0) * during) * (1.0 + (lock.new_normal - 1.0) * after))


def _lockdown_effect(lock: Lockdown, line: Timeline, sources: tuple[str, ...]) -> LockdownEffect:
    rest = lock.referrals.get(ALL, 1.0)
    left = np.array([lock.referrals.get(source, rest) for source in sources])
    active = _active(lock.start, lock.end, line)
    begin = line.days_since(lock.end) + lock.return_delay_months * DAYS_PER_MONTH
    close = begin + max(lock.return_spread_months * DAYS_PER_MONTH, 1e-6)
    reached = np.clip((line.edges - begin) / (close - begin), 0.0, 1.0)
    return LockdownEffect(
        suppressed_share=active[:, None] * np.maximum(1.0 - left, 0.0),
        release=np.diff(reached),
        share_returning=lock.share_returning,
        severity=lock.severity,
    )
