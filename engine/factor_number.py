"""How many factors a panel has: the information criteria of Bai and Ng, the ratios of Ahn and Horenstein.

Bai & Ng (2002, Econometrica 70), IC_p1, IC_p2, IC_p3; Ahn & Horenstein (2013, Econometrica 81), eigenvalue ratio and growth ratio.
Both read the eigenvalues of the standardised panel; cells that are not known are filled by principal components, as in Stock &
Watson (2002, J. Bus. Econ. Stat. 20), with the largest number of factors that is asked about.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import BadInput, NotConverged, NotEnoughData
from engine.typing import Floats, Ints

TOLERANCE, ITERATIONS = 1e-6, 500


@dataclass(frozen=True, slots=True)
class FactorNumber:
    """What each rule says; shares ``(k,)`` of the variance that the first factors explain, one after another.

    criteria: ``(3, 1 + most)`` IC_p1 … IC_p3 of 0, 1, … factors. ratios: ``(2, most)`` eigenvalue and growth ratio of 1, 2, …
    """

    ic: Ints
    eigenvalue_ratio: int
    growth_ratio: int
    shares: Floats
    criteria: Floats
    ratios: Floats


def factor_number(values: Floats, most: int = 10, tolerance: float = TOLERANCE) -> FactorNumber:
    """The number of factors of ``(T, N)`` values, NaN where not known, 0 … ``most`` by Bai & Ng, 1 … ``most`` by Ahn & Horenstein.

    tolerance: filling ends when no cell moves by more than this share of the largest. Columns without variance are left out.
    Raises BadInput for ``most`` below 1, NotEnoughData unless more than ``most`` + 2 months and series remain, NotConverged if
    the filling does not settle.
    """
    if most < 1:
        raise BadInput(f"at least one factor must be asked about, not {most}")
    known = ~np.isnan(values)
    values = values[known.any(1)]
    known = ~np.isnan(values)
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known, values, 0.0).sum(0) / count
    sd = np.sqrt(np.where(known, np.square(values - mean), 0.0).sum(0) / count)
    keep = (known.sum(0) >= 2) & (sd > 1e-10 * np.abs(mean))
    Z = np.where(known, (values - mean) / np.where(keep, sd, 1.0), np.nan)[:, keep]
    T, N = Z.shape
    if min(T, N) < most + 3:
        raise NotEnoughData(
            f"up to {most} factors need {most + 3} months and series with variance, there are {T} and {N}"
        )
    mu = _eigenvalues(_filled(Z, most, tolerance))
    m = len(mu)
    left = np.r_[mu.sum(), mu.sum() - np.cumsum(mu)]  # V(k), k = 0 … m
    k = np.arange(most + 1)
    c = min(N, T)
    penalty = np.array([(N + T) / (N * T) * np.log(N * T / (N + T)), (N + T) / (N * T) * np.log(c), np.log(c) / c])
    criteria = np.log(np.maximum(left[: most + 1], 1e-300)) + penalty[:, None] * k
    floor = 1e-12 * mu[0]
    if left[most] <= floor:
        raise NotEnoughData(f"fewer than {most} factors explain all of the panel: its columns are copies of each other")
    star = mu[: m - 1] / np.maximum(left[1:m], floor)
    er = mu[:most] / np.maximum(mu[1 : most + 1], floor)
    gr = np.log1p(star[:most]) / np.maximum(np.log1p(star[1 : most + 1]), floor)
    return FactorNumber(
        np.argmin(criteria, axis=1).astype(np.int64),
        1 + int(np.argmax(er)), 1 + int(np.argmax(gr)), mu[:most] / mu.sum(), criteria, np.array([er, gr]),
    )  # fmt: skip


def chosen(values: Floats, most: int = 8) -> int:
    """The number for a model of these ``(T, N)`` series: by the growth ratio, at most ``most`` or N - 3, cells filled to 1e-2.

    Not by a criterion: of 8 to 25 series IC_p2 asks for as many as it may have. Raises as :func:`factor_number`; NotEnoughData
    for fewer than four series.
    """
    return factor_number(values, max(1, min(most, values.shape[1] - 3)), 1e-2).growth_ratio


def _eigenvalues(Z: Floats) -> Floats:
    """``(min(T, N),)`` eigenvalues of Z Z' / (T N), falling."""
    out: Floats = np.square(np.linalg.svd(Z, compute_uv=False)) / Z.size
    return out


def _filled(Z: Floats, k: int, tolerance: float) -> Floats:
    """The panel with cells that are not known at what k principal components make of them, standardised anew at each step."""
    gaps = np.isnan(Z)
    if not gaps.any():
        return Z
    Z = np.where(gaps, 0.0, Z)
    for _ in range(ITERATIONS):
        mean, sd = Z.mean(0), np.maximum(Z.std(0), 1e-12)
        U, s, V = np.linalg.svd((Z - mean) / sd, full_matrices=False)
        common = (U[:, :k] * s[:k]) @ V[:k] * sd + mean
        step = np.abs(common - Z)[gaps].max()
        Z = np.where(gaps, common, Z)
        if step < tolerance * max(1.0, np.abs(common[gaps]).max()):
            out: Floats = (Z - Z.mean(0)) / np.maximum(Z.std(0), 1e-12)
            return out
    raise NotConverged(f"filling {int(gaps.sum())} cells by {k} components did not settle in {ITERATIONS} steps")
