"""Where children in care live today, by age, and at which ages children come into care.

The lists say it of every child. Two things need care:

- a foster placement is the authority's own or an agency's by its provider; where
  the list does not say, an assumed share is with agencies;
- an age group with few children says little: its mix leans on that of all children,
  and theirs on the national one, so that a kind of placement that nobody has today
  is not ruled out for ever. Groups still add up to today's number of children.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.exposure.bands import AGE_BANDS, CARE_SEGMENTS
from demand_model.rates.priors import CARE_ENTRY_AGE_QUANTILES_YEARS
from demand_model.simulation.care_class import care_segment
from demand_model.spell.build import OPEN, Spells
from demand_model.system.assumptions import Assumption
from demand_model.system.inputs import OWN_PREFIX, Placements
from demand_model.units import DAYS_PER_YEAR

FloatArray = npt.NDArray[np.float64]

_OWN_PROVIDER = "PR1"
_PARENTS = "PR0"
_LEAN_CHILDREN = 5.0
"""Children that the mix of all counts for beside an age group's own, and the nation's
beside that of all."""
_LEAN_ENTRANTS = 10.0
"""Weight of the national ages at entry: that of the simulation (`rates.draws.entry_ages`)."""
_RAKES = 40

_DFE = "DfE, Children looked after in England"
_DFE_DATE = "31 March 2024"


def _share(group: str, value: float, source: str) -> Assumption:
    return Assumption(
        key=group, label=f"Children in care: {group}", value=value, unit="share", source=source,
        as_of=_DFE_DATE,
    )  # fmt: skip


NATIONAL_MIX: tuple[Assumption, ...] = (
    _share("kinship", 0.15, f"{_DFE}: 67% fostered; its split is judgement"),
    _share("own fostering", 0.34, f"{_DFE}: 67% fostered; its split is judgement"),
    _share("agency fostering", 0.18, f"{_DFE}: 67% fostered; its split is judgement"),
    _share("residential", 0.10, f"{_DFE}: secure and children's homes"),
    _share("supported accommodation", 0.07, f"{_DFE}: semi-independent"),
    _share("adoption", 0.02, _DFE),
    _share("with parents", 0.06, _DFE),
    _share("other", 0.08, f"{_DFE}: the rest"),
)
"""What the mix of few children leans on."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacementsToday:
    """Children in care at the census date, and the ages of those who lately came in.

    Attributes
    ----------
    groups
        Names, as in `Placements.groups`.
    counts
        Children; shape (`CARE_SEGMENTS`, groups). Not whole where the list does not
        say who provides a foster placement.
    mix
        Share of each segment's children in each group; rows add up to 1.
    entrant_share
        Share of children coming into care by segment; adds up to 1.
    unknown_provider
        Foster placements whose provider the list does not say.
    census_date
        Day of the count.
    """

    census_date: date
    groups: tuple[str, ...]
    counts: FloatArray
    mix: FloatArray
    entrant_share: FloatArray
    unknown_provider: int


def placements_today(spells: Spells, placements: Placements) -> PlacementsToday:
    """Count children in care by age and kind of placement at the census date.

    Parameters
    ----------
    spells
        From `demand_model.spells`.
    placements
        Its groups, and the share of foster placements with agencies where the list
        does not say.
    """
    care = spells.care
    now = care[care["reason"] == OPEN]
    begun = care[care["in_window"].astype(bool)]
    segment = care_segments(now, pd.Series(pd.Timestamp(spells.census_date), index=now.index))
    groups = tuple(group.name for group in placements.groups)
    shares, unknown = group_shares(now, groups, placements.agency_fostering_share)
    counts = np.zeros((len(CARE_SEGMENTS), len(groups)))
    np.add.at(counts, segment, shares)
    entered = np.bincount(
        care_segments(begun, begun["start"], leave_out_unknown=True), minlength=len(CARE_SEGMENTS)
    )
    return PlacementsToday(
        census_date=spells.census_date,
        groups=groups,
        counts=counts,
        mix=leaning_mix(counts, _national(groups)),
        entrant_share=_entrant_share(entered.astype(float)),
        unknown_provider=unknown,
    )


def leaning_mix(counts: FloatArray, national: FloatArray) -> FloatArray:
    """Mix by segment, leaning on all children where there are few; rows add up to 1.

    ``mix[s] = (counts[s] + 5 · all) / (n[s] + 5)``, where
    ``all = (counts + 5 · national) / (n + 5)``, then scaled so that today's children
    by segment times the mix give today's children by group (iterative proportional
    fitting).

    Parameters
    ----------
    counts
        Children; shape (segments, groups).
    national
        Shares; shape (groups,).

    Source: Deming and Stephan (1940) for the scaling.
    """
    children = counts.sum(axis=1)
    total = children.sum()
    overall = (counts.sum(axis=0) + _LEAN_CHILDREN * national) / (total + _LEAN_CHILDREN)
    mix = (counts + _LEAN_CHILDREN * overall) / (children + _LEAN_CHILDREN)[:, None]
    if total > 0.0:
        for _ in range(_RAKES):
            expected = children @ mix / total
            mix *= np.divide(overall, expected, out=np.ones_like(overall), where=expected > 0.0)
            mix /= mix.sum(axis=1, keepdims=True)
    return np.asarray(mix)


def care_segments(
    care: pd.DataFrame, on: pd.Series, *, leave_out_unknown: bool = False
) -> npt.NDArray[np.intp]:
    """Segment of each child on a day; as the simulation has it, an unknown age is under 1."""
    age = (on - care["date_of_birth"]).dt.days.to_numpy(float)
    uasc = care["uasc"].to_numpy(bool)
    segment = care_segment(np.nan_to_num(age) / DAYS_PER_YEAR, uasc)
    return segment[~np.isnan(age) | uasc] if leave_out_unknown else segment


def group_shares(
    care: pd.DataFrame, groups: tuple[str, ...], agency_share: float
) -> tuple[FloatArray, int]:
    """Place each child in a group, or in two by shares; shape (children, groups)."""
    shares = np.zeros((len(care), len(groups)))
    unknown = 0
    providers = [None if pd.isna(p) else str(p) for p in care["placement_provider"]]
    for row, (kind, provider) in enumerate(zip(care["placement_group"], providers, strict=True)):
        if kind == "fostering" and provider in (None, _PARENTS):
            unknown += 1
            shares[row, groups.index("own fostering")] = 1.0 - agency_share
            shares[row, groups.index("agency fostering")] = agency_share
        else:
            name = _group(str(kind), is_own=provider == _OWN_PROVIDER, groups=groups)
            shares[row, groups.index(name)] = 1.0
    return shares, unknown


def kind_of(group: str) -> str:
    """Kind of placement, as the lists tell them apart, of a placement group.

    >>> kind_of("agency fostering"), kind_of("own residential"), kind_of("kinship")
    ('fostering', 'residential', 'kinship')
    """
    if group in ("own fostering", "agency fostering"):
        return "fostering"
    return group.removeprefix(OWN_PREFIX)


def _group(kind: str, *, is_own: bool, groups: Sequence[str]) -> str:
    """Name of the group: the authority's own apart where there is such a group."""
    if kind == "fostering":
        return "own fostering" if is_own else "agency fostering"
    own = f"{OWN_PREFIX}{kind}"
    return own if is_own and own in groups else kind


def _national(groups: tuple[str, ...]) -> FloatArray:
    shares = {one.key: one.value or 0.0 for one in NATIONAL_MIX}
    found = np.array([shares.get(name, 0.0) for name in groups])
    return np.asarray(found / found.sum())


def _entrant_share(entered: FloatArray) -> FloatArray:
    """Ages at entry, leaning on the national ones; UASC as counted."""
    ages = AGE_BANDS.index(np.asarray(CARE_ENTRY_AGE_QUANTILES_YEARS))
    national = np.bincount(ages, minlength=len(CARE_SEGMENTS)) / len(ages)
    leaning = entered + _LEAN_ENTRANTS * national
    return np.asarray(leaning / leaning.sum())
