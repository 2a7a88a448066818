"""The formulas that plans may put into tables: looked up by name, never made of a value."""

from __future__ import annotations

from demand_addin.layout.sheets import table
from demand_addin.ports import Calculated


def formula_text(table_name: str, cell: Calculated) -> str:
    """Return what a table declares under a formula's name, without ``=``.

    Raises
    ------
    LookupError
        It declares no such formula.
    """
    found = table(table_name).formulas.get(cell.formula)
    if found is None:
        raise LookupError(f"table {table_name} declares no formula {cell.formula!r}")
    return found
