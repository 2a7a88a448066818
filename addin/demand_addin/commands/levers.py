"""``csc-demand levers``: what could be done, what it would do, and what a goal takes.

Writes sheets Levers and Levers data and nothing else: the forecast stays as the last
run left it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd

from demand_addin.cells import SettingProblemsError
from demand_addin.commands.check import check_record, finding_lines, stop_sentence
from demand_addin.commands.closed_file import FileJob, change_file
from demand_addin.commands.fitting import Fitted, fit_lists
from demand_addin.commands.inputs import read_asked_scenarios, read_inputs
from demand_addin.commands.older_book import has_table
from demand_addin.commands.outcome import ExitCode, Json, Outcome
from demand_addin.layout.levers import LATER_TABLES, LEVERS_TABLE, SHEET
from demand_addin.lever_sheet import AskedGoal, LeverBounds, LeverSheet, read_lever_choices
from demand_addin.plan.levers import LeversFound, levers_values
from demand_addin.ports import BookPlan, WorkbookPort
from demand_addin.progress import Progress, silent
from demand_addin.scenario_sheet import TABLE as SCENARIOS
from demand_addin.scenario_sheet import read_scenarios, written_names
from demand_addin.settings import RunSettings
from demand_addin.system_sheet import read_placement_groups
from demand_model.annex_a.checked import CheckResult
from demand_model.errors import InvalidInputError
from demand_model.results.goal_seek import GoalFound, goal_seek
from demand_model.results.lever_loops import loop_effects
from demand_model.results.lever_notes import lever_notes
from demand_model.results.lever_runs import LeverContext
from demand_model.results.lever_sentences import CAUTION
from demand_model.results.levers import levers
from demand_model.results.placement_need import need_table, placement_needs
from demand_model.simulation.scenario import BASELINE, Scenario
from demand_model.system.inputs import PlacementGroup
from demand_model.system.loops import find_loops

_LEVERS, _LOOPS, _GOALS, _WRITE = 0.2, 0.7, 0.8, 0.95
_ANY_CENSUS, _ANY_LAST = date(2000, 1, 1), date(2099, 12, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What the command found; `found` is ``None`` where the lists must be mended first."""

    check: CheckResult
    found: LeversFound | None = None


def levers_book(
    job: FileJob,
    *,
    seed: int | None = None,
    draws: int | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Try the levers of a workbook and write what they do to its sheet Levers.

    Parameters
    ----------
    seed, draws
        Win over sheet Settings where given.

    Raises
    ------
    DemandError
        The workbook, its settings or its lists cannot be used, or it cannot be
        written; no file is changed.
    """

    def work(book: WorkbookPort) -> tuple[BookPlan | None, Tried]:
        return levers_on(book, seed=seed, draws=draws, progress=progress)

    tried, saved = change_file(job, work)
    if tried.found is None:
        where = (
            f'{job.source.name} was left as it was; csc-demand check "{job.source.name}" writes '
            "all findings to its sheet Checks"
        )
        return stopped(tried.check, where, {"book": str(job.source)})
    progress("Done", 1.0)
    return Outcome(
        command="levers",
        wrote=saved.wrote,
        sentences=(*levers_lines(tried.found), *saved.notes),
        record={"book": str(saved.path), **levers_record(tried.found)},
    )


def stopped(check: CheckResult, where: str, record: dict[str, Json]) -> Outcome:
    """Say what must be mended in the lists first."""
    return Outcome(
        command="levers",
        exit_code=ExitCode.MEND,
        problem=stop_sentence(check, where),
        details=finding_lines(check.findings.stops),
        record=record | check_record(check),
    )


def levers_lines(found: LeversFound) -> tuple[str, ...]:
    """Say what was found, and where the rest stands."""
    return (
        *found.sentences,
        *found.notes,
        "",
        CAUTION,
        f"Sheet {SHEET} has every lever, its side effects, and the charts.",
    )


def levers_on(
    book: WorkbookPort,
    *,
    seed: int | None = None,
    draws: int | None = None,
    progress: Progress = silent,
) -> tuple[BookPlan | None, Tried]:
    """Compute everything that the command writes into an open workbook; write nothing.

    Returns
    -------
    The plan, or ``None`` where the lists must be mended first, and what was found.
    """
    _require_sheet(book)
    settings = _read_all(book).with_options(seed=seed, draws=draws)
    judged, fitted = fit_lists(book, settings, progress)
    if fitted is None:
        return None, Tried(check=judged.check)
    context, asked = _context(book, settings, fitted)
    found = _try(context, asked, settings, progress)
    progress("Writing the results", _WRITE)
    plan = levers_values(found, lacking=lacking_tables(book))
    return plan, Tried(check=fitted.check, found=found)


def lacking_tables(book: WorkbookPort) -> frozenset[str]:
    """Return the tables that came later, where an earlier version made the sheet."""
    return frozenset(name for name in LATER_TABLES if not has_table(book, name))


def _require_sheet(book: WorkbookPort) -> None:
    """Say before any work that there is nowhere to write to."""
    if SHEET in book.sheet_names():
        return
    try:
        book.read_table(LEVERS_TABLE.name)
    except InvalidInputError as error:
        raise InvalidInputError(
            f"{book.name} has no sheet {SHEET}: an earlier version made the workbook, or the sheet "
            "was deleted. Nothing was written. Bring the lists into a new workbook with "
            f'csc-demand import NEW.xlsx "{book.name}", copy your settings and scenarios into it, '
            "and try the levers there."
        ) from error


def _read_all(book: WorkbookPort) -> RunSettings:
    """Read settings; name every wrong blue cell, those of sheet Lever choices too."""
    lines: list[str] = []
    settings = None
    try:
        settings = read_inputs(book)
    except SettingProblemsError as error:
        lines += error.problems
    try:
        names = (BASELINE.name, *written_names(book.read_table(SCENARIOS)))
        groups = read_placement_groups(book)
        read_lever_choices(book, _bounds(_ANY_CENSUS, _ANY_LAST, names, groups))
    except SettingProblemsError as error:
        lines += error.problems
    if lines or settings is None:
        raise SettingProblemsError(tuple(dict.fromkeys(lines)))
    return settings


def _bounds(
    census: date, last: date, names: tuple[str, ...], groups: tuple[PlacementGroup, ...]
) -> LeverBounds:
    return LeverBounds(
        census_date=census,
        last_day=last,
        scenarios=tuple(dict.fromkeys(names)),
        groups=tuple(group.name for group in groups),
        own_groups=tuple(group.name for group in groups if group.is_internal),
    )


def _context(
    book: WorkbookPort, settings: RunSettings, fitted: Fitted
) -> tuple[LeverContext, LeverSheet]:
    prepared = fitted.prepared(settings)
    line = prepared.common.line
    last = line.month_ends[-1].astype("datetime64[D]").item()
    read_asked_scenarios(book, settings, line.census_date)
    scenarios = _scenarios(book, line.census_date)
    groups = fitted.sheet.inputs.placements.groups
    asked = read_lever_choices(book, _bounds(line.census_date, last, tuple(scenarios), groups))
    base = scenarios[asked.base]
    context = LeverContext(
        prepared=prepared,
        at=asked.at,
        base=base,
        system=fitted.system,
        placements=fitted.sheet.inputs.placements,
        today=fitted.today,
        needs=placement_needs(fitted.spells, fitted.sheet.inputs.placements, fitted.today),
        choices=fitted.sheet.costs,
        new_places=tuple(n for n in fitted.sheet.new_places if n.scenario in ("", base.name)),
    )
    return context, asked


def _scenarios(book: WorkbookPort, census: date) -> dict[str, Scenario]:
    """Every scenario that is written down, run or not, by name."""
    found = read_scenarios(book.read_table(SCENARIOS), census, included_only=False)
    return {BASELINE.name: BASELINE} | {s.name: s for s in found}


def _try(
    context: LeverContext, asked: LeverSheet, settings: RunSettings, progress: Progress
) -> LeversFound:
    effects = levers(
        context,
        asked.settings,
        headline=asked.outcome,
        combinations=asked.comparisons,
        progress=_within(progress, "Trying the levers", _LEVERS, _LOOPS),
    )
    loops = loop_effects(
        context, progress=_within(progress, "Taking loops out", _LOOPS, _GOALS, tell=True)
    )
    goals = []
    for number, goal in enumerate(asked.goals):
        share = number / len(asked.goals)
        progress(f"Seeking goal {number + 1}", _GOALS + share * (_WRITE - _GOALS))
        goals.append((goal, _sought(context, goal)))
    system = context.system
    links = system.inputs.links if system is not None else ()
    return LeversFound(
        asked=asked,
        effects=effects,
        loops=loops,
        closed=find_loops(links, only_on=True),
        goals=tuple(goals),
        notes=(*_notes(context, asked), *lever_notes(context, asked.settings)),
        needs=_needs(context, asked),
        draws=settings.draws,
        authority=settings.authority,
    )


def _needs(context: LeverContext, asked: LeverSheet) -> pd.DataFrame | None:
    """What matching by need rests on; ``None`` where nobody is matched."""
    matching = next((s for s in asked.settings if s.of.is_matched), None)
    if matching is None or not (context.placements and context.today and context.needs):
        return None
    return need_table(context.placements, context.today, context.needs, matching.matches)


def _sought(context: LeverContext, asked: AskedGoal) -> GoalFound:
    return goal_seek(replace(context, at=asked.by), asked.goal, asked.levers)


def _notes(context: LeverContext, asked: LeverSheet) -> tuple[str, ...]:
    """Say what a reader must know of the figures."""
    sd = context.choices.unit_cost_sd
    paid = any(s.cost_a_year for s in asked.settings)
    cost = (
        "Whole cost is placements, social workers and what the levers themselves cost."
        if paid
        else "Whole cost is placements and social workers: no lever has a cost of its own on sheet "
        "Lever choices yet."
    )
    moved = "Step-down, matching and new places change where children live"
    moved += (
        ", and through the links from places that are on how many come in."
        if context.answers_to_places
        else ", not how many there are."
    )
    held = (
        f"chance, uncertain rates, and weekly costs that may be off by about {sd:.0%}"
        if sd > 0.0
        else "chance and uncertain rates; weekly unit costs are taken as known (sheet System can "
        "say how far they may be off)"
    )
    ranges = (
        f"Ranges, those in brackets too, are 80% ranges. They hold {held}; "
        "all levers meet the same simulated futures, so differences between them are not chance."
    )
    return (ranges, f"{cost} {moved}")


def _within(
    progress: Progress, what: str, low: float, high: float, *, tell: bool = False
) -> Callable[[str, float], None]:
    """Lay a part's progress into the whole's; `tell` names what it is at."""
    progress(what, low)

    def scaled(detail: str, share: float) -> None:
        progress(f"{what}: {detail}" if tell else what, low + (high - low) * share)

    return scaled


# --- for machines -------------------------------------------------------------------------------


def levers_record(found: LeversFound) -> dict[str, Json]:
    """Give machines effects, loops, goals and sentences."""
    return {
        "at": found.effects.at.isoformat(),
        "base": found.asked.base,
        "outcome": found.effects.headline,
        "draws": found.draws,
        "sentences": list(found.sentences),
        "effects": _records(found.effects.effects),
        "beats": _records(found.effects.beats),
        "loops": _records(found.loops),
        "goals": [_goal_record(asked, goal) for asked, goal in found.goals],
    }


def _records(frame: pd.DataFrame) -> list[Json]:
    """Give a frame's rows; what cannot be known is null."""
    known = frame.astype(object).where(frame.notna(), None)
    return [
        {str(name): getattr(value, "item", lambda v=value: v)() for name, value in row.items()}
        for row in known.to_dict("records")
    ]


def _goal_record(asked: AskedGoal, found: GoalFound) -> dict[str, Json]:
    return {
        "outcome": asked.goal.outcome,
        "target": asked.goal.target,
        "by": asked.by.isoformat(),
        "chance_asked": asked.goal.chance,
        "is_met": found.is_met,
        "without": found.without,
        "reached": found.reached,
        "chance": found.chance,
        "cost_a_year": found.cost_a_year,
        "levers": [{"lever": s.lever, "size": s.size} for s in found.settings],
        "sentence": found.sentence,
    }
