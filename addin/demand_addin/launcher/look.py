"""Colours, fonts and themes of the window; Windows keeps its own, with its high contrast.

The palette is that of the Government Analysis Function, as on the sheets. Every text
has a contrast of 7 to 1 or more with what is behind it.
"""

from __future__ import annotations

import sys
import tkinter as tk
from dataclasses import dataclass
from tkinter import font as tkfont
from tkinter import ttk

from demand_addin.launcher.state import Mark

POINTS = 10
"""Size of the text; the screen's own scale makes it larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """Colours of the window; an empty one leaves what the system has chosen."""

    band: str = "#12436D"
    on_band: str = "#FFFFFF"
    paper: str = "#FFFFFF"
    ground: str = "#F3F4F6"
    text: str = "#1F1F1F"
    quiet: str = "#3D3D3D"
    edge: str = "#8A8F98"
    hover: str = "#E1E6EC"
    off: str = "#6B6F76"
    problem: str = "#801650"
    good: str = "#12436D"
    bar: str = "#28A197"


def sharpen() -> None:
    """Tell Windows that the window scales itself, or it is drawn small and blurred."""
    if sys.platform == "win32":
        import ctypes

        try:
            ctypes.windll.shcore.SetProcessDpiAwareness(1)
        except (AttributeError, OSError):
            # Before Windows 8.1, or set already by whoever started Python.
            return


def has_high_contrast() -> bool:
    """Whether the user has turned on one of Windows' contrast themes."""
    if sys.platform != "win32":
        return False
    import ctypes
    from ctypes import wintypes

    class HighContrast(ctypes.Structure):
        _fields_ = (
            ("size", wintypes.UINT),
            ("flags", wintypes.DWORD),
            ("scheme", wintypes.LPWSTR),
        )

    get_high_contrast, is_on = 0x0042, 0x00000001
    asked = HighContrast(size=ctypes.sizeof(HighContrast))
    found = ctypes.windll.user32.SystemParametersInfoW(
        get_high_contrast, asked.size, ctypes.byref(asked), 0
    )
    return bool(found and asked.flags & is_on)


def dress(root: tk.Tk) -> Colours | None:
    """Set fonts, theme and styles; return the colours, or ``None`` where the system's stand."""
    for name in ("TkDefaultFont", "TkTextFont", "TkMenuFont", "TkHeadingFont"):
        tkfont.nametofont(name, root=root).configure(size=POINTS)
    base = tkfont.nametofont("TkDefaultFont", root=root)
    if root.tk.call("tk", "windowingsystem") == "x11":
        _take_family(root, ("Noto Sans", "Liberation Sans", "DejaVu Sans"))
    style = ttk.Style(root)
    is_windows = "vista" in style.theme_names()
    style.theme_use("vista" if is_windows else "clam")
    family = base.actual("family")
    style.configure("Head.TLabel", font=(family, POINTS + 4, "bold"))
    for name in ("Section.TLabelframe.Label", "Strong.TLabel"):
        style.configure(name, font=(family, POINTS, "bold"))
    style.configure("Treeview", rowheight=round(base.metrics("linespace") * 1.35))
    if has_high_contrast():
        return None
    colours = Colours()
    if not is_windows:
        _clam(root, style, colours)
    for name in ("Head.TLabel", "Band.TLabel"):
        style.configure(name, background=colours.band, foreground=colours.on_band)
    style.configure("Band.TFrame", background=colours.band)
    return colours


def mark_styles(text: tk.Text, colours: Colours | None) -> None:
    """Give the log's lines their looks; each says in words what it is as well."""
    family = tkfont.nametofont("TkDefaultFont", root=text).actual("family")
    bold = (family, POINTS, "bold")
    gap = POINTS - 2
    text.tag_configure(Mark.HEADING.value, font=bold, spacing1=gap)
    for mark in (Mark.LINE, Mark.GOOD, Mark.PROBLEM):
        text.tag_configure(mark.value, lmargin1="14p", lmargin2="14p", spacing1=2)
    text.tag_configure(Mark.DETAIL.value, lmargin1="22p", lmargin2="30p", spacing1=2)
    text.tag_configure(Mark.GOOD.value, font=bold)
    text.tag_configure(Mark.PROBLEM.value, font=bold)
    if colours is not None:
        text.configure(
            background=colours.paper,
            foreground=colours.text,
            highlightcolor=colours.band,
            highlightbackground=colours.edge,
            selectbackground=colours.band,
            selectforeground=colours.on_band,
        )
        text.tag_configure(Mark.HEADING.value, foreground=colours.band)
        text.tag_configure(Mark.GOOD.value, foreground=colours.good)
        text.tag_configure(Mark.PROBLEM.value, foreground=colours.problem)


def _take_family(root: tk.Tk, wanted: tuple[str, ...]) -> None:
    there = set(tkfont.families(root))
    family = next((name for name in wanted if name in there), None)
    if family is not None:
        for name in ("TkDefaultFont", "TkTextFont", "TkMenuFont", "TkHeadingFont"):
            tkfont.nametofont(name, root=root).configure(family=family)


def _clam(root: tk.Tk, style: ttk.Style, colours: Colours) -> None:
    """Make Tk's plain theme flat and quiet, with a focus that can be seen."""
    root.configure(background=colours.ground)
    style.configure(
        ".",
        background=colours.ground,
        foreground=colours.text,
        bordercolor=colours.edge,
        lightcolor=colours.ground,
        darkcolor=colours.ground,
        focuscolor=colours.band,
        troughcolor="#E3E5E8",
    )
    style.configure("TButton", background=colours.paper, padding=(10, 4), borderwidth=1)
    style.map(
        "TButton",
        background=[("disabled", colours.ground), ("active", colours.hover)],
        foreground=[("disabled", colours.off)],
        lightcolor=[("focus", colours.band), ("!focus", colours.paper)],
        darkcolor=[("focus", colours.band), ("!focus", colours.paper)],
        bordercolor=[("focus", colours.band)],
    )
    style.configure("Next.TButton", background=colours.band, foreground=colours.on_band)
    style.map(
        "Next.TButton",
        background=[("disabled", colours.ground), ("active", "#1B5A91")],
        foreground=[("disabled", colours.off)],
        lightcolor=[("focus", colours.on_band), ("!focus", colours.band)],
        darkcolor=[("focus", colours.on_band), ("!focus", colours.band)],
        focuscolor=[("focus", colours.on_band)],
    )
    style.configure("Action.TButton", anchor="w")
    style.configure("Next.TButton", anchor="w")
    style.map("TLabel", foreground=[("disabled", colours.off)])
    style.map("TRadiobutton", foreground=[("disabled", colours.off)], background=[])
    style.configure("TLabelframe", bordercolor="#C5C9CF", padding=10)
    style.configure("Section.TLabelframe.Label", foreground=colours.band)
    style.configure("TEntry", fieldbackground=colours.paper, padding=4)
    style.configure("TCombobox", fieldbackground=colours.paper, padding=4, arrowsize=14)
    style.map(
        "TCombobox",
        fieldbackground=[("disabled", colours.ground), ("readonly", colours.paper)],
        foreground=[("disabled", colours.off)],
        bordercolor=[("focus", colours.band)],
        selectbackground=[("readonly", colours.paper)],
        selectforeground=[("readonly", colours.text)],
    )
    style.configure("TProgressbar", background=colours.bar, thickness=14, borderwidth=0)
    style.configure("TScrollbar", background="#B4BAC3", bordercolor="#C5C9CF", arrowsize=14)
    style.map("TScrollbar", background=[("disabled", colours.ground), ("active", colours.edge)])
    style.configure("Quiet.TLabel", foreground=colours.quiet)
    style.configure("Treeview", fieldbackground=colours.paper, background=colours.paper)
    style.map(
        "Treeview",
        background=[("selected", colours.band)],
        foreground=[("selected", colours.on_band)],
    )
    style.configure("Treeview.Heading", background=colours.hover, relief="flat", padding=4)
