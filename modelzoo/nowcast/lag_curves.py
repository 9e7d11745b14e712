"""The curves of MIDAS and their least squares, by variable projection on moments, for many equations at once.

Given the curve, constant, own expectation and slope have a closed form (Golub & Pereyra 1973, SIAM J. Numer. Anal. 10). With those
two taken out of target and months, the sum of squares is S_yy − (w's)² / (w'Sw), s and S the moments of the months: what is
left is to maximise log (w's)² − log w'Sw over two parameters, by Newton's method within bounds, from several starts. Both curves
are log-linear in θ, log w_j = φ(u_j)'θ at u_j = (j − ½) / J for month j = 1 … J back:

* almon: θ1 u + θ2 u², with θ2 ≤ 0, so that weights fall or rise to one hump;
* beta: θ1 log u + θ2 log(1 − u), the density of Beta(1 + θ1, 1 + θ2), with both not negative.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from engine.typing import Bools, Floats

BOUNDS: Mapping[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "almon": ((-20.0, 20.0), (-30.0, 0.0)),
    "beta": ((0.0, 30.0), (0.0, 30.0)),
}
GRID = 7  # points a side; the starts are the best of each third of the first parameter's range
TOLERANCE = 1e-7  # of the projected gradient and of the last rise of the logarithm
ITERATIONS = 100


@lru_cache
def basis(curve: str, J: int) -> Floats:
    """``(J, 2)`` φ at the J months."""
    u = (np.arange(1, J + 1) - 0.5) / J
    return np.column_stack([u, u * u]) if curve == "almon" else np.column_stack([np.log(u), np.log1p(-u)])


def weights(theta: Floats, curve: str, J: int) -> Floats:
    """``(..., J)`` weights of sum 1, newest month first, from θ ``(..., 2)``."""
    z = theta @ basis(curve, J).T
    w = np.exp(z - z.max(-1, keepdims=True))
    out: Floats = w / w.sum(-1, keepdims=True)
    return out


def solve(gram: Floats, cross: Floats, square: Floats, curve: str) -> Floats:
    """``(N, 2 + J)`` coefficients of constant, own expectation and months; NaN where no start converged.

    gram ``(N, 2 + J, 2 + J)``, cross ``(N, 2 + J)`` and square ``(N,)``: moments of the regressors, of them with the target, and
    of the target.
    """
    K = cross.shape[1]
    G, inner = gram[:, :2, :2], gram[:, :2, 2:]
    inverse = np.linalg.pinv(G, rcond=1e-12, hermitian=True)
    out_of = inverse @ inner  # (N, 2, J) of the months on constant and own expectation
    S = gram[:, 2:, 2:] - inner.transpose(0, 2, 1) @ out_of
    s = cross[:, 2:] - (out_of.transpose(0, 2, 1) @ cross[:, :2, None])[:, :, 0]
    theta, good = _search(S, s, curve)
    w = weights(theta, curve, K - 2)
    slope = np.einsum("nj,nj->n", w, s) / np.maximum(np.einsum("ni,nij,nj->n", w, S, w), 1e-300)
    months = slope[:, None] * w
    first = (inverse @ (cross[:, :2] - np.einsum("nkj,nj->nk", inner, months))[:, :, None])[:, :, 0]
    return np.where(good[:, None], np.concatenate([first, months], axis=1), np.nan)


def _search(S: Floats, s: Floats, curve: str) -> tuple[Floats, Bools]:
    """The best θ ``(N, 2)`` over the starts, and which equations ended at a maximum."""
    J = s.shape[1]
    sides = [np.linspace(low, high, GRID) for low, high in BOUNDS[curve]]
    grid = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1)  # (G, G, 2)
    w = weights(grid.reshape(-1, 2), curve, J)
    value = np.square(s @ w.T) / np.maximum(np.einsum("gi,nij,gj->ng", w, S, w, optimize=True), 1e-300)
    starts = []
    for third in np.array_split(np.arange(GRID * GRID).reshape(GRID, GRID), 3):
        places = third.ravel()
        starts.append(grid.reshape(-1, 2)[places[np.argmax(value[:, places], axis=1)]])
    theta, height, good = _climb(np.tile(S, (3, 1, 1)), np.tile(s, (3, 1)), np.concatenate(starts), curve)
    N = len(s)
    height, good = np.where(good, height, -np.inf).reshape(3, N), good.reshape(3, N)
    best = np.argmax(height, axis=0)
    return theta.reshape(3, N, 2)[best, np.arange(N)], good[best, np.arange(N)]


def _value(S: Floats, s: Floats, w: Floats) -> Floats:
    a, b = np.einsum("nj,nj->n", w, s), np.einsum("nj,nj->n", (w[:, None, :] @ S)[:, 0], w)
    out: Floats = np.log(np.maximum(a * a, 1e-300)) - np.log(np.maximum(b, 1e-300))
    return out


def _climb(S: Floats, s: Floats, theta: Floats, curve: str) -> tuple[Floats, Floats, Bools]:
    """Newton's method from each start, damped until it rises; parameters at a bound that the slope points across are held."""
    M, J = s.shape
    low, high = (np.array(side) for side in zip(*BOUNDS[curve], strict=True))
    phi = basis(curve, J)
    square = np.stack([phi[:, 0] ** 2, phi[:, 0] * phi[:, 1], phi[:, 1] ** 2], axis=1)
    theta, damping, good = theta.copy(), np.full(M, 1e-3), np.zeros(M, bool)
    height = _value(S, s, weights(theta, curve, J))
    live = np.arange(M)
    for _ in range(ITERATIONS):
        w = weights(theta[live], curve, J)
        a = np.einsum("nj,nj->n", w, s[live])[:, None]
        Sw = (S[live] @ w[:, :, None])[:, :, 0]
        b = np.einsum("nj,nj->n", w, Sw)[:, None]
        ws, wSw = w * s[live], w * Sw
        safe = np.where(np.abs(a) < 1e-150, 1e-150, a)
        da, db = ws @ phi / safe, wSw @ phi / b
        slope = 2 * (da - db)
        wphi = w[:, :, None] * phi
        cross = wphi.transpose(0, 2, 1) @ (S[live] @ wphi) / b[:, :, None]
        second = 2 * (ws @ square / safe - wSw @ square / b)
        H = second[:, [[0, 1], [1, 2]]] - 2 * cross
        H += -2 * da[:, :, None] * da[:, None, :] + 4 * db[:, :, None] * db[:, None, :]
        held = ((theta[live] <= low) & (slope < 0)) | ((theta[live] >= high) & (slope > 0))
        slope = np.where(held, 0.0, slope)
        flat = np.abs(slope).max(1) < TOLERANCE
        H = np.where(held[:, :, None] | held[:, None, :], 0.0, H)
        mid, half = (H[:, 0, 0] + H[:, 1, 1]) / 2, np.hypot((H[:, 0, 0] - H[:, 1, 1]) / 2, H[:, 0, 1])
        add = np.maximum(mid + half, 0.0) + damping[live]  # makes -H + add positive definite
        step = np.linalg.solve(add[:, None, None] * np.eye(2) - H, slope[:, :, None])[:, :, 0]
        new = np.clip(theta[live] + step, low, high)
        there = _value(S[live], s[live], weights(new, curve, J))
        rises = there > height[live]
        small = ~rises & (damping[live] > 1e6)  # no step rises any more: a maximum to rounding
        rise = there - height[live]
        theta[live[rises]], height[live[rises]] = new[rises], there[rises]
        damping[live] = np.where(rises, damping[live] / 10, damping[live] * 10)
        done = flat | small | (rises & (rise < TOLERANCE**2))
        good[live[done]] = True
        live = live[~done]
        if not len(live):
            break
    return theta, height, good
