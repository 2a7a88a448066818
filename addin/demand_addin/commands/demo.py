"""``csc-demand demo``: the whole job on a sample authority that does not exist."""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files
from pathlib import Path

from demand_addin.commands.backtest import DRAWS, backtest_book
from demand_addin.commands.closed_file import FileJob
from demand_addin.commands.import_lists import import_lists
from demand_addin.commands.outcome import ExitCode, Outcome
from demand_addin.commands.run import run_book
from demand_addin.progress import Progress, silent
from demand_addin.saving import NotSavedError
from demand_model.errors import InvalidInputError

SAMPLE = "middling"
_CHECKOUT = Path(__file__).resolve().parents[3] / "samples" / "workbooks"


def sample_workbook(name: str) -> bytes:
    """Read a sample Annex A workbook, from the installed package or from a checkout.

    Parameters
    ----------
    name
        "small", "middling" or "large".

    Raises
    ------
    InvalidInputError
        There is no such sample.
    """
    packaged = files("demand_addin") / "_samples" / f"{name}.xlsx"
    for place in (packaged, _CHECKOUT / f"{name}.xlsx"):
        if place.is_file():
            return place.read_bytes()
    raise InvalidInputError(f"The sample workbook {name}.xlsx is missing from this installation.")


def demo(
    folder: Path,
    *,
    now: datetime,
    seed: int | None = None,
    draws: int | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Make a workbook in `folder`, import the sample lists, run, back-test, say where it is.

    Raises
    ------
    DemandError
        As the steps do.
    """
    lists = folder / "annex-a-sample.xlsx"
    book = folder / "demand-model.xlsx"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lists.write_bytes(sample_workbook(SAMPLE))
    except OSError as error:
        raise NotSavedError(
            f"The folder {folder.name} cannot be written to; name another: csc-demand demo FOLDER."
        ) from error
    job = FileJob(book=book, now=now)
    imported = import_lists(job, [lists], progress=progress)
    ran = run_book(job, seed=seed, draws=draws, progress=progress)
    if ran.exit_code is ExitCode.OK:
        # Few futures do: the errors of earlier forecasts are wanted, not their far tails.
        backtest_book(job, seed=seed, draws=min(draws or DRAWS, DRAWS), progress=progress)
    return Outcome(
        command="demo",
        exit_code=ran.exit_code,
        wrote=(*ran.wrote[:1], lists),
        problem=ran.problem,
        details=ran.details,
        sentences=(
            *imported.sentences,
            *ran.sentences,
            "",
            f"Open {book} in Excel and look at its sheets Dashboard and Accuracy. The lists are "
            "made up.",
            "What could be done about it: say on sheet Lever choices what to try, save and close "
            f'the workbook, and type: csc-demand levers "{book}".',
        ),
        record={**ran.record, "lists": str(lists)},
    )
