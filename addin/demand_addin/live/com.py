"""What Excel answers when it cannot do what was asked, and how long to ask again.

Two situations that are easily confused: while a cell is being edited or a dialog
is open Excel *rejects* calls, and will take them later; once the workbook or
Excel is closed the calls *fail*, and will go on failing.

No module of Windows is imported: an error is known by its numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from demand_addin.saving import BusyWorkbookError
from demand_model.errors import InvalidInputError

Result = TypeVar("Result")

ComObject: TypeAlias = Any
"""An object of Excel's own (``.api``), or of xlwings over it: Windows gives it no types."""

BUSY_CODES = frozenset({0x80010001, 0x8001010A, 0x800AC472})
"""RPC_E_CALL_REJECTED, RPC_E_SERVERCALL_RETRYLATER, VBA_E_IGNORE (a cell is being edited)."""
GONE_CODES = frozenset({0x80010108, 0x80010114, 0x800706BA, 0x800706BE, 0x80010007, 0x800401FD})
"""Disconnected, invalid object, server unavailable, call failed, server died, not connected."""

_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0)
"""Seconds between attempts: five and a half in all."""


class ExcelBusyError(BusyWorkbookError):
    """Excel does not take calls: a cell is being edited, or a dialog is open."""


class WorkbookClosedError(InvalidInputError):
    """The workbook, or Excel, was closed while a command was at work."""


class Patience:
    """Calls Excel, and again if it is busy, for a few seconds.

    Parameters
    ----------
    book
        Bare name of the workbook, for messages.
    waits
        Seconds between attempts.
    pause
        How to wait; a test's does not.
    """

    def __init__(
        self,
        book: str,
        *,
        waits: tuple[float, ...] = _WAITS,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._book = book
        self._waits = waits
        self._pause = pause

    def longer(self) -> Patience:
        """Return one that waits for a minute: for what must not be left undone."""
        return Patience(self._book, waits=(*self._waits, *(1.0,) * 55), pause=self._pause)

    def __call__(self, call: Callable[[], Result]) -> Result:
        """Return what `call` returns.

        Raises
        ------
        ExcelBusyError
            Excel was still busy after the last attempt.
        WorkbookClosedError
            There is no such workbook in Excel any more.
        """
        for seconds in (*self._waits, None):
            try:
                return call()
            except Exception as error:
                if is_gone(error):
                    raise WorkbookClosedError(
                        f"{self._book} was closed in Excel meanwhile, so nothing more was "
                        "written: open it and try again."
                    ) from error
                if not is_busy(error):
                    raise
                if seconds is None:
                    raise busy(self._book) from error
                self._pause(seconds)
        raise AssertionError  # the last attempt returns or raises


def busy(book: str) -> ExcelBusyError:
    """Say that Excel does not answer, and what to do."""
    return ExcelBusyError(
        f"Excel is busy, so {book} was left as it is: press Enter or Esc in the cell that is "
        "being edited, close any open dialog, and try again."
    )


def is_busy(error: BaseException) -> bool:
    """Whether Excel rejected a call that it would take later."""
    if isinstance(error, ExcelBusyError):
        return False  # ours: said already, after asking again
    # xlwings has an error of its own for it where an attribute is asked for.
    return bool(BUSY_CODES & _codes(error)) or type(error).__name__ == "ExcelBusyError"


def is_gone(error: BaseException) -> bool:
    """Whether the workbook or Excel is no longer there."""
    return bool(GONE_CODES & _codes(error))


def is_com_error(error: BaseException) -> bool:
    """Whether an error came from Excel at all."""
    return bool(_codes(error)) or is_busy(error)


def _codes(error: BaseException) -> set[int]:
    """Return an Excel error's numbers, as Windows prints them."""
    number = getattr(error, "hresult", None)
    if not isinstance(number, int):
        return set()
    codes = {number}
    details = getattr(error, "excepinfo", None)
    if isinstance(details, tuple) and details and isinstance(details[-1], int):
        codes.add(details[-1])
    return {code & 0xFFFFFFFF for code in codes}
