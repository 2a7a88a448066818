"""Progress on long work: a bar on a terminal, plain lines elsewhere, nothing if quiet.

Everything goes to standard error, so that standard output holds results only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TextIO

Progress = Callable[[str, float], None]
"""Called with what is being done, in words, and the share of it that is done (0 to 1)."""


def silent(what: str, share: float) -> None:
    """Show nothing."""


@contextlib.contextmanager
def shown(stream: TextIO, *, quiet: bool) -> Iterator[Progress]:
    """Show progress on `stream` in the way that suits it."""
    if quiet:
        yield silent
    elif stream.isatty():
        with _bar(stream) as progress:
            yield progress
    else:
        yield _lines(stream)


def _lines(stream: TextIO) -> Progress:
    said: set[str] = set()

    def say(what: str, share: float) -> None:
        del share
        if what not in said:
            said.add(what)
            stream.write(f"{what} …\n")
            stream.flush()

    return say


@contextlib.contextmanager
def _bar(stream: TextIO) -> Iterator[Progress]:
    # Rich takes a tenth of a second to load: only a terminal pays for it.
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with RichProgress(*columns, console=Console(file=stream), transient=True) as bar:
        task = bar.add_task("", total=1.0)

        def show(what: str, share: float) -> None:
            bar.update(task, description=what, completed=share)

        yield show
