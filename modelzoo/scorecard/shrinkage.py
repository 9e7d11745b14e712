"""Small samples: cells that rest on too few are hidden, values that are mostly noise are pulled to the mean of their group.

Empirical Bayes: y_u = θ_u + e_u with known sampling variance v_u, θ_u ~ N(μ, A). The estimate of θ_u is
μ + A/(A + v_u) (y_u - μ): the reliability A/(A + v_u) of a unit is the share of its deviation that is signal.
A from Σ (y_u - μ)²/(A + v_u) = U - 1 (Fay & Herriot 1979, JASA 74); reliabilities carry Morris's factor (U - 3)/(U - 1) for a
mean and a variance that are estimated (Morris 1983, JASA 78), so that with equal v the estimate is that of James and Stein.
Hide first, shrink after: a hidden value then enters no mean, no score and no rank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import BadInput, NotEnoughData
from engine.typing import Bools, Floats

LEAST_UNITS = 4


@dataclass(frozen=True, slots=True)
class Shrunk:
    """values, reliability, mean (of its group) and variance (of the estimate), each ``(U,)``; between: variance of the true
    values by group. NaN in, NaN out: nothing is invented for a unit without a value."""

    values: Floats
    reliability: Floats
    mean: Floats
    variance: Floats
    between: dict[str, float]


def shrink(values: Floats, sampling: Floats, groups: tuple[str, ...] | None = None) -> Shrunk:
    """Values ``(U,)`` shrunk to the mean of their group by their sampling variances ``(U,)``; NaN where not known.

    Raises BadInput for a variance that is not positive, NotEnoughData naming a group with fewer than 4 known units.
    """
    values, sampling = np.asarray(values, float), np.asarray(sampling, float)
    labels = np.array(groups if groups is not None else ("",) * len(values))
    if not values.shape == sampling.shape == labels.shape:
        raise BadInput(
            f"{len(values)} values need as many sampling variances and groups, not {len(sampling)}, {len(labels)}"
        )
    known = np.isfinite(values)
    if not (np.isfinite(sampling[known]) & (sampling[known] > 0.0)).all():
        u = int(np.flatnonzero(known)[np.argmin(np.isfinite(sampling[known]) & (sampling[known] > 0.0))])
        raise BadInput(
            f"unit {u + 1} has a value and the sampling variance {sampling[u]:g}; a value from a sample needs one above 0"
        )
    out, reliability, means, variance = (np.full(len(values), np.nan) for _ in range(4))
    between: dict[str, float] = {}
    for group in dict.fromkeys(labels.tolist()):
        rows = np.flatnonzero(known & (labels == group))
        n = len(rows)
        if n < LEAST_UNITS:
            name = f"group {group}" if group else "the sample"
            raise NotEnoughData(
                f"{name} has {n} known units; how far units differ needs {LEAST_UNITS}: join it to another group"
            )
        y, v = values[rows], sampling[rows]
        A = _between(y, v)
        weight = 1.0 / (A + v)
        mu = float(weight @ y / weight.sum())
        kept = 1.0 - (n - 3) / (n - 1) * v * weight
        out[rows] = mu + kept * (y - mu)
        reliability[rows], means[rows] = kept, mu
        # Morris: the noise that stays, the mean that is estimated, and the factor that is estimated
        lost = 1.0 - kept
        variance[rows] = v * (1.0 - lost * (n - 1) / n) + 2.0 / (n - 3) * lost**2 * (y - mu) ** 2
        between[group] = A
    return Shrunk(out, reliability, means, variance, between)


def share_variance(share: Floats, base: Floats) -> Floats:
    """``(U,)`` sampling variance of shares (0 to 1) of ``base`` answers each: p (1 - p) / base with p over all units together.

    One p for all: a unit with none of five has a share that is as uncertain as its neighbour's with one of five, not certain.
    Raises BadInput if nobody or everybody answers alike.
    """
    known = np.isfinite(share) & (base > 0)
    p = float((share[known] * base[known]).sum() / base[known].sum()) if known.any() else 0.0
    if not 0.0 < p < 1.0:
        raise BadInput(
            f"the share over all units together is {p:g}; shares that are all 0 or all 1 have no variance to shrink by"
        )
    return np.where(known, p * (1.0 - p) / np.where(known, base, 1.0), np.nan)


@dataclass(frozen=True, slots=True)
class Suppressed:
    """values ``(U, M)`` with NaN in hidden cells; small: too few behind them; secondary: hidden so that no total gives a small
    cell away."""

    values: Floats
    small: Bools
    secondary: Bools


def suppress(values: Floats, base: Floats, least: int, groups: tuple[str, ...] | None = None) -> Suppressed:
    """Cells of ``(U, M)`` that rest on fewer than ``least`` firms, persons or answers (base ``(U, M)``) are hidden.

    groups: given where totals of groups of units are published too. What a group hides in a column must then rest on ``least``
    at least and be two cells or more, or the total less the rest would tell: the smallest further cells are hidden with it.
    A group that cannot be protected so, being too small, is hidden whole and its total must not be published.
    """
    values, base = np.asarray(values, float), np.asarray(base, float)
    if base.shape != values.shape or values.ndim != 2:
        raise BadInput(f"values (U, M) need a base of the same shape, not {values.shape} and {base.shape}")
    if least < 1:
        raise BadInput(f"the least base is a count from 1, not {least}")
    known = np.isfinite(values)
    if not (np.isfinite(base[known]) & (base[known] >= 0)).all():
        raise BadInput("a known value needs a base: how many firms, persons or answers stand behind it")
    small = known & (base < least)
    secondary = np.zeros_like(small)
    if groups is not None:
        labels = np.array(groups)
        if labels.shape != (len(values),):
            raise BadInput(f"{len(values)} units need as many groups, not {len(labels)}")
        for group in dict.fromkeys(labels.tolist()):
            rows = np.flatnonzero(labels == group)
            for j in range(values.shape[1]):
                hidden = small[rows, j].copy()
                if not hidden.any():
                    continue
                for k in np.argsort(np.where(known[rows, j], base[rows, j], np.inf), kind="stable"):
                    if base[rows[hidden], j].sum() >= least:  # so two at least: each small one has fewer
                        break
                    if known[rows[k], j] and not hidden[k]:
                        hidden[k] = secondary[rows[k], j] = True
    return Suppressed(np.where(small | secondary, np.nan, values), small, secondary)


def _between(y: Floats, v: Floats) -> float:
    """A ≥ 0 with Σ (y - μ(A))²/(A + v) = U - 1; the left side falls in A. 0 where even A = 0 explains the spread."""

    def excess(A: float) -> float:
        w = 1.0 / (A + v)
        return float(w @ (y - w @ y / w.sum()) ** 2) - (len(y) - 1)

    if excess(0.0) <= 0.0:
        return 0.0
    low, high = 0.0, float(np.ptp(y) ** 2 + v.max())
    while excess(high) > 0.0:
        high *= 2.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        low, high = (middle, high) if excess(middle) > 0.0 else (low, middle)
    return 0.5 * (low + high)
