"""Ranks of many draws at once, and what a table of ranks says about pairs. Plain loops over arrays.

Letters: B draws, U units. A table of ranks is int16: 10,000 draws of 337 units are 7 MB.
"""

import numpy as np
from numba import njit

FAST = {"contract", "reassoc", "nsz", "arcp"}
TINY = 1e-150
CROWD = 24  # a bucket with more is sorted by comparison


@njit(cache=True, nogil=True, fastmath={"nnan", "ninf", "nsz", "reassoc"})
def span(s):
    """The lowest and the highest of ``(U,)`` finite numbers."""
    low, high = s[0], s[0]
    for u in range(len(s)):
        low = min(low, s[u])
        high = max(high, s[u])
    return low, high


@njit(cache=True, nogil=True)
def rank_rows(score, alike, out):
    """Places from 1, the highest, in each row; equal scores share the better place. Writes ``out`` ``(B, U)`` int16.

    score: ``(B, U)``, finite. alike: scores are rounded to this share of the row's largest first; 0: not at all.

    A row is spread into 2 U buckets by value and put in order where a bucket holds several: linear for scores that are spread
    out. A row with a crowded bucket (an outlier far from all others) is sorted by comparison (Shell's).
    """
    B, U = score.shape
    n = 2 * U
    bucket = np.empty(U, np.int32)
    start = np.empty(n + 1, np.int32)
    order = np.empty(U, np.int32)
    value = np.empty(U)
    rounded = np.empty(U)
    for b in range(B):
        s = score[b]
        low, high = span(s)
        grain = alike * max(abs(low), abs(high))
        if grain > 0.0:
            grain = 1.0 / grain
            for u in range(U):
                rounded[u] = np.rint(s[u] * grain)
            low, high = np.rint(low * grain), np.rint(high * grain)
            s = rounded
        if not high > low:
            out[b] = 1
            continue
        scale = (n - 0.001) / (high - low)
        start[:] = 0
        most = 0
        if np.isfinite(scale):
            for u in range(U):
                bucket[u] = np.int32((high - s[u]) * scale)
            for u in range(U):
                start[bucket[u] + 1] += 1
            total = 0
            for k in range(n):
                c = start[k + 1]
                most = max(most, c)
                total += c
                start[k + 1] = total
        else:  # the scores differ by less than a number's spacing
            most = U + CROWD
        if most > CROWD:
            for u in range(U):
                value[u] = s[u]
                order[u] = u
            gap = U // 2
            while gap > 0:
                for k in range(gap, U):
                    v, o, j = value[k], order[k], k
                    while j >= gap and value[j - gap] < v:
                        value[j] = value[j - gap]
                        order[j] = order[j - gap]
                        j -= gap
                    value[j] = v
                    order[j] = o
                gap //= 2
        else:
            for u in range(U):
                k = start[bucket[u]]
                start[bucket[u]] = k + 1
                value[k] = s[u]
                order[k] = u
            for k in range(1, U):  # buckets are in order: only neighbours change places
                v = value[k]
                if value[k - 1] < v:
                    o, j = order[k], k - 1
                    while j >= 0 and value[j] < v:
                        value[j + 1] = value[j]
                        order[j + 1] = order[j]
                        j -= 1
                    value[j + 1] = v
                    order[j + 1] = o
        place = 1
        out[b, order[0]] = 1
        for k in range(1, U):
            place = k + 1 if value[k] < value[k - 1] else place
            out[b, order[k]] = place


@njit(
    cache=True, nogil=True, fastmath=FAST, error_model="numpy"
)  # no check for 0 in a division: it would stop the vectors
def closeness(distance, out):
    """TOPSIS closeness √worst / (√worst + √best) from squared distances; 0.5 where both are 0. Writes ``out`` ``(B, U)``.

    distance: ``(B, 2 U)``, those to the best, then those to the worst.
    """
    B, U = out.shape
    for b in range(B):
        best, worst, row = distance[b, :U], distance[b, U:], out[b]
        for u in range(U):
            near = np.sqrt(worst[u]) + TINY  # for two distances of 0, and no branch
            row[u] = near / (near + np.sqrt(best[u]) + TINY)


@njit(cache=True, nogil=True)
def pair_counts(rank):
    """How often the row's unit is above the column's: ``(U, U)`` int64. rank: ``(U, B)`` int16, the draws of a unit together."""
    U, B = rank.shape
    above = np.zeros((U, U), np.int64)
    for a in range(U):
        for c in range(a + 1, U):
            less, more = 0, 0
            for b in range(B):
                less += rank[a, b] < rank[c, b]
                more += rank[a, b] > rank[c, b]
            above[a, c] = less
            above[c, a] = more
    return above


@njit(cache=True, nogil=True, fastmath=FAST)
def weigh(values, weights, out):
    """Weighted sums, row by row of ``weights`` ``(B, M)``, of ``values`` ``(M, U)``. Writes ``out`` ``(B, U)``.

    Every unit is summed in the same order, so that units alike in all have the same sum to the last digit; a product of
    matrices by blocks does not promise that.
    """
    M, U = values.shape
    for b in range(weights.shape[0]):
        row = out[b]
        row[:] = 0.0
        for j in range(M):
            w = weights[b, j]
            v = values[j]
            for u in range(U):
                row[u] += w * v[u]


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def weigh_known(values, there, column, parent, count, weights, known, out):
    """Means of what is known, level by level, where values have gaps. Writes ``out`` ``(B, G)``, NaN where there is no score.

    values: ``(M, G)`` of units with gaps, 0 in a gap; there: ``(M, G)`` 1 where known, else 0. column: ``(N,)`` of a leaf's
    values. parent, count: ``(N,)`` rows of the parents and numbers of children; parents stand before their children. weights:
    ``(B, N)``, any scale. known: the least share of children known.
    """
    N, G = len(parent), values.shape[1]
    total, weight, seen = np.empty((N, G)), np.empty((N, G)), np.empty((N, G))
    for b in range(weights.shape[0]):
        total[:] = 0.0
        weight[:] = 0.0
        seen[:] = 0.0
        for n in range(N - 1, 0, -1):
            w, p = weights[b, n], parent[n]
            t, s, k = total[p], weight[p], seen[p]
            if count[n] == 0:
                v, m = values[column[n]], there[column[n]]
                for g in range(G):
                    t[g] += w * v[g]
                    s[g] += w * m[g]
                    k[g] += m[g]
            else:
                own_t, own_s, own_k, least = total[n], weight[n], seen[n], known * count[n]
                for g in range(G):
                    m = 1.0 if own_s[g] > 0.0 and own_k[g] >= least else 0.0
                    t[g] += w * m * (own_t[g] / (own_s[g] + (1.0 - m)))
                    s[g] += w * m
                    k[g] += m
        for g in range(G):
            scored = weight[0, g] > 0.0 and seen[0, g] >= known * count[0]
            out[b, g] = total[0, g] / weight[0, g] if scored else np.nan
