"""Opening the window: Tk, the screen and everything tied together."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from demand_addin.launcher.words import WELCOME, fault

if TYPE_CHECKING:
    import tkinter as tk

    from demand_addin.launcher.control import Control
    from demand_addin.launcher.worker import Starter

NO_TK = (
    "The launcher needs Tk, which this Python was installed without. Install Python with "
    '"tcl/tk and IDLE" ticked (Linux: the package python3-tk), or use the ribbon in Excel or '
    "the commands: csc-demand --help."
)
NO_SCREEN = (
    "There is no screen here on which the launcher could open its window. Use the commands: "
    "csc-demand --help."
)


def main(book: Path | None) -> int:
    """Open the window, and return when it is closed.

    Parameters
    ----------
    book
        A workbook to begin with.

    Returns
    -------
    Exit code: 0, or 1 where no window could be opened; one sentence says why.
    """
    try:
        import tkinter as tk
    except ImportError:
        _say(NO_TK)
        return 1
    from demand_addin.launcher.look import sharpen
    from demand_addin.launcher.worker import Processes

    sharpen()
    try:
        root = tk.Tk(className="Csc-demand")
    except tk.TclError:
        _say(NO_SCREEN)
        return 1
    open_in(root, Processes(), book)
    root.mainloop()
    return 0


def open_in(root: tk.Tk, starter: Starter, book: Path | None = None) -> Control:
    """Fill a Tk window with the launcher.

    Parameters
    ----------
    starter
        Starts the commands; a test's starts others.
    """
    from demand_addin.launcher.control import Control
    from demand_addin.launcher.view import Window

    window = Window(root)
    control = Control(window, starter)
    # Tk documents this method as the one to replace; its stubs take it for fixed.
    root.report_callback_exception = _reporter(control)  # type: ignore[assignment]
    window.attach(control)
    control.say(*WELCOME)
    if book is not None:
        control.choose_file(book)
    control.look()
    return control


def _reporter(control: Control) -> object:
    """Say in the log what went wrong in the window itself; no value of anything is shown."""

    def report(kind: type[BaseException], error: BaseException, trace: TracebackType) -> None:
        del error
        frame = traceback.extract_tb(trace)[-1]
        control.say(fault(kind.__name__, f"{Path(frame.filename).name}, line {frame.lineno}"))

    return report


def _say(sentence: str) -> None:
    """Say why there is no window, where a user without a console can read it as well."""
    if sys.stderr is not None:
        sys.stderr.write(f"{sentence}\n")
    elif sys.platform == "win32":
        import ctypes

        ctypes.windll.user32.MessageBoxW(None, sentence, "csc-demand", 0)
