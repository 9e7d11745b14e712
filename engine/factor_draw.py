"""Draws from the distribution of the states given the data: a simulation smoother, for densities of what is no linear function.

Durbin & Koopman (2002, Biometrika 89): draw states and data from the model, smooth the data so drawn, and move the smoothed states
by what the smoother missed there. Smoothed states of a draw are linear in its data, and its covariances those of the real panel,
which are computed once.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.signal import lfilter

from engine.factor import Data, Parameters, Smoothed, companion, prepare, shown, smooth, stationary, told
from engine.typing import Floats


def draws(p: Parameters, s: Smoothed, seed: int) -> Iterator[Floats]:
    """Without end, one ``(T, m)`` a draw of the stacked states given the data of the pass ``s``, laid out as ``s.x``.

    s: a pass with a stationary start. The same seed gives the same draws.

    >>> from itertools import islice
    >>> # paths = np.stack(list(islice(draws(p, s, 1), 1000)))      # (1000, T, m)
    """
    g, d = np.random.default_rng(seed), s.data
    while True:
        x, Y, X = _model(p, d, g)
        drawn = smooth(p, _known(Y, X, d, p.lags), like=s, means_only=True)
        yield s.x + x - drawn.x


def _known(Y: Floats, X: Floats, d: Data, order: int) -> Data:
    """Drawn values where the panel has some."""
    Y, X = np.where(np.isnan(d.Y), np.nan, Y), np.where(np.isnan(d.X), np.nan, X)
    return prepare(Y, X, d.weights, order, d.pairs, d.x_pairs, d.gap)


def _model(p: Parameters, d: Data, g: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """One draw from the model itself: states ``(T, m)``, collapsed ``(T, N)`` and explicit series ``(T, E)``, all cells."""
    T, L, R, E = len(d.Y), d.lags, len(p.Q), len(p.x_rho)
    k = R + E
    start = stationary(p, max(L, p.lags))
    first = (_root(start.cov) @ g.normal(size=len(start.mean))).reshape(-1, k)[::-1]  # the oldest month first
    before = len(first) - 1
    path = np.empty((before + T, k))
    path[: before + 1] = first
    shocks = g.normal(size=(T, k)) @ _shock_root(p).T
    C = companion(p.A)[:R]
    for t in range(1, T):
        now = before + t
        path[now, :R] = C @ path[now - p.lags : now, :R][::-1].reshape(-1) + shocks[t, :R]
        path[now, R:] = p.x_rho * path[now - 1, R:] + shocks[t, R:]
    x = np.hstack([path[before - lag : before - lag + T] for lag in range(L)])
    noise = g.normal(size=(T, len(p.rho))) * np.sqrt(p.sigma2)
    noise[0] /= np.sqrt(1 - p.rho**2)
    e = np.column_stack([lfilter([1.0], [1.0, -r], column) for r, column in zip(p.rho, noise.T, strict=True)])
    X = shown(p, d, x) + g.normal(size=(T, E)) * np.sqrt(p.noise)
    return x, told(x[:, :R] @ p.loadings.T + e.reshape(T, -1), d.pairs), X


def _root(P: Floats) -> Floats:
    """A square root of a positive semi-definite P."""
    values, vectors = np.linalg.eigh(P)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)), float)


def _shock_root(p: Parameters) -> Floats:
    R, E = len(p.Q), len(p.x_rho)
    out = np.zeros((R + E, R + E))
    out[:R, :R] = _root(p.Q)
    out[range(R, R + E), range(R, R + E)] = np.sqrt(p.x_sigma2)
    return out
