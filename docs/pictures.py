"""Make the pictures of README and the user guide from the demo workbook.

Needs LibreOffice and poppler (Debian: libreoffice-calc, poppler-utils). One lever of sheet
What-if is moved, and the workbook calculated anew, so that its picture shows what a change does.

    uv run python docs/pictures.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "samples"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from demand_addin.closed import ClosedWorkbook
from demand_addin.layout.what_if import INPUTS
from demand_addin.ports import BookPlan, RangeValues
from demand_samples import annex_a, authority, simulate_authority
from demand_samples.sheets import to_sheet
from demand_samples.write import write_workbook
from what_if_books import recalculated

IMAGES = Path(__file__).resolve().parent / "images"
PAGES = {
    "dashboard-1": "Children's social care: demand and forecast",
    "dashboard-2": "Scenarios compared: the past",
    "start": "Three Annex A lists in; forecasts",
    "checks": "Checks: what the lists hold",
    "accuracy": "Accuracy: how far to trust this forecast",
    "what-if": "What-if: change a blue cell and the lines move",
    "costs": "Costs: where children in care live",
    "workforce": "Workforce: cases per social worker",
    "journeys": "Journeys: where children go",
    "levers": "Levers: what could be done",
    "maps": "Maps: how the system hangs together",
}
"""Name of the picture, and words that only its page begins with."""
NEXT_MONTH = {"what-changed": "What changed: why this forecast is not the last one"}
"""The same, of a workbook used two months running."""
MOVED = {"care_ends_home": 0.2}
"""Blue cells of sheet What-if that are not at their defaults in its picture."""
MONTHS = (date(2026, 8, 31), date(2026, 9, 30))


def _run(*command: str) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout


def move_levers(book: Path) -> None:
    """Type the changes of the picture into the blue cells of sheet What-if."""
    opened = ClosedWorkbook.open(book)
    typed = [RangeValues(name=INPUTS[key].name, rows=((v,),)) for key, v in MOVED.items()]
    opened.write(BookPlan(ranges=tuple(typed)))
    book.write_bytes(opened.to_bytes())


def _pages(pdf: Path) -> list[str]:
    return _run("pdftotext", "-layout", str(pdf), "-").split("\f")


def _two_months(folder: Path) -> Path:
    """Run one workbook on the lists of two months of a made-up authority."""
    history = simulate_authority(authority("middling"), seed=2015)
    book, lists = folder / "two-months.xlsx", folder / "lists.xlsx"
    for day in MONTHS:
        sheets = [
            to_sheet(f"List {number}", frame) for number, frame in annex_a(history, day).items()
        ]
        write_workbook(lists, sheets, author="Middlemarch")
        _run(sys.executable, "-m", "demand_addin", "import", str(book), str(lists), "--quiet")
        _run(sys.executable, "-m", "demand_addin", "run", str(book), "--quiet")
    return book


def _keep(book: Path, folder: Path, pages: dict[str, str]) -> None:
    """Print a workbook and keep the wanted pages as PNG."""
    (pdf,) = recalculated([book], folder, folder / "profile", kind="pdf")
    texts = _pages(pdf)
    for picture, words in pages.items():
        number = next(i for i, text in enumerate(texts, start=1) if words in text)
        page = ("-f", str(number), "-l", str(number))
        _run(
            *("pdftoppm", "-r", "90", "-png", "-singlefile", *page),
            *(str(pdf), str(IMAGES / picture)),
        )


def main() -> None:
    """Run the demo and a second month, print them, and keep the wanted pages."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run(sys.executable, "-m", "demand_addin", "demo", str(folder / "demo"), "--quiet")
        book = folder / "demo" / "demand-model.xlsx"
        _run(sys.executable, "-m", "demand_addin", "levers", str(book), "--quiet")
        move_levers(book)
        _keep(book, folder, PAGES)
        _keep(_two_months(folder), folder, NEXT_MONTH)


if __name__ == "__main__":
    main()
