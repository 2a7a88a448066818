"""How much stocks and flows change from year to year over many draws of one truth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand_samples.observe import monthly_truth
from demand_samples.simulate import simulate_authority
from demand_samples.truth import AuthorityTruth

MEASURES = ("referrals", "cp_starts", "cp_ends", "cp_open", "cla_starts", "cla_ends", "cla_open")
_EVERY_MONTHS = 3


def spread_of_changes(
    truth: AuthorityTruth,
    *,
    authorities: int,
    seed: int = 0,
    over_months: tuple[int, ...] = (12, 24, 36),
) -> pd.DataFrame:
    """Standard deviation of log changes of stocks and of flows summed over a year.

    Parameters
    ----------
    truth
        The process; each authority is another draw of it.
    authorities
        Number of draws, seeds `seed`, `seed` + 1, ….
    over_months
        Distances between the two counts compared; origins are a quarter apart.

    Returns
    -------
    pandas.DataFrame
        Index `MEASURES`; column ``mean`` (open children, or children a year) and one
        a distance, in months.
    """
    changes: dict[tuple[str, int], list[np.ndarray]] = {}
    levels: dict[str, list[float]] = {measure: [] for measure in MEASURES}
    for number in range(authorities):
        history = simulate_authority(truth, seed=seed + number)
        months = monthly_truth(history, history.first_date, history.last_date)
        for measure in MEASURES:
            counts = months[measure].astype(float)
            yearly = counts if measure.endswith("open") else counts.rolling(12).sum()
            levels[measure].append(float(yearly.mean()))
            log = pd.Series(np.log(yearly.clip(lower=1.0).to_numpy()))
            for distance in over_months:
                change = (log - log.shift(distance)).dropna().to_numpy()
                changes.setdefault((measure, distance), []).append(change[::_EVERY_MONTHS])
    return pd.DataFrame(
        {
            "mean": {measure: float(np.mean(values)) for measure, values in levels.items()},
            **{
                str(distance): {
                    measure: float(np.concatenate(changes[measure, distance]).std())
                    for measure in MEASURES
                }
                for distance in over_months
            },
        }
    )
