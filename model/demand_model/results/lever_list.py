"""The levers: what an authority can do, named after practice, as changes of the model.

A size of 0.10 is a tenth: of a flow (up or down, as the lever works), of workers, of
the ideal caseload; of the children of a dearer kind of placement a year (step-down) or
of new entrants (matching); of what free places do to entries (the threshold's guard).
The size of new places is their number. Each lever begins on a day and comes in over a
ramp; new places open on the day, and the ramp is the time in which children move in.
A delay puts all of that off, while the lever's own cost runs from its start.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from demand_model.errors import InvalidSettingError
from demand_model.flows import CARE_ENDS, Flow
from demand_model.results.placement_need import DEFAULT_MATCHES, NeedMatch
from demand_model.results.placements import NewPlaces
from demand_model.simulation.scenario import AddPosts, Change, Multiply, MultiplySystem
from demand_model.system.equations import FREE_PLACES
from demand_model.units import DAYS_PER_MONTH, add_months

GREATEST_SIZE = 0.9
"""A lever that takes away or adds more than this is taken for a slip of the keyboard."""
MOST_PLACES = 500.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """One thing that an authority can do.

    Attributes
    ----------
    key, label
        Name, and what is done.
    practice
        The practice that works this way, or what to think of.
    flows
        Simulated flows and the direction they move in: +1 up, -1 down.
    system
        Quantities of the system and their direction; it then needs the system.
    posts
        Workers are added, as a share of those in post.
    step_down
        (from group, to group): children move so, a share a year.
    is_matched
        Entrants of chosen needs go to a group of the authority's own instead of external
        placements, a share of them.
    places
        (group that gains, group that the children come from), unless the setting names
        others; the size is a number of places.
    is_exit
        One of the ways out of plans and care, which "all exits together" joins.
    delay_months
        After its start, before anything changes, unless the setting says otherwise.
    amount
        How a size is told after the label; of new places see `LeverSetting.words`.
    """

    key: str
    label: str
    practice: str
    flows: tuple[tuple[Flow, int], ...] = ()
    system: tuple[tuple[str, int], ...] = ()
    posts: bool = False
    step_down: tuple[tuple[str, str], ...] = ()
    is_matched: bool = False
    places: tuple[str, str] | None = None
    is_exit: bool = False
    delay_months: float = 0.0
    amount: str = "by {size}"

    @property
    def needs_system(self) -> bool:
        """It changes what only the system knows."""
        return bool(self.system) or self.posts

    @property
    def needs_placements(self) -> bool:
        """It changes where children live, not how many there are."""
        return bool(self.step_down) or self.is_matched or self.places is not None

    @property
    def is_guard(self) -> bool:
        """It weakens what free places do to entries to care."""
        return any(target == FREE_PLACES for target, _ in self.system)

    @property
    def unit(self) -> str:
        """What its size is measured in."""
        return "places" if self.places is not None else "share"

    @property
    def greatest(self) -> float:
        """A size beyond this is refused."""
        if self.is_guard:
            return 1.0
        return GREATEST_SIZE if self.places is None else MOST_PLACES


_CHEAPER = (
    ("residential", "own fostering"),
    ("agency fostering", "own fostering"),
)

LEVERS: tuple[Lever, ...] = (
    Lever(
        key="referrals",
        label="Fewer referrals",
        practice="Triage at the front door (Threshold): contacts that need no social work are "
        "met elsewhere. Assumes that none comes back",
        flows=((Flow.REFERRALS, -1),),
    ),
    Lever(
        key="early_help",
        label="Early help",
        practice="Help before referral. † That it takes a year to be felt (delay_months) is "
        "judgement: type your own",
        flows=((Flow.REFERRALS, -1),),
        delay_months=12.0,
    ),
    Lever(
        key="nfa_share",
        label="More referrals closed without action",
        practice="A higher threshold: 10% is a tenth more of the share closed today, not a tenth "
        "of referrals; some of those closed come back later",
        system=(("nfa_share", +1),),
        amount="by {size} of today's",
    ),
    Lever(
        key="cin_months",
        label="Children in need closed sooner",
        practice="Child-in-need plans reviewed on time. Acts on how long they last (System; List 6 "
        "if given), so on children in need and cases",
        system=(("cin_months", -1),),
    ),
    Lever(
        key="referral_to_plan",
        label="Fewer starts of plans",
        practice="Family group conferences and child-in-need plans that hold",
        flows=((Flow.REFERRAL_TO_PLAN, -1), (Flow.OTHER_PLAN_STARTS, -1)),
    ),
    Lever(
        key="direct_entries",
        label="Fewer entries to care (not from plans)",
        practice="Edge of care",
        flows=((Flow.REFERRAL_TO_CARE, -1), (Flow.OTHER_CARE_STARTS, -1)),
    ),
    Lever(
        key="plan_to_care",
        label="Fewer moves from plans into care",
        practice="Edge of care, with families on plans",
        flows=((Flow.PLAN_TO_CARE, -1),),
    ),
    Lever(
        key="plan_ends",
        label="Quicker ends of plans",
        practice="Reviews on time",
        flows=((Flow.PLAN_ENDS, +1),),
        is_exit=True,
    ),
    Lever(
        key="reunification",
        label="More children go home",
        practice="Reunification (Going Home)",
        flows=((Flow.CARE_ENDS_HOME, +1),),
        is_exit=True,
    ),
    Lever(
        key="permanence",
        label="More adoption and guardianship",
        practice="Adoption, special guardianship and child arrangements orders",
        flows=((Flow.CARE_ENDS_ADOPTION, +1), (Flow.CARE_ENDS_SGO_CAO, +1)),
        is_exit=True,
    ),
    Lever(
        key="step_down",
        label="Step-down to the authority's own fostering",
        practice="Children in residential and agency placements move to own carers; a share of "
        "them a year",
        step_down=_CHEAPER,
    ),
    Lever(
        key="matching",
        label="Entrants matched by need to own placements",
        practice="Matching needs and services: entrants of chosen needs who would go to external "
        "placements go to the group matched to their need (table 4)",
        is_matched=True,
    ),
    Lever(
        key="new_places",
        label="New places of the authority's own",
        practice="They stand free until children have moved in. What they cost to build, or to "
        "run while empty, counts only if it is typed at the left",
        places=("own fostering", "residential"),
    ),
    Lever(
        key="threshold_guard",
        label="Threshold for care guarded from free places",
        practice="Entry decided by need, whatever is free: 100% takes all effect of free places on "
        "entries away. Acts where links from places to entries are on",
        system=((FREE_PLACES, -1),),
    ),
    Lever(
        key="workers",
        label="More social workers",
        practice="Recruitment beyond today's posts. Pay is in the whole cost already: at the left "
        "type only what comes on top, though goals count only that",
        posts=True,
    ),
    Lever(
        key="ideal_caseload",
        label="A lower ideal caseload",
        practice="A stricter yardstick: today's caseload then counts as heavier, so links from "
        "caseload that are on act more, those to recruitment among them",
        system=(("ideal_caseload", -1),),
    ),
)
"""In the order in which children meet them."""

ALL_EXITS = "all_exits"
"""Key of all exits together: plans end sooner and every reason for leaving care rises."""

COMBINATIONS: tuple[Lever, ...] = (
    Lever(
        key=ALL_EXITS,
        label="All exits together",
        practice="Plans end sooner and every way of leaving care rises",
        flows=((Flow.PLAN_ENDS, +1), *((flow, +1) for flow in CARE_ENDS)),
    ),
)

BY_KEY = {lever.key: lever for lever in (*LEVERS, *COMBINATIONS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverSetting:
    """How hard a lever is pulled.

    Attributes
    ----------
    lever
        Key of a `Lever`.
    size
        0.10 is 10% in the lever's direction; below 0 works the other way. Of new places:
        how many.
    start
        First day.
    ramp_months
        Months until its full size; of new places: until children have moved into them.
    delay_months
        After the start, before anything changes; ``None``: the lever's own. Of new places:
        until they open.
    cost_a_year
        £ a year for the lever itself, at this size, from its start.
    places
        For new places, in place of the lever's own: group that gains, group that the
        children come from.
    matches
        For matching: which needs, and the group of the authority's own for each.

    Raises
    ------
    InvalidSettingError
        An unknown lever, or a value outside its range.
    """

    lever: str
    size: float
    start: date
    ramp_months: float = 0.0
    delay_months: float | None = None
    cost_a_year: float = 0.0
    places: tuple[str, str] | None = None
    matches: tuple[NeedMatch, ...] = DEFAULT_MATCHES

    def __post_init__(self) -> None:
        if self.lever not in BY_KEY:
            raise InvalidSettingError(
                f"Invalid lever: {self.lever}. It must be one of: {', '.join(BY_KEY)}."
            )
        most_size = self.of.greatest
        for what, value, least, most in (
            ("size", self.size, 0.0 if self.of.places else -most_size, most_size),
            ("ramp in months", self.ramp_months, 0.0, 120.0),
            ("delay in months", self.waits_months, 0.0, 120.0),
            ("cost a year", self.cost_a_year, 0.0, 1e12),
        ):
            if not least <= value <= most:
                raise InvalidSettingError(
                    f"Invalid {what} of lever {self.lever}: {value}. It must be from {least:g} to "
                    f"{most:g}."
                )

    @property
    def of(self) -> Lever:
        """The lever."""
        return BY_KEY[self.lever]

    @property
    def waits_months(self) -> float:
        """Months from its start until it is felt."""
        return self.of.delay_months if self.delay_months is None else self.delay_months

    @property
    def begins(self) -> date:
        """The day from which it is felt."""
        whole, part = divmod(self.waits_months, 1.0)
        return add_months(self.start, int(whole)) + timedelta(days=round(part * DAYS_PER_MONTH))

    def from_census(self, census: date) -> LeverSetting:
        """The lever as a run from this census date has it.

        One that acts by then acts from the day after, without waiting again: what it did
        before is in the lists already. One that still waits goes on waiting.
        """
        if self.begins > census:
            return self
        return replace(self, start=census + timedelta(days=1), delay_months=0.0)

    @property
    def new_places(self) -> NewPlaces | None:
        """Places that it adds."""
        pair = self.places or self.of.places
        if self.of.places is None or pair is None:
            return None
        return NewPlaces(
            group=pair[0],
            filled_from=pair[1],
            places=self.size,
            start=self.begins,
            fill_months=self.ramp_months,
        )

    @property
    def words(self) -> str:
        """What is done, and how much of it: "fewer referrals by 10%"."""
        added = self.new_places
        if added is None:
            label = f"{self.of.label[0].lower()}{self.of.label[1:]}"
            return f"{label} {self.of.amount.format(size=_share(self.size))}"
        number = f"{self.size:,.1f}".removesuffix(".0")
        places = "place" if number == "1" else "places"
        return f"{number} new {places} in {added.group}, filled from {added.filled_from}"


def changes_of(setting: LeverSetting, workers: float) -> tuple[Change, ...]:
    """A lever as changes of a scenario.

    Parameters
    ----------
    workers
        In post at the census date (FTE), for levers that add posts.
    """
    lever = setting.of
    start = setting.begins
    out: list[Change] = [
        Multiply(
            flow=flow,
            factor=1.0 + direction * setting.size,
            start=start,
            ramp_months=setting.ramp_months,
        )
        for flow, direction in lever.flows
    ]
    out += [
        MultiplySystem(
            target=target,
            factor=1.0 + direction * setting.size,
            start=start,
            ramp_months=setting.ramp_months,
        )
        for target, direction in lever.system
    ]
    if lever.posts:
        ramp = max(setting.ramp_months, 1.0)
        out.append(AddPosts(workers=setting.size * workers, start=start, ramp_months=ramp))
    return tuple(out)


def _share(size: float) -> str:
    """A share in words, with a decimal where a whole number would hide it.

    >>> _share(0.1), _share(0.034)
    ('10%', '3.4%')
    """
    return f"{size:.1%}".replace(".0%", "%")
