"""Sheet Levers: sentences, the table of levers, goals, loops, and the charts' blocks."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand_addin.layout import levers as declared
from demand_addin.lever_sheet import AskedGoal, LeverSheet
from demand_addin.plan.needs import need_rows
from demand_addin.plan.values import cells, day_name
from demand_addin.ports import BookPlan, CellValue, RangeValues, TableValues
from demand_model.results.goal_seek import GoalFound
from demand_model.results.lever_list import ALL_EXITS
from demand_model.results.lever_sentences import (
    lever_names,
    lever_sentences,
    loop_sentences,
)
from demand_model.results.lever_words import OUTCOME_WORDS
from demand_model.results.levers import TOGETHER, LeverEffects
from demand_model.system.loops import FeedbackLoop
from demand_model.units import counted

_LINE_LENGTH = 195
_TAKES_LENGTH = 54
"""Letters from the column that says what a goal takes to the page's edge."""
_WAY_LENGTH = 130
"""Letters from the column of a loop's way round to the page's edge."""
_MORE = "There is more: the tables below have it, and csc-demand levers says it all."
Rows = tuple[tuple[CellValue, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeversFound:
    """What ``csc-demand levers`` found.

    Attributes
    ----------
    asked
        Sheet Lever choices.
    effects
        Of the levers.
    loops
        From `demand_model.results.lever_loops.loop_effects`.
    closed
        Closed loops of the links that are on.
    goals
        Answers, in the order asked.
    notes
        What a reader must know of the figures.
    needs
        From `demand_model.results.placement_need.need_table`; ``None``: nobody is matched.
    draws
        Simulated futures.
    authority
        Name; may be empty.
    """

    asked: LeverSheet
    effects: LeverEffects
    loops: pd.DataFrame
    closed: tuple[FeedbackLoop, ...]
    goals: tuple[tuple[AskedGoal, GoalFound], ...]
    notes: tuple[str, ...]
    draws: int
    authority: str = ""
    needs: pd.DataFrame | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """What matters most, in plain words."""
        return (
            *lever_sentences(self.effects, self.asked.settings, self.asked.comparisons),
            *loop_sentences(self.loops, self.effects.at, self.asked.base),
            *(found.sentence for _, found in self.goals),
        )

    @property
    def names(self) -> dict[str, str]:
        """Each lever and how much of it, by key, with a capital letter."""
        names = lever_names((*self.asked.settings, *self.asked.comparisons))
        return {key: f"{name[0].upper()}{name[1:]}" for key, name in names.items()}


def levers_values(found: LeversFound, *, lacking: AbstractSet[str] = frozenset()) -> BookPlan:
    """Plan what ``csc-demand levers`` writes on sheets Levers and Levers data.

    Parameters
    ----------
    lacking
        Of `layout.levers.LATER_TABLES`, those that the workbook lacks: they are left out
        and not spoken of. A sheet without the table of ranges has less room for loops too.
    """
    is_earlier = declared.RANGES_TABLE.name in lacking
    room = declared.EARLIER_CLOSED_ROWS if is_earlier else declared.CLOSED_ROWS
    closed = _closed(found, room)
    ranges = {
        declared.SUBTITLE.name: ((_subtitle(found),),),
        declared.SENTENCES.name: _wrapped(found.sentences, declared.SENTENCE_ROWS),
        declared.TABLE_NOTE.name: ((_table_note(found, has_ranges=not is_earlier),),),
        **({} if is_earlier else {declared.RANGES_NOTE.name: ((_ranges_note(),),)}),
        declared.TAKES.name: _wrapped(_takes(found), declared.TAKES_ROWS),
        declared.NOTES.name: _wrapped(found.notes, declared.NOTE_ROWS),
        declared.GOALS_NOTE.name: ((_goals_note(found),),),
        declared.NEEDS_NOTE.name: ((_needs_note(found),),),
        declared.LOOPS_NOTE.name: ((_loops_note(found),),),
        declared.BREAKS.name: _breaks(found.loops),
        declared.CLOSED_NOTE.name: ((_closed_note(found, len(closed)),),),
        declared.MATRIX_AREA.name: _matrix(found),
        declared.TORNADO: _tornado(found),
        declared.AGAINST_EXITS: _against_exits(found),
    }
    tables = (
        (declared.LEVERS_TABLE, _lever_rows(found)),
        (declared.RANGES_TABLE, _range_rows(found)),
        (declared.GOAL_ANSWERS, tuple(_goal_row(*pair) for pair in found.goals)),
        (declared.NEED_COUNTS, need_rows(found.needs)),
        (declared.LOOP_EFFECTS, _loop_rows(found.loops)),
        (declared.CLOSED_LOOPS, tuple(row for loop in closed for row in loop)),
        (declared.INTERVALS, _interval_rows(found)),
        (declared.BEATS, _beat_rows(found)),
    )
    return BookPlan(
        tables=tuple(
            TableValues(name=spec.name, columns=spec.headings, rows=rows[: spec.room])
            for spec, rows in tables
            if spec.name not in lacking
        ),
        ranges=tuple(RangeValues(name=name, rows=rows) for name, rows in ranges.items()),
    )


# --- words --------------------------------------------------------------------------------------


def _wrapped(sentences: Sequence[str], room: int) -> Rows:
    lines = [line for text in sentences for line in textwrap.wrap(text, _LINE_LENGTH)]
    if len(lines) > room:
        lines = [*lines[: room - 1], _MORE]
    return tuple((line,) for line in lines)


def _subtitle(found: LeversFound) -> str:
    whose = f"{found.authority}. " if found.authority else ""
    return (
        f"{whose}Laid upon: {found.asked.base}. Effect on {day_name(found.effects.at)}, over "
        f"{found.draws:,} simulated futures. Each lever from its own start: sheet Lever choices."
    )


def _table_note(found: LeversFound, *, has_ranges: bool) -> str:
    words = OUTCOME_WORDS[found.effects.headline]
    return (
        f"Ranked by: {words.label[0].lower()}{words.label[1:]}, in {words.unit}. Every figure is "
        f"the change by {day_name(found.effects.at)} against no lever; money in £ thousand from "
        "the census date on." + has_ranges * " The side effects' ranges are in the next table."
    )


def _ranges_note() -> str:
    return (
        "Same levers, order and units. Ranges of the other outcomes, and all 95% ranges, are in "
        f"the table Every outcome with its ranges, from row {declared.TABLES_ROW} on."
    )


def _takes(found: LeversFound) -> tuple[str, ...]:
    """Say of each goal whole what it takes, which a cell of the table may have no room for."""
    return tuple(f"Goal {n}. {goal.sentence}" for n, (_, goal) in enumerate(found.goals, start=1))


def _goals_note(found: LeversFound) -> str:
    if any(not s.cost_a_year for _, goal in found.goals for s in goal.settings):
        return (
            "The cheapest that meets each goal. Levers without a cost of their own were used "
            "first: type what they cost on sheet Lever choices."
        )
    if found.goals:
        return "The cheapest that meets each goal, by the levers' own costs."
    return "No goal was set. Fill in table 3 of sheet Lever choices and press Levers again."


def _needs_note(found: LeversFound) -> str:
    if found.needs is None:
        return "Nobody is matched by need: the lever of that name says No on sheet Lever choices."
    return (
        "Children of List 8 by category of need, and whether they live in external placements; "
        "counts rounded to the nearest 5, c: fewer than 5, or a share that would tell of so few."
    )


def _loops_note(found: LeversFound) -> str:
    if found.loops.empty:
        return loop_sentences(found.loops, found.effects.at)[0]
    return (
        f"Each loop taken out, all else the same: the difference on {day_name(found.effects.at)} "
        "and its 80% range, future by future."
    )


def _closed_note(found: LeversFound, shown_loops: int) -> str:
    if not found.closed:
        return "None is closed by the links that are on."
    kinds = [loop.is_reinforcing for loop in found.closed]
    shown = ""
    if len(kinds) > shown_loops:
        shown = f" The {shown_loops} shortest are shown."
    return (
        f"The links that are on close {counted(len(kinds), 'loop')}: {sum(kinds)} reinforcing, "
        f"{len(kinds) - sum(kinds)} balancing.{shown}"
    )


# --- tables -------------------------------------------------------------------------------------


def _order(effects: LeverEffects) -> list[str]:
    """Levers, the best first."""
    return list(dict.fromkeys(effects.effects["lever"]))


def _lever_rows(found: LeversFound) -> Rows:
    effects, names = found.effects, found.names
    by_pair = {
        (str(row["lever"]), str(row["outcome"])): row for row in effects.effects.to_dict("records")
    }
    rows = []
    for key in _order(effects):
        own = by_pair[key, effects.headline]
        first = [_told(own[c], effects.headline) for c in ("effect", "p10", "p90")]
        side = [
            _told(by_pair[key, outcome]["effect"], outcome) if (key, outcome) in by_pair else None
            for outcome in declared.SIDE_COLUMNS
        ]
        share = round(float(own["share_lower"]), 3)
        rows.append((names[key], *first, share, *side))
    return tuple(rows)


def _range_rows(found: LeversFound) -> Rows:
    """Return the ends of the 80% ranges, lever by lever as in the table above."""
    effects, names = found.effects, found.names
    rows = []
    for key in _order(effects):
        ends: list[CellValue] = []
        for outcome in declared.RANGE_COLUMNS:
            draws = effects.draws.get((key, outcome))
            if draws is None:
                ends += [None, None]
            else:
                ends += [_told(q, outcome) for q in np.quantile(draws, (0.1, 0.9)).tolist()]
        rows.append((names[key], *ends))
    return tuple(rows)


def _told(value: float, outcome: str) -> float:
    """A change in the outcome's unit, as finely as it is shown: no nought with a sign."""
    words = OUTCOME_WORDS[outcome]
    return round(float(value) * words.scale, words.decimals) + 0.0


def _goal_row(asked: AskedGoal, found: GoalFound) -> tuple[CellValue, ...]:
    words = OUTCOME_WORDS[asked.goal.outcome]
    takes = "; ".join(s.words for s in found.settings)
    if not takes:
        takes = "No lever is needed" if found.is_met else "None of the levers helps"
    elif not found.is_met:
        takes = f"Out of reach; at most {takes}"
    if len(takes) > _TAKES_LENGTH:
        takes = f"{counted(len(found.settings), 'lever')}: see the lines below"
        takes = takes if found.is_met else f"Out of reach; {takes}"
    shown = (words.value(v) for v in (found.without, found.reached))
    return (
        f"{words.label}: {words.value(asked.goal.target)}",
        asked.by,
        asked.goal.chance,
        "Yes" if found.is_met else "No",
        *shown,
        round(found.chance, 3),
        round(found.cost_a_year),
        takes,
    )


def _loop_rows(loops: pd.DataFrame) -> Rows:
    rows = []
    for name, mine in loops.groupby("loop", sort=False):
        by_outcome = {str(row["outcome"]): row for row in mine.to_dict("records")}
        figures: list[CellValue] = []
        for outcome in declared.LOOP_OUTCOMES:
            there = outcome in by_outcome
            figures += [
                _told(by_outcome[outcome][column], outcome) if there else None
                for column in ("effect", "p10", "p90")
            ]
        rows.append((str(name), int(mine["links"].iloc[0]), *figures))
    return tuple(rows)


def _breaks(loops: pd.DataFrame) -> Rows:
    """Say what breaks each loop, as sheet System has it."""
    first = loops.drop_duplicates("loop")
    said = [
        f"What breaks {loop}: {breaks}"
        for loop, breaks in zip(first["loop"], first["breaks"], strict=True)
        if breaks
    ]
    return _wrapped(said, declared.BREAKS_ROWS)


def _closed(found: LeversFound, room: int) -> list[Rows]:
    """Return the rows of each of the shortest loops that there is room for, whole.

    A way too long for the page goes on in the next row.
    """
    shown: list[Rows] = []
    for loop in found.closed:
        first, *rest = textwrap.wrap(loop.path, _WAY_LENGTH, break_long_words=False)
        own: list[tuple[CellValue, ...]] = [
            (loop.name, loop.kind.capitalize(), "Yes" if loop.is_on else "No", first)
        ]
        own += [(None, None, None, f"   {more}") for more in rest]
        room -= len(own)
        if room < 0:
            break
        shown.append(tuple(own))
    return shown


def _interval_rows(found: LeversFound) -> Rows:
    frame = found.effects.effects
    names = found.names
    frame = frame.assign(label=[names[key] for key in frame["lever"]])
    columns = declared.INTERVALS.headings
    return tuple(zip(*(cells(frame[name].tolist(), decimals=4) for name in columns), strict=True))


def _beat_rows(found: LeversFound) -> Rows:
    names = found.names
    table = found.effects.beats
    return tuple(
        (names[one], names[other], round(share, 3))
        for one, other, share in zip(
            table["lever"], table["beaten"], table["share"].tolist(), strict=True
        )
    )


def _matrix(found: LeversFound) -> Rows:
    """Return a square of the best levers that move the outcome at all."""
    share = found.effects.beats.set_index(["lever", "beaten"])["share"]
    keys = [k for k in _moving(found.effects) if k != TOGETHER][: declared.MATRIX]
    names = found.names
    rows: list[tuple[CellValue, ...]] = [("", *(str(n) for n in range(1, len(keys) + 1)))]
    for number, one in enumerate(keys, start=1):
        row = [None if one == other else round(float(share[one, other]), 3) for other in keys]
        rows.append((f"{number}. {names[one]}", *row))
    return tuple(rows) if keys else ()


# --- what the charts draw -----------------------------------------------------------------------


def _moving(effects: LeverEffects) -> list[str]:
    """Levers that move the outcome in some future, the best first."""
    return [k for k in _order(effects) if np.any(effects.draws[k, effects.headline] != 0.0)]


def _arms(draws: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, ...]:
    """Return the mean, the arms of the 80% range above and below, and its far ends."""
    mean = float(draws.mean())
    low, high = (float(q) for q in np.quantile(draws, (0.1, 0.9)))
    arms = (mean, max(high - mean, 0.0), max(mean - low, 0.0), max(high, mean), min(low, mean))
    return tuple(round(value, 5) for value in arms)


def _tornado(found: LeversFound) -> Rows:
    effects, names = found.effects, found.names
    scale = OUTCOME_WORDS[effects.headline].scale
    keys = [key for key in _order(effects) if key != TOGETHER]
    keys.sort(key=lambda key: -abs(float(effects.draws[key, effects.headline].mean())))
    rows: list[tuple[CellValue, ...]] = [declared.TORNADO_COLUMNS]
    rows += [(names[key], *_arms(effects.draws[key, effects.headline] * scale)) for key in keys]
    return tuple(rows[: declared.TORNADO_ROWS + 1])


def _against_exits(found: LeversFound) -> Rows:
    """Return two rows an outcome and a free one: one lever, all exits, in shares of no lever."""
    effects, names = found.effects, found.names
    singles = {s.lever for s in found.asked.settings}
    best = next((key for key in _order(effects) if key in singles), None)
    if best is None or (ALL_EXITS, effects.headline) not in effects.draws:
        return (declared.AGAINST_COLUMNS,)
    heads = ("Outcome", names[best], names[ALL_EXITS], *declared.AGAINST_COLUMNS[3:])
    rows: list[tuple[CellValue, ...]] = [heads]
    base = effects.effects.drop_duplicates("outcome").set_index("outcome")["without"]
    for outcome, label in declared.AGAINST.items():
        if (best, outcome) not in effects.draws or not base[outcome]:
            continue
        of = float(base[outcome])
        one = _arms(effects.draws[best, outcome] / of)
        two = _arms(effects.draws[ALL_EXITS, outcome] / of)
        rows += [(label, one[0], None, *one[1:]), (None, None, two[0], *two[1:]), (None,)]
    return tuple(rows[:-1] if len(rows) > 1 else rows)
