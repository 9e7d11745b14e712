"""Kalman filter of a damped local linear trend around a steady drift. One loop, compiled.

    y_t = l_t + N(0, r s²),   l_t+1 = l_t + d + b_t + N(0, q s²),   b_t+1 = φ b_t + N(0, z s²),   d constant

State (l, b, d). The scale s² stands outside: its estimate is the mean of squared, scaled errors (Harvey 1989, section 3.4.1).
"""

import math

import numpy as np
from numba import njit


@njit(cache=True)
def trend_filter(y, phi, r, q, z, a, P):
    """Run over y ``(n,)``, NaN where not known; ``a`` (3,) and ``P`` (3, 3) hold the start and then the prediction for slot n.

    Returns the sum of squared scaled errors, the sum of log F, and their number.
    """
    squares, logs, count = 0.0, 0.0, 0
    gain = np.zeros(3)
    for t in range(len(y)):
        if not math.isnan(y[t]):
            F = P[0, 0] + r
            v = y[t] - a[0]
            squares += v * v / F
            logs += math.log(F)
            count += 1
            for i in range(3):
                gain[i] = P[i, 0] / F
            for i in range(3):
                a[i] += gain[i] * v
            row = P[0].copy()
            for i in range(3):
                for j in range(3):
                    P[i, j] -= gain[i] * row[j]
        a[0] += a[1] + a[2]
        a[1] *= phi
        for j in range(3):  # rows: T P
            P[0, j] += P[1, j] + P[2, j]
            P[1, j] *= phi
        for i in range(3):  # columns: (T P) T'
            P[i, 0] += P[i, 1] + P[i, 2]
            P[i, 1] *= phi
        P[0, 0] += q
        P[1, 1] += z
    return squares, logs, count
