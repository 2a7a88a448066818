"""The commands: each takes a workbook and options, and gives back one frozen outcome."""
