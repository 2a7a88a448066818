"""What a check writes: findings, row tallies, windows, and spellings to be settled."""

from __future__ import annotations

from demand_addin.layout.sheets import status_names
from demand_addin.layout.tables import FINDINGS, MAPPING, ROW_TALLIES, WINDOWS
from demand_addin.plan.cautions import cautions
from demand_addin.plan.values import day_name, frame_rows
from demand_addin.ports import BookPlan, CellValue, RangeValues, TableRead, TableValues
from demand_model.annex_a.checked import CheckResult

OK, LOOK = "OK", "Look"


def plan_check(
    check: CheckResult, *, authority: str = "", mapping: TableRead | None = None
) -> BookPlan:
    """Plan what the workbook shall say after its lists were checked.

    Parameters
    ----------
    check
        The outcome of `demand_model.check`.
    authority
        As entered in Settings, for the Start sheet.
    mapping
        Table `mapping` as it stands: rows with an official code are kept.

    Returns
    -------
    BookPlan
        The results of an earlier run are left alone; the saved results of the
        live checks are dropped, since only Excel knows them until the next run.
    """
    stops = len(check.findings.stops)
    if stops:
        said = f"Checked: {stops} thing{'s' * (stops > 1)} to mend first, see sheet Checks"
    else:
        said = "Checked: the lists can be used; now run the model"
    return BookPlan(
        tables=check_tables(check, mapping),
        ranges=(
            *start_ranges(check, authority, said),
            *one_cell_each(check_results(check)),
            *one_cell_each(dict.fromkeys(("master_check", *status_names()))),
        ),
    )


def check_tables(check: CheckResult, mapping: TableRead | None) -> tuple[TableValues, ...]:
    """Return the tables of sheets Checks and Mapping."""
    return (
        TableValues(
            name=FINDINGS.name,
            columns=FINDINGS.headings,
            rows=frame_rows(check.findings.to_frame(), FINDINGS.headings),
        ),
        TableValues(name=ROW_TALLIES.name, columns=ROW_TALLIES.headings, rows=_tallies(check)),
        TableValues(name=WINDOWS.name, columns=WINDOWS.headings, rows=_windows(check)),
        TableValues(name=MAPPING.name, columns=MAPPING.headings, rows=_mapping(check, mapping)),
    )


def check_results(check: CheckResult) -> dict[str, CellValue]:
    """Return the results of the live checks that the lists alone decide."""
    conserved = all(t.found == t.used + sum(t.set_aside.values()) for t in check.tallies)
    return {
        "check_rows": OK if conserved else LOOK,
        "check_stops": LOOK if check.findings.stops else OK,
        **({"check_months": LOOK if cautions(check) else OK} if check.lists else {}),
    }


def start_ranges(
    check: CheckResult, authority: str, said: str, headline: str = ""
) -> tuple[RangeValues, ...]:
    """Return what sheet Start shows of the lists and the last command."""
    census: CellValue = day_name(check.lists.census_date) if check.lists else "not known yet"
    return one_cell_each(
        {
            "start_authority": authority or "not given (sheet Settings)",
            "start_census_date": census,
            "start_last_run": said,
            **({"start_says": headline} if headline else {}),
        }
    )


def one_cell_each(values: dict[str, CellValue]) -> tuple[RangeValues, ...]:
    """Return a one-cell range for each name."""
    return tuple(RangeValues(name=name, rows=((value,),)) for name, value in values.items())


def _tallies(check: CheckResult) -> tuple[tuple[CellValue, ...], ...]:
    return tuple(
        (
            f"List {t.list_number}",
            t.found,
            t.used,
            sum(t.set_aside.values()),
            "; ".join(f"{rule} {count:,}" for rule, count in t.set_aside.items() if count),
        )
        for t in check.tallies
    )


def _windows(check: CheckResult) -> tuple[tuple[CellValue, ...], ...]:
    if check.lists is None:
        return ()
    return tuple(
        (f"List {number}", w.start, w.months, "Yes" if w.detected else "No")
        for number, w in sorted(check.lists.windows.items())
    )


def _mapping(check: CheckResult, mapping: TableRead | None) -> tuple[tuple[CellValue, ...], ...]:
    """Settled spellings stay, in their order; what is still unmapped follows."""
    kept: list[tuple[CellValue, ...]] = []
    if mapping is not None:
        at = [mapping.columns.index(name) for name in MAPPING.headings]
        rows = ([row[i] for i in at] for row in mapping.rows)
        kept = [tuple(_plain(v) for v in row) for row in rows if str(row[4] or "").strip()]
    settled = {tuple(str(v).strip().casefold() for v in row[:3]) for row in kept}
    asked = [
        (*row, None)
        for row in frame_rows(check.unmapped, MAPPING.headings[:4])
        if tuple(str(v).strip().casefold() for v in (_list_name(row[0]), *row[1:3])) not in settled
    ]
    return (*kept, *((_list_name(row[0]), *row[1:]) for row in asked))


def _list_name(value: CellValue) -> CellValue:
    return f"List {value}" if isinstance(value, int) else value


def _plain(value: object) -> CellValue:
    return value if isinstance(value, (str, int, float)) or value is None else str(value)
