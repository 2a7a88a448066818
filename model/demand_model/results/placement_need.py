"""Which needs children come into care with, and where children of each need live.

For matching needs and services: of the entrants of chosen needs who by today's practice
would go to placements that are bought from others, a share goes to a group of the
authority's own that is matched to their need. List 8 says each child's category of
need; it does not say where an entrant of some age and need would go, so that is put
together from two tables, each leaning on the whole where children are few::

    need[s, n]   needs of those who lately came in, by age; an age leans on all of them,
                 all of them on the children in care, those on the nation
    mix[n, g]    placements of the children in care by need; a need leans on all children
    joint[s, n, g]  ∝ need[s, n] mix[n, g], scaled so that the age's needs and its
                    entrants' mix both come out (iterative proportional fitting)
    of need[s, g, n] = joint[s, n, g] / Σ_m joint[s, m, g]

    entrants' mix[s, g]    − size · of need[s, g, n] · entrants' mix[s, g]    g external
    entrants' mix[s, h(n)] + the same                                         h(n) matched

Beyond its needs and its mix an age has nothing of its own: what ties need to placement is
the same at every age. Entrants whose need is not recorded are taken to be like the others.

Source: Deming and Stephan (1940) for the scaling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.errors import InvalidSettingError
from demand_model.exposure.bands import CARE_SEGMENTS
from demand_model.results.placement_mix import (
    PlacementsToday,
    care_segments,
    group_shares,
    leaning_mix,
)
from demand_model.spell.build import OPEN, Spells
from demand_model.system.assumptions import Assumption
from demand_model.system.inputs import Placements

FloatArray = npt.NDArray[np.float64]

_LEAN_ENTRANTS = 5.0
"""Children that the whole counts for beside a part: as for placements by age."""
_RAKES = 40


def _need(code: str, label: str, share: float, source: str) -> Assumption:
    return Assumption(
        key=code, label=label, value=share, unit="share", source=source, as_of="31 March 2018"
    )


_DFE = "DfE, Children looked after in England, by primary need"
_REST = f"{_DFE}: 8% are of one of four needs; its split is judgement"

NATIONAL_NEEDS: tuple[Assumption, ...] = (
    _need("N1", "Abuse or neglect", 0.630, f"{_DFE}: 47,530 of 75,420"),
    _need("N2", "Child's disability", 0.033, _REST),
    _need("N3", "Parental illness or disability", 0.030, _REST),
    _need("N4", "Family in acute stress", 0.079, f"{_DFE}: 5,980 of 75,420"),
    _need("N5", "Family dysfunction", 0.149, f"{_DFE}: 11,270 of 75,420"),
    _need("N6", "Socially unacceptable behaviour", 0.013, _REST),
    _need("N7", "Low income", 0.002, _REST),
    _need("N8", "Absent parenting", 0.064, f"{_DFE}: 4,860 of 75,420"),
)
"""Needs of children in care; what those of few children lean on."""

NEEDS: tuple[str, ...] = tuple(one.key for one in NATIONAL_NEEDS)
NEED_LABELS: Mapping[str, str] = {one.key: one.label for one in NATIONAL_NEEDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedMatch:
    """Entrants of a need who would go to external placements are matched to a group.

    Raises
    ------
    InvalidSettingError
        No category of need that entrants are matched by.
    """

    need: str
    group: str

    def __post_init__(self) -> None:
        if self.need not in NEEDS:
            raise InvalidSettingError(
                f"Invalid category of need: {self.need}. It must be one of: {', '.join(NEEDS)}."
            )


DEFAULT_MATCHES: tuple[NeedMatch, ...] = (
    NeedMatch(need="N1", group="own fostering"),
    NeedMatch(need="N3", group="kinship"),
    NeedMatch(need="N4", group="kinship"),
    NeedMatch(need="N5", group="own fostering"),
)
"""Needs that a family can usually meet. Disability, behaviour and children who are alone ask
for more than a match by need, and are the analyst's to add."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacementNeeds:
    """Children in care and those who lately came in, by category of need.

    Attributes
    ----------
    groups
        Names, as in `Placements.groups`.
    children
        At the census date; shape (`NEEDS`, groups).
    entered
        Who came in within the list's window, where they live now or last did; shape
        (`NEEDS`, groups).
    unknown
        Of both together, children whose need the list does not say.
    mix
        Placements of each need's children; shape (`NEEDS`, groups), rows add up to 1.
    of_entrants
        Needs of the entrants of each age; shape (`CARE_SEGMENTS`, `NEEDS`), rows add up
        to 1.
    """

    groups: tuple[str, ...]
    children: FloatArray
    entered: FloatArray
    unknown: int
    mix: FloatArray
    of_entrants: FloatArray

    def share_of_need(self, segment: int, shares: FloatArray) -> FloatArray:
        """Needs of an age's entrants who go to each group; shape (`NEEDS`, groups).

        Parameters
        ----------
        shares
            Of these entrants who go to each group.
        """
        needs = self.of_entrants[segment]
        joint = needs[:, None] * self.mix
        for _ in range(_RAKES):
            joint = joint * _ratio(shares, joint.sum(axis=0))
            joint = joint * _ratio(needs, joint.sum(axis=1))[:, None]
        return np.asarray(joint * _ratio(np.ones(len(shares)), joint.sum(axis=0)))


def placement_needs(
    spells: Spells, placements: Placements, today: PlacementsToday
) -> PlacementNeeds:
    """Count children by category of need and kind of placement.

    Parameters
    ----------
    spells
        From `demand_model.spells`.
    today
        From `placements_today`, with the same groups.
    """
    care = spells.care
    code = [str(c) if not pd.isna(c) else "" for c in care["category_of_need"]]
    number = np.array([NEEDS.index(c) if c in NEEDS else -1 for c in code], dtype=np.intp)
    is_now = (care["reason"] == OPEN).to_numpy(bool)
    has_begun = care["in_window"].to_numpy(bool)
    shares, _ = group_shares(care, today.groups, placements.agency_fostering_share)
    children, entered = (_by_need(number[rows], shares[rows]) for rows in (is_now, has_begun))
    at_entry = care_segments(care, care["start"])
    by_age = np.zeros((len(CARE_SEGMENTS), len(NEEDS)))
    has_age = (care["date_of_birth"].notna() | care["uasc"].astype(bool)).to_numpy(bool)
    known = has_begun & has_age & (number >= 0)
    np.add.at(by_age, (at_entry[known], number[known]), 1.0)
    return PlacementNeeds(
        groups=today.groups,
        children=children,
        entered=entered,
        unknown=int(((is_now | has_begun) & (number < 0)).sum()),
        mix=leaning_mix(children, _overall(today)),
        of_entrants=_needs_of_entrants(by_age, children.sum(axis=1)),
    )


def _ratio(wanted: FloatArray, found: FloatArray) -> FloatArray:
    return np.asarray(np.divide(wanted, found, out=np.zeros_like(found), where=found > 0.0))


def _by_need(number: npt.NDArray[np.intp], shares: FloatArray) -> FloatArray:
    out = np.zeros((len(NEEDS), shares.shape[1]))
    known = number >= 0
    np.add.at(out, number[known], shares[known])
    return out


def _overall(today: PlacementsToday) -> FloatArray:
    """Placements of all children in care, of the nation's too where there are few."""
    children = today.counts.sum(axis=1)
    if not children.sum():
        return np.asarray(today.mix.mean(axis=0))
    return np.asarray(children @ today.mix / children.sum())


def _needs_of_entrants(by_age: FloatArray, in_care: FloatArray) -> FloatArray:
    """Needs of entrants by age, few leaning on more; shape (`CARE_SEGMENTS`, `NEEDS`)."""
    nation = np.array([one.value or 0.0 for one in NATIONAL_NEEDS])
    of_children = _leaning(in_care, nation / nation.sum())
    of_all = _leaning(by_age.sum(axis=0), of_children)
    return np.stack([_leaning(counts, of_all) for counts in by_age])


def _leaning(counts: FloatArray, whole: FloatArray) -> FloatArray:
    return np.asarray((counts + _LEAN_ENTRANTS * whole) / (counts.sum() + _LEAN_ENTRANTS))


def matched_placements(
    placements: Placements,
    today: PlacementsToday,
    needs: PlacementNeeds,
    size: float,
    matches: Sequence[NeedMatch],
) -> Placements:
    """Placements whose entrants are matched by need.

    Parameters
    ----------
    size
        Share of the entrants of these needs who would go to external placements; below
        0: of those who would go to the matched group and are placed externally instead.

    Raises
    ------
    InvalidSettingError
        A matched group that does not exist or is not the authority's own.
    """
    external = _external(placements, matches)
    mix = {age: dict(shares) for age, shares in placements.mix.items()}
    for segment, age in enumerate(CARE_SEGMENTS):
        shares = _entrants_mix(placements, today, segment, age)
        of_need = needs.share_of_need(segment, shares)
        moved = _moved(shares, of_need, external, size, matches, today.groups)
        mix[age] = dict(zip(today.groups, moved.tolist(), strict=True))
    return replace(placements, mix=mix)


def _external(placements: Placements, matches: Sequence[NeedMatch]) -> npt.NDArray[np.bool_]:
    own = [group.name for group in placements.groups if group.is_internal]
    wrong = next((m.group for m in matches if m.group not in own), None)
    if wrong is not None:
        raise InvalidSettingError(
            f"Invalid group that entrants are matched to: {wrong}. It must be one of the "
            f"authority's own: {', '.join(own)}."
        )
    return np.array([not group.is_internal for group in placements.groups])


def _moved(
    shares: FloatArray,
    of_need: FloatArray,
    external: npt.NDArray[np.bool_],
    size: float,
    matches: Sequence[NeedMatch],
    groups: tuple[str, ...],
) -> FloatArray:
    """An age's shares by group, once its entrants are matched."""
    out = shares.copy()
    outside = shares * external
    for match in matches:
        need, to = of_need[NEEDS.index(match.need)], groups.index(match.group)
        if size >= 0.0:
            taken = size * need * outside
        else:
            back = size * need[to] * shares[to]
            taken = back * outside / max(float(outside.sum()), 1e-12)
        out -= taken
        out[to] += taken.sum()
    return np.asarray(out)


def external_shares(
    placements: Placements, today: PlacementsToday, needs: PlacementNeeds
) -> FloatArray:
    """Of all entrants, those of each need who go to external placements; shape (`NEEDS`,)."""
    external = np.array([not group.is_internal for group in placements.groups])
    found = np.zeros(len(NEEDS))
    for segment, age in enumerate(CARE_SEGMENTS):
        shares = _entrants_mix(placements, today, segment, age)
        of_need = needs.share_of_need(segment, shares) @ (shares * external)
        found += today.entrant_share[segment] * of_need
    return found


def _entrants_mix(
    placements: Placements, today: PlacementsToday, segment: int, age: str
) -> FloatArray:
    """Entrants of an age by group: as entered, else today's mix."""
    entered = placements.mix.get(age)
    if entered is None:
        return np.asarray(today.mix[segment], dtype=float)
    return np.asarray([entered.get(name, 0.0) for name in today.groups], dtype=float)


NEED_COLUMNS = (
    "need",
    "matched_to",
    "entered",
    "entered_external",
    "children",
    "children_external",
    "share_of_entrants",
    "share_external",
)


def need_table(
    placements: Placements,
    today: PlacementsToday,
    needs: PlacementNeeds,
    matches: Sequence[NeedMatch],
) -> pd.DataFrame:
    """What matching by need rests on: counts of the lists, and the shares made of them.

    Returns
    -------
    Columns `NEED_COLUMNS`, a row a need. ``entered``: children who came in within the
    list's window, ``children``: those in care, of them in external placements; whole
    children, not rounded. ``share_of_entrants``: of all entrants, those of the need;
    ``share_external``: of these, those who go to external placements by today's practice.
    """
    external = _external(placements, matches)
    to = {match.need: match.group for match in matches}
    of_need = today.entrant_share @ needs.of_entrants
    outside = external_shares(placements, today, needs)
    rows = [
        (
            need,
            to.get(need, ""),
            needs.entered[row].sum(),
            needs.entered[row, external].sum(),
            needs.children[row].sum(),
            needs.children[row, external].sum(),
            of_need[row],
            outside[row] / of_need[row],
        )
        for row, need in enumerate(NEEDS)
    ]
    return pd.DataFrame(rows, columns=list(NEED_COLUMNS))
