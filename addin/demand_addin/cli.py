"""The command line ``csc-demand``: parse, call one command, print its outcome.

Exit codes: 0 done; 1 the lists, settings or workbook must be mended; 2 the
command line is wrong; 3 the result could not be written; 70 a fault of the
product; 130 stopped by the user.

Only click is imported here: each command loads what it needs.
"""

from __future__ import annotations

import codecs
import gc
import json
import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from datetime import datetime

    from demand_addin.commands.outcome import Outcome
    from demand_addin.progress import Progress

Command = TypeVar("Command", bound=Callable[..., Any])

_BOOK = click.Path(path_type=Path)
_DEMO_FOLDER = Path("csc-demand-demo")
_OBJECTS_BETWEEN_COLLECTIONS = 100_000
_PLAINLY = "csc-demand-plainly"
_STAND_INS = {"−": "-", "–": "-", "…": "...", "“": '"', "”": '"', "‘": "'", "’": "'"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Printing:
    """How a command's outcome is shown."""

    as_json: bool
    quiet: bool
    debug: bool


def _printing_options(command: Command) -> Command:
    for option in (
        click.option("--debug", is_flag=True, help="Show where an unexpected error arose."),
        click.option("--quiet", is_flag=True, help="Show errors only."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object for machines."),
    ):
        command = option(command)
    return command


def _simulation_options(
    draws: str = "Simulated futures; wins over sheet Settings.",
) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        for option in (
            click.option("--draws", type=click.IntRange(100, 20_000), help=draws),
            click.option(
                "--seed",
                type=click.IntRange(0, 2_147_483_647),
                help="Seed of the random streams; wins over sheet Settings.",
            ),
        ):
            command = option(command)
        return command

    return add


def _out_option(
    text: str = "Write the result here and leave BOOK untouched.",
) -> Callable[[Command], Command]:
    return click.option("--out", type=_BOOK, metavar="FILE", help=text)


class _Group(click.Group):
    """Lists the commands in the order in which they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.commands)


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done; 1 lists, settings or workbook must be mended; 2 wrong command "
    "line; 3 result could not be written; 70 a fault of csc-demand; 130 stopped.",
)
@click.version_option(
    package_name="csc-demand", prog_name="csc-demand", message="%(prog)s %(version)s"
)
def cli() -> None:
    """Forecast children's social care demand from three Annex A lists in an Excel workbook."""


@cli.command(short_help="Make a new, empty workbook.")
@click.argument("book", type=_BOOK)
@_printing_options
def new(book: Path, **printing: bool) -> None:
    """Make a new, empty workbook BOOK (.xlsx)."""

    def work(progress: Progress) -> Outcome:
        from demand_addin.commands.new import new_book

        progress("Making the workbook", 0.0)
        return new_book(book, now=_now())

    _carry_out("new", work, printing)


@cli.command("import", short_help="Copy the lists from Annex A files into a workbook.")
@click.argument("book", type=_BOOK)
@click.argument("annex_a_files", type=_BOOK, nargs=-1, required=True, metavar="ANNEX_A_FILE...")
@_out_option()
@_printing_options
def import_(
    book: Path, annex_a_files: tuple[Path, ...], out: Path | None, **printing: bool
) -> None:
    """Copy Lists 3, 7 and 8 from Annex A files (xlsx, xlsm, xls, csv) into BOOK.

    Rows are copied as they are. BOOK is made if there is none. Succeeds if any
    list is recognised by its headings.
    """

    def work(progress: Progress) -> Outcome:
        from demand_addin.commands.closed_file import FileJob
        from demand_addin.commands.import_lists import import_lists

        return import_lists(
            FileJob(book=book, out=out, now=_now()), annex_a_files, progress=progress
        )

    _carry_out("import", work, printing)


@cli.command(short_help="Check the lists and write what was found.")
@click.argument("book", type=_BOOK)
@_out_option()
@_printing_options
def check(book: Path, out: Path | None, **printing: bool) -> None:
    """Check the lists in BOOK and write what was found to its sheet Checks."""

    def work(progress: Progress) -> Outcome:
        from demand_addin.commands.check import check_book
        from demand_addin.commands.closed_file import FileJob

        return check_book(FileJob(book=book, out=out, now=_now()), progress=progress)

    _carry_out("check", work, printing)


@cli.command(short_help="Forecast every scenario and write the results.")
@click.argument("book", type=_BOOK)
@_out_option()
@_simulation_options()
@_printing_options
def run(
    book: Path, out: Path | None, seed: int | None, draws: int | None, **printing: bool
) -> None:
    """Check, fit, simulate every scenario, and write the results into BOOK.

    If something must be mended first, BOOK is left as it was.
    """

    def work(progress: Progress) -> Outcome:
        from demand_addin.commands.closed_file import FileJob
        from demand_addin.commands.run import run_book

        job = FileJob(book=book, out=out, now=_now())
        return run_book(job, seed=seed, draws=draws, progress=progress)

    _carry_out("run", work, printing)


@cli.command(short_help="Keep what was tried on sheet What-if as a scenario.")
@click.argument("book", type=_BOOK)
@click.option("--name", metavar="NAME", help="The scenario's name (What-if 1, What-if 2...).")
@_out_option()
@_printing_options
def keep(book: Path, name: str | None, out: Path | None, **printing: bool) -> None:
    """Keep what stands in the blue cells of sheet What-if as rows of sheet Scenarios.

    The next run forecasts it with ranges.
    """

    def work(progress: Progress) -> Outcome:
        from demand_addin.commands.closed_file import FileJob
        from demand_addin.commands.keep import keep_book

        progress("Reading the blue cells", 0.0)
        return keep_book(FileJob(book=book, out=out, now=_now()), name=name)

    _carry_out("keep", work, printing)


@cli.command(short_help="Test the forecast on earlier dates of the lists.")
@click.argument("book", type=_BOOK)
@_out_option()
@_simulation_options("Simulated futures from each earlier date (500).")
@_printing_options
def backtest(
    book: Path, out: Path | None, seed: int | None, draws: int | None, **printing: bool
) -> None:
    """Test how far to trust the forecast, on the lists themselves.

    Forecasts from earlier dates with what the lists then showed, compares with
    what happened since, and writes it to sheet Accuracy of BOOK. The results of the
    last run stay.
    """

    def work(progress: Progress) -> Outcome:
        from demand_addin.commands.backtest import backtest_book
        from demand_addin.commands.closed_file import FileJob

        job = FileJob(book=book, out=out, now=_now())
        return backtest_book(job, seed=seed, draws=draws, progress=progress)

    _carry_out("backtest", work, printing)


@cli.command(short_help="Try what could be done, and seek goals.")
@click.argument("book", type=_BOOK)
@_out_option()
@_simulation_options()
@_printing_options
def levers(
    book: Path, out: Path | None, seed: int | None, draws: int | None, **printing: bool
) -> None:
    """Try the levers of sheet Lever choices, alone and together, and seek its goals.

    Writes what each would do to care, plans, caseload and cost, with ranges, to sheet
    Levers of BOOK. The results of the last run stay.
    """

    def work(progress: Progress) -> Outcome:
        from demand_addin.commands.closed_file import FileJob
        from demand_addin.commands.levers import levers_book

        job = FileJob(book=book, out=out, now=_now())
        return levers_book(job, seed=seed, draws=draws, progress=progress)

    _carry_out("levers", work, printing)


@cli.command(short_help="Write the model as XMILE, for Stella, Simlin and others.")
@click.argument("book", type=_BOOK)
@_out_option("The file to write: BOOK's name with .xmile, beside BOOK, unless said here.")
@_simulation_options()
@_printing_options
def xmile(
    book: Path, out: Path | None, seed: int | None, draws: int | None, **printing: bool
) -> None:
    """Write the model of BOOK as stocks and flows that system dynamics tools open.

    Its baseline, front door, workers and the links that are on. The file says how far
    it is from the full engine; BOOK is only read. A file that csc-demand did not write
    is never replaced.
    """

    def work(progress: Progress) -> Outcome:
        from demand_addin.commands.xmile import export_book

        return export_book(book, out, now=_now(), seed=seed, draws=draws, progress=progress)

    _carry_out("xmile", work, printing)


@cli.command(short_help="Do the whole job on made-up lists.")
@click.argument("folder", type=_BOOK, default=_DEMO_FOLDER, metavar="[DIR]")
@_simulation_options()
@_printing_options
def demo(folder: Path, seed: int | None, draws: int | None, **printing: bool) -> None:
    """Do the whole job on made-up lists, in a new workbook in DIR (csc-demand-demo)."""

    def work(progress: Progress) -> Outcome:
        from demand_addin.commands.demo import demo as run_demo

        return run_demo(folder, now=_now(), seed=seed, draws=draws, progress=progress)

    _carry_out("demo", work, printing)


@cli.command(short_help="Open the window with the same buttons as the ribbon.")
@click.argument("book", type=_BOOK, required=False)
def launcher(book: Path | None) -> None:
    """Open a window with the buttons of the ribbon, for open workbooks and for files.

    BOOK is a workbook to begin with.
    """
    from demand_addin.launcher.window import main as open_window

    sys.exit(open_window(book))


@cli.group(cls=_Group, short_help="The tab Demand model in Excel: install, remove, look.")
def addin() -> None:
    """Install the tab Demand model in Excel on Windows, for yourself only."""


@addin.command("build", short_help="Write the add-in to a file, to be looked at or signed.")
@click.option(
    "--out", type=_BOOK, metavar="FILE", default=Path("csc-demand.xlam"), show_default=True
)
@_printing_options
def addin_build(out: Path, **printing: bool) -> None:
    """Write the add-in to a file, to be looked at or signed."""

    def work(progress: Progress) -> Outcome:
        from demand_addin.ribbon.install import build_to

        progress("Building the add-in", 0.0)
        return build_to(out)

    _carry_out("addin build", work, printing)


@addin.command("install", short_help="Put the tab into your own Excel.")
@click.option("--from", "signed", type=_BOOK, metavar="FILE", help="A built and signed add-in.")
@_printing_options
def addin_install(signed: Path | None, **printing: bool) -> None:
    """Put the tab into your own Excel; no administrator is needed."""

    def work(progress: Progress) -> Outcome:
        from demand_addin.ribbon.install import install

        progress("Installing the add-in", 0.0)
        return install(signed=signed)

    _carry_out("addin install", work, printing)


@addin.command("uninstall", short_help="Take the tab away again.")
@_printing_options
def addin_uninstall(**printing: bool) -> None:
    """Take the tab away again."""

    def work(progress: Progress) -> Outcome:
        from demand_addin.ribbon.install import uninstall

        progress("Removing the add-in", 0.0)
        return uninstall()

    _carry_out("addin uninstall", work, printing)


@addin.command("status", short_help="Say whether the tab is installed and can work.")
@_printing_options
def addin_status(**printing: bool) -> None:
    """Say whether the tab is installed, up to date, and allowed to start Python."""

    def work(progress: Progress) -> Outcome:
        from demand_addin.ribbon.install import status

        progress("Looking at the add-in", 0.0)
        return status()

    _carry_out("addin status", work, printing)


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """Stand in for characters that a stream lacks: a minus must not become a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_STAND_INS.get(character, "?") for character in lacking), error.end


def main() -> None:
    """Run the command line."""
    codecs.register_error(_PLAINLY, _plainly)
    for stream in (sys.stdout, sys.stderr):
        # A Windows console or log may not know every character, such as of a sheet's name.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_PLAINLY)
    # Our arrays are small: threads of linear algebra only fight the simulation's own.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Most of what a command makes lives as long as the command: a tenth of its time went into
    # looking there, again and again, for what could be dropped.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 50, 50)
    if not sys.warnoptions:
        # Meant for developers of the packages below; an analyst can do nothing about them.
        warnings.simplefilter("ignore")
    cli()


def _carry_out(
    command: str, work: Callable[[Progress], Outcome], printing: dict[str, bool]
) -> None:
    shown_as = Printing(**printing)
    outcome = _attempted(command, work, shown_as)
    if shown_as.as_json:
        click.echo(json.dumps(outcome.to_json(), ensure_ascii=False, indent=2, allow_nan=False))
    else:
        _print(outcome, quiet=shown_as.quiet)
    if shown_as.debug and outcome.trace:
        click.echo(outcome.trace, err=True, nl=False)
    sys.exit(int(outcome.exit_code))


def _attempted(command: str, work: Callable[[Progress], Outcome], printing: Printing) -> Outcome:
    from demand_addin.commands.outcome import attempt
    from demand_addin.following import followed, stop_file
    from demand_addin.progress import shown

    def shown_work() -> Outcome:
        if stop := stop_file():
            with followed(sys.stderr, stop) as progress:
                return work(progress)
        with shown(sys.stderr, quiet=printing.quiet or printing.as_json) as progress:
            return work(progress)

    return attempt(command, shown_work)


def _print(outcome: Outcome, *, quiet: bool) -> None:
    if not quiet:
        for line in outcome.sentences:
            click.echo(line)
        if outcome.wrote:
            click.echo("")
        for number, path in enumerate(outcome.wrote):
            click.echo(f"{'Wrote' if number == 0 else 'Also'}: {path}")
    if outcome.problem:
        click.echo(outcome.problem, err=True)
        for line in outcome.details:
            click.echo(f"  {line}", err=True)


def _now() -> datetime:
    from datetime import UTC, datetime

    return datetime.now(tz=UTC).astimezone()


if __name__ == "__main__":
    main()
