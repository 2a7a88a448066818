"""What the workbook holds: one declaration that the template, the plans and the adapters share.

A later issue adds a sheet by adding a `SheetSpec` to `sheets.SHEETS`, and, if
it holds more than tables and settings, a page to `template.PAGES`.
"""

from demand_addin.layout.declare import Area, Column, Kind, Setting, SheetSpec, TableSpec
from demand_addin.layout.sheets import SETTINGS, SHEETS, area, sheet, status_names, table

__all__ = [
    "SETTINGS",
    "SHEETS",
    "Area",
    "Column",
    "Kind",
    "Setting",
    "SheetSpec",
    "TableSpec",
    "area",
    "sheet",
    "status_names",
    "table",
]
