"""The run before this one: what was the same then, and what it said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from demand_addin.plan.values import day_name


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The run before this one, of whatever lists.

    Attributes
    ----------
    when
        ``None`` where the run log cannot be read.
    has_same_lists
        Whether its lists were those of this run.
    has_same_settings
        Whether it was asked for the same: settings, scenarios, system, own rates. With
        other lists this says nothing, since some of these follow from the lists.
    has_same_months
        Whether months from before the lists, and marks of unusual ones, were those of
        this run. With other lists this says nothing either.
    """

    when: datetime | None
    has_same_lists: bool
    has_same_settings: bool
    has_same_months: bool = True

    @property
    def is_the_same(self) -> bool:
        """Whether lists, earlier months and settings were those of this run."""
        return self.has_same_lists and self.has_same_settings and self.has_same_months

    @property
    def sentence(self) -> str:
        """What is the same as at the last run."""
        at = f" ({day_name(self.when)}, {self.when:%H:%M})" if self.when else ""
        if not self.has_same_lists:
            return f"The lists have changed since the last run{at}."
        if self.is_the_same:
            return f"Lists and settings are the same as at the last run{at}."
        if self.has_same_settings:
            what = "History, or its marks,"
        elif self.has_same_months:
            what = "settings, or the model's version,"
        else:
            # Not “History”: other settings may leave other months of Memory to be used.
            what = "settings, or version, and the earlier months used,"
        return f"The lists are the same as at the last run{at}; {what} have changed."


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidBefore:
    """What the last run wrote on sheet What changed, since a run of the same lists may say it too.

    Attributes
    ----------
    note
        What was compared.
    sentences
        Lines below it.
    """

    note: str = ""
    sentences: tuple[str, ...] = ()
