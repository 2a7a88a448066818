"""Finding the open workbook that a command is meant for.

The one module that imports xlwings. Three habits of xlwings are not wanted here:

* it asks a busy Excel again for ever, without a pause: it is told to ask once, and
  `com.Patience` asks again;
* when Python ends it kills every Excel process in which it sees no workbook, that
  of a start screen or of another session included: its clean-up is taken off;
* for a workbook on the web it reads the workbook's own sheet ``xlwings.conf``:
  nothing here asks it for a full name, a calling workbook or a setting.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import unquote

from demand_addin.layout.declare import Kind
from demand_addin.layout.sheets import SHEETS
from demand_addin.live.adapter import LiveWorkbook
from demand_addin.live.com import ComObject, Patience, is_busy, is_com_error
from demand_addin.live.undo import UndoFolder
from demand_model.errors import InvalidInputError

if TYPE_CHECKING:
    import xlwings

_OWN_SHEETS = frozenset(spec.name for spec in SHEETS if spec.kind is not Kind.PASTE)
_LISTED = 8


class NoExcelError(InvalidInputError):
    """There is no Excel on this computer that could be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBook:
    """A workbook that is open in some Excel.

    Attributes
    ----------
    name, full_name
        As Excel has them; the full name is a path or a web address.
    process
        Number of the Excel process.
    is_ours
        It has the product's sheets.
    """

    name: str
    full_name: str
    process: int
    is_ours: bool


def open_books() -> tuple[OpenBook, ...]:
    """Return every workbook that is open in any Excel of this user, for a list to choose from.

    Raises
    ------
    NoExcelError
        No Excel on this computer.
    ExcelBusyError
        An Excel does not answer.
    """
    ask = Patience("your workbook")
    return tuple(
        OpenBook(
            name=ask(lambda b=book: b.name),  # type: ignore[misc]
            full_name=ask(lambda b=book: str(b.api.FullName)),  # type: ignore[misc]
            process=ask(lambda a=app: int(a.pid)),  # type: ignore[misc]
            is_ours=ask(lambda b=book: _is_ours(b)),  # type: ignore[misc]
        )
        for app, book in _found(ask)
    )


def attach(
    wanted: str, *, patience: Patience | None = None, undo: UndoFolder | None = None
) -> LiveWorkbook:
    """Return the open workbook of a name, or of a full name as Excel gives it.

    Parameters
    ----------
    wanted
        ``Book.xlsx``, a path, or a web address (SharePoint, OneDrive); spelling of
        capitals, slashes and ``%20`` aside. It is compared, never opened.
    patience
        How long to ask a busy Excel again.
    undo
        Where the replaced results are kept.

    Raises
    ------
    NoExcelError
        No Excel on this computer.
    InvalidInputError
        No such workbook is open, several are, it is in Protected View, or it is
        none of the product's.
    ExcelBusyError
        Excel does not answer.
    """
    ask = patience or Patience(_bare(wanted))
    books = list(_found(ask))
    exact, by_name = _matching(books, wanted, ask)
    chosen = exact or by_name
    if not chosen:
        _refuse_protected_view(wanted, ask)
        raise InvalidInputError(_not_open(wanted, [ask(lambda b=b: b.name) for _, b in books]))  # type: ignore[misc]
    if len(chosen) > 1:
        raise InvalidInputError(
            f"{_bare(wanted)} is open {len(chosen)} times, in more than one Excel: close the "
            "others, so that the right one is changed."
        )
    book = chosen[0]
    if not ask(lambda: _is_ours(book)):
        raise InvalidInputError(
            f"{book.name} is not a csc-demand workbook: make one with csc-demand new, and bring "
            "the lists into it with csc-demand import."
        )
    return LiveWorkbook(book, patience=patience, undo=undo)


def _matching(
    books: list[tuple[xlwings.App, xlwings.Book]], wanted: str, ask: Patience
) -> tuple[list[xlwings.Book], list[xlwings.Book]]:
    """Workbooks of that full name, and those of that bare name where no folder was given."""
    exact, by_name = [], []
    is_bare = _bare(wanted) == wanted
    for _, book in books:
        if _plain(ask(lambda b=book: str(b.api.FullName))) == _plain(wanted):  # type: ignore[misc]
            exact.append(book)
        elif is_bare and ask(lambda b=book: b.name).casefold() == wanted.casefold():  # type: ignore[misc]
            by_name.append(book)
    return exact, by_name


def _found(ask: Patience) -> Iterator[tuple[xlwings.App, xlwings.Book]]:
    for app in ask(lambda: list(_engine().apps)):
        for book in ask(lambda a=app: list(a.books)):  # type: ignore[misc]
            yield app, book


def _engine() -> xlwings.Engine:
    """Return xlwings' way to Excel, tamed."""
    try:
        import xlwings
    except (ImportError, OSError) as error:
        raise _no_excel() from error
    _tame(sys.modules.get("xlwings._xlwindows"))
    engine = xlwings.engines.active
    # A Mac's Excel is reached in another way, which has not been tried.
    if engine is None or (sys.platform == "darwin" and engine.name == "excel"):
        raise _no_excel()
    return engine


def _tame(windows: ModuleType | None) -> None:
    if windows is None:
        return
    setattr(windows, "N_COM_ATTEMPTS", 1)  # noqa: B010  (no such attribute for the type checker)
    atexit.unregister(windows.cleanup)


def _no_excel() -> NoExcelError:
    return NoExcelError(
        "Excel for Windows is not on this computer; with the workbook closed, use csc-demand run "
        "BOOK."
    )


def _is_ours(book: xlwings.Book) -> bool:
    return any(sheet.name in _OWN_SHEETS for sheet in book.sheets)


def _refuse_protected_view(wanted: str, ask: Patience) -> None:
    for app in ask(lambda: list(_engine().apps)):
        for name in ask(lambda a=app: _protected_views(a.api)):  # type: ignore[misc]
            if _plain(name) in (_plain(wanted), _plain(_bare(wanted))):
                raise InvalidInputError(
                    f"{_bare(name)} is open in Protected View, where nothing can be read or "
                    "written: press Enable Editing in the yellow bar, and try again."
                )


def _protected_views(excel: ComObject) -> list[str]:
    try:
        windows = excel.ProtectedViewWindows
        return [
            text
            for number in range(1, windows.Count + 1)
            for text in _view_names(windows.Item(number))
        ]
    except Exception as error:
        if is_busy(error) or not is_com_error(error):
            raise
        return []


def _view_names(window: ComObject) -> tuple[str, str]:
    folder, name = str(window.SourcePath), str(window.SourceName)
    separator = "/" if "://" in folder else "\\"
    return name, f"{folder}{separator}{name}"


def _not_open(wanted: str, names: list[str]) -> str:
    listed = ", ".join(names[:_LISTED]) + (" and others" if len(names) > _LISTED else "")
    shown = f"Open there: {listed}." if names else "No workbook is open there."
    return (
        f"{_bare(wanted)} is not open in Excel. {shown} Open it (if it shows a yellow bar, press "
        "Enable Editing), and try again."
    )


def _bare(name: str) -> str:
    return unquote(name).replace("\\", "/").rpartition("/")[2] if _is_url(name) else _last(name)


def _last(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _plain(name: str) -> str:
    """Spelling aside: a web address may be written with %20, a path with either slash."""
    text = unquote(name) if _is_url(name) else name
    return text.replace("\\", "/").casefold()


def _is_url(name: str) -> bool:
    return "://" in name
