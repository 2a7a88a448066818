"""Every gate but the tests, in one command: `uv run python .ci/gates.py`.

Called by pre-commit and by `.ci/run`. Exits with 1 if any gate fails, after
running them all.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GATES = (
    ("ruff check", ["ruff", "check", "."]),
    ("ruff format", ["ruff", "format", "--check", "."]),
    ("mypy", ["mypy"]),
    ("import-linter", ["lint-imports"]),
)


def main() -> int:
    """Run the gates; the number of failures decides the exit code."""
    failed = []
    for name, command in GATES:
        sys.stdout.write(f"== {name}\n")
        sys.stdout.flush()
        run = subprocess.run([sys.executable, *_module(command)], cwd=ROOT, check=False)  # noqa: S603
        if run.returncode != 0:
            failed.append(name)
    sys.stdout.write(f"gates failed: {', '.join(failed)}\n" if failed else "all gates passed\n")
    return 1 if failed else 0


def _module(command: list[str]) -> list[str]:
    """Run each tool as a module, so that it is the one of this environment."""
    if command[0] == "lint-imports":
        # The package has no module to run; its command does this.
        return ["-c", "from importlinter.cli import lint_imports_command as c; c()"]
    return ["-m", *command]


if __name__ == "__main__":
    sys.exit(main())
