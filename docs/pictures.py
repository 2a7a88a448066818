"""Make the pictures of README and the user guide from the demo workbook.

Needs LibreOffice and poppler (Debian: libreoffice-calc, poppler-utils).

    uv run python docs/pictures.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

IMAGES = Path(__file__).resolve().parent / "images"
PAGES = {
    "dashboard-1": "Children's social care: demand and forecast",
    "dashboard-2": "Scenarios compared: the past",
    "start": "Three Annex A lists in; forecasts",
    "checks": "Checks: what the lists hold",
}
"""Name of the picture, and words that only its page begins with."""


def _run(*command: str) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout


def _to_pdf(book: Path, folder: Path) -> Path:
    profile = (folder / "profile").as_uri()
    _run(
        *("soffice", f"-env:UserInstallation={profile}", "--headless"),
        *("--convert-to", "pdf", "--outdir", str(folder), str(book)),
    )
    return folder / f"{book.stem}.pdf"


def _pages(pdf: Path) -> list[str]:
    return _run("pdftotext", "-layout", str(pdf), "-").split("\f")


def main() -> None:
    """Run the demo, print it, and keep the wanted pages as PNG."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run(sys.executable, "-m", "demand_addin", "demo", str(folder / "demo"), "--quiet")
        pdf = _to_pdf(folder / "demo" / "demand-model.xlsx", folder)
        texts = _pages(pdf)
        for picture, words in PAGES.items():
            number = next(i for i, text in enumerate(texts, start=1) if words in text)
            page = ("-f", str(number), "-l", str(number))
            _run(
                *("pdftoppm", "-r", "90", "-png", "-singlefile", *page),
                *(str(pdf), str(IMAGES / picture)),
            )


if __name__ == "__main__":
    main()
