"""Children in care by kind of placement, month by month, in every draw.

Children in care by age come from the simulation; where they live is worked out here,
so that the groups add up to the children in care exactly, in every draw and month::

    by today's mix of their age    children[s] · mix[s]
    + deviation                    what entrants with a mix of their own, and moves, add
    + new places                   filled from another group, at once or over some months
    + overflow                     those for whom a group with a limit has no place

The deviation of an age group adds up to nought over groups. It grows by entrants
whose mix was entered, and by moves; it grows up with the children, and leaves care
with them (leaving does not depend on the placement). With neither, each age keeps
today's mix. In a first month that had begun by the census date, children move and grow
up for what was left of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.errors import InvalidSettingError
from demand_model.exposure.bands import AGE_BANDS, CARE_SEGMENTS
from demand_model.flows import ALL
from demand_model.results.cost_years import days_to_come
from demand_model.results.placement_mix import PlacementsToday, kind_of
from demand_model.simulation.mixture import MIXTURE, lives
from demand_model.simulation.trajectories import Trajectories
from demand_model.system.inputs import PlacementGroup, Placements
from demand_model.units import DAYS_PER_MONTH, MONTHS_PER_YEAR

FloatArray = npt.NDArray[np.float64]

_GROWN_UP = tuple(
    0.0 if np.isinf(upper) else 1.0 / (MONTHS_PER_YEAR * (upper - lower))
    for lower, upper in zip(AGE_BANDS.lower, AGE_BANDS.upper, strict=True)
)
"""Share of an age group's children who pass into the next in a month, ages spread evenly."""
_TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlaces:
    """Places that are added, and filled by children from another group.

    Attributes
    ----------
    group
        Group that gains places.
    places
        How many; fewer are filled where the other group has fewer children.
    filled_from
        Group that the children come from.
    start
        First day; counts from the first month of which it is not past the middle.
    scenario
        Name of the scenario that has them; empty: all.
    fill_months
        Months over which the children move in, evenly; 0: at once.

    Raises
    ------
    InvalidSettingError
        A negative number of places or months, or a group filled from itself.
    """

    group: str
    places: float
    filled_from: str
    start: date
    scenario: str = ""
    fill_months: float = 0.0

    def __post_init__(self) -> None:
        for what, value in (("places", self.places), ("months until filled", self.fill_months)):
            if not 0.0 <= value < np.inf:
                raise InvalidSettingError(f"Invalid {what}: {value}. It must be 0 or more.")
        if self.group == self.filled_from:
            raise InvalidSettingError(
                f"Invalid new places: {self.group} filled from itself. Name another group."
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LaterPractice:
    """Another mix of entrants and other moves, from some month on.

    Attributes
    ----------
    placements
        With the mix and moves that are come to.
    share
        How far they have come in, 0 to 1, by month; shape (months,).
    """

    placements: Placements
    share: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacementPaths:
    """Children by placement group under one scenario.

    Attributes
    ----------
    scenario
        Name.
    months
        As in `Trajectories`.
    groups
        In the order of the arrays.
    today
        At the census date, as the lists have it; shape (groups,).
    children
        At each month's end; shape (months, groups, draws).
    without_place
        Children whom a group with a limit passed on; shape (months, groups, draws).
    """

    scenario: str
    months: pd.PeriodIndex
    groups: tuple[PlacementGroup, ...]
    today: FloatArray
    children: FloatArray
    without_place: FloatArray

    @property
    def total(self) -> FloatArray:
        """Children in care; shape (months, draws)."""
        return np.asarray(self.children.sum(axis=1))

    @property
    def external_share(self) -> FloatArray:
        """Share of children in groups that are bought from others; shape (months, draws)."""
        external = [not group.is_internal for group in self.groups]
        total = self.total
        found = self.children[:, external].sum(axis=1)
        return np.asarray(np.divide(found, total, out=np.zeros_like(total), where=total > 0.0))


def mixed_places(
    paths: Sequence[PlacementPaths],
    odds: Mapping[str, float],
    *,
    name: str = MIXTURE,
    seed: int = 0,
) -> PlacementPaths:
    """Where children live in a mixture of scenarios: each draw as in the one it lives through.

    Parameters
    ----------
    paths
        Of the scenarios, from `place_children`.
    odds, name, seed
        As for `mixture`.
    """
    lived = lives(odds, paths[0].children.shape[-1], seed)
    by_name = {path.scenario: path for path in paths}
    parts = [by_name[scenario] for scenario in lived.scenarios]
    return replace(
        parts[0],
        scenario=name,
        children=lived.taken([path.children for path in parts]),
        without_place=lived.taken([path.without_place for path in parts]),
    )


def with_placements(trajectories: Trajectories, paths: PlacementPaths) -> Trajectories:
    """Add children in care by kind of placement to a scenario's measures.

    Kinds are those of the lists (`annex_a.codes.PLACEMENT_GROUPS`), so that the past stands
    beside them: the authority's own and others' places of a kind are added up; a group
    that the analyst entered keeps its name.
    """
    by_kind: dict[str, FloatArray] = {}
    for number, group in enumerate(paths.groups):
        kind = kind_of(group.name)
        children = paths.children[:, number]
        by_kind[kind] = by_kind[kind] + children if kind in by_kind else children
    measures = {("cla_open", kind): children for kind, children in by_kind.items()}
    return replace(trajectories, measures={**trajectories.measures, **measures})


def place_children(
    trajectories: Trajectories,
    today: PlacementsToday,
    placements: Placements,
    *,
    new_places: Sequence[NewPlaces] = (),
    later: Sequence[LaterPractice] = (),
) -> PlacementPaths:
    """Spread the children in care of every draw and month over the placement groups.

    Parameters
    ----------
    trajectories
        One scenario, from `demand_model.simulate`.
    today
        From `placements_today`, with the same groups.
    placements
        Mix of entrants, moves, places, overflow.
    new_places
        Those of other scenarios are left out.
    later
        Changes of the entrants' mix and of moves that begin on a day of their own.

    Raises
    ------
    InvalidSettingError
        The groups are not those of `today`, more than all children of a group move
        in a month, or new places name an unknown group.
    """
    names = tuple(group.name for group in placements.groups)
    if names != today.groups:
        raise InvalidSettingError(
            "Invalid placement groups: they differ from those that today's children were counted "
            "in. Count them again."
        )
    practice = [_Practice.of(placements, placements, today, None)]
    practice += [_Practice.of(one.placements, placements, today, one.share) for one in later]
    by_age = np.stack([trajectories.measures["cla_open", s] for s in CARE_SEGMENTS], axis=1)
    children = today.mix.T @ by_age
    if any(one.acts for one in practice):
        entrants = _entrants(trajectories, today)
        months = trajectories.months
        lengths = days_to_come(months, today.census_date) / months.days_in_month.to_numpy(float)
        children = children + _deviation(by_age, entrants, today, practice, lengths)
        children = _not_below_nought(children, by_age.sum(axis=1))
    mine = [n for n in new_places if n.scenario in ("", trajectories.scenario.name)]
    added = _fill_new_places(children, mine, names, trajectories.months)
    without_place = _overflow(children, placements, names, added)
    return PlacementPaths(
        scenario=trajectories.scenario.name,
        months=trajectories.months,
        groups=placements.groups,
        today=today.counts.sum(axis=0),
        children=children,
        without_place=without_place,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Practice:
    """Entrants' mix less today's, and moves; of a later one, less those it begins from."""

    own: FloatArray
    moves: FloatArray
    share: FloatArray | None

    @classmethod
    def of(
        cls,
        placements: Placements,
        base: Placements,
        today: PlacementsToday,
        share: FloatArray | None,
    ) -> _Practice:
        own = _own_mix_less_todays(placements, today)
        moves = _move_matrix(placements, today.groups)
        if share is not None:
            own = own - _own_mix_less_todays(base, today)
            moves = moves - _move_matrix(base, today.groups)
        return cls(own=own, moves=moves, share=share)

    @property
    def acts(self) -> bool:
        return bool(np.any(self.own) or np.any(self.moves))

    def at(self, month: int) -> float:
        return 1.0 if self.share is None else float(self.share[month])


def _move_matrix(placements: Placements, names: tuple[str, ...]) -> FloatArray:
    """Shares moving a month; shape (from, to). What leaves one group enters another."""
    matrix = np.zeros((len(names), len(names)))
    for (start, end), share in placements.moves.items():
        if start != end:
            matrix[names.index(start), names.index(end)] += share
    leaving = matrix.sum(axis=1)
    if np.any(leaving > 1.0 + 1e-9):
        name = names[int(leaving.argmax())]
        raise InvalidSettingError(
            f"Invalid moves from {name}: {leaving.max():.0%} of its children a month. "
            "Together they must be 100% or less."
        )
    return np.asarray(matrix - np.diag(leaving))


def _entrants(trajectories: Trajectories, today: PlacementsToday) -> FloatArray:
    """Children coming into care by segment; shape (months, segments, draws)."""
    starts = trajectories.measures["cla_starts", ALL].copy()
    starts[0] -= trajectories.observed.get(("cla_starts", ALL), 0.0)
    return np.asarray(today.entrant_share[:, None] * starts[:, None, :])


def _deviation(
    by_age: FloatArray,
    entrants: FloatArray,
    today: PlacementsToday,
    practice: Sequence[_Practice],
    lengths: FloatArray,
) -> FloatArray:
    """What entrants' own mixes and moves add to today's mix; shape (months, groups, draws).

    Parameters
    ----------
    lengths
        Share of each month that is simulated; shape (months,).
    """
    months, segments, draws = by_age.shape
    grown = np.array([*_GROWN_UP, 0.0])  # the last: UASC
    before = np.broadcast_to(today.counts.sum(axis=1)[:, None], (segments, draws))
    state = np.zeros((segments, len(today.groups), draws))
    out = np.zeros((months, len(today.groups), draws))
    for month in range(months):
        own = np.asarray(sum(one.own * one.at(month) for one in practice))
        moves = np.asarray(sum(one.moves * one.at(month) for one in practice)) * lengths[month]
        ageing = grown * lengths[month]
        state = _older(state, ageing) + own[:, :, None] * entrants[month][:, None, :]
        expected = _older(before, ageing) + entrants[month]
        staying = np.minimum(by_age[month] / np.maximum(expected, _TINY), 1.0)
        state *= staying[:, None, :]
        placed = by_age[month][:, None, :] * today.mix[:, :, None] + state
        state = state + np.einsum("gh,sgd->shd", moves, np.maximum(placed, 0.0))
        out[month], before = state.sum(axis=0), by_age[month]
    return out


def _own_mix_less_todays(placements: Placements, today: PlacementsToday) -> FloatArray:
    """Entrants' mix less today's, nought where none was entered; shape (segments, groups)."""
    out = np.zeros_like(today.mix)
    for number, segment in enumerate(CARE_SEGMENTS):
        shares = placements.mix.get(segment)
        if shares is not None:
            out[number] = [shares.get(name, 0.0) for name in today.groups]
            out[number] -= today.mix[number]
    return out


def _older(by_segment: FloatArray, grown: FloatArray) -> FloatArray:
    """Let a month pass: a share of each age group passes into the next one up."""
    share = grown.reshape(-1, *([1] * (by_segment.ndim - 1)))
    passing = by_segment * share
    out = by_segment - passing
    out[1:] += passing[:-1]
    return np.asarray(out)


def _not_below_nought(children: FloatArray, total: FloatArray) -> FloatArray:
    """Set groups below nought to nought and scale the rest: the total stays.

    A deviation is carried from one age to the next, whose mix may have fewer
    children in the group that it takes from.
    """
    above = np.maximum(children, 0.0)
    found = above.sum(axis=1)
    factor = np.divide(total, found, out=np.ones_like(total), where=found > 0.0)
    return np.asarray(above * factor[:, None, :])


def _fill_new_places(
    children: FloatArray,
    new_places: Sequence[NewPlaces],
    names: tuple[str, ...],
    months: pd.PeriodIndex,
) -> FloatArray:
    """Move children into new places, in place; places added, shape (months, groups)."""
    added = np.zeros((len(months), len(names)))
    for new in new_places:
        for name in (new.group, new.filled_from):
            if name not in names:
                raise InvalidSettingError(
                    f"Invalid placement group of new places: {name}. It must be one of: "
                    f"{', '.join(names)}."
                )
        group, source = names.index(new.group), names.index(new.filled_from)
        open_ = np.array([month.to_timestamp().date().replace(day=15) for month in months])
        there = np.flatnonzero(open_ >= new.start)
        filled = new.places * _filled(new, months[there])
        moved = np.minimum(children[there, source], filled[:, None])
        children[there, source] -= moved
        children[there, group] += moved
        added[there, group] += new.places
    return added


def _filled(new: NewPlaces, months: pd.PeriodIndex) -> FloatArray:
    """Share of new places that children have moved into by each month's end."""
    if new.fill_months == 0.0:
        return np.ones(len(months))
    ends = np.array([(m.end_time.date() - new.start).days + 1 for m in months], dtype=float)
    return np.asarray(np.clip(ends / DAYS_PER_MONTH / new.fill_months, 0.0, 1.0))


def _overflow(
    children: FloatArray, placements: Placements, names: tuple[str, ...], added: FloatArray
) -> FloatArray:
    """Pass on, in place, those above a group's places; what was passed on, by group."""
    passed = np.zeros_like(children)
    to = names.index(placements.overflow)
    for number, group in enumerate(placements.groups):
        if group.capacity is None or number == to:
            continue
        places = group.capacity + added[:, number, None]
        passed[:, number] = np.maximum(children[:, number] - places, 0.0)
        children[:, number] -= passed[:, number]
    children[:, to] += passed.sum(axis=1)
    return passed
