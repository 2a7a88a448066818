"""Rows of table ``scenarios`` that change the system around the children, and back.

``Multiply`` works on what the system works out itself (the share closed without
action, the ideal caseload …) and on ``free_places``, what free places do to entries to
care: 0 guards the threshold from them. ``Add`` works on ``workers``: posts, recruited for
at once.
"""

from __future__ import annotations

from datetime import date

from demand_addin.ports import CellValue
from demand_model.errors import InvalidSettingError
from demand_model.simulation.scenario import AddPosts, Change, MultiplySystem
from demand_model.system.equations import SYSTEM_LEVERS

WORKERS = "workers"
SYSTEM_FLOWS = (*SYSTEM_LEVERS, WORKERS)
"""Words of column ``flow`` that name no movement of children."""

_RAMP_MONTHS = 1.0


def system_change(
    kind: str, flow: str, amount: float, start: date, end: date | None, ramp_months: float
) -> Change:
    """Make the change that a row says.

    Raises
    ------
    InvalidSettingError
        A kind of change that this row cannot be.
    """
    if flow == WORKERS:
        if kind != "Add" or end is not None:
            raise InvalidSettingError(
                f"Invalid change of {WORKERS}: it must be Add, with the number of posts, and have "
                "no last day."
            )
        return AddPosts(workers=amount, start=start, ramp_months=ramp_months or _RAMP_MONTHS)
    if kind != "Multiply":
        raise InvalidSettingError(
            f"Invalid change of {flow}: {kind}. It must be Multiply, with a factor such as 1.1."
        )
    return MultiplySystem(target=flow, factor=amount, start=start, end=end, ramp_months=ramp_months)


def system_record(change: MultiplySystem | AddPosts) -> dict[str, CellValue]:
    """Return what the row of a change says, its days aside."""
    if isinstance(change, AddPosts):
        return {
            "change": "Add",
            "flow": WORKERS,
            "amount": change.workers,
            "ramp_months": change.ramp_months,
        }
    return {
        "change": "Multiply",
        "flow": change.target,
        "amount": change.factor,
        "ramp_months": change.ramp_months,
    }
