"""The message box at the end of a command that a button has started.

It is a window of this process, not of Excel's: it appears while a cell is being edited,
and after Excel or the workbook was closed, where Excel itself could show nothing; and
Excel stays free meanwhile. Windows lets it come to the front because the process was
started by the program in front.
"""

from __future__ import annotations

import sys

_OK = 0x0
_WARNING, _INFORMATION = 0x30, 0x40
_TO_THE_FRONT, _TOPMOST = 0x10000, 0x40000


def style_of(*, is_problem: bool) -> int:
    """Return the kind of box: one button, an icon, in front of the other windows."""
    return _OK | _TO_THE_FRONT | _TOPMOST | (_WARNING if is_problem else _INFORMATION)


def show_message(text: str, *, title: str, is_problem: bool) -> bool:
    """Show a message and wait until it was read; whether there is a screen for it.

    Parameters
    ----------
    text, title
        Plain words; no value from a list.
    is_problem
        It did not do what was asked.
    """
    if sys.platform != "win32":
        return False
    import ctypes

    ctypes.windll.user32.MessageBoxW(None, text, title, style_of(is_problem=is_problem))
    return True
