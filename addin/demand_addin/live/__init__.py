"""Workbooks open in Excel: the same port as the closed file, through xlwings.

Nothing is imported here: the ribbon's way in (``python -m demand_addin.live``) must
clean its search path before anything else is. xlwings is imported in `session` only.
"""
