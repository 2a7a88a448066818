"""The buttons: what they are called, what they do in a line, and which command they start."""

from __future__ import annotations

from dataclasses import dataclass

NEW, IMPORT, CHECK, RUN = "new", "import", "check", "run"
COMPARE, ACCURACY, LEVERS = "compare", "backtest", "levers"
UNDO, KEEP, HELP = "undo", "keep", "help"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One button.

    Attributes
    ----------
    key
        The command it starts, as on the command line.
    label
        What stands on it.
    letter
        Pressed with Alt, it presses the button; underlined in the label.
    tip
        What it does, in a line that stands beside it.
    needs_book
        It works on the chosen workbook.
    """

    key: str
    label: str
    letter: str
    tip: str
    needs_book: bool = True

    @property
    def underline(self) -> int:
        """Place of the underlined letter."""
        return self.label.casefold().index(self.letter)


ACTIONS = (
    Action(
        key=NEW,
        label="New workbook…",
        letter="n",
        tip="Make an empty workbook.",
        needs_book=False,
    ),
    Action(
        key=IMPORT,
        label="Import lists…",
        letter="i",
        tip="Copy your lists from Annex A files.",
    ),
    Action(
        key=CHECK,
        label="Check",
        letter="c",
        tip="See what must be mended in the lists.",
    ),
    Action(
        key=RUN,
        label="Run",
        letter="r",
        tip="Forecast, and fill the Dashboard.",
    ),
    Action(
        key=COMPARE,
        label="Compare scenarios",
        letter="m",
        tip="See the last run's scenarios.",
    ),
    Action(
        key=ACCURACY,
        label="Accuracy",
        letter="a",
        tip="Test how far to trust the forecast.",
    ),
    Action(
        key=LEVERS,
        label="Levers",
        letter="v",
        tip="See what could be done, and goals.",
    ),
    Action(
        key=UNDO,
        label="Undo last run",
        letter="u",
        tip="Bring back what was there before.",
    ),
    Action(
        key=KEEP,
        label="Keep what-if",
        letter="k",
        tip="Keep sheet What-if as a scenario.",
    ),
    Action(
        key=HELP,
        label="Help",
        letter="h",
        tip="Steps, keys, and what is safe.",
        needs_book=False,
    ),
)


def action_of(key: str) -> Action:
    """Return the button of a command."""
    return next(action for action in ACTIONS if action.key == key)
