"""Filters over many series at once, ``(T, N)``: rows are periods, and the innermost loop runs over series, which is SIMD.

Hodrick-Prescott: (I + λ K'K) trend = y with K the second differences, pentadiagonal and the same for all series. It is
factored once as L D L'; then each series costs ten flops a period. Blocks of series are solved one after the other, so that
what the way back reads again is still in the cache.
"""

import numpy as np
from numba import njit

from engine.kernels.collapse import FAST

BLOCK = 128  # series: with T = 400 a block is 400 kB


@njit(cache=True)
def factor(T, lam):
    """L D L' of I + λ K'K: 1/d ``(T,)`` and the two subdiagonals of L, ``(T,)`` each with zeros behind."""
    d, e, f = np.ones(T), np.zeros(T), np.zeros(T)
    for i in range(T - 2):  # each second difference adds λ (1, -2, 1)'(1, -2, 1)
        d[i] += lam
        d[i + 1] += 4.0 * lam
        d[i + 2] += lam
        e[i] -= 2.0 * lam
        e[i + 1] -= 2.0 * lam
        f[i] += lam
    for i in range(T):
        # e[i - 1], f[i - 1] and f[i - 2] are entries of L by now; d[i - 1] and d[i - 2] are those of D.
        if i >= 1:
            d[i] -= d[i - 1] * e[i - 1] * e[i - 1]
            e[i] -= d[i - 1] * e[i - 1] * f[i - 1]
        if i >= 2:
            d[i] -= d[i - 2] * f[i - 2] * f[i - 2]
        e[i] /= d[i]
        f[i] /= d[i]
    return 1.0 / d, e, f


@njit(cache=True, fastmath=FAST)
def solve(y, inverse, e, f, out):
    """out = (L D L')⁻¹ y for every column of y ``(T, N)``; inverse = 1/d."""
    T, N = y.shape
    for lo in range(0, N, BLOCK):
        hi = min(lo + BLOCK, N)
        for i in range(T):
            now, raw = out[i], y[i]
            if i == 0:
                for s in range(lo, hi):
                    now[s] = raw[s]
            elif i == 1:
                a, one = e[0], out[0]
                for s in range(lo, hi):
                    now[s] = raw[s] - a * one[s]
            else:
                a, b, one, two = e[i - 1], f[i - 2], out[i - 1], out[i - 2]
                for s in range(lo, hi):
                    now[s] = raw[s] - a * one[s] - b * two[s]
        for i in range(T - 1, -1, -1):
            now, g = out[i], inverse[i]
            if i == T - 1:
                for s in range(lo, hi):
                    now[s] *= g
            elif i == T - 2:
                a, one = e[i], out[i + 1]
                for s in range(lo, hi):
                    now[s] = now[s] * g - a * one[s]
            else:
                a, b, one, two = e[i], f[i], out[i + 1], out[i + 2]
                for s in range(lo, hi):
                    now[s] = now[s] * g - a * one[s] - b * two[s]


@njit(cache=True, fastmath=FAST)
def symmetric(y, w, out):
    """Moving average with weights w[|k|], k = -K … K, of every column of y ``(T, N)``; K rows at either end are not touched."""
    T, N = y.shape
    K = len(w) - 1
    for t in range(K, T - K):
        now, mid = out[t], y[t]
        for s in range(N):
            now[s] = w[0] * mid[s]
        for k in range(1, K + 1):
            a, before, after = w[k], y[t - k], y[t + k]
            for s in range(N):
                now[s] += a * (before[s] + after[s])
