"""The ribbon add-in ``csc-demand.xlam``: built from its sources, installed for one user."""
