"""Simulation-based calibration of the fitted rates (Talts et al. 2018; Modrak et al. 2023).

True rates are drawn from the model's own prior, counts from them at the exposure of an
authority, and the rates are fitted to those counts. If the posterior is right, the
truth's rank among draws from it is uniform. Authorities of three sizes in turn lend
exposure and opening stock; truths, counts and posteriors are drawn afresh each time.

Four blocks:

=============  ==========================================================================
posteriors     each family's own posterior, counts as the model assumes them
               (``occurrences / d ~ Poisson``)
families       the same with counts of whole families (compound Poisson, variance ``d``
               times the mean), which that assumption stands for
joint draws    rates at the census date and what they imply: ends a month of the opening
               stock and starts a month; with the balance prior, truths are drawn from
               prior x balance
intake         level, and referrals expected 1 to 12 months ahead
=============  ==========================================================================

``p`` is of a chi-square test of uniform ranks over ten bins; a rank z is the mean rank's
distance from 1/2 in standard errors. With a right posterior one p in a hundred is below
0.01, so a block fails where its smallest p is below 0.01 / (rows of the block).

    python benchmarks/rates_calibration.py [--replicates 300] [--quick]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "samples"))

import demand_model as dm
from demand_model.exposure.bands import (
    CARE_BANDS,
    CARE_SEGMENTS,
    LAG_LABELS,
    PLAN_BANDS,
    RE_REFERRAL_BANDS,
)
from demand_model.exposure.clustering import Clustering
from demand_model.exposure.referral_cells import LOOKBACK_LABELS
from demand_model.flows import CARE_ENDS, Flow
from demand_model.rates.draws import RateDraws, draw_rates, equilibrium
from demand_model.rates.fit import FlowRates, fit
from demand_model.rates.intake import fit_intake
from demand_model.rates.intake_prior import NATIONAL_INTAKE
from demand_model.rates.intake_process import (
    covariance,
    level_covariance,
    month_points,
    noise_variance,
    scale_grid,
)
from demand_model.rates.priors import BalancePrior, Drift, Prior, Priors
from demand_model.simulation.care_class import care_segment
from demand_model.simulation.chance import mean_siblings
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_YEAR, working_days_in_months

FloatArray = npt.NDArray[np.float64]

DRAWS = 199
BINS = 10
SIZES = ("small", "middling", "large")
_PROPOSALS = 20_000
_NO_DRIFT = Drift(sd=1e-9, time_constant_months=12.0)
_STILL = Priors(
    plan_conversion_drift=_NO_DRIFT,
    care_conversion_drift=_NO_DRIFT,
    plan_exit_drift=_NO_DRIFT,
    care_exit_drift=_NO_DRIFT,
)
"""Without drift, rates at the census date are those of the window."""
_RE_REFERRAL_DISPERSION = 1.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setting:
    """One authority's exposure, and prior draws of the rates it may have.

    Attributes
    ----------
    exposure
        Tabulated lists, without same-day clustering (the prior's dispersion then holds)
        and without hidden ends.
    rates
        Fitted to the lists themselves: lends referrals and opening stock only.
    window, present
        Prior draws of the rates' means over the window, and at the census date.
    by_balance
        Chance of each draw under the balance prior.
    """

    exposure: dm.Exposure
    rates: FlowRates
    window: RateDraws
    present: RateDraws
    by_balance: FloatArray


def setting_of(exposure: dm.Exposure, rng: np.random.Generator, proposals: int) -> Setting:
    """Prepare an authority: prior draws of its rates, weighted by the balance prior."""
    alone = Clustering(events=0.0, pairs=0.0, chance_pairs=0.0)
    bare = replace(
        exposure,
        clustering=dict.fromkeys(exposure.clustering, alone),
        hidden_care_ends=0.0,
        # Without months before it the count itself is what plans are balanced with.
        series=exposure.series.iloc[:0],
    )
    rates = fit(bare)
    window = _prior_draws(rates, proposals, rng)
    present = _at_census(window, rates, rng)
    implied = equilibrium(present, rates)
    opening, priors = rates.exposure.opening, rates.priors
    log_weight = _log_balance(implied.plans, len(opening.plans), priors.plan_balance)
    log_weight += _log_balance(implied.care, len(opening.care), priors.care_balance)
    log_weight += _log_balance(implied.care_in_a_year, len(opening.care), priors.care_year)
    weight = np.exp(log_weight - log_weight.max())
    return Setting(
        exposure=bare,
        rates=rates,
        window=window,
        present=present,
        by_balance=weight / weight.sum(),
    )


# --- truths from the prior ------------------------------------------------------------------


def _cells(prior: Prior, draws: int, rng: np.random.Generator) -> FloatArray:
    """``level x national x g`` with Gamma level and cells; shape (cells..., draws)."""
    level = rng.gamma(prior.level_events, 1.0 / prior.level_events, draws)
    shape = (*prior.rates.shape, draws)
    own = rng.gamma(prior.cell_events, 1.0 / prior.cell_events, shape)
    return np.asarray(level * own * prior.rates[..., None])


def _uasc_prior(rates: FlowRates) -> Prior:
    per_month = rates.priors.uasc_starts_per_child_in_care_month
    return Prior(
        rates=np.array([per_month * max(len(rates.exposure.opening.care), 1)]),
        level_events=0.5,
        cell_events=2.0,
        source="",
    )


def _prior_draws(rates: FlowRates, n: int, rng: np.random.Generator) -> RateDraws:
    priors = rates.priors
    care = [
        _cells(replace(priors.care_ends, rates=priors.care_ends.rates[reason]), n, rng)
        for reason in range(len(CARE_ENDS))
    ]
    return RateDraws(
        plan_ends=_cells(priors.plan_ends, n, rng),
        plan_to_care=_cells(priors.plan_to_care, n, rng),
        care_ends=np.stack(care),
        plan_lags=_cells(priors.referral_to_plan, n, rng),
        care_lags=_cells(priors.referral_to_care, n, rng),
        other_plan=rates.to_plan.others.prior_per_month * rng.gamma(2.0, 0.5, n),
        other_care=rates.to_care.others.prior_per_month * rng.gamma(2.0, 0.5, n),
        uasc=_cells(_uasc_prior(rates), n, rng)[0],
    )


def _at_census(window: RateDraws, rates: FlowRates, rng: np.random.Generator) -> RateDraws:
    """Rates at the census date: the window's mean moved by drift (method, 3.5)."""
    priors, n = rates.priors, window.uasc.shape[0]
    months = max(w.months for w in rates.exposure.windows.values())

    def now(drift: Drift, chance: FloatArray) -> FloatArray:
        monthly = drift.sd**2 * (1.0 - drift.persistence**2)
        variance = min(monthly * months / 3.0, drift.sd**2)
        return np.asarray(np.exp(chance * np.sqrt(variance) - variance / 2.0))

    starts, ends, into_care, out_of_care = rng.standard_normal((4, n))
    both = priors.plan_drift_correlation
    ends = both * starts + np.sqrt(1.0 - both**2) * ends
    to_plan = now(priors.plan_conversion_drift, starts)
    to_care = now(priors.care_conversion_drift, into_care)
    return replace(
        window,
        plan_ends=window.plan_ends * now(priors.plan_exit_drift, ends),
        plan_to_care=window.plan_to_care * to_care,
        care_ends=window.care_ends * now(priors.care_exit_drift, out_of_care),
        plan_lags=window.plan_lags * to_plan,
        care_lags=window.care_lags * to_care,
        other_plan=window.other_plan * to_plan,
        other_care=window.other_care * to_care,
    )


def _log_balance(implied: FloatArray, open_now: int, prior: BalancePrior) -> FloatArray:
    z = (np.log((implied + 0.5) / (open_now + 0.5)) - prior.location) / prior.scale
    return np.asarray(stats.t.logpdf(z, prior.degrees_of_freedom))


# --- counts at an authority's exposure ------------------------------------------------------


def _counts(
    mean: FloatArray, dispersion: float, rng: np.random.Generator, *, families: bool
) -> FloatArray:
    """Counts of a mean: variance is `dispersion` times it."""
    if not families:
        return np.asarray(rng.poisson(mean / dispersion) * dispersion, float)
    siblings = mean_siblings(dispersion)
    count = rng.poisson(mean / (1.0 + siblings))
    return np.asarray(count + rng.poisson(count * siblings), float)


def simulated(
    setting: Setting,
    truth: RateDraws,
    re_referrals: FloatArray,
    rng: np.random.Generator,
    *,
    families: bool,
) -> dm.Exposure:
    """The setting's table with occurrences drawn from `truth` (one draw)."""
    d, table = setting.rates.dispersion, setting.exposure.table
    flow = table["flow"].to_numpy(str)
    exposure = table["exposure"].to_numpy(float)
    band, segment = table["duration_band"].to_numpy(str), table["segment"].to_numpy(str)
    out = table["occurrences"].to_numpy(float).copy()

    def lay(
        name: Flow, rates: FloatArray, cells: npt.NDArray[np.intp], unit: float, d: float
    ) -> None:
        mine = flow == name.value
        at_risk = np.bincount(cells[mine], exposure[mine], minlength=rates.size)
        total = _counts(rates.ravel() * at_risk / unit, d, rng, families=families)
        share = np.divide(total, at_risk, out=np.zeros(rates.size), where=at_risk > 0)
        out[mine] = exposure[mine] * share[cells[mine]]

    def position(labels: tuple[str, ...], values: npt.NDArray[np.str_]) -> npt.NDArray[np.intp]:
        return np.asarray(pd.Index(labels).get_indexer(pd.Index(values)))

    plan, care = position(PLAN_BANDS.labels, band), position(CARE_BANDS.labels, band)
    care = care * len(CARE_SEGMENTS) + position(CARE_SEGMENTS, segment)
    lag, look = position(LAG_LABELS, band), position(LOOKBACK_LABELS, band)
    again = position(RE_REFERRAL_BANDS.labels, band)
    lay(Flow.PLAN_ENDS, truth.plan_ends[:, 0], plan, DAYS_PER_MONTH, d["plan_ends"])
    lay(Flow.PLAN_TO_CARE, truth.plan_to_care[:, 0], plan, DAYS_PER_MONTH, d["care_starts"])
    for reason, name in enumerate(CARE_ENDS):
        lay(name, truth.care_ends[reason, ..., 0], care, DAYS_PER_MONTH, d["care_ends"])
    lay(Flow.RE_REFERRALS, re_referrals, again, DAYS_PER_MONTH, _RE_REFERRAL_DISPERSION)
    lay(Flow.UASC_STARTS, truth.uasc, np.zeros(len(table), np.intp), DAYS_PER_MONTH, 1.0)
    per_day = _referrals_per_day(setting.exposure)
    for to, unlinked, lags, other, kind in (
        (Flow.REFERRAL_TO_PLAN, Flow.OTHER_PLAN_STARTS, truth.plan_lags, truth.other_plan, "plan"),
        (Flow.REFERRAL_TO_CARE, Flow.OTHER_CARE_STARTS, truth.care_lags, truth.other_care, "care"),
    ):
        weekly = lags[:, 0]
        later = np.append(np.cumsum(weekly[::-1])[::-1], 0.0) - 0.5 * np.append(weekly, 0.0)
        lay(to, weekly, lag, 1.0, d[f"{kind}_starts"])
        rate = per_day * later + other[0] / DAYS_PER_MONTH
        lay(unlinked, rate, look, 1.0, d[f"{kind}_starts"])
    return replace(setting.exposure, table=table.assign(occurrences=out))


def _referrals_per_day(exposure: dm.Exposure) -> float:
    mine = exposure.table[exposure.table["flow"] == Flow.REFERRALS.value]
    days = (exposure.census_date - exposure.windows[3].start).days + 1
    return float(mine["occurrences"].sum()) / days


# --- quantities -----------------------------------------------------------------------------


def implied(draws: RateDraws, rates: FlowRates) -> dict[str, FloatArray]:
    """Flows a month that rates imply at the census date; each of shape (draws,)."""
    opening = rates.exposure.opening
    plans = np.bincount(
        PLAN_BANDS.index(opening.plans.days / DAYS_PER_MONTH), minlength=len(PLAN_BANDS)
    ).astype(float)
    care = opening.care
    band = CARE_BANDS.index(care.days / DAYS_PER_MONTH)
    segment = care_segment(np.nan_to_num(care.age_days) / DAYS_PER_YEAR, care.uasc)
    by_reason = draws.care_ends[:, band, segment].sum(axis=1)
    referrals = rates.referrals_per_month
    to_plan, to_care = draws.plan_lags.sum(axis=0), draws.care_lags.sum(axis=0)
    out = {
        "plan ends a month": plans @ draws.plan_ends,
        "care ends a month": by_reason.sum(axis=0),
        "plan starts a month": referrals * to_plan + draws.other_plan,
        "care starts a month": referrals * to_care
        + draws.other_care
        + plans @ draws.plan_to_care
        + draws.uasc,
    }
    implied = equilibrium(draws, rates)
    out["plans in the long run"], out["care in the long run"] = implied.plans, implied.care
    out["care in a year"] = implied.care_in_a_year
    return out


def _overall(rates: FloatArray, exposure: FloatArray) -> FloatArray:
    """Exposure-weighted sum over cells; rates of shape (cells..., draws)."""
    return np.asarray((rates * exposure[..., None]).sum(axis=tuple(range(exposure.ndim))))


def _families_of(
    fitted: FlowRates, truth: RateDraws, re_referrals: FloatArray, rng: np.random.Generator
) -> Iterator[tuple[str, float, FloatArray]]:
    """(quantity, truth, draws) of each posterior of its own, window means."""
    for name, banded, true in (
        ("plan ends", fitted.plan_ends, truth.plan_ends[..., 0]),
        ("plan to care", fitted.plan_to_care, truth.plan_to_care[..., 0]),
        ("re-referrals", fitted.re_referrals, re_referrals),
        ("UASC starts", fitted.uasc, truth.uasc),
        *(
            (flow.value.replace("_", " "), fitted.care_ends[n], truth.care_ends[n, ..., 0])
            for n, flow in enumerate(CARE_ENDS)
        ),
    ):
        values, weights = banded.draw(DRAWS, rng), banded.exposure
        yield f"{name}: all", float((true * weights).sum()), _overall(values, weights)
        if true.size > 1:
            at = rng.integers(true.size)
            yield f"{name}: a cell", float(true.ravel()[at]), values.reshape(true.size, DRAWS)[at]
    drawn = draw_rates(replace(fitted, priors=_STILL), DRAWS, rng, balanced=False)
    for name, lags, other, weekly, others in (
        ("plan", truth.plan_lags[:, 0], truth.other_plan, drawn.plan_lags, drawn.other_plan),
        ("care", truth.care_lags[:, 0], truth.other_care, drawn.care_lags, drawn.other_care),
    ):
        per_month = fitted.referrals_per_month
        yield f"referral to {name}: share", float(lags.sum()), weekly.sum(axis=0)
        at = rng.integers(len(lags))
        yield f"referral to {name}: a week", float(lags[at]), weekly[at]
        yield f"other {name} starts", float(other[0]), others
        total = float(lags.sum() * per_month + other[0])
        yield f"{name} starts in all", total, weekly.sum(axis=0) * per_month + others


# --- replicates -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """Where the truth stands among draws."""

    block: str
    quantity: str
    rank: int
    draws: int


def _rank(block: str, name: str, true: float, draws: FloatArray, rng: np.random.Generator) -> Rank:
    below, same = int((draws < true).sum()), int((draws == true).sum())
    return Rank(
        block=block, quantity=name, rank=below + int(rng.integers(same + 1)), draws=len(draws)
    )


def replicate(setting: Setting, rng: np.random.Generator, *, families: bool = False) -> list[Rank]:
    """One truth from the prior: each family's posterior, and the joint draws."""
    index = np.array([rng.integers(len(setting.by_balance))])
    ranks = []
    re_referrals = _cells(setting.rates.priors.re_referrals, 1, rng)[..., 0]
    truth = setting.window.take(index)
    fitted = fit(simulated(setting, truth, re_referrals, rng, families=families))
    block = "families" if families else "posteriors"
    for name, true, drawn in _families_of(fitted, truth, re_referrals, rng):
        ranks.append(_rank(block, name, true, drawn, rng))
    now = implied(setting.present.take(index), setting.rates)
    block = f"joint draws{', families' if families else ''}"
    for name, values in implied(draw_rates(fitted, DRAWS, rng, balanced=False), fitted).items():
        ranks.append(_rank(block, name, float(now[name][0]), values, rng))
    return ranks


def balanced_replicate(
    setting: Setting, rng: np.random.Generator, *, families: bool = False
) -> list[Rank]:
    """One truth from prior x balance: the joint draws that a run uses."""
    index = np.array([rng.choice(len(setting.by_balance), p=setting.by_balance)])
    re_referrals = _cells(setting.rates.priors.re_referrals, 1, rng)[..., 0]
    truth = setting.window.take(index)
    fitted = fit(simulated(setting, truth, re_referrals, rng, families=families))
    drawn = implied(draw_rates(fitted, DRAWS, rng), fitted)
    now = implied(setting.present.take(index), setting.rates)
    block = f"joint draws, balanced{', families' if families else ''}"
    return [_rank(block, name, float(now[name][0]), drawn[name], rng) for name in drawn]


def intake_replicate(level_per_day: float, rng: np.random.Generator, months: int = 6) -> list[Rank]:
    """A path from the intake's own prior, `months` of counts, and the year after."""
    prior = NATIONAL_INTAKE
    span = pd.period_range("2023-10", periods=months + 12, freq="M")
    days = working_days_in_months(span).astype(float)
    grid = scale_grid(prior, level_per_day * 21.0)
    points = month_points(span, days, (), last_observed=int(span[months - 1].ordinal))
    node = int(rng.choice(len(grid.drift), p=np.exp(grid.log_prior)))
    # The level's own prior is vague on purpose, and the fit centres it on the counts.
    kept = level_covariance(prior, grid, points, points)[node] - prior.level_variance
    other = covariance(prior, grid, points, points)[node] - kept - prior.level_variance
    lasting = _gaussian(kept, rng)
    lasting = lasting + rng.normal(0.0, 0.1)
    noise = rng.standard_normal(len(span)) * np.sqrt(noise_variance(prior, grid, points)[node])
    season = prior.log_profile[points.month_index]
    log_mean = np.log(level_per_day) + lasting + _gaussian(other, rng) + noise + season
    expected = days * np.exp(log_mean)
    seen = pd.Series(rng.poisson(expected[:months]).astype(float), index=span[:months])
    fitted = fit_intake(seen, prior=prior, shocks=())
    ahead = fitted.draw_paths(span[months:], DRAWS, rng)
    level, sd = fitted.level()
    block = f"intake, {months} months"
    ranks = [
        _rank(
            block, f"referrals {h} months ahead", float(expected[months + h - 1]), ahead[h - 1], rng
        )
        for h in (1, 3, 6, 12)
    ]
    ranks.append(
        _rank(
            block, "referrals of the year", float(expected[months:].sum()), ahead.sum(axis=0), rng
        )
    )
    now = float(np.log(level_per_day) + lasting[months - 1])
    ranks.append(_rank(block, "level now", now, rng.normal(level[0], sd[0], DRAWS), rng))
    return ranks


def _gaussian(cov: FloatArray, rng: np.random.Generator) -> FloatArray:
    factor = np.linalg.cholesky(cov + 1e-10 * np.eye(len(cov)))
    return np.asarray(factor @ rng.standard_normal(len(cov)))


# --- summary --------------------------------------------------------------------------------


def uniformity(ranks: list[Rank]) -> pd.DataFrame:
    """A row a quantity: chi-square p of uniform ranks, mean rank, shares within intervals."""
    frame = pd.DataFrame([{f.name: getattr(r, f.name) for f in fields(Rank)} for r in ranks])
    rows = []
    for (block, quantity), group in frame.groupby(["block", "quantity"], sort=False):
        place = (group["rank"].to_numpy() + 0.5) / (group["draws"].to_numpy() + 1)
        count = np.bincount((place * BINS).astype(int), minlength=BINS)
        n = len(place)
        rows.append(
            {
                "block": block,
                "quantity": quantity,
                "n": n,
                "p": float(stats.chisquare(count).pvalue),
                "mean_rank": float(place.mean()),
                "rank_z": float((place.mean() - 0.5) * np.sqrt(12.0 * n)),
                "in80": float((np.abs(place - 0.5) < 0.4).mean()),
                "in95": float((np.abs(place - 0.5) < 0.475).mean()),
            }
        )
    return pd.DataFrame(rows)


def verdicts(table: pd.DataFrame, level: float = 0.01) -> Mapping[str, list[str]]:
    """By block, the quantities whose ranks are not uniform at `level` (Bonferroni)."""
    out = {}
    for block, rows in table.groupby("block", sort=False):
        out[str(block)] = list(rows.loc[rows["p"] < level / len(rows), "quantity"])
    return out


def settings(rng: np.random.Generator, proposals: int, sizes: tuple[str, ...]) -> list[Setting]:
    """Authorities of the sizes, simulated child by child, with six months of lists."""
    from demand_samples.extract import annex_a
    from demand_samples.presets import authority
    from demand_samples.simulate import simulate_authority

    out = []
    for size in sizes:
        history = simulate_authority(authority(size), seed=3)  # type: ignore[arg-type]
        lists = dm.check(annex_a(history, date(2026, 9, 30))).lists
        if lists is None:
            raise RuntimeError(f"{size}: the extract was refused")
        out.append(setting_of(dm.tabulate(dm.spells(lists)), rng, proposals))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=300)
    parser.add_argument("--quick", action="store_true", help="30 replicates")
    options = parser.parse_args()
    count = 30 if options.quick else options.replicates
    rng = np.random.default_rng(2026)
    found = settings(rng, 2_000 if options.quick else _PROPOSALS, SIZES)
    ranks: list[Rank] = []
    for number in range(count):
        setting = found[number % len(found)]
        for families in (False, True):
            ranks += replicate(setting, rng, families=families)
            ranks += balanced_replicate(setting, rng, families=families)
        for months in (6, 36):
            ranks += intake_replicate((4.75, 12.7, 47.5)[number % 3], rng, months)
    table = uniformity(ranks)
    print(table.sort_values("block", kind="stable").round(3).to_string(index=False))
    for block, failing in verdicts(table).items():
        print(f"{block}: {'uniform' if not failing else 'NOT uniform: ' + ', '.join(failing)}")


if __name__ == "__main__":
    main()
