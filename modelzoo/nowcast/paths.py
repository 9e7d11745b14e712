"""What series expected of themselves: interior gaps filled, and the paths expected from every row, by autoregressions."""

from __future__ import annotations

import numpy as np

from engine.typing import Bools, Floats


def filled_and_expected(z: Floats, fills: Floats, steps: int, left_out: Bools, january: Bools) -> tuple[Floats, Floats]:
    """``(T, N)`` the values, interior gaps filled, and ``(1 + steps, T, N)`` what was known in each row and expected 1, 2, … later.

    z ``(T, N)``, NaN where not known; fills ``(N, 1 + lags)``: constant and coefficients of each autoregression.
    left_out ``(T, N)``: what is left out of learning is no gap; it stays empty, and with it whatever would be expected from it.
    january ``(T, N)``: values known a row later only (``engine.align.single_months``); in their own row stands what was expected
    a row before.
    """
    T, N = z.shape
    constant, a = fills[:, 0], fills[:, 1:]
    z = z.copy()
    order = np.where(a != 0, np.arange(1, a.shape[1] + 1), 0).max(1, initial=0)
    for j in np.flatnonzero(np.isnan(z).any(0)):
        seen = np.flatnonzero(~np.isnan(z[:, j]))
        if len(seen):
            p = int(order[j])
            for t in np.flatnonzero(np.isnan(z[: seen[-1], j]) & ~left_out[: seen[-1], j]):
                if t >= seen[0] + p:
                    z[t, j] = constant[j] + a[j, :p] @ z[t - p : t, j][::-1]
    late = january.any()
    out = np.full((1 + steps + int(late), T, N), np.nan)
    out[0] = z
    for s in range(1, len(out)):
        out[s] = constant
        for lag in range(1, a.shape[1] + 1):
            live = a[:, lag - 1] != 0
            if s >= lag:
                out[s][:, live] += a[live, lag - 1] * out[s - lag][:, live]
            else:
                before = lag - s
                out[s][before:, live] += a[live, lag - 1] * z[: T - before, live]
                out[s][:before, live] = np.nan
        out[s][np.isnan(z)] = np.nan
    if late:
        for s in range(1 + steps):
            out[s][1:][january[1:]] = out[s + 1][:-1][january[1:]]
            out[s][0][january[0]] = np.nan
    return z, out[: 1 + steps]
