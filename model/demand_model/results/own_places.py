"""Places that are added and children who move, as what links from places see of them.

`placements` says where children live; the simulation only knows how many of the
authority's own places there are and how many are taken::

    places = places today + places added
    taken  = children in care · (share in own places today + moved share) + moved in

The share today is counted from the list; places that are added count from their first
day, the children who move into them over the months that it takes; step-down and
matching as the share of children in care that they bring into own places, reckoned on
the future without them. What stays approximate: children whom the loop itself brings
into care or keeps out live in own places by today's share, and everyone's moves are the
mean over the simulated futures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from demand_model.flows import ALL
from demand_model.results.placement_mix import PlacementsToday
from demand_model.results.placements import LaterPractice, NewPlaces, place_children
from demand_model.simulation.scenario import AddPlaces, MoveIntoOwnPlaces
from demand_model.simulation.trajectories import Trajectories
from demand_model.system.inputs import PlacementGroup, Placements
from demand_model.system.links import PLACES_DRIVERS, CausalLink


def _is_limited(group: PlacementGroup) -> bool:
    return group.is_internal and group.capacity is not None


def added_place(new: NewPlaces, placements: Placements, today: PlacementsToday) -> AddPlaces | None:
    """New places as the simulation sees them; ``None`` where they are not the authority's own.

    Children move in from the group that is named, as many as live there today, until the
    new places are full, as `place_children` counts them for costs. One who leaves an own
    place for another takes no more places than before.
    """
    by_name = {group.name: group for group in placements.groups}
    group, source = by_name.get(new.group), by_name.get(new.filled_from)
    if group is None or source is None or not group.is_internal:
        return None
    there = float(today.counts[:, today.groups.index(new.filled_from)].sum())
    return AddPlaces(
        places=new.places,
        start=new.start,
        moved_in=0.0 if _is_limited(source) else min(new.places, there),
        fill_months=new.fill_months,
    )


def added_places(
    new_places: Sequence[NewPlaces], placements: Placements, today: PlacementsToday
) -> Mapping[str, tuple[AddPlaces, ...]]:
    """New places by the scenario that they name ("": all), for `System.new_places`."""
    found: dict[str, tuple[AddPlaces, ...]] = {}
    for new in new_places:
        added = added_place(new, placements, today)
        if added is not None:
            found[new.scenario] = (*found.get(new.scenario, ()), added)
    return found


def moved_into_own_places(
    without: Trajectories,
    today: PlacementsToday,
    placements: Placements,
    later: Sequence[LaterPractice],
) -> MoveIntoOwnPlaces:
    """What step-down and matching bring into own places, by month, on average over draws.

    Parameters
    ----------
    without
        The future without them.
    later
        The changes of entrants' mix and moves.
    """
    own = [_is_limited(group) for group in placements.groups]
    before, after = (
        place_children(without, today, placements, later=practice).children[:, own].sum(axis=1)
        for practice in ((), later)
    )
    care = without.measures["cla_open", ALL]
    share = (after - before).mean(axis=1) / np.maximum(care.mean(axis=1), 1.0)
    return MoveIntoOwnPlaces(shares=tuple(np.clip(share, -1.0, 1.0).tolist()))


def links_from_places(links: Sequence[CausalLink]) -> bool:
    """Whether anything rests on how many places are free."""
    return any(link.driver in PLACES_DRIVERS for link in links)
