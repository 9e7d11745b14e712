"""What a pool learns from past errors: weights of its members, and how much wider its bands should have been.

Weights are learned for every horizon by itself, bands over all of them at once: in units of the members' own bands near and far
horizons are alike. Both are drawn towards equal weights and unchanged bands as if ``prior`` more cases had been seen in which these
were right: with few outcomes on record nothing beats the plain mean (Timmermann 2006, Handbook of Economic Forecasting 1, ch. 4;
Stock & Watson 2004, J. Forecasting 23).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np

from engine.estimate import BANDS, LEVELS
from engine.ledger import Ledger
from engine.typing import Bools, Floats, Ints

Rule = Literal["equal", "inverse", "discounted", "stacking"]
_MIDDLE = LEVELS.index(0.5)
_PERCENTS = tuple(sorted(BANDS))

BOUND = 3.0
"""No case teaches weights more than one whose errors are so many times the usual ones."""


@dataclass(frozen=True, eq=False)
class Weights:
    """horizons: ``(H,)`` rising, months from the period's end to the origin's month. shares: ``(H, M)``, of each member, rows add
    up to 1. widths: ``(H, 3)``, by which the half-widths of the 50, 80 and 95 % bands are multiplied."""

    horizons: Ints
    shares: Floats
    widths: Floats

    @classmethod
    def equal(cls, members: int) -> Weights:
        """What is known before any outcome is."""
        return cls(np.zeros(1, np.int64), np.full((1, members), 1 / members), np.ones((1, len(_PERCENTS))))

    def row(self, horizon: int) -> int:
        """Where the nearest horizon stands that something was learned for."""
        return int(np.argmin(np.abs(self.horizons - horizon)))

    def among(self, horizon: int, speaks: Bools) -> Floats:
        """``(M,)`` shares at a horizon of those members that speak: the others' go to them in proportion."""
        share = np.where(speaks, self.shares[self.row(horizon)], 0.0)
        share = share if share.sum() > 0.0 else speaks.astype(float)
        return share / share.sum()  # type: ignore[no-any-return]

    def combine(self, mean: Floats, quantiles: Floats, horizon: int) -> tuple[float, Floats]:
        """Mean and quantiles ``(len(LEVELS),)`` of the pool from the members' ``(M,)`` and ``(M, len(LEVELS))``; a member that does
        not speak is NaN.

        Quantiles are averaged (Lichtendahl, Grushka-Cockayne & Winkler 2013, Management Science 59): they never cross, and are no
        wider than the members' on average. Then each band is multiplied by its width about the median.
        """
        speaks = np.isfinite(mean)
        share = self.among(horizon, speaks)[speaks]
        return float(share @ mean[speaks]), widened(share @ quantiles[speaks], self.widths[self.row(horizon)])


def widened(quantiles: Floats, widths: Floats) -> Floats:
    """``(len(LEVELS),)`` quantiles whose bands are multiplied about the median by ``(3,)`` widths; a wider band never lies inside
    a narrower one.

    >>> widened(np.array([-3.0, -2, -1, 0, 1, 2, 3]), np.array([2.0, 1.0, 1.0])).tolist()
    [-3.0, -2.0, -2.0, 0.0, 2.0, 2.0, 3.0]
    """
    out, middle = quantiles.copy(), quantiles[_MIDDLE]
    below = above = 0.0
    for width, percent in zip(widths, _PERCENTS, strict=True):
        low, high = BANDS[percent]
        below, above = max(below, width * (middle - quantiles[low])), max(above, width * (quantiles[high] - middle))
        out[low], out[high] = middle - below, middle + above
    return out


def learn(ledger: Ledger, rule: Rule, discount: float = 0.95, prior: float = 8.0, calibrate: bool = True) -> Weights:
    """Weights and widths from cases whose outcomes are all known; of an empty ledger :meth:`Weights.equal`.

    equal: 1/M. inverse: by inverse mean squared error. discounted: the same, a case counting ``discount`` times as much as one a
    period later (Bates & Granger 1969; Stock & Watson 2004). stacking: least squares on the simplex, with a ridge about equal
    weights worth ``prior`` cases (Diebold & Pauly 1990, Int. J. Forecasting 6). All of them from errors that are :func:`bounded`.
    calibrate: widths are conformal quantiles of how far outcomes lay from the pool's median in units of its bands (Vovk,
    Gammerman & Shafer 2005, ch. 2), drawn towards 1.
    """
    M = len(ledger.members)
    if not len(ledger):
        return Weights.equal(M)
    horizons = np.unique(ledger.horizon)
    shares, gaps = np.empty((len(horizons), M)), []
    for i, h in enumerate(horizons):
        cases = ledger.at(int(h))
        n, errors = len(cases), bounded(cases.mean - cases.outcome[:, None])
        found = _stacked(errors, prior) if rule == "stacking" else _inverse(errors, cases.period, rule, discount)
        kept = prior if rule in ("inverse", "discounted") else 0.0  # the ridge of stacking holds its prior already
        shares[i] = (n * found + kept / M) / (n + kept)
        gaps.append(_gaps(cases, shares[i]))
    n, width = len(ledger), np.ones(len(_PERCENTS))
    if calibrate:
        width = (n * _conformal(np.concatenate(gaps)) + prior) / (n + prior)
    return Weights(horizons, shares, np.tile(width, (len(horizons), 1)))


def bounded(errors: Floats) -> Floats:
    """``(n, M)`` the same; those of a case shrunk by one factor if their root mean square exceeds BOUND times the median case's.

    Squared losses are not robust: after output fell by a third in one quarter of 2020, that quarter would set the weights for ten
    years. The bound is Huber's (1964, Annals of Math. Statistics 35), on whole cases: who was better in one remains to be seen.

    >>> bounded(np.array([[1.0, -1.0], [1.0, 1.0], [30.0, 60.0]])).round(2).tolist()
    [[1.0, -1.0], [1.0, 1.0], [1.9, 3.79]]
    """
    size = np.sqrt(np.mean(errors**2, axis=1, keepdims=True))
    usual = float(np.median(size))
    return errors * np.minimum(1.0, BOUND * usual / np.maximum(size, 1e-300)) if usual > 0 else errors


def _inverse(errors: Floats, period: Ints, rule: Rule, discount: float) -> Floats:
    M = errors.shape[1]
    if rule == "equal":
        return np.full(M, 1 / M)
    age = period.max() - period
    counts = discount ** age.astype(float) if rule == "discounted" else np.ones(len(errors))
    loss = counts @ errors**2 / counts.sum()
    inverse = 1.0 / np.maximum(loss, 1e-12 * max(float(loss.max()), 1e-280))
    return inverse / inverse.sum()  # type: ignore[no-any-return]


def _stacked(errors: Floats, prior: float) -> Floats:
    """argmin Σ (e'w)² + prior s² Σ (w - 1/M)² over the simplex, where e'w is the pool's error; s² the mean variance of the
    members about their mean."""
    from scipy.optimize import nnls  # slow to import

    M = errors.shape[1]
    spread = float(np.mean((errors - errors.mean(1, keepdims=True)) ** 2))
    ridge = np.sqrt(prior * max(spread, 1e-300))
    sum_to_one = 1e4 * max(float(np.abs(errors).max()), ridge, 1e-150)
    A = np.vstack([errors, ridge * np.eye(M), np.full((1, M), sum_to_one)])
    b = np.r_[np.zeros(len(errors)), np.full(M, ridge / M), sum_to_one]
    w = nnls(A, b)[0]
    return w / w.sum()  # type: ignore[no-any-return]


def _gaps(cases: Ledger, share: Floats) -> Floats:
    """``(n, 3)`` how far each outcome lay from the pool's median, in half-widths of each band on that side."""
    pooled = np.einsum("m,nmq->nq", share, cases.quantiles)
    gap = cases.outcome - pooled[:, _MIDDLE]
    out = np.empty((len(gap), len(_PERCENTS)))
    for j, percent in enumerate(_PERCENTS):
        low, high = BANDS[percent]
        half = np.where(gap < 0, pooled[:, _MIDDLE] - pooled[:, low], pooled[:, high] - pooled[:, _MIDDLE])
        out[:, j] = np.abs(gap) / np.maximum(half, 1e-12 * max(float(np.abs(gap).max()), 1e-300))
    return out


def _conformal(gaps: Floats) -> Floats:
    """``(3,)`` by how much the half-width of each band had to be multiplied to hold its share of outcomes: the ⌈(n+1) share⌉-th
    smallest gap of ``(n, 3)``, or the largest where there are too few."""
    n, ordered = len(gaps), np.sort(gaps, axis=0)
    return np.array([ordered[min(n, ceil((n + 1) * p / 100)) - 1, j] for j, p in enumerate(_PERCENTS)])
