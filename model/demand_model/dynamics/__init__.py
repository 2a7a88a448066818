"""System dynamics: expressions with units, stocks and flows, an integrator, XMILE."""
