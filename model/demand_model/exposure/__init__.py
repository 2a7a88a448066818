"""The occurrence-exposure table: events over time at risk, additive, no child in it."""
