"""The declared system: variables, causal links and loops, workforce and front door."""
