"""What the lists of an extract share: children, staff, and each child's last spell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand_samples import labels
from demand_samples.history import History
from demand_samples.observe import day_numbers
from demand_samples.working_days import DAYS_PER_MONTH

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]

NEVER = 2**40


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class People:
    """Who the children are, by child_id; drawn once a history so that lists agree."""

    unique_id: Ints
    gender: Texts
    ethnicity: Texts
    disability: Texts
    birth_day: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """The day of the extract, and what the lists share."""

    census: int
    window_start: int
    people: People
    rng: np.random.Generator


def choose(
    rng: np.random.Generator, options: tuple[str, ...], shares: tuple[float, ...], count: int
) -> Texts:
    """Choose an option a row with the shares given."""
    weights = np.array(shares) / sum(shares)
    return np.array(options, dtype=object)[rng.choice(len(options), size=count, p=weights)]


def choose_by(
    rng: np.random.Generator,
    key: Texts,
    tables: dict[str, tuple[tuple[str, ...], tuple[float, ...]]],
    otherwise: tuple[tuple[str, ...], tuple[float, ...]] = (("",), (1.0,)),
) -> Texts:
    """Choose a code a row, from the table that the row's key names."""
    chosen = np.full(len(key), "", dtype=object)
    for name in sorted(set(key)):
        here = key == name
        options, shares = tables.get(name, otherwise)
        chosen[here] = choose(rng, options, shares, int(here.sum()))
    return chosen


def draw_people(history: History) -> People:
    """Draw who the children are; the same for every extract of a history."""
    rng = np.random.default_rng([history.seed, 1])
    children = history.children
    count = len(children)
    family = children["family_id"].to_numpy()
    families = int(family.max(initial=0)) + 1
    shares = np.array(
        [68, 0.4, 0.3, 6, 1, 2.5, 1, 2, 2.5, 1, 2.5, 1, 1.5, 1, 4, 1.5, 0.2, 2, 0.3, 1]
    )
    ethnicity = np.array(labels.ETHNICITY, dtype=object)[
        rng.choice(len(shares), size=families, p=shares / shares.sum())
    ]
    uasc = np.zeros(count, dtype=bool)
    uasc[history.care.loc[history.care["uasc"], "child_id"].to_numpy()] = True
    female = rng.random(count) < np.where(uasc, 0.04, 0.48)
    disability = choose(rng, labels.YES_NO_UNKNOWN, (0.10, 0.86, 0.04), count)
    return People(
        unique_id=1_000_000 + 7 * rng.permutation(count).astype(np.int64) + 3,
        gender=np.where(female, labels.GENDER[1], labels.GENDER[0]).astype(object),
        ethnicity=ethnicity[family],
        disability=disability,
        birth_day=day_numbers(children["date_of_birth"]),
    )


def date_column(day: Ints, known: Bools | None = None) -> NDArray[np.datetime64]:
    """Turn day numbers into dates, blank where far ahead or not `known`."""
    missing = day >= NEVER if known is None else ~known | (day >= NEVER)
    dates = np.where(missing, np.datetime64("NaT", "D"), day.astype("datetime64[D]"))
    return dates.astype("datetime64[ns]")


def blank_unless(condition: Bools, values: Texts) -> Texts:
    """Blank the values where a condition fails."""
    blanked = values.copy()
    blanked[~condition] = None
    return blanked


def official_labels(codes: Texts, official: tuple[str, ...]) -> Texts:
    """Replace codes by their official labels."""
    table = labels.by_code(official)
    return np.array([table[code] for code in codes], dtype=object)


def _whole_years(birth_day: Ints, at: int) -> Ints:
    """Age at the last birthday; −1 for the unborn."""
    birth = birth_day.astype("datetime64[D]")
    month = birth.astype("datetime64[M]")
    day_of_month = (birth - month.astype("datetime64[D]")).astype(np.int64)
    today = np.datetime64(at, "D")
    this_month = today.astype("datetime64[M]")
    gone = (this_month - month).astype(np.int64)
    gone = gone - (day_of_month > (today - this_month.astype("datetime64[D]")).astype(np.int64))
    return np.where(birth_day > at, -1, gone // 12).astype(np.int64)


def identity(view: View, child: Ints) -> dict[str, object]:
    """Lay out the columns that every list begins with."""
    people = view.people
    unborn = people.birth_day[child] > view.census
    return {
        "Child Unique ID": people.unique_id[child],
        "Gender": np.where(unborn, labels.GENDER[2], people.gender[child]),
        "Ethnicity": np.where(unborn, labels.ETHNICITY[-1], people.ethnicity[child]),
        "Date of Birth": date_column(people.birth_day[child]),
        "Age of Child (Years)": _whole_years(people.birth_day[child], view.census),
    }


def staff(view: View, count: int, teams: int) -> dict[str, object]:
    """Make up teams and workers."""
    team = view.rng.integers(1, teams + 1, size=count)
    worker = team * 8 + view.rng.integers(0, 8, size=count)
    return {
        "Allocated Team": np.array([f"Team {number}" for number in team], dtype=object),
        "Allocated Worker": np.array([f"Worker {number}" for number in worker], dtype=object),
    }


def list_frame(list_number: int, columns: dict[str, object]) -> pd.DataFrame:
    """Put the columns of a list in the official order."""
    return pd.DataFrame({heading: columns[heading] for heading in labels.HEADINGS[list_number]})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listed:
    """The rows of List 7 or 8: each child's most recent spell."""

    rows: pd.DataFrame
    child: Ints
    start: Ints
    end: Ints
    """`NEVER` while open on the census date."""
    until: Ints
    """The last day that can have a visit or a review: the end, or the census date."""
    earlier_spells: Ints
    previous_end: Ints
    """End of the spell before, `−NEVER` if none."""

    @property
    def ended(self) -> Bools:
        """True where the spell had ended by the census date."""
        return self.end < NEVER


def most_recent(spells: pd.DataFrame, view: View) -> Listed:
    """Find the spells that a list shows: each child's last, open or ended in the window."""
    start = day_numbers(spells["start"])
    spells = spells[start <= view.census].sort_values(["child_id", "start"], kind="stable")
    number = spells.groupby("child_id").cumcount().to_numpy()
    before = spells.groupby("child_id")["end"].shift()
    last = ~spells.duplicated("child_id", keep="last").to_numpy()
    true_end = day_numbers(spells["end"])
    end = np.where(true_end > view.census, NEVER, true_end)
    here = last & (end >= view.window_start)
    previous = day_numbers(before)
    rows = spells[here]
    return Listed(
        rows=rows,
        child=rows["child_id"].to_numpy(),
        start=day_numbers(rows["start"]),
        end=end[here],
        until=np.minimum(end[here], view.census),
        earlier_spells=number[here].astype(np.int64),
        previous_end=np.where(number[here] > 0, previous[here], -NEVER),
    )


def recent_day(view: View, listed: Listed, longest: int) -> Ints:
    """Choose a day in the last `longest` days of the spell, not before its start."""
    back = view.rng.integers(0, longest + 1, size=len(listed.start))
    day: Ints = np.maximum(listed.until - back, listed.start)
    return day


def latest_review(listed: Listed, first: float, interval: float) -> tuple[Ints, Bools]:
    """Day of the last review due at `first`, then every `interval` months; and whether any was."""
    months = (listed.until - listed.start) / DAYS_PER_MONTH
    number = np.floor((months - first) / interval)
    day = listed.start + np.round((first + interval * number) * DAYS_PER_MONTH).astype(np.int64)
    return np.minimum(day, listed.until), number >= 0
