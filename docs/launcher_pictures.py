"""Make the user guide's pictures of the launcher, on a virtual screen.

Needs Xvfb and ImageMagick (Debian: xvfb, imagemagick). The commands that are seen at
work are real, on made-up lists; the Excel of one picture is the tests' own.

    uv run python docs/launcher_pictures.py [FOLDER]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tkinter as tk
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from cli_cases import call, set_setting
from demand_addin.commands.demo import sample_workbook
from demand_addin.launcher.control import Control
from demand_addin.launcher.state import Excel
from demand_addin.launcher.window import open_in
from demand_addin.launcher.worker import Processes, Starter
from launcher_cases import open_in_excel, python_with_excel, until, virtual_screen

IMAGES = Path(__file__).resolve().parent / "images"
_DRAWS = 1_000
_HALF_WAY = 0.5
_LONG = 600.0


def main(images: Path) -> None:
    """Draw every picture."""
    images.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, virtual_screen() as display:
        home = Path(name)
        os.environ |= {"DISPLAY": display, "HOME": name, "XDG_STATE_HOME": name}
        book, lists = _books(home / "Documents")
        _file_picture(images / "launcher-file.png", book, lists)
        _excel_picture(images / "launcher-excel.png", book, home / "excel")


def _books(folder: Path) -> tuple[Path, Path]:
    folder.mkdir()
    lists, book = folder / "Annex A September 2026.xlsx", folder / "demand.xlsx"
    lists.write_bytes(sample_workbook("middling"))
    call("new", book)
    set_setting(book, "draws", _DRAWS)
    return book, lists


def _file_picture(target: Path, book: Path, lists: Path) -> None:
    """A file: lists imported, checked, run."""
    root, control = _window(Processes(), book)
    view = control._view  # noqa: SLF001  (its file dialog would wait for a hand)
    view.ask_lists = lambda: (lists,)  # type: ignore[method-assign]
    for key in ("import", "check", "run"):
        control.press(key)
        until(lambda: control.state.doing is None, root.update, _LONG, key)
    _shot(root, target)


def _excel_picture(target: Path, book: Path, store: Path) -> None:
    """An open workbook, half way through a run."""
    open_in_excel(book, r"C:\Users\ann\Documents\demand.xlsx", store)
    root, control = _window(Processes(python_with_excel(store)))
    control.press("check")
    until(lambda: control.state.doing is None, root.update, _LONG, "check")
    control.press("run")

    def half_way() -> bool:
        doing = control.state.doing
        return doing is None or doing.share > _HALF_WAY

    until(half_way, root.update, _LONG, "run")
    _shot(root, target, close=False)
    control.stop()
    until(lambda: control.state.doing is None, root.update, _LONG, "stop")
    root.destroy()


def _window(starter: Starter, book: Path | None = None) -> tuple[tk.Tk, Control]:
    root = tk.Tk(className="Csc-demand")
    control = open_in(root, starter, book)
    until(lambda: control.state.excel is not Excel.UNKNOWN, root.update, _LONG, "Excel's answer")
    return root, control


def _shot(root: tk.Tk, target: Path, *, close: bool = True) -> None:
    root.update()
    subprocess.run(  # noqa: S603
        ["import", "-window", str(root.winfo_id()), "-strip", str(target)],  # noqa: S607
        check=True,
    )
    sys.stdout.write(f"{target.name}\n")
    if close:
        root.destroy()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
