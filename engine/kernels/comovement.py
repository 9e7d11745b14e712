"""Correlations of one series with many at every lead, in one pass over the months for each pair."""

import numpy as np
from numba import njit

from engine.kernels.collapse import FAST


@njit(cache=True)
def correlations(y, x, latest, earliest, out):
    """out ``(latest + earliest + 1,)``: correlation of y[t] with x[t - lead], lead = -latest … earliest, over the rows at
    which both are known; NaN where one of them does not move or fewer than 3 rows remain."""
    T = len(y)
    for k in range(latest + earliest + 1):
        lead = k - latest
        n, sy, sx = 0, 0.0, 0.0
        first, last = max(0, lead), min(T, T + lead)
        for t in range(first, last):
            if np.isfinite(y[t]) and np.isfinite(x[t - lead]):
                n += 1
                sy += y[t]
                sx += x[t - lead]
        out[k] = np.nan
        if n < 3:
            continue
        my, mx = sy / n, sx / n
        yy, xx, xy = 0.0, 0.0, 0.0
        for t in range(first, last):
            a, b = y[t] - my, x[t - lead] - mx
            if np.isfinite(a) and np.isfinite(b):
                yy += a * a
                xx += b * b
                xy += a * b
        if yy > 0.0 and xx > 0.0:
            out[k] = xy / np.sqrt(yy * xx)


@njit(cache=True, fastmath=FAST)
def strongest(y, x, starts, block, latest, earliest, out):
    """out ``(B,)``: largest |correlation| over the leads when x ``(T,)`` is put together anew from blocks; no NaN.

    starts: ``(B, ceil(T / block))`` first rows of the blocks, which run on from the last row to the first.
    """
    T = len(x)
    y, x = (y - y.mean()) / y.std(), (x - x.mean()) / x.std()
    y1, y2, x1, x2 = np.zeros(T + 1), np.zeros(T + 1), np.zeros(T + 1), np.zeros(T + 1)
    for t in range(T):
        y1[t + 1], y2[t + 1] = y1[t] + y[t], y2[t] + y[t] * y[t]
    drawn = np.empty(T)
    for b in range(len(starts)):
        for t in range(T):
            v = x[(starts[b, t // block] + t % block) % T]
            drawn[t] = v
            x1[t + 1], x2[t + 1] = x1[t] + v, x2[t] + v * v
        best = 0.0
        for lead in range(-latest, earliest + 1):
            p, q, n = max(0, lead), max(0, -lead), T - abs(lead)
            xy = 0.0
            for i in range(n):
                xy += y[p + i] * drawn[q + i]
            sy, sx = y1[p + n] - y1[p], x1[q + n] - x1[q]
            yy = y2[p + n] - y2[p] - sy * sy / n
            xx = x2[q + n] - x2[q] - sx * sx / n
            if yy > 0.0 and xx > 0.0:
                best = max(best, abs(xy - sy * sx / n) / np.sqrt(yy * xx))
        out[b] = best
