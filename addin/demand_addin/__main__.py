"""``python -m demand_addin``: the same as ``csc-demand``."""

from demand_addin.cli import main

if __name__ == "__main__":
    main()
