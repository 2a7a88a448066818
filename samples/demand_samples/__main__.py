"""Rebuild the sample workbooks, and measure how much authorities vary.

python -m demand_samples build [--out FOLDER]
python -m demand_samples spread [--authorities 60] [--size middling] [--steady]
"""

from __future__ import annotations

from pathlib import Path

import click

from demand_samples.build import build
from demand_samples.presets import REFERRALS_PER_WORKING_DAY, Size, authority, drifting
from demand_samples.spread import spread_of_changes

_WORKBOOKS = Path(__file__).resolve().parents[1] / "workbooks"


@click.group()
def main() -> None:
    """Made-up authorities with known true rates."""


@main.command("build")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=_WORKBOOKS,
    show_default="samples/workbooks",
    help="Folder to write into.",
)
def build_command(out: Path) -> None:
    """Write small.xlsx, middling.xlsx, large.xlsx and true_rates.json."""
    for path in build(out):
        click.echo(f"Wrote {path}")


@main.command("spread")
@click.option("--authorities", default=60, show_default=True, help="Draws to measure.")
@click.option("--size", type=click.Choice(list(REFERRALS_PER_WORKING_DAY)), default="middling")
@click.option("--steady", is_flag=True, help="Without drift.")
def spread_command(authorities: int, size: Size, *, steady: bool) -> None:
    """Show standard deviations of log changes over 12, 24 and 36 months."""
    truth = authority(size)
    table = spread_of_changes(truth if steady else drifting(truth), authorities=authorities)
    click.echo(table.round(3).to_string())


if __name__ == "__main__":
    main()
