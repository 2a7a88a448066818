"""The small windows: a question, the scenarios side by side, and help."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import font as tkfont
from tkinter import ttk
from typing import Literal

from demand_addin.launcher.compare import COLUMNS, Comparison, comparison_text
from demand_addin.launcher.look import Colours, mark_styles
from demand_addin.launcher.state import Mark

_PAD = 14
_WIDTHS = (290, 90, 120, 130)
"""Of `COLUMNS`, in pixels of a plain screen."""
_PIXELS_AN_INCH = 96
_RANGE_NOTE = "80% range: four simulated futures in five lie within it. Charts: sheet Dashboard."

HELP: tuple[tuple[Mark, str], ...] = (
    (Mark.HEADING, "Each month"),
    (Mark.LINE, "1.  New workbook, once. After that use the same workbook every month."),
    (Mark.LINE, "2.  Import lists: choose the Annex A files that hold Lists 3, 7 and 8."),
    (Mark.LINE, "3.  Check, and mend what it names, in the list or on sheet Mapping."),
    (Mark.LINE, "4.  Run. The forecast is on sheets Dashboard and Forecast."),
    (Mark.LINE, "5.  Compare scenarios; Accuracy says how far to trust the forecast."),
    (Mark.HEADING, "What is safe"),
    (
        Mark.LINE,
        "A workbook open in Excel: nothing is saved until you save it. Undo last run brings back "
        "the earlier results, and goes further back each time; to be rid of imported lists, close "
        "it without saving.",
    ),
    (
        Mark.LINE,
        "A file: the three newest earlier versions are kept beside it, and Undo last run puts the "
        "newest back; again, the one before it.",
    ),
    (Mark.LINE, "Stop leaves the workbook as it was, unless it is being written at that moment."),
    (
        Mark.LINE,
        "Nothing leaves this computer. This window remembers nothing once it is closed, and no "
        "child's details appear in it.",
    ),
    (Mark.HEADING, "Keys"),
    (Mark.LINE, "Alt and the underlined letter presses a button; Tab goes on; Enter presses."),
    (Mark.LINE, "F1 help, F5 look again for open workbooks, Esc stop."),
    (
        Mark.LINE,
        "Screen readers cannot read this window. The ribbon in Excel and the commands "
        "(csc-demand --help) do the same and can be read.",
    ),
)


def ask_to_go_on(root: tk.Tk, title: str, question: str, yes: str) -> bool:
    """Ask; the safe answer has the focus, and Escape gives it."""
    said: list[bool] = []
    window, body = _window(root, title)

    def agree() -> None:
        said.append(True)
        window.destroy()

    ttk.Label(body, text=question, wraplength="300p", justify="left").grid(
        row=0, column=0, sticky="w"
    )
    buttons = ttk.Frame(body)
    buttons.grid(row=1, column=0, sticky="e", pady=(_PAD, 0))
    go_on = ttk.Button(buttons, text=yes, command=agree)
    go_on.grid(row=0, column=0, padx=(0, 8))
    leave = ttk.Button(buttons, text="Cancel", command=window.destroy, default="active")
    leave.grid(row=0, column=1)
    _open(root, window, leave)
    root.wait_window(window)
    return bool(said and said[0])


def show_comparison(root: tk.Tk, comparison: Comparison) -> None:
    """Show scenarios side by side, a table for each measure and month."""
    window, body = _window(root, f"Scenarios: {comparison.book}")
    names = [section.title for section in comparison.sections]
    which = ttk.Combobox(body, values=names, state="readonly", width=44)
    which.grid(row=0, column=0, sticky="w")
    most = max((len(section.rows) for section in comparison.sections), default=1)
    table = ttk.Treeview(body, columns=COLUMNS, show="headings", height=min(most, 14))
    scale = root.winfo_fpixels("1i") / _PIXELS_AN_INCH
    for name, width in zip(COLUMNS, _WIDTHS, strict=True):
        anchor: Literal["w", "e"] = "w" if name == COLUMNS[0] else "e"
        table.heading(name, text=name, anchor=anchor)
        table.column(name, width=round(width * scale), anchor=anchor, stretch=name == COLUMNS[0])
    table.grid(row=1, column=0, columnspan=2, sticky="nsew", pady=8)
    bar = ttk.Scrollbar(body, command=table.yview)
    bar.grid(row=1, column=2, sticky="ns", pady=8)
    table.configure(yscrollcommand=bar.set)
    body.rowconfigure(1, weight=1)
    body.columnconfigure(0, weight=1)
    said = tk.StringVar(window)
    ttk.Label(body, text=_RANGE_NOTE, style="Quiet.TLabel").grid(row=2, column=0, sticky="w")
    sentence = ttk.Label(body, textvariable=said, wraplength="470p", justify="left")
    sentence.grid(row=3, column=0, columnspan=2, sticky="w", pady=(4, 0))
    body.rowconfigure(
        3, minsize=round(3.2 * tkfont.nametofont("TkDefaultFont", root=root).metrics("linespace"))
    )

    def fill(_event: object = None) -> None:
        table.delete(*table.get_children())
        for row in comparison.sections[max(which.current(), 0)].rows:
            table.insert("", "end", values=row)
        rows = table.get_children()
        table.selection_set(rows[1:2] or rows)
        table.focus((rows[1:2] or rows)[0])

    def tell(_event: object = None) -> None:
        chosen = [str(table.set(row, COLUMNS[0])) for row in table.selection()]
        said.set(" ".join(comparison.sentence_of(name) for name in chosen))

    def copy() -> None:
        root.clipboard_clear()
        root.clipboard_append(comparison_text(comparison))

    table.bind("<<TreeviewSelect>>", tell)
    which.bind("<<ComboboxSelected>>", fill)
    if names:
        which.current(0)
        fill()
    _closing(body, window, row=4, extra=("Copy all tables", copy))
    _open(root, window, which, wait=False)


def show_help(root: tk.Tk, colours: Colours | None) -> None:
    """Show the steps and the keys."""
    window, body = _window(root, "Help")
    text = tk.Text(
        body,
        wrap="word",
        width=72,
        height=22,
        font="TkDefaultFont",
        relief="flat",
        borderwidth=0,
        highlightthickness=1,
        padx=8,
        pady=2,
    )
    mark_styles(text, colours)
    for mark, line in HELP:
        text.insert("end", f"{line}\n", mark.value)
    text.configure(state="disabled")
    text.grid(row=0, column=0, sticky="nsew")
    body.rowconfigure(0, weight=1)
    body.columnconfigure(0, weight=1)
    close = _closing(body, window, row=1)
    _open(root, window, close, wait=False)


def _closing(
    body: ttk.Frame,
    window: tk.Toplevel,
    *,
    row: int,
    extra: tuple[str, Callable[[], None]] | None = None,
) -> ttk.Button:
    buttons = ttk.Frame(body)
    buttons.grid(row=row, column=0, columnspan=3, sticky="e", pady=(_PAD, 0))
    if extra is not None:
        ttk.Button(buttons, text=extra[0], command=extra[1]).grid(row=0, column=0, padx=(0, 8))
    close = ttk.Button(buttons, text="Close", command=window.destroy, default="active")
    close.grid(row=0, column=1)
    return close


def _window(root: tk.Tk, title: str) -> tuple[tk.Toplevel, ttk.Frame]:
    window = tk.Toplevel(root)
    window.withdraw()
    window.title(title)
    window.transient(root)
    window.columnconfigure(0, weight=1)
    window.rowconfigure(0, weight=1)
    body = ttk.Frame(window, padding=_PAD)
    body.grid(row=0, column=0, sticky="nsew")
    window.bind("<Escape>", lambda _event: window.destroy())
    return window, body


def _open(root: tk.Tk, window: tk.Toplevel, first: ttk.Widget, *, wait: bool = True) -> None:
    """Show a window over the middle of the main one, and give it the keyboard."""
    window.update_idletasks()
    x = root.winfo_rootx() + max((root.winfo_width() - window.winfo_reqwidth()) // 2, 0)
    y = root.winfo_rooty() + max((root.winfo_height() - window.winfo_reqheight()) // 3, 0)
    window.geometry(f"+{x}+{y}")
    window.minsize(window.winfo_reqwidth(), window.winfo_reqheight())
    window.deiconify()
    window.wait_visibility()
    first.focus_force()
    if wait:
        window.grab_set()
