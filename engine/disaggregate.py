"""From a coarser frequency to a finer one, so that every published figure is met exactly.

One estimator serves all methods. The finer series is x = o + X β + u with cov(u) ∝ V, given C x = y (``engine.constraints``):

    β = (Z'Q⁻¹Z)⁻¹ Z'Q⁻¹(y - C o),   Z = C X,   Q = C V C',   x = o + X β + V C'Q⁻¹(y - C o - Z β)

=================  =========================================================================================
Denton (1971)      o = the indicator, no X; u/o (or u) a random walk from 0
Denton-Cholette    the same from an unknown start (Dagum and Cholette 2006): no transient in the first periods
Chow-Lin (1971)    X = a constant and the indicators; u an AR(1)
Fernandez (1981)   the same; u a random walk
Litterman (1983)   the same; Δu an AR(1)
=================  =========================================================================================

Periods of which no figure speaks are extrapolated by the same formula, which is what R's tempdisagg does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from scipy.linalg import qr, solve_triangular
from scipy.optimize import minimize_scalar

from engine.calendar import Period
from engine.constraints import Constraints
from engine.errors import BadInput, NotEnoughData
from engine.typing import Floats

Flag: TypeAlias = Literal["exact", "imputed", "extrapolated", "undefined"]
"""Of one value: settled by the published figures alone; spread by the method; beyond the figures; not defined (NaN)."""

LARGEST = 0.999  # ρ: where Chow-Lin is all but Fernandez, and its variance all but infinite


@dataclass(frozen=True, slots=True)
class Disaggregated:
    """A finer series and how it was made.

    values: ``(n,)`` from ``first`` on, NaN where undefined; flags: ``(n,)``; beta: ``(1 + k,)`` the constant and the
    indicators, for methods that regress; warnings: what a reader should know, such as negative values of a series whose
    published figures are not.
    """

    method: str
    first: Period
    values: Floats
    flags: tuple[Flag, ...]
    beta: Floats | None = None
    rho: float | None = None
    warnings: tuple[str, ...] = ()

    def nonnegative(self) -> Disaggregated:
        """Itself. Raises BadInput with the periods if a value is negative."""
        if below := negative(self.first, self.values):
            raise BadInput(f"{self.method}: {below}; take another method or indicator")
        return self


def denton(
    target: Constraints,
    indicator: Floats | None = None,
    *,
    proportional: bool = True,
    order: Literal[0, 1, 2] = 1,
    cholette: bool = True,
) -> Disaggregated:
    """Keep the movement of an indicator ``(n,)``: min Σ(Δ^order((x - p)/p))², or of x - p itself if not proportional.

    Without an indicator the movement is as even as can be. ``cholette=False`` is Denton's first form, which ties the first
    periods to the indicator's own level; ``order=0`` ties all, and extrapolates by it. Raises BadInput for an indicator with
    gaps, or with a zero if proportional.
    """
    n = target.matrix.shape[1]
    p = np.ones(n) if indicator is None else _indicators(target, indicator)[:, 0]
    if indicator is not None and np.ndim(indicator) != 1:
        raise BadInput("Denton takes one indicator, shape (n,)")
    if order not in (0, 1, 2):
        raise BadInput(f"Denton takes differences of order 0, 1 or 2, not {order}")
    if indicator is None and not (cholette and order):
        raise BadInput(
            "a Denton without an indicator needs cholette=True and differences: there is no level to be tied to"
        )
    if proportional and not p.all():
        raise BadInput(
            f"{target.first + int(np.argmin(np.abs(p)))}: a proportional Denton needs an indicator without zeros"
        )
    scale = p / np.abs(p).mean() if proportional else np.ones(n)
    root = scale[:, None] * np.linalg.matrix_power(np.tri(n), order)
    free = order if cholette else 0  # what Δ^order does not see: with Cholette it is left to the figures
    X = scale[:, None] * np.linspace(-1.0, 1.0, n)[:, None] ** np.arange(free)
    if len(target.values) < free:
        raise NotEnoughData(f"{free} figures are needed for differences of order {order}, not {len(target.values)}")
    form = "proportional" if proportional else "additive"
    fit = _fit(target, X, root, p)
    return _result(target, f"denton{'-cholette' if cholette else ''} ({form}, order {order})", fit.values)


def chow_lin(target: Constraints, indicators: Floats | None = None, *, rho: float | None = None) -> Disaggregated:
    """Regress on a constant and indicators ``(n,)`` or ``(n, k)``; errors AR(1).

    rho: fixed, or None for the maximum of the likelihood on [0, 0.999] (a negative ρ makes the months alternate). With
    ``rho=0.0`` this is least squares with its error spread evenly. Raises BadInput, NotEnoughData.
    """
    n = target.matrix.shape[1]

    def root(r: float) -> Floats:
        L = _ar1(n, r)
        L[:, 0] /= np.sqrt(1.0 - r * r)  # the first error has the stationary variance
        return L

    return _regress(target, indicators, "chow-lin", root, rho)


def fernandez(target: Constraints, indicators: Floats | None = None) -> Disaggregated:
    """Regress on a constant and indicators ``(n,)`` or ``(n, k)``; errors a random walk. Raises BadInput, NotEnoughData."""
    n = target.matrix.shape[1]
    X = _regressors(target, indicators)
    fit = _fit(target, X, np.tri(n), np.zeros(n))
    return _result(target, "fernandez", fit.values, fit.beta)


def litterman(target: Constraints, indicators: Floats | None = None, *, rho: float | None = None) -> Disaggregated:
    """Regress on a constant and indicators ``(n,)`` or ``(n, k)``; changes of the errors AR(1). rho and raises as chow_lin."""
    n = target.matrix.shape[1]
    return _regress(target, indicators, "litterman", lambda r: np.tri(n) @ _ar1(n, r), rho)


class _Fit(NamedTuple):
    values: Floats
    beta: Floats
    deviance: float


def _fit(target: Constraints, X: Floats, root: Floats, offset: Floats) -> _Fit:
    """The estimator above, with V = root root'. Q is never formed: C root is factored, which keeps twice the digits.

    deviance: -2 log-likelihood with σ² concentrated out, up to a constant.
    """
    C, y, m = target.matrix, target.values, len(target.values)
    q, r = qr((C @ root).T, mode="economic")  # Q = r'r

    def whiten(a: Floats) -> Floats:
        out: Floats = solve_triangular(r, a, trans="T")
        return out

    error = whiten(y - C @ offset)
    beta: Floats = np.zeros(0)
    if X.shape[1]:
        Z = whiten(C @ X)
        beta = np.asarray(np.linalg.lstsq(Z, error)[0], np.float64)
        error = error - Z @ beta
    x = offset + X @ beta + root @ (q @ error)
    x = x + root @ (q @ whiten(y - C @ x))  # once more, for what was rounded
    ssr = max(float(error @ error) / m, 1e-30 * float(y @ y) / m, 1e-300)  # the line fits: any ρ is as good
    return _Fit(x, beta, float(m * np.log(ssr) + 2.0 * np.log(np.abs(np.diag(r))).sum()))


def _regress(
    target: Constraints, indicators: Floats | None, method: str, root: Callable[[float], Floats], rho: float | None
) -> Disaggregated:
    X, none = _regressors(target, indicators), np.zeros(target.matrix.shape[1])
    if rho is not None and not -1.0 < rho < 1.0:
        raise BadInput(f"{method}: ρ lies between -1 and 1, not at {rho}")

    def deviance(r: float) -> float:
        return _fit(target, X, root(r), none).deviance

    if rho is None:
        grid = np.append(np.linspace(0.0, 0.95, 20), LARGEST)  # the likelihood may have two tops
        at = int(np.argmin(heights := [deviance(r) for r in grid]))
        near = grid[max(at - 1, 0)], grid[min(at + 1, 20)]
        top = minimize_scalar(deviance, bounds=near, method="bounded", options={"xatol": 1e-9})
        rho = float(top.x) if top.fun < heights[at] else float(grid[at])
    fit = _fit(target, X, root(rho), none)
    return _result(target, method, fit.values, fit.beta, rho)


def _ar1(n: int, rho: float) -> Floats:
    """``(n, n)`` lower triangle with ρ^(i-j): what an AR(1) from 0 makes of shocks."""
    lag = np.subtract.outer(np.arange(n), np.arange(n))
    return np.where(lag >= 0, rho ** np.maximum(lag, 0).astype(float), 0.0)


def _indicators(target: Constraints, indicators: Floats) -> Floats:
    """``(n, k)``. Raises BadInput with the period of a gap."""
    n = target.matrix.shape[1]
    found = np.asarray(indicators, float).reshape(len(indicators), -1)
    if len(found) != n:
        raise BadInput(f"the indicators have {len(found)} periods, the grid has {n}")
    if not np.isfinite(found).all():
        row, column = np.argwhere(~np.isfinite(found))[0]
        raise BadInput(f"{target.first + int(row)}: indicator {column + 1} has no value; fill it or shorten the grid")
    return found


def _regressors(target: Constraints, indicators: Floats | None) -> Floats:
    """``(n, 1 + k)`` a constant and the indicators. Raises BadInput, NotEnoughData if the figures cannot tell them apart."""
    n = target.matrix.shape[1]
    X = np.ones((n, 1))
    if indicators is not None:
        X = np.hstack([X, _indicators(target, indicators)])
    m, k = len(target.values), X.shape[1]
    if m <= k:
        raise NotEnoughData(f"{m} figures cannot carry {k} coefficients; give more figures or fewer indicators")
    Z = target.matrix @ X
    if np.linalg.matrix_rank(Z / np.maximum(np.abs(Z).max(axis=0), 1e-300), tol=1e-10) < k:
        raise BadInput("the indicators are constant or repeat each other; a constant is in the regression already")
    return X


def _result(
    target: Constraints, method: str, values: Floats, beta: Floats | None = None, rho: float | None = None
) -> Disaggregated:
    lo, hi = target.span()
    exact = target.determined()
    flags: list[Flag] = [
        "exact" if exact[i] else "imputed" if lo <= i <= hi else "extrapolated" for i in range(len(values))
    ]
    below = negative(target.first, values) if (target.values >= 0).all() else ""
    notes = (f"{below}, though no published figure is",) if below else ()
    return Disaggregated(method, target.first, values, tuple(flags), beta, rho, notes)


def negative(first: Period, values: Floats) -> str:
    """``2 values are negative: 2020-01 (-3.2), 2020-02 (-0.1)``; empty if none is."""
    at = np.flatnonzero(values < 0)
    if not len(at):
        return ""
    named = ", ".join(f"{first + int(i)} ({values[i]:.6g})" for i in at[:5]) + (" …" if len(at) > 5 else "")
    return f"{len(at)} {'values are' if len(at) > 1 else 'value is'} negative: {named}"
