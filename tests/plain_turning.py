"""The dating procedures in plain Python, over lists of (row, kind), for the tests and the benchmark of the compiled ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

Turn = tuple[int, int]  # row, 1 peak or -1 trough
Turns = list[Turn]
WEIGHTS = (-3, -6, -5, 3, 21, 46, 67, 74, 67, 46, 21, 3, -5, -6, -3)


def better(y: Sequence[float], a: Turn, b: Turn, down: bool) -> Turn:
    """Of two turns of one kind the higher peak or lower trough; of equals the one that makes the downswing longer if down."""
    if y[a[0]] == y[b[0]]:
        return min(a, b) if (a[1] == 1) == down else max(a, b)
    return max(a, b, key=lambda t: t[1] * y[t[0]])


def alternate(y: Sequence[float], turns: Turns, down: bool) -> Turns:
    while True:
        for j in range(len(turns) - 1):
            if turns[j][1] == turns[j + 1][1]:
                turns = [*turns[:j], better(y, turns[j], turns[j + 1], down), *turns[j + 2 :]]
                break
        else:
            return turns


def extremes(y: Sequence[float], before: int, after: int, first: int, last: int) -> Turns:
    out = []
    for t in range(first, last):
        near = y[max(0, t - before) : t + after + 1]
        if max(near) > min(near):
            out += [(t, 1)] if y[t] == max(near) else [(t, -1)] if y[t] == min(near) else []
    return out


def apart(y: Sequence[float], turns: Turns, kind: int, least: int, down: bool, blind: bool = False) -> Turns:
    """blind: BCDating's loop ends before it comes to the last pair."""
    same, i = [t for t in turns if t[1] == kind], 1
    while i < len(same) - (1 if blind else 0):
        if same[i][0] - same[i - 1][0] < least:
            same[i - 1 : i + 1] = [better(y, same[i - 1], same[i], down)]
        else:
            i += 1
    return sorted(same + [t for t in turns if t[1] != kind])


def cycles(y: Sequence[float], turns: Turns, least: int, down: bool, blind: bool = False) -> Turns:
    for kind in (1, -1):
        turns = alternate(y, apart(y, turns, kind, least, down, blind), down)
    return turns


def ends(y: Sequence[float], turns: Turns, count: int, down: bool) -> Turns:
    return alternate(y, [t for t in turns if count <= t[0] < len(y) - count], down)


def undominated(y: Sequence[float], turns: Turns) -> Turns:
    while turns and turns[0][1] * (y[0] - y[turns[0][0]]) > 0:
        turns = turns[1:]
    while turns and turns[-1][1] * (y[-1] - y[turns[-1][0]]) > 0:
        turns = turns[:-1]
    return turns


def inverted(y: Sequence[float], turns: Turns, down: bool) -> Turns:
    while True:
        for a, b in pairwise(turns):
            if b[1] * (y[b[0]] - y[a[0]]) < 0:
                turns = alternate(y, [t for t in turns if t != b], down)
                break
        else:
            return turns


def bbq(
    y: Sequence[float], window: int, phase: int, cycle: int, end: int, deep: float = float("inf"), blind: bool = False
) -> Turns:
    turns = inverted(y, alternate(y, extremes(y, window, window, window, len(y) - window), False), False)
    while True:
        old = turns
        turns = ends(y, cycles(y, turns, cycle, False, blind), end, False)
        turns = cycles(y, undominated(y, turns), cycle, False, blind)
        again = True
        while again:
            again = False
            for a, b in pairwise(turns):
                if b[0] - a[0] < phase and abs(y[b[0]] - y[a[0]]) <= deep:
                    turns, again = alternate(y, [t for t in turns if t != b], False), True
                    break
        turns = undominated(y, turns)
        if turns == old:
            return turns


def summits(y: Sequence[float], turns: Turns) -> Turns:
    """As cif's checkNeighbourhood: between the turn kept last and the next of all nothing exceeds a turn."""
    out: Turns = []
    for t, following in zip(turns, [*(t[0] for t in turns[1:]), len(y) - 1], strict=False):
        start = out[-1][0] if out else 0
        if max(t[1] * v for v in y[start : following + 1]) <= t[1] * y[t[0]]:
            out.append(t)
    return out


def oecd(y: Sequence[float], before: int, after: int, phase: int, cycle: int) -> Turns:
    mean, far = sum(y) / len(y), max(before, after)
    turns = extremes(y, before, after, far, len(y) - far)

    def proper(turns: Turns) -> Turns:
        return alternate(y, summits(y, turns), True)

    while True:
        old = turns
        turns = proper(apart(y, apart(y, proper(turns), -1, cycle, True), 1, cycle, True))
        j = 0
        while j + 1 < len(turns):
            a, b = turns[j], turns[j + 1]
            if b[0] - a[0] >= phase:
                j += 1
            else:
                turns.remove(a if b[1] * (y[b[0]] - mean) > a[1] * (y[a[0]] - mean) else b)
        turns = proper(turns)
        if len(turns) == len(old):
            return turns


def average(y: Sequence[float], span: int, flat: bool) -> list[float]:
    h, T = span // 2, len(y)
    w = [1.0 / span] * span if span % 2 else [0.5 / span, *[1.0 / span] * (span - 1), 0.5 / span]
    full = [sum(a * b for a, b in zip(w, y[t - h : t + h + 1], strict=True)) for t in range(h, T - h)]
    start = [full[0] if flat else sum(y[: t + h + 1]) / (t + h + 1) for t in range(h)]
    end = [full[-1] if flat else sum(y[t - h :]) / (T - t + h) for t in range(T - h, T)]
    return start + full + end


def spencer(y: Sequence[float]) -> list[float]:
    wide = [sum(y[:4]) / 4] * 7 + list(y) + [sum(y[-4:]) / 4] * 7
    return [sum(w * v for w, v in zip(WEIGHTS, wide[t : t + 15], strict=True)) / 320 for t in range(len(y))]


def refine(y: Sequence[float], turns: Turns, reach: int) -> Turns:
    out, edge = [], -(-reach // 2)
    for row, kind in turns:
        places = list(range(max(edge - 1, row - reach), min(len(y) - edge, row + reach) + 1))
        best = max(kind * y[t] for t in places)
        ties = [t for t in places if kind * y[t] == best]
        out.append((ties[0] if kind == 1 else ties[-1], kind))
    return alternate(y, sorted(out, key=lambda t: (t[0], -t[1])), True)


def bry_boschan(y: Sequence[float], phase: int, cycle: int, end: int) -> Turns:
    T, curve = len(y), spencer(y)
    off = [a - b for a, b in zip(y, curve, strict=True)]
    mean = sum(off) / T
    sd = (sum((v - mean) ** 2 for v in off) / (T - 1)) ** 0.5
    clean = list(y)
    for t in range(1, T - 1):
        if sd > 0 and abs(off[t] - mean) >= 3.5 * sd:
            clean[t] = curve[t]

    def change(x: Sequence[float], span: int) -> float:
        return sum(abs(x[t] - x[t - span]) for t in range(span, T))

    months = next((s for s in range(1, 6) if change(off, s) < change(curve, s)), 6)
    smooth, curve, short = average(clean, 12, False), spencer(clean), average(y, max(3, months), True)
    turns = alternate(smooth, extremes(smooth, 6, 6, 1, T - 1), True)
    turns = cycles(curve, refine(curve, turns, 6), cycle, True)
    turns = refine(y, refine(short, turns, 6), max(4, months))
    turns = cycles(y, undominated_alternating(y, ends(y, turns, end, True)), cycle, True)
    j = 0
    while j + 2 < len(turns):
        if turns[j + 1][0] - turns[j][0] < phase:
            turns = turns[:j] + turns[j + 2 :]
            j = max(0, j - 1)
        else:
            j += 1
    return turns[:-1] if len(turns) > 1 and turns[-1][0] - turns[-2][0] < phase else turns


def undominated_alternating(y: Sequence[float], turns: Turns) -> Turns:
    return alternate(y, undominated(y, turns), True)


PROCEDURES: dict[str, Callable[..., Turns]] = {"BryBoschan": bry_boschan, "Bbq": bbq, "Oecd": oecd}
