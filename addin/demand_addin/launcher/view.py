"""The window itself: draws a `State`, and passes on what is pressed."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tkinter import filedialog, ttk

from demand_addin.launcher import state as states
from demand_addin.launcher.actions import ACTIONS, Action
from demand_addin.launcher.compare import Comparison
from demand_addin.launcher.control import Control
from demand_addin.launcher.dialogs import ask_to_go_on, show_comparison, show_help
from demand_addin.launcher.look import dress, mark_styles
from demand_addin.launcher.state import Entry, Excel, Mark, State
from demand_addin.launcher.words import log_text

TITLE = "csc-demand"
TICK_MS = 100
_PAD = 12
_WORKBOOKS = (("Excel workbooks", "*.xlsx *.xlsm"), ("All files", "*.*"))
_LISTS = (("Annex A lists", "*.xlsx *.xlsm *.xls *.csv"), ("All files", "*.*"))


class Window:
    """Draws the state into one Tk window; a `View`.

    Parameters
    ----------
    root
        The Tk window, empty.
    """

    def __init__(self, root: tk.Tk) -> None:
        self.root = root
        self.is_closed = False
        self._colours = dress(root)
        self._control: Control | None = None
        self._next_tick = ""
        self._shown_log: tuple[Entry, ...] = ()
        self._buttons: dict[str, tuple[Action, ttk.Button]] = {}
        self._way = tk.StringVar(root, value="file")
        self._file = tk.StringVar(root)
        self._words = tk.StringVar(root)
        self._about = tk.StringVar(root)
        self._note = tk.StringVar(root)
        root.title(TITLE)
        root.columnconfigure(0, weight=1)
        root.rowconfigure(2, weight=1)
        self._head()
        self._workbook()
        self._middle()
        self._foot()
        self._fit()

    def attach(self, control: Control) -> None:
        """Pass what is pressed to `control` from now on, and keep its clock going."""
        self._control = control
        self._keys(control)
        self.root.protocol("WM_DELETE_WINDOW", control.close)
        self.root.bind("<FocusIn>", self._came_back)
        self._next_tick = self.root.after(TICK_MS, self._tick)

    # -- Drawing

    def show(self, state: State, now: float) -> None:
        """Draw a state."""
        self._show_place(state)
        marked = states.next_step(state)
        for key, (action, button) in self._buttons.items():
            offered = states.is_offered(state, action)
            button.state(["!disabled" if offered else "disabled"])
            is_next = offered and key == marked
            button.configure(
                style="Next.TButton" if is_next else "Action.TButton",
                default="active" if is_next else "normal",
            )
        self._words.set(states.status(state, now))
        self._bar.configure(value=100 * (state.doing.share if state.doing else 0.0))
        self._show_stop(state)
        self._show_log(state.log)

    def _show_place(self, state: State) -> None:
        place, idle = state.place, state.doing is None
        self._about.set(states.place_line(state))
        self._note.set("Asking Excel …" if state.is_looking else state.excel_note)
        self._books.configure(values=states.labels(state))
        if place is not None:
            self._way.set("excel" if place.is_live else "file")
        chosen = -1
        if place is not None and place.is_live:
            names = [states.same_file(book.full_name) for book in state.books]
            wanted = states.same_file(place.address)
            chosen = names.index(wanted) if wanted in names else -1
        if chosen >= 0:
            self._books.current(chosen)
        else:
            self._books.set("")
        path = place.address if place is not None and not place.is_live else ""
        self._file.set(states.shown_path(path, str(Path.home())))
        self._path.xview_moveto(1.0)  # the end of a long path says most
        self._open.state(["!disabled" if path and idle else "disabled"])
        has_books = idle and bool(state.books)
        self._from_excel.state(["!disabled" if has_books else "disabled"])
        self._books.state(["!disabled", "readonly"] if has_books else ["disabled"])
        self._from_file.state(["!disabled" if idle else "disabled"])
        self._browse.state(["!disabled" if idle else "disabled"])
        may_look = idle and not state.is_looking and state.excel is not Excel.ABSENT
        self._again.state(["!disabled" if may_look else "disabled"])

    def _show_stop(self, state: State) -> None:
        doing, control = state.doing, self._control
        may_end = control is not None and control.may_end()
        can_stop = doing is not None and (doing.stop_asked is None or may_end)
        self._stop.state(["!disabled" if can_stop else "disabled"])
        self._stop.configure(text="End now" if may_end else "Stop", underline=-1 if may_end else 1)

    def _show_log(self, log: tuple[Entry, ...]) -> None:
        if log == self._shown_log:
            return
        self._log.configure(state="normal")
        if log[: len(self._shown_log)] == self._shown_log:
            new = log[len(self._shown_log) :]
        else:
            self._log.delete("1.0", "end")
            new = log
        for entry in new:
            if entry.mark is Mark.HEADING:
                self._log.mark_set("latest", "end-1c")
                self._log.mark_gravity("latest", "left")
            self._log.insert("end", f"{entry.text}\n", entry.mark.value)
        self._log.configure(state="disabled")
        # What the last command said first says most: it is brought to the top.
        self._log.yview("latest")
        self._shown_log = log

    # -- Asking

    def ask_new_file(self) -> Path | None:
        """Ask for the name of a new workbook."""
        name = filedialog.asksaveasfilename(
            parent=self.root,
            title="New workbook: where, and under what name?",
            defaultextension=".xlsx",
            initialfile="demand.xlsx",
            filetypes=[("Excel workbook", "*.xlsx")],
            confirmoverwrite=False,
        )
        return Path(name) if name else None

    def ask_lists(self) -> tuple[Path, ...]:
        """Ask for Annex A files."""
        names = filedialog.askopenfilenames(
            parent=self.root, title="The Annex A files that hold your lists", filetypes=_LISTS
        )
        return tuple(Path(name) for name in names or ())

    def ask_book(self) -> Path | None:
        """Ask for a workbook."""
        name = filedialog.askopenfilename(
            parent=self.root, title="The csc-demand workbook", filetypes=_WORKBOOKS
        )
        return Path(name) if name else None

    def confirm(self, title: str, question: str, yes: str) -> bool:
        """Ask whether to go on."""
        return ask_to_go_on(self.root, title, question, yes)

    def show_comparison(self, comparison: Comparison) -> None:
        """Show scenarios side by side."""
        show_comparison(self.root, comparison)

    def show_help(self) -> None:
        """Show the steps and the keys."""
        show_help(self.root, self._colours)

    def close(self) -> None:
        """Close the window."""
        self._control = None
        self.is_closed = True
        self.root.after_cancel(self._next_tick)
        self.root.destroy()

    # -- Building

    def _head(self) -> None:
        band = ttk.Frame(self.root, style="Band.TFrame", padding=(_PAD, 8))
        band.grid(row=0, column=0, sticky="ew")
        band.columnconfigure(1, weight=1)
        ttk.Label(band, text="Children's social care demand model", style="Head.TLabel").grid(
            row=0, column=0, sticky="w"
        )
        ttk.Label(band, text="Nothing leaves this computer.", style="Band.TLabel", anchor="e").grid(
            row=0, column=1, sticky="e"
        )

    def _workbook(self) -> None:
        frame = ttk.Labelframe(self.root, text="Workbook", style="Section.TLabelframe")
        frame.grid(row=1, column=0, sticky="ew", padx=_PAD, pady=(_PAD, 0))
        frame.columnconfigure(1, weight=1)
        self._from_excel = ttk.Radiobutton(
            frame,
            text="Open in Excel",
            underline=8,
            value="excel",
            variable=self._way,
            command=self._first_open,
        )
        self._from_excel.grid(row=0, column=0, sticky="w")
        self._books = ttk.Combobox(frame, state="readonly", height=12)
        self._books.grid(row=0, column=1, sticky="ew", padx=8)
        self._books.bind("<<ComboboxSelected>>", self._picked)
        self._again = ttk.Button(frame, text="Look again", underline=0, command=self._look)
        self._again.grid(row=0, column=2, sticky="ew")
        ttk.Label(frame, textvariable=self._note, style="Quiet.TLabel").grid(
            row=1, column=1, columnspan=2, sticky="w", padx=8, pady=(2, 6)
        )
        self._from_file = ttk.Radiobutton(
            frame,
            text="File, closed in Excel",
            value="file",
            variable=self._way,
            command=self._choose_file,
        )
        self._from_file.grid(row=2, column=0, sticky="w")
        self._path = ttk.Entry(frame, textvariable=self._file, state="readonly")
        self._path.grid(row=2, column=1, sticky="ew", padx=8)
        self._browse = ttk.Button(
            frame, text="Choose file…", underline=7, command=self._choose_file
        )
        self._browse.grid(row=2, column=2, sticky="ew")
        about = ttk.Label(frame, textvariable=self._about, style="Strong.TLabel")
        about.grid(row=3, column=0, columnspan=3, sticky="ew", pady=(8, 0))
        _wrap_to_width(about)

    def _middle(self) -> None:
        frame = ttk.Frame(self.root, padding=(_PAD, _PAD, _PAD, 0))
        frame.grid(row=2, column=0, sticky="nsew")
        frame.columnconfigure(1, weight=1)
        frame.rowconfigure(0, weight=1)
        left = ttk.Labelframe(frame, text="What to do", style="Section.TLabelframe")
        left.grid(row=0, column=0, sticky="ns")
        for row, action in enumerate(ACTIONS):
            self._action(left, row, action)
        right = ttk.Labelframe(frame, text="What was done", style="Section.TLabelframe")
        right.grid(row=0, column=1, sticky="nsew", padx=(_PAD, 0))
        right.columnconfigure(0, weight=1)
        right.rowconfigure(0, weight=1)
        self._log = tk.Text(
            right,
            wrap="word",
            width=48,
            height=12,
            state="disabled",
            font="TkDefaultFont",
            relief="flat",
            borderwidth=0,
            highlightthickness=1,
            padx=6,
            pady=4,
            takefocus=True,
        )
        mark_styles(self._log, self._colours)
        self._log.mark_set("latest", "1.0")
        self._log.grid(row=0, column=0, sticky="nsew")
        bar = ttk.Scrollbar(right, command=self._log.yview)
        bar.grid(row=0, column=1, sticky="ns")
        self._log.configure(yscrollcommand=bar.set)
        below = ttk.Frame(right)
        below.grid(row=1, column=0, columnspan=2, sticky="ew", pady=(8, 0))
        below.columnconfigure(0, weight=1)
        self._open = ttk.Button(below, text="Open workbook", underline=0, command=self._open_book)
        self._open.grid(row=0, column=0, sticky="w")
        self._copy = ttk.Button(below, text="Copy all", underline=3, command=self._copy_log)
        self._copy.grid(row=0, column=1, sticky="e")

    def _action(self, parent: ttk.Labelframe, row: int, action: Action) -> None:
        button = ttk.Button(
            parent,
            text=action.label,
            underline=action.underline,
            width=19,
            style="Action.TButton",
            command=partial(self._press, action.key),
        )
        button.grid(row=row, column=0, sticky="ew", pady=2)
        tip = ttk.Label(parent, text=action.tip, style="Quiet.TLabel", wraplength="230p")
        tip.grid(row=row, column=1, sticky="w", padx=(10, 0))
        self._buttons[action.key] = (action, button)

    def _foot(self) -> None:
        foot = ttk.Frame(self.root, padding=_PAD)
        foot.grid(row=3, column=0, sticky="ew")
        foot.columnconfigure(0, weight=1)
        ttk.Label(foot, textvariable=self._words).grid(row=0, column=0, sticky="ew")
        self._bar = ttk.Progressbar(foot, maximum=100)
        self._bar.grid(row=1, column=0, sticky="ew", pady=(4, 0))
        self._stop = ttk.Button(foot, text="Stop", underline=1, command=self._ask_stop)
        self._stop.grid(row=0, column=1, rowspan=2, padx=(_PAD, 0))

    def _fit(self) -> None:
        """Open as large as needed, never smaller than what must be read, within the screen."""
        self.root.update_idletasks()
        width = self.root.winfo_reqwidth()
        height = self.root.winfo_reqheight()
        most = self.root.winfo_screenwidth(), self.root.winfo_screenheight()
        self.root.minsize(min(width, most[0]), min(height, most[1] - 60))
        self.root.geometry(f"{min(width + 180, most[0])}x{min(height + 40, most[1] - 60)}")

    # -- Keys

    def _keys(self, control: Control) -> None:
        letters: dict[str, Callable[[], object]] = {
            action.letter: button.invoke for action, button in self._buttons.values()
        }
        letters |= {
            "l": self._again.invoke,
            "f": self._browse.invoke,
            "e": self._books.focus_set,
            "y": self._copy.invoke,
            "o": self._open.invoke,
            "t": self._stop.invoke,
        }
        for letter, call in letters.items():
            for typed in (letter, letter.upper()):
                self.root.bind(f"<Alt-{typed}>", partial(_done, call))
        self.root.bind("<F1>", partial(_done, lambda: control.press("help")))
        self.root.bind("<F5>", partial(_done, self._again.invoke))
        self.root.bind("<Escape>", partial(_done, self._stop.invoke))
        # Tk presses a button with the space bar only.
        for kind in ("TButton", "TRadiobutton"):
            for key in ("Return", "KP_Enter"):
                self.root.bind_class(kind, f"<{key}>", _invoke)
        # Text that cannot be changed gets no focus by a click, so that nothing could be copied.
        self._log.bind("<Button-1>", lambda _event: self._log.focus_set())
        for key, units in (("Up", -1), ("Down", 1)):
            self._log.bind(f"<{key}>", partial(self._scroll, units))
        self._log.bind("<Tab>", partial(_done, self._copy.focus_set))
        self._log.bind("<Control-a>", self._select_log)

    def _scroll(self, units: int, _event: object) -> str:
        self._log.yview_scroll(units, "units")
        return "break"

    def _select_log(self, _event: object) -> str:
        self._log.tag_add("sel", "1.0", "end-1c")
        return "break"

    # -- Passing on

    def _press(self, key: str) -> None:
        if self._control is not None:
            self._control.press(key)

    def _look(self) -> None:
        if self._control is not None:
            self._control.look()

    def _ask_stop(self) -> None:
        if self._control is not None:
            self._control.stop()

    def _choose_file(self) -> None:
        if self._control is not None:
            self._control.choose_file()
            self._redraw()

    def _open_book(self) -> None:
        if self._control is not None:
            self._control.open_book()

    def _picked(self, _event: object) -> None:
        if self._control is not None:
            self._control.choose_open(self._books.current())
            self._books.selection_clear()

    def _first_open(self) -> None:
        if self._control is not None:
            self._control.choose_open(max(self._books.current(), 0))
            self._redraw()

    def _redraw(self) -> None:
        """Let the round buttons say what is chosen, where the user has changed his mind."""
        if self._control is not None:
            place = self._control.state.place
            self._way.set("excel" if place is not None and place.is_live else "file")

    def _came_back(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self.root and self._control is not None:
            self._control.look_if_stale()

    def _copy_log(self) -> None:
        self.root.clipboard_clear()
        self.root.clipboard_append(log_text(self._shown_log))
        self._words.set("Copied: paste it where you need it.")

    def _tick(self) -> None:
        if self._control is not None:
            # First: an error in what follows must not stop the clock.
            self._next_tick = self.root.after(TICK_MS, self._tick)
            self._control.tick()


def _done(call: Callable[[], object], _event: object) -> str:
    call()
    return "break"


def _invoke(event: tk.Event[tk.Misc]) -> None:
    if isinstance(event.widget, ttk.Button | ttk.Radiobutton):
        event.widget.invoke()


def _wrap_to_width(label: ttk.Label) -> None:
    label.bind("<Configure>", lambda event: label.configure(wraplength=event.width))
