"""``python -P -m demand_addin.live run --book FULLNAME``: the ribbon's one way in.

Runs in a process of its own, finds the open workbook of that full name in the Excel
that holds it, carries out one command, and prints one line (with ``--box``: shows it in
a message box). Exit codes are those of ``csc-demand``.

Before anything else is imported (``os`` and ``sys`` are there already) the folders
that a stranger may have filled, the current one and the workbook's, are taken off
``sys.path``: a ``numpy.py`` beside a workbook is then never run. The ribbon starts
Python with ``-P`` as well, so that not even this package is looked for there.
"""

from __future__ import annotations

import os
import sys


def guard_path(path: list[str], *, folders: tuple[str, ...], product: str) -> list[str]:
    """Return a search path without `folders`, the product's own folder aside.

    Parameters
    ----------
    path
        Entries of ``sys.path``; an empty one means the current folder.
    folders
        Folders whose files must not be imported.
    product
        The folder that holds the product's packages.
    """
    unsafe = {_resolved(folder) for folder in folders} - {_resolved(product)}
    return [entry for entry in path if _resolved(entry or ".") not in unsafe]


BOOK_VARIABLE = "CSC_DEMAND_BOOK"
"""The full name may be given in the environment instead: nothing in it is then quoted,
expanded or cut, whatever characters it holds."""
FILES_VARIABLE = "CSC_DEMAND_FILES"
COMMANDS = ("new", "import", "check", "run", "backtest", "levers", "keep", "undo")


def book_argument(arguments: list[str]) -> str:
    """Return the value of ``--book``, whatever characters it holds; else the environment's."""
    for index, argument in enumerate(arguments):
        if argument == "--book" and index + 1 < len(arguments):
            return arguments[index + 1]
        if argument.startswith("--book="):
            return argument.removeprefix("--book=")
    return os.environ.get(BOOK_VARIABLE, "")


def _resolved(folder: str) -> str:
    return os.path.normcase(os.path.realpath(folder))


def _unsafe_folders(book: str) -> tuple[str, ...]:
    # A web address is no path, and none is made of it.
    beside = () if "://" in book or not book else (os.path.dirname(book) or ".",)  # noqa: PTH120
    return (".", *beside)


def files_of(text: str) -> tuple[str, ...]:
    r"""Take apart the files that the environment names; no Windows path can hold the bar.

    >>> files_of(r"C:\a b.csv|C:\c.xlsx")
    ('C:\\a b.csv', 'C:\\c.xlsx')
    """
    return tuple(name for name in text.split("|") if name)


def main() -> int:
    """Run one command and return its exit code."""
    # A program without a console has no place for words; some packages write there at once.
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    if "--box" not in sys.argv[1:]:
        return _answered()
    try:
        return _answered()
    except ImportError as error:
        # Nothing else would be seen: the process has no window.
        from demand_addin.live.box import show_message

        show_message(
            f"csc-demand is not whole on this computer: its part {error.name or ''} cannot be "
            "loaded. Install it again; the workbook is as it was.",
            title="csc-demand",
            is_problem=True,
        )
        return 70


def _answered() -> int:
    import argparse
    from datetime import UTC, datetime
    from pathlib import Path

    parser = argparse.ArgumentParser(
        prog="demand_addin.live", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument(
        "files",
        nargs="*",
        default=files_of(os.environ.get(FILES_VARIABLE, "")),
        metavar="FILE",
        help=f"For import: the files that hold the lists ({FILES_VARIABLE} by default, with | "
        "between them).",
    )
    parser.add_argument(
        "--book",
        default=os.environ.get(BOOK_VARIABLE),
        required=BOOK_VARIABLE not in os.environ,
        metavar="FULLNAME",
        help="Full name of the open workbook, as Excel has it; for new, the file to be made "
        f"({BOOK_VARIABLE} by default).",
    )
    parser.add_argument("--json", action="store_true", help="Print one JSON object instead.")
    parser.add_argument("--box", action="store_true", help="Show the outcome in a message box.")
    asked = parser.parse_args()
    # Our arrays are small: threads of linear algebra only fight the simulation's own.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    import json
    import warnings
    from contextlib import nullcontext

    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    from demand_addin.following import followed, stop_file
    from demand_addin.live.answering import answer, tell
    from demand_addin.live.commands import LiveJob, message_of
    from demand_addin.progress import silent

    job = LiveJob(
        book=asked.book,
        now=datetime.now(tz=UTC).astimezone(),
        files=tuple(Path(name) for name in asked.files),
    )
    stop = stop_file()
    with followed(sys.stderr, stop) if stop else nullcontext(silent) as progress:
        outcome = answer(asked.command, job, progress=progress)
    line = (
        json.dumps(outcome.to_json(), ensure_ascii=True, allow_nan=False)
        if asked.json
        else " ".join(message_of(outcome).split())
    )
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    if asked.box:
        tell(outcome)
    return int(outcome.exit_code)


if __name__ == "__main__":
    sys.path[:] = guard_path(
        sys.path,
        folders=_unsafe_folders(book_argument(sys.argv[1:])),
        product=os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),  # noqa: PTH100, PTH120
    )
    sys.exit(main())
