"""Lists to spells: time at risk with delayed entry and right censoring."""
