"""Excel kept still while its cells change, and left as the user had it.

xlwings' ``App.properties`` stops restoring at the first property that fails; here
each is put back by itself, whatever happened to the others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial

from demand_addin.layout.sheets import SHEETS
from demand_addin.live.excel import ExcelBook
from demand_addin.progress import Progress

_STILL: tuple[tuple[str, object], ...] = (
    ("screen_updating", False),
    ("enable_events", False),
    ("calculation", "manual"),
)

_NOT_BACK = "Excel's {what} could not be set back as it was; close and open Excel to reset it."
_OWN_SHEETS = frozenset(spec.name for spec in SHEETS)


@contextlib.contextmanager
def quiet(excel: ExcelBook) -> Iterator[list[str]]:
    """Hold screen, events and calculation still; put them, sheet and selection back at the end.

    A user who calculates by hand keeps that, and the sheets of the product are
    calculated once, so that their checks are right.

    Yields
    ------
    list of str
        Sentences about what could not be put back; filled at the end. What was
        written stands all the same, so this is no error.
    """
    app, ask = excel.app, excel.ask
    notes: list[str] = []
    before = {name: ask(partial(getattr, app, name)) for name, _ in _STILL}
    view = _View(excel)
    try:
        for name, value in _STILL:
            ask(partial(setattr, app, name, value))
        yield notes
        if before["calculation"] == "manual":
            _calculate(excel)
    finally:
        patient = ask.longer()
        view.restore()
        for name, _ in reversed(_STILL):
            try:
                patient(partial(setattr, app, name, before[name]))
            except Exception:  # the next one must have its turn
                notes.append(_NOT_BACK.format(what=name.replace("_", " ")))


def _calculate(excel: ExcelBook) -> None:
    # What was written stands; a calculation can be had by hand as well: F9.
    with contextlib.suppress(Exception):
        for sheet in excel.sheet_names():
            if sheet in _OWN_SHEETS:
                excel.calculate(sheet)


class _View:
    """The sheet and the cells that the user was looking at."""

    def __init__(self, excel: ExcelBook) -> None:
        self._excel = excel
        self._sheet = self._tried(lambda: excel.book.sheets.active.name)
        self._cells = self._tried(self._selection)

    def _selection(self) -> str:
        selected = self._excel.app.selection
        if selected is None or selected.sheet.book.name != self._excel.book.name:
            return ""
        return str(selected.address)

    def restore(self) -> None:
        """Go back to both, if anything has moved them; no window comes to the front."""
        book = self._excel.book
        sheet, cells = self._sheet, self._cells
        if sheet and self._tried(lambda: book.sheets.active.name) != sheet:
            self._tried(lambda: book.sheets[sheet].api.Activate())
        if sheet and cells and self._tried(self._selection) != cells:
            self._tried(lambda: book.sheets[sheet].range(cells).api.Select())

    def _tried(self, call: Callable[[], str | None]) -> str | None:
        # A chart sheet, a picture or another workbook may be in front: there is nothing to go to.
        try:
            return self._excel.ask(call)
        except Exception:
            return None


@contextlib.contextmanager
def status_line(excel: ExcelBook) -> Iterator[Progress]:
    """Say in Excel's status bar what is being done; give the bar back at the end."""
    app, said = excel.app, ""

    def say(what: str, share: float) -> None:
        nonlocal said
        text = f"csc-demand: {what} ({share:.0%})"
        if text != said:
            said = text
            _politely(lambda: setattr(app, "status_bar", text))

    before: object = False
    with contextlib.suppress(Exception):
        before = app.status_bar
    try:
        yield say
    finally:
        # Excel writes its own line again once it is told False; "starting" is the ribbon's.
        is_users = isinstance(before, str) and not before.startswith("csc-demand:")
        back = before if is_users else False
        with contextlib.suppress(Exception):
            excel.ask(lambda: setattr(app, "status_bar", back))


def _politely(call: Callable[[], object]) -> None:
    """Do without the status line while Excel is busy: it is only a courtesy."""
    with contextlib.suppress(Exception):
        call()
