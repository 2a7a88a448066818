"""From a workbook to fitted rates and the system around them: what every forecast starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from demand_addin.commands.check import Judged, judge
from demand_addin.history_sheet import Memory, earlier_months, trusted
from demand_addin.plan.cautions import few_referrals
from demand_addin.ports import WorkbookPort
from demand_addin.progress import Progress
from demand_addin.settings import RunSettings, read_overrides
from demand_addin.system_sheet import SystemSheet, read_system
from demand_model import (
    Exposure,
    History,
    Spells,
    fit,
    history_disagreements,
    spells,
    tabulate,
)
from demand_model.annex_a.checked import CheckResult, Lists
from demand_model.exposure.front_door import (
    FrontDoorCounts,
    front_door_counts,
    front_door_words,
)
from demand_model.exposure.history import listed_months
from demand_model.rates.fit import FlowRates, overridable_rate_ids
from demand_model.results.own_places import added_places
from demand_model.results.placement_mix import PlacementsToday, placements_today
from demand_model.simulation.setup import Prepared, prepare
from demand_model.simulation.system_feedback import System
from demand_model.system.inputs import Placements

_FIT = 0.15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """Lists that can be used, and what was fitted from them.

    Attributes
    ----------
    check
        Findings, those of earlier months included.
    memory, months, listed
        Earlier runs' months; the months that feed the fit; those of the lists.
    kept
        What sheet Memory goes on to hold, where it is not of these lists but a list seems
        cut short; ``None`` where the run is remembered.
    overrides
        The analyst's own rates as typed; `unused` are those that cannot be set.
    sheet
        Sheet System.
    today
        Children in care by placement at the census date.
    front_door
        Assessments and children in need, from Lists 4 and 6 where they are given.
    """

    judged: Judged
    check: CheckResult
    lists: Lists
    spells: Spells
    exposure: Exposure
    listed: pd.DataFrame
    memory: Memory
    kept: Memory | None
    months: History | None
    overrides: Mapping[str, float]
    rates: FlowRates
    sheet: SystemSheet
    today: PlacementsToday
    front_door: FrontDoorCounts

    @property
    def usable(self) -> dict[str, float]:
        """The analyst's own rates that can be set."""
        can = set(overridable_rate_ids())
        return {k: v for k, v in self.overrides.items() if k in can}

    @property
    def system(self) -> System:
        """The system around the children, with what the lists say of it."""
        placements = self.sheet.inputs.placements
        return System(
            inputs=self.sheet.inputs,
            placed_share=_placed_share(self.today, placements),
            new_places=added_places(self.sheet.new_places, placements, self.today),
            assessments_open=self.front_door.assessments_open,
            cin_open=self.front_door.cin_open,
        )

    @property
    def front_door_basis(self) -> str:
        """What Lists 4 and 6 show, in a sentence; empty where neither is given."""
        return front_door_words(self.front_door)

    def prepared(self, settings: RunSettings) -> Prepared:
        """A run before any scenario."""
        return prepare(
            self.rates,
            horizon_months=settings.horizon_months,
            draws=settings.draws,
            seed=settings.seed,
        )


def fit_lists(
    book: WorkbookPort, settings: RunSettings, progress: Progress
) -> tuple[Judged, Fitted | None]:
    """Check the lists of a workbook and fit the flow rates.

    Returns
    -------
    What the check found; and the fit, ``None`` where the lists must be mended first.
    """
    judged = judge(book, settings, progress)
    lists = judged.check.lists
    if lists is None or judged.check.findings.stops:
        return judged, None
    progress("Fitting the flow rates", _FIT)
    overrides = read_overrides(book)
    sheet = read_system(book)
    followed = spells(lists)
    exposure = tabulate(followed)
    listed = listed_months(exposure)
    is_cut = bool(few_referrals(judged.check))
    memory, other = trusted(judged.memory, listed, is_kept=is_cut)
    months = earlier_months(memory, judged.history, listed)
    can = set(overridable_rate_ids())
    door = front_door_counts(lists)
    apart = history_disagreements(judged.history, exposure) + other + door.findings
    return judged, Fitted(
        judged=judged,
        check=replace(judged.check, findings=judged.check.findings + apart),
        lists=lists,
        spells=followed,
        exposure=exposure,
        listed=listed,
        memory=memory,
        kept=judged.memory if is_cut and other.items else None,
        months=months,
        overrides=overrides,
        rates=fit(
            exposure, history=months, overrides={k: v for k, v in overrides.items() if k in can}
        ),
        sheet=sheet,
        today=placements_today(followed, sheet.inputs.placements),
        front_door=door,
    )


def _placed_share(today: PlacementsToday, placements: Placements) -> float | None:
    """Share of children in care in the authority's own places, where their number is given."""
    limited = [g.is_internal and g.capacity is not None for g in placements.groups]
    total = float(today.counts.sum())
    if not any(limited):
        return None
    return float(today.counts[:, limited].sum()) / total if total else 0.0
