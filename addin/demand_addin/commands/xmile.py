"""``csc-demand xmile``: the model as a file for Stella, Simlin and other tools."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from demand_addin.commands.check import check_record, finding_lines, stop_sentence
from demand_addin.commands.closed_file import FileJob, open_book
from demand_addin.commands.fitting import fit_lists
from demand_addin.commands.inputs import read_inputs
from demand_addin.commands.outcome import ExitCode, Json, Outcome
from demand_addin.progress import Progress, silent
from demand_addin.saving import NotSavedError, fingerprint, locked, save
from demand_model.errors import InvalidInputError
from demand_model.exchange.export import Exchange, export
from demand_model.simulation.scenario import BASELINE
from demand_model.simulation.simulate import simulate_prepared

_SUFFIXES = (".xmile", ".stmx", ".xml")
_OURS, _HEAD_BYTES = b"<vendor>csc-demand</vendor>", 4096
"""What stands near the top of every file that this command wrote."""
_SIMULATE, _WRITE = 0.3, 0.9


def export_book(
    book: Path,
    out: Path | None = None,
    *,
    now: datetime,
    seed: int | None = None,
    draws: int | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Fit a workbook's lists and write the model as XMILE; the workbook is only read.

    Parameters
    ----------
    out
        The file to write; by default the workbook's name with .xmile, beside it.

    Raises
    ------
    DemandError
        The workbook, its settings or its lists cannot be used, or the file cannot be
        written; a file that this command did not write is never replaced.
    """
    out = out or book.with_suffix(_SUFFIXES[0])
    if out.suffix.lower() not in _SUFFIXES:
        raise InvalidInputError(
            f"{out.name} does not end in .xmile: give the file a name such as model.xmile."
        )
    _leave_what_is_not_ours(out)
    source = FileJob(book=book, now=now).source
    opened = open_book(source)
    settings = read_inputs(opened).with_options(seed=seed, draws=draws)
    judged, fitted = fit_lists(opened, settings, progress)
    if fitted is None:
        where = f'csc-demand check "{source.name}" writes all findings to its sheet Checks'
        return Outcome(
            command="xmile",
            exit_code=ExitCode.MEND,
            problem=stop_sentence(judged.check, where),
            details=finding_lines(judged.check.findings.stops),
            record={"book": str(source), **check_record(judged.check)},
        )
    progress("Simulating", _SIMULATE)
    prepared, system = fitted.prepared(settings), fitted.system
    (baseline,) = simulate_prepared(prepared, (BASELINE,), system=system)
    progress("Writing the file", _WRITE)
    found = export(prepared, baseline, system)
    with locked(out, now=now):
        saved = save(
            found.text.encode("utf-8"), out, now=now, verify=_verify, read_as=fingerprint(out)
        )
    progress("Done", 1.0)
    return Outcome(
        command="xmile",
        wrote=saved.wrote,
        sentences=_lines(found),
        record={"book": str(source), "gap": _gap(found)},
    )


def _leave_what_is_not_ours(out: Path) -> None:
    if not out.is_file():
        return
    try:
        with out.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise NotSavedError(f"{out.name} cannot be read, so it was left as it is.") from error
    if _OURS not in head:
        raise NotSavedError(
            f"{out.name} exists already and csc-demand did not write it, so it was left as it is: "
            "give another name with --out."
        )


def _verify(path: Path) -> None:
    try:
        ET.parse(path)  # noqa: S314  (the product's own text, just written)
    except ET.ParseError as error:
        raise InvalidInputError("The file did not verify, so nothing was changed.") from error


def _lines(found: Exchange) -> tuple[str, ...]:
    model = found.reduced.model
    return (
        f"The baseline as stocks and flows: {len(model.stocks)} stocks, "
        f"{len(model.variables)} variables, in months from the census date.",
        found.sentence,
        "It has no intervals: those are the full engine's. Open it in Stella, Simlin or any "
        "tool that reads XMILE.",
    )


def _gap(found: Exchange) -> list[Json]:
    columns = ("measure", "months_ahead", "reduced", "engine")
    return [
        dict(zip(columns, row, strict=True))
        for row in zip(*(found.gap[c].tolist() for c in columns), strict=True)
    ]
