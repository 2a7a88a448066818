"""Quantiles of draws, as every forecast from counts alone gives them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from demand_model.errors import InvalidSettingError


def quantiles_of_draws(
    draws: npt.NDArray[np.int64], probs: Sequence[float]
) -> npt.NDArray[np.float64]:
    """Quantiles over the last axis of `draws`, shape (periods, draws); (periods, len(probs)).

    Raises
    ------
    InvalidSettingError
        A probability is outside 0 to 1.
    """
    wanted = np.asarray(probs, float)
    if np.any(~((wanted >= 0) & (wanted <= 1))):
        raise InvalidSettingError(f"Invalid probs: {probs}. Each must be from 0 to 1.")
    return np.asarray(np.quantile(draws, wanted, axis=1).T, float)
