"""Occurrences and exposure to flow rates: posteriors, with the counts behind every rate."""
