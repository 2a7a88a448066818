"""How far starts of plans and of care follow referrals when these swing by chance.

Referrals swing more than the children who come to need a plan or care: how contacts are
recorded, and what partners send in, changes, and conversion gives most of it back. What
every draw expects (season, a trend, a scenario) is followed in full; what one draw's
referrals depart from it is followed in part.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from demand_model.rates.priors import STARTS_FOLLOW_REFERRALS

FloatArray = npt.NDArray[np.float64]


def following(referrals: FloatArray, share: float = STARTS_FOLLOW_REFERRALS) -> FloatArray:
    """Multiplier of the referrals that convert: ``(draw / typical draw) ** (share - 1)``.

    The typical draw is the geometric mean over draws, so that starts go with the typical
    referrals times the draw's own departure to the power `share`.

    Parameters
    ----------
    referrals
        Expected referrals by month and draw, above 0; shape (months, draws).
    share
        Elasticity of starts with respect to a draw's departure: 1 follows in full.

    Returns
    -------
    Shape (months, draws).
    """
    logs = np.log(referrals)
    return np.asarray(np.exp((share - 1.0) * (logs - logs.mean(axis=1, keepdims=True))))
