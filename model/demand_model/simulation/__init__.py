"""Flow rates and scenarios to trajectories: draws of stocks and flows by month."""
