"""Workbooks on disk, opened without Excel: read raw, written surgically."""

from demand_addin.closed.adapter import ClosedWorkbook

__all__ = ["ClosedWorkbook"]
