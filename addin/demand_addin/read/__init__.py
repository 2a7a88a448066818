"""Reading Annex A files into raw cells, with nothing guessed and nothing run."""

from demand_addin.read.files import read_sheets

__all__ = ["read_sheets"]
