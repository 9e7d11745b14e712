"""The autoregression that benchmarks and bridges share: lags by BIC, filling of a ragged end, variance of what was filled."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.errors import NotEnoughData
from engine.typing import Bools, Floats

LARGEST = 0.999  # root of an equation that is to be stationary


@dataclass(frozen=True, slots=True)
class Autoregression:
    """y_t = constant + Σ_j coefficients_j y_t-j + N(0, sigma²). inverse: ``(1 + p, 1 + p)`` (X'X)^-1 of the constant and the lags;
    empty where it was not kept."""

    constant: float
    coefficients: Floats
    sigma: float
    inverse: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def fill(self, values: Floats, left_out: Bools | None = None) -> Floats:
        """Replace each NaN after the first p known values by its conditional mean given the past; ``(T,)``.

        left_out ``(T,)``: stays empty, and so does what would rest on it.
        """
        out, p = values.copy(), len(self.coefficients)
        for t in range(p, len(out)):
            if np.isnan(out[t]) and not (left_out is not None and left_out[t]):
                out[t] = self.constant + self.coefficients @ out[t - p : t][::-1]
        return out

    def response(self, n: int) -> Floats:
        """``(n,)`` effect of a shock after 0, 1, … periods."""
        psi, p = np.zeros(n), len(self.coefficients)
        for h in range(n):
            psi[h] = 1.0 if h == 0 else self.coefficients[: min(h, p)] @ psi[h - 1 :: -1][: min(h, p)]
        return psi

    def variance(self, weights: Floats) -> float:
        """Variance of Σ_h weights_h × (error of the forecast h + 1 periods ahead); weights ``(n,)``."""
        psi = self.response(len(weights))
        on_shocks = [weights[i:] @ psi[: len(weights) - i] for i in range(len(weights))]
        return float(self.sigma**2 * np.sum(np.square(on_shocks)))

    def doubt(self, values: Floats, weights: Floats) -> float:
        """What estimating the coefficients adds to the variance of Σ_h weights_h × (forecast h + 1 periods after ``values``).

        values: ``(T,)``, the last p of them known. Exact one period ahead, x'(X'X)^-1 x sigma²; farther by the slope of the
        forecast in the coefficients (Lütkepohl 2005, New Introduction to Multiple Time Series Analysis, section 3.5). NaN where
        the inverse was not kept.
        """
        if not self.inverse.size:
            return np.nan
        p = len(self.coefficients)
        path, slopes = list(values[len(values) - p :]), [np.zeros(1 + p)] * p
        for _ in weights:
            x = np.array([1.0, *path[len(path) - p :][::-1]])
            back = slopes[len(slopes) - p :][::-1]
            slopes.append(x + sum((a * g for a, g in zip(self.coefficients, back, strict=True)), np.zeros(1 + p)))
            path.append(self.constant + self.coefficients @ x[1:])
        slope = weights @ np.array(slopes[p:])
        return float(self.sigma**2 * slope @ self.inverse @ slope)


def fit(values: Floats, most: int, name: str, stationary: bool = False) -> Autoregression:
    """Least squares with 0 … ``most`` lags, the number by BIC on one common sample.

    values: ``(T,)``; rows with a NaN among the value and its lags are left out. stationary: a unit or explosive root is drawn back,
    for equations that are asked for many steps: one value that is wrong by a factor can make a root of 5. Raises NotEnoughData
    below most + 10 rows.
    """
    T = len(values)
    X = np.column_stack(
        [np.ones(T), *(np.r_[np.full(min(j, T), np.nan), values[: max(T - j, 0)]] for j in range(1, most + 1))]
    )
    whole = ~(np.isnan(values) | np.isnan(X).any(1))
    n = int(whole.sum())
    if n < most + 10:
        raise NotEnoughData(
            f"{name}: an autoregression of up to {most} lags needs {most + 10} complete rows, {n} are known"
        )
    y, X = values[whole], X[whole]
    best: tuple[float, Floats, float] | None = None
    for p in range(most + 1):
        beta = np.linalg.lstsq(X[:, : p + 1], y, rcond=None)[0]
        ssr = float(np.sum((y - X[:, : p + 1] @ beta) ** 2))
        bic = n * np.log(max(ssr / n, 1e-300)) + (p + 1) * np.log(n)
        if best is None or bic < best[0]:
            best = bic, beta, float(np.sqrt(ssr / (n - p - 1)))
    assert best is not None
    _, beta, sigma = best
    if stationary:
        beta, sigma = _tamed(beta, sigma, y, X[:, 1 : len(beta)])
    root = np.linalg.pinv(X[:, : len(beta)])
    return Autoregression(float(beta[0]), beta[1:].copy(), sigma, root @ root.T)


def _tamed(beta: Floats, sigma: float, y: Floats, lagged: Floats) -> tuple[Floats, float]:
    """Coefficients with a largest root of 0.999 where it was 1 or more, all roots scaled alike, and what is left then."""
    n, p = lagged.shape
    companion = np.vstack([beta[1:], np.eye(p)[:-1]]) if p else np.zeros((0, 0))
    size = float(np.abs(np.linalg.eigvals(companion)).max(initial=0.0))
    if size < 1.0:
        return beta, sigma
    a = beta[1:] * (LARGEST / size) ** np.arange(1, p + 1)
    left = y - lagged @ a
    return np.r_[left.mean(), a], float(np.sqrt(np.sum((left - left.mean()) ** 2) / (n - p - 1)))
