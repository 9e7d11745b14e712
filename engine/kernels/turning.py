"""Turning points of one series ``(T,)``: lists of rows and kinds that the rules of a dating procedure thin out.

A list is held in two arrays, ``at`` (rows, rising) and ``kind`` (1 peak, -1 trough), of which the first n entries count;
every rule thins it in place and gives the new n. Of equal values the first peak and the last trough stand where ``down`` (a
plateau belongs to the downswing: Bry and Boschan 1971), the last peak and the first trough otherwise.
"""

import numpy as np
from numba import njit

SPENCER = np.array([-3.0, -6.0, -5.0, 3.0, 21.0, 46.0, 67.0, 74.0, 67.0, 46.0, 21.0, 3.0, -5.0, -6.0, -3.0]) / 320.0
LONGEST = 6  # months of cyclical dominance, at most
OUTLIER = 3.5  # standard deviations off the Spencer curve


@njit(cache=True)
def extremes(y, before, after, first, last, at, kind):
    """Rows first … last - 1 that nothing exceeds from ``before`` rows before to ``after`` rows after; n."""
    T, n = len(y), 0
    for t in range(first, last):
        high, low, flat = True, True, True
        for s in range(max(0, t - before), min(T, t + after + 1)):
            if y[s] != y[t]:
                flat = False
                if y[s] > y[t]:
                    high = False
                else:
                    low = False
        if (high or low) and not flat:
            at[n] = t
            kind[n] = 1 if high else -1
            n += 1
    return n


@njit(cache=True)
def later(y, one, other, kind, down):
    """Of two turns of one kind, one before the other: does the later one stand?"""
    if y[other] == y[one]:
        return (kind == -1) == down
    return (y[other] > y[one]) == (kind == 1)


@njit(cache=True)
def alternate(y, at, kind, n, down):
    """Of neighbours of one kind the higher peak or the lower trough stands."""
    m = 0
    for j in range(n):
        if m > 0 and kind[m - 1] == kind[j]:
            if later(y, at[m - 1], at[j], kind[j], down):
                at[m - 1] = at[j]
        else:
            at[m], kind[m] = at[j], kind[j]
            m += 1
    return m


@njit(cache=True)
def drop(at, kind, n, j, many):
    """Take the entries j … j + many - 1 away."""
    for i in range(j, n - many):
        at[i], kind[i] = at[i + many], kind[i + many]
    return n - many


@njit(cache=True)
def inner(at, kind, n, first, last):
    """Only rows first … last - 1."""
    m = 0
    for j in range(n):
        if first <= at[j] < last:
            at[m], kind[m] = at[j], kind[j]
            m += 1
    return m


@njit(cache=True)
def undominated(y, at, kind, n):
    """The first and the last turn go while the series ends above such a peak or below such a trough."""
    lo, T = 0, len(y)
    while lo < n and kind[lo] * y[0] > kind[lo] * y[at[lo]]:
        lo += 1
    n = drop(at, kind, n, 0, lo) if lo else n
    while n > 0 and kind[n - 1] * y[T - 1] > kind[n - 1] * y[at[n - 1]]:
        n -= 1
    return n


@njit(cache=True)
def apart(y, at, kind, n, which, least, down):
    """Of two turns of kind ``which`` less than ``least`` rows apart the higher peak or lower trough stands."""
    m, last = 0, -1  # last: place, among the kept, of the last turn of this kind
    for j in range(n):
        if kind[j] == which and last >= 0 and at[j] - at[last] < least:
            if not later(y, at[last], at[j], which, down):
                continue
            for i in range(last, m - 1):
                at[i], kind[i] = at[i + 1], kind[i + 1]
            m -= 1
        at[m], kind[m] = at[j], kind[j]
        last = m if kind[j] == which else last
        m += 1
    return m


@njit(cache=True)
def cycles(y, at, kind, n, least, down):
    """Peaks at least ``least`` rows apart, then troughs, each followed by alternation."""
    for which in (1, -1):
        n = alternate(y, at, kind, apart(y, at, kind, n, which, least, down), down)
    return n


@njit(cache=True)
def inverted(y, at, kind, n, down):
    """A trough above the peak before it, or a peak below the trough before it, is none; then alternation."""
    j = 1
    while j < n:
        if kind[j] * y[at[j]] < kind[j] * y[at[j - 1]]:
            n = drop(at, kind, n, j, 1)
            n = alternate(y, at, kind, n, down)
            j = max(1, j - 1)
        else:
            j += 1
    return n


@njit(cache=True)
def phases_by_second(y, at, kind, n, least, deep, down):
    """A phase of less than ``least`` rows loses its second turn, unless it moves by more than ``deep``."""
    j = 0
    while j + 1 < n:
        if at[j + 1] - at[j] < least and abs(y[at[j + 1]] - y[at[j]]) <= deep:
            n = drop(at, kind, n, j + 1, 1)
            n = alternate(y, at, kind, n, down)
            j = 0
        else:
            j += 1
    return n


@njit(cache=True)
def phases_by_pair(at, kind, n, least):
    """A phase of less than ``least`` rows loses both its turns; the last phase only its last turn."""
    j = 0
    while j + 2 < n:
        if at[j + 1] - at[j] < least:
            n = drop(at, kind, n, j, 2)
            j = max(0, j - 1)
        else:
            j += 1
    if n > 1 and at[n - 1] - at[n - 2] < least:
        n -= 1
    return n


@njit(cache=True)
def phases_by_size(y, mean, at, kind, n, least):
    """A phase of less than ``least`` rows loses the turn that is nearer to the mean, the later one of two as near."""
    j = 0
    while j + 1 < n:
        if at[j + 1] - at[j] < least:
            one, two = (y[at[j]] - mean) * kind[j], (y[at[j + 1]] - mean) * kind[j + 1]
            n = drop(at, kind, n, j if two > one else j + 1, 1)
        else:
            j += 1
    return n


@njit(cache=True)
def summits(y, at, kind, n):
    """Only turns that nothing exceeds between the kept turn before and the next one; the first looks back to the start."""
    last, j = 0, 0
    while j < n:
        following = at[j + 1] if j + 1 < n else len(y) - 1
        stands = True
        for t in range(last, following + 1):
            if kind[j] * y[t] > kind[j] * y[at[j]]:
                stands = False
                break
        if stands:
            last = at[j]
            j += 1
        else:
            n = drop(at, kind, n, j, 1)
    return n


@njit(cache=True)
def bbq(y, window, phase, cycle, ends, deep, at, kind):
    """Harding and Pagan (2002), with the censoring repeated until it changes nothing; n."""
    T, down = len(y), False
    n = extremes(y, window, window, window, T - window, at, kind)
    n = alternate(y, at, kind, n, down)
    n = inverted(y, at, kind, n, down)
    before = -1
    while n != before:
        before = n
        n = cycles(y, at, kind, n, cycle, down)
        n = alternate(y, at, kind, inner(at, kind, n, ends, T - ends), down)
        n = alternate(y, at, kind, undominated(y, at, kind, n), down)
        n = cycles(y, at, kind, n, cycle, down)
        n = phases_by_second(y, at, kind, n, phase, deep, down)
        n = undominated(y, at, kind, n)
    return n


@njit(cache=True)
def oecd(y, before, after, phase, cycle, at, kind):
    """The simplified procedure of the OECD's leading indicators, repeated until it changes nothing; n."""
    T, down = len(y), True
    mean = y.mean()
    n = extremes(y, before, after, max(before, after), T - max(before, after), at, kind)
    last = -1
    while n != last:
        last = n
        n = alternate(y, at, kind, summits(y, at, kind, n), down)
        n = apart(y, at, kind, n, -1, cycle, down)
        n = apart(y, at, kind, n, 1, cycle, down)
        n = alternate(y, at, kind, summits(y, at, kind, n), down)
        n = phases_by_size(y, mean, at, kind, n, phase)
        n = alternate(y, at, kind, summits(y, at, kind, n), down)
    return n


@njit(cache=True)
def spencer(y):
    """``(T,)`` the 15-term curve; beyond either end stands the mean of the four values there, as in Bry and Boschan (1971)."""
    T = len(y)
    wide = np.empty(T + 14)
    wide[:7], wide[7 : T + 7], wide[T + 7 :] = y[:4].mean(), y, y[T - 4 :].mean()
    out = np.zeros(T)
    for t in range(T):
        for i in range(15):
            out[t] += SPENCER[i] * wide[t + i]
    return out


@njit(cache=True)
def centred(y, span, flat):
    """``(T,)`` mean of ``span`` terms, half weights at both ends of an even one. Near the ends of the series: the last full
    mean where ``flat``, otherwise the mean of what there is of span + 1 (or span) terms."""
    T, half = len(y), span // 2
    out = np.empty(T)
    for t in range(half, T - half):
        total = y[t - half : t + half + 1].sum()
        if span % 2 == 0:
            total -= 0.5 * (y[t - half] + y[t + half])
        out[t] = total / span
    for t in range(half):
        out[t] = out[half] if flat else y[: t + half + 1].mean()
        out[T - 1 - t] = out[T - 1 - half] if flat else y[T - 1 - t - half :].mean()
    return out


@njit(cache=True)
def dominance(y, curve):
    """Months of cyclical dominance: the shortest span over which the curve changes more than what is left of y does."""
    T = len(y)
    for span in range(1, LONGEST):
        rest, cyclical = 0.0, 0.0
        for t in range(span, T):
            cyclical += abs(curve[t] - curve[t - span])
            rest += abs((y[t] - curve[t]) - (y[t - span] - curve[t - span]))
        if rest < cyclical:
            return span
    return LONGEST


@njit(cache=True)
def refine(y, reach, at, kind, n):
    """Each turn moves to the highest or lowest of the ``reach`` rows either way, not closer to an end than half of that.

    Neighbours may pass each other on the way, so the list is put in order again, of one row the peak first.
    """
    T, edge = len(y), (reach + 1) // 2
    for j in range(n):
        best = -1
        for t in range(max(edge - 1, at[j] - reach), min(T - edge, at[j] + reach) + 1):
            if best < 0 or later(y, best, t, kind[j], True):
                best = t
        at[j] = best
    for j in range(1, n):
        i = j
        while i > 0 and (at[i] < at[i - 1] or (at[i] == at[i - 1] and kind[i] > kind[i - 1])):
            at[i], at[i - 1] = at[i - 1], at[i]
            kind[i], kind[i - 1] = kind[i - 1], kind[i]
            i -= 1
    return n


@njit(cache=True)
def bry_boschan(y, phase, cycle, ends, at, kind):
    """Bry and Boschan (1971), in the order of their book; n."""
    T, down = len(y), True
    curve = spencer(y)
    off = y - curve
    off -= off.mean()
    far = OUTLIER * np.sqrt((off * off).sum() / (T - 1))
    clean = y.copy()
    for t in range(1, T - 1):
        if far > 0.0 and abs(off[t]) >= far:
            clean[t] = curve[t]
    months = dominance(y, curve)
    smooth, curve, short = centred(clean, 12, False), spencer(clean), centred(y, max(3, months), True)

    n = extremes(smooth, 6, 6, 1, T - 1, at, kind)
    n = alternate(smooth, at, kind, n, down)
    n = alternate(curve, at, kind, refine(curve, 6, at, kind, n), down)
    n = cycles(curve, at, kind, n, cycle, down)
    n = alternate(short, at, kind, refine(short, 6, at, kind, n), down)
    n = alternate(y, at, kind, refine(y, max(4, months), at, kind, n), down)
    n = alternate(y, at, kind, inner(at, kind, n, ends, T - ends), down)
    n = alternate(y, at, kind, undominated(y, at, kind, n), down)
    n = cycles(y, at, kind, n, cycle, down)
    return phases_by_pair(at, kind, n, phase)


@njit(cache=True)
def marks(name, y, numbers, out):
    """Turns of every column of y ``(T, N)``, whole columns without NaN, into out ``(T, N)``: 1 peak, -1 trough, 0 neither.

    name: 0 Bry-Boschan, 1 BBQ, 2 OECD; numbers: what stands between y and at in the signature of that procedure.
    """
    T, N = y.shape
    at, kind, one = np.empty(T, np.int64), np.empty(T, np.int64), np.empty(T)
    p = numbers
    for i in range(N):
        one[:] = y[:, i]
        if name == 0:
            n = bry_boschan(one, int(p[0]), int(p[1]), int(p[2]), at, kind)
        elif name == 1:
            n = bbq(one, int(p[0]), int(p[1]), int(p[2]), int(p[3]), p[4], at, kind)
        else:
            n = oecd(one, int(p[0]), int(p[1]), int(p[2]), int(p[3]), at, kind)
        for j in range(n):
            out[at[j], i] = kind[j]
