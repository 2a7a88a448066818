"""The system beside the simulation: a step at a time, for all draws at once.

::

    module = SystemModule(inputs, opening)
    now = module.begin()
    for each step:
        simulate the step with now.multipliers and now.returning_a_month
        now = module.advance(now, StepInputs(...), dt)

With no link switched on and no lever, every multiplier is exactly 1 and nobody returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np

from demand_model.dynamics.evaluate import Value
from demand_model.dynamics.integrate import Integrator, State
from demand_model.dynamics.model import Model
from demand_model.errors import InvalidSettingError
from demand_model.flows import Flow
from demand_model.system.equations import (
    FREE_PLACES,
    INTERNAL_TARGETS,
    SYSTEM_LEVERS,
    WORKFORCE_TARGETS,
    system_model,
)
from demand_model.system.inputs import SystemInputs
from demand_model.system.links import CausalLink, check_links, check_needs, lacking
from demand_model.system.naming import lever_name, multiplier_name, start_name, words
from demand_model.system.opening import SystemOpening, opening_constants, places_of
from demand_model.system.variables import SIMULATED

FRONT_DOOR_MEASURES: tuple[str, ...] = ("assessments_open", "cin_open", "nfa_share", "nfa_closed")
WORKFORCE_MEASURES: tuple[str, ...] = (
    "cases",
    "workers",
    "permanent_workers",
    "agency_workers",
    "vacancies",
    "vacancy_share",
    "leavers",
    "starters",
    "absence_share",
    "caseload",
    "ideal_caseload",
    "caseload_ratio",
)
PLACES_MEASURES: tuple[str, ...] = ("places", "spare_places", "occupancy")

_RETURNING = "returning"
_MULTIPLIERS = tuple((flow, multiplier_name(flow)) for flow in SIMULATED)
_OUTPUTS = (*(name for _, name in _MULTIPLIERS), _RETURNING)

_FIRST_STEP_MONTHS = 0.25
"""Step by which lengths are bounded where none has been taken yet."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepInputs:
    """What the simulation gives for one step; values are floats or of shape (draws,).

    Attributes
    ----------
    referrals_a_month
        Children referred in the step divided by its length in months, those who
        returned included.
    cp_open, cla_open
        Children on plans and in care.
    places
        The authority's own places, where they change.
    moved_in
        Children who have moved into them from other placements: places taken beyond those
        of today's share of children in care; below 0: moved out.
    posts_added
        Posts that a scenario adds, FTE a month; recruited for at once, and filled to
        the share of posts that is filled at the census date.
    levers
        What a scenario multiplies one of `SYSTEM_LEVERS` by, 1 where it is not
        named. It acts on stocks in this step and on multipliers in the next. Where no
        link runs from places to entries, ``free_places`` is nothing and does nothing.
    """

    referrals_a_month: Value
    cp_open: Value
    cla_open: Value
    places: Value | None = None
    moved_in: Value = 0.0
    posts_added: Value = 0.0
    levers: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SystemStep:
    """Where the system stands before a step.

    Attributes
    ----------
    multipliers
        Of every simulated flow in the step to come; 1.0 where nothing acts on it.
    returning_a_month
        Children who were closed under pressure and come back, to be added to
        referrals; below 0 where fewer are closed than at the start.
    state
        Of the integrator.
    given
        Externals of the last step.
    """

    multipliers: dict[Flow, Value]
    returning_a_month: Value
    state: State
    given: dict[str, Value]


class SystemModule:
    """The system of one workbook, ready to run beside the simulation.

    Parameters
    ----------
    inputs
        Links that are off take no part.
    opening
        The census date.
    with_switches
        Links that are off take part too, behind a switch: for an export.

    Raises
    ------
    InvalidSettingError
        A faulty link, or one that is on and whose driver has no value.
    """

    def __init__(
        self, inputs: SystemInputs, opening: SystemOpening, *, with_switches: bool = False
    ) -> None:
        has_places = places_of(inputs, opening) is not None
        self.links = active_links(inputs, has_places=has_places)
        if with_switches:
            self.links = usable_links(inputs, has_places=has_places)
        self._constants = opening_constants(inputs, opening)
        self._outside = _outside(inputs, opening)
        self._shape = {
            "has_workforce": inputs.workforce is not None,
            "has_places": "places" in self._outside,
        }
        self._no_lever: dict[str, Value] = {
            lever_name(target): 1.0
            for target in INTERNAL_TARGETS
            if inputs.workforce is not None or target not in WORKFORCE_TARGETS
        }
        if any(link.is_of_free_places for link in self.links):
            self._no_lever[lever_name(FREE_PLACES)] = 1.0
        self._constants |= self._start_values()
        self._with_switches = with_switches
        self._integrator = _integrator(self.links, with_switches=with_switches, **self._shape)
        self.driven = frozenset(flow for flow in SIMULATED if self._is_driven(flow))

    def begin(self) -> SystemStep:
        """The census date."""
        state = self._integrator.begin(self._constants, self._outside)
        return self._read(state, dict(self._outside), _FIRST_STEP_MONTHS)

    def advance(self, now: SystemStep, given: StepInputs, dt: float) -> SystemStep:
        """The system a step of `dt` months later."""
        inputs = self._externals(given)
        return self._read(self._integrator.step(now.state, inputs, dt), inputs, dt)

    def measures(
        self,
        now: SystemStep,
        dt: float = _FIRST_STEP_MONTHS,
        *,
        cp_open: Value | None = None,
        cla_open: Value | None = None,
    ) -> dict[str, Value]:
        """Stocks, caseload and the like at a step, by their names in `VARIABLES`.

        Parameters
        ----------
        cp_open, cla_open
            Children on plans and in care by now; ``None``: as given for the last step.
        """
        children = {"cp open": cp_open, "cla open": cla_open}
        given = now.given | {name: v for name, v in children.items() if v is not None}
        names = FRONT_DOOR_MEASURES
        if self._shape["has_workforce"]:
            names += WORKFORCE_MEASURES
        if self._shape["has_places"]:
            names += PLACES_MEASURES
        wanted = tuple(words(name) for name in names)
        values = self._integrator.read(now.state, dt, given, wanted)
        return {name: values[words(name)] for name in names}

    @cached_property
    def model(self) -> Model:
        """Its equations, with the mean over draws of every constant."""
        values = {
            name: float(np.mean(value)) for name, value in (self._constants | self._outside).items()
        }
        return system_model(
            self.links, values=values, with_switches=self._with_switches, **self._shape
        )

    def _start_values(self) -> dict[str, Value]:
        """Drivers at the census date, before any link acts."""
        plain = _integrator((), with_switches=False, **self._shape)
        drivers = sorted({link.driver for link in self.links})
        state = plain.begin(self._constants, self._outside)
        wanted = tuple(words(name) for name in drivers)
        values = plain.read(state, _FIRST_STEP_MONTHS, self._outside, wanted)
        return {start_name(name): values[words(name)] for name in drivers}

    def _externals(self, given: StepInputs) -> dict[str, Value]:
        inputs: dict[str, Value] = {
            "referrals": given.referrals_a_month,
            "cp open": given.cp_open,
            "cla open": given.cla_open,
        }
        if self._shape["has_places"]:
            own = self._outside["places"]
            inputs["places"] = own if given.places is None else given.places
            inputs["moved in"] = given.moved_in
        if self._shape["has_workforce"]:
            inputs["posts added"] = given.posts_added
        inputs |= self._no_lever
        for target, lever in given.levers.items():
            if lever_name(target) in self._no_lever:
                inputs[lever_name(target)] = lever
            elif target != FREE_PLACES:
                raise InvalidSettingError(
                    f"Invalid lever of the system: {target}. It must be one of: "
                    f"{', '.join(SYSTEM_LEVERS)}; those of workers need the workforce."
                )
        return inputs

    def _read(self, state: State, given: dict[str, Value], dt: float) -> SystemStep:
        values = self._integrator.read(state, dt, given, _OUTPUTS)
        return SystemStep(
            multipliers={flow: values[name] for flow, name in _MULTIPLIERS},
            returning_a_month=values[_RETURNING],
            state=state,
            given=given,
        )

    def _is_driven(self, flow: Flow) -> bool:
        if flow in (Flow.REFERRALS, Flow.REFERRAL_TO_PLAN, Flow.REFERRAL_TO_CARE):
            return True  # by the threshold, which a lever may move
        targets = {link.target for link in self.links}
        return flow.value in targets or (flow.is_care_end and "care_ends" in targets)


@lru_cache(maxsize=8)
def _integrator(
    links: tuple[CausalLink, ...], *, has_workforce: bool, has_places: bool, with_switches: bool
) -> Integrator:
    """The equations, checked and made ready once for all batches of draws of a process.

    They are the same whatever the values: those of a batch are given as it begins.
    """
    return Integrator(
        system_model(
            links,
            has_workforce=has_workforce,
            has_places=has_places,
            values={},
            with_switches=with_switches,
        )
    )


def active_links(inputs: SystemInputs, *, has_places: bool) -> tuple[CausalLink, ...]:
    """Links that are on.

    Raises
    ------
    InvalidSettingError
        One of them is faulty, or its driver or target has no value.
    """
    on = tuple(link for link in inputs.links if link.is_on)
    has_workforce = inputs.workforce is not None
    needs = check_needs(on, has_workforce=has_workforce, has_places=has_places)
    for problem in (*check_links(on), *needs):
        link = on[problem.row - 1]
        raise InvalidSettingError(f"Invalid link {link.driver} to {link.target}: {problem.message}")
    return on


def usable_links(inputs: SystemInputs, *, has_places: bool) -> tuple[CausalLink, ...]:
    """Links, on or off, that are sound and whose driver and target have a value."""
    faulty = {problem.row for problem in check_links(inputs.links)}
    has_workforce = inputs.workforce is not None
    return tuple(
        link
        for row, link in enumerate(inputs.links, start=1)
        if row not in faulty
        and not lacking(link, has_workforce=has_workforce, has_places=has_places)
    )


def _outside(inputs: SystemInputs, opening: SystemOpening) -> dict[str, Value]:
    values: dict[str, Value] = {
        "referrals": opening.referrals_a_month,
        "cp open": opening.cp_open,
        "cla open": opening.cla_open,
    }
    places = places_of(inputs, opening)
    if places is not None:
        values["places"] = places
    return values
