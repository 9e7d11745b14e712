"""The page of one unit: what lifts and what holds it, who is like it, and what would gain it a place.

What would gain a place is found by scoring again, with one value of the unit changed and all else as it is: the other units, the
weights, the goalposts, the treatment of outliers. So it is exact under every normalisation and aggregation, also where a better
value of one unit moves the scores of others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import BadInput, Unknown
from engine.typing import Floats, Ints
from modelzoo.scorecard.aggregate import aggregate
from modelzoo.scorecard.choices import FLAT
from modelzoo.scorecard.evaluate import Scored
from modelzoo.scorecard.normalise import normalise

_OWN = ("goalposts", "efficacy", "ratio")  # a unit's score on an indicator is its own affair
_GRID, _HALVINGS = 32, 45
_SLIGHT = 1e-5  # of the way to the best value: the step over which the score's slope is taken


@dataclass(frozen=True, slots=True)
class Standing:
    """An indicator of the unit: its value (after denominators, gaps filled), normalised score, place among the units, and ``gap``,
    what it adds to the score less what it adds on average for the others. Gaps sum to the score less the others' mean."""

    indicator: str
    value: float
    score: float
    place: int
    gap: float


@dataclass(frozen=True, slots=True)
class Lift:
    """One indicator that alone gains the unit a place.

    value: now; needed: the nearest value that gains a place. effort: the way between as a share of the range over the units.
    gain: score per unit of improvement, at the value now. places: gained at the best value that any unit has (or the goalpost
    or target, if that is better).
    """

    indicator: str
    value: float
    needed: float
    effort: float
    gain: float
    places: int


@dataclass(frozen=True, slots=True)
class Page:
    """strengths, weaknesses: by gap, the largest first. peers: the nearest units and their distance, on the normalised scale.
    lifts: what would raise the rank most, of equals the least effort first. no_help: indicators that alone gain no place, best
    as they may become."""

    unit: str
    score: float
    rank: int
    strengths: tuple[Standing, ...]
    weaknesses: tuple[Standing, ...]
    peers: tuple[tuple[str, float], ...]
    lifts: tuple[Lift, ...]
    no_help: tuple[str, ...]


def page(scored: Scored, unit: str, *, goalposts: Floats | None = None, most: int = 5) -> Page:
    """The page of ``unit``, with up to ``most`` strengths, weaknesses and peers. goalposts: ``(2, M)`` as given to evaluate.

    Raises Unknown for a unit without a score, BadInput if the goalposts are not those of the scores.
    """
    if unit not in scored.units:
        why = dict(scored.left_out).get(unit)
        raise Unknown(f"{scored.framework.id} does not score {unit}" + (f": {why}" if why else ""))
    u = scored.units.index(unit)
    standings = _standings(scored, u)
    lifts, no_help = _lifts(scored, u, goalposts)
    return Page(
        unit,
        float(scored.score[u]),
        int(scored.rank[u]),
        tuple(s for s in standings if s.gap > 0.0)[:most],
        tuple(s for s in standings[::-1] if s.gap < 0.0)[:most],
        tuple((scored.units[v], float(d)) for v, d in _peers(scored, u)[:most]),
        lifts,
        no_help,
    )


def _standings(scored: Scored, u: int) -> list[Standing]:
    """All known indicators of a unit, the largest gap first."""
    others = np.delete(scored.parts, u, 0).mean(0)
    out = []
    for j, name in enumerate(scored.framework.indicators):
        mine = scored.normalised[u, j]
        if np.isnan(mine):
            continue
        place = 1 + int((scored.normalised[:, j] > mine).sum())
        gap = float(scored.parts[u, j] - others[j])
        out.append(Standing(name, float(scored.imputed[u, j]), float(mine), place, gap))
    return sorted(out, key=lambda s: -s.gap)


def _peers(scored: Scored, u: int) -> list[tuple[int, float]]:
    """Other units by distance: the root of the weighted mean square of differences over what both have."""
    away = scored.normalised - scored.normalised[u]
    both = ~np.isnan(away)
    w = np.where(both, scored.nominal, 0.0)
    total = w.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = np.sqrt((w * np.where(both, away, 0.0) ** 2).sum(1) / total)
    return [(int(v), distance[v]) for v in np.argsort(distance, kind="stable") if v != u and total[v] > 0.0]


def _lifts(scored: Scored, u: int, goalposts: Floats | None) -> tuple[tuple[Lift, ...], tuple[str, ...]]:
    if scored.rank[u] == 1:
        return (), ()
    now = scored.imputed[u]
    best, reach = _best(scored, goalposts)
    score = _Rescore(scored, u, goalposts)
    columns = np.flatnonzero(~np.isnan(now))
    way = best[columns] - now[columns]
    rank = int(scored.rank[u])

    def places(t: Floats) -> Ints:
        """Places gained ``(K,)`` where each of the columns has gone the share ``t`` of its way, one at a time."""
        return rank - 1 - score(columns, now[columns] + t * way)[1]

    at_best = places(np.ones(len(columns)))
    low, high = np.zeros(len(columns)), np.full(len(columns), np.nan)
    for t in np.linspace(0.0, 1.0, _GRID + 1)[
        1:
    ]:  # a score need not rise all the way (Mazziotta-Pareto): the first gain counts
        found = np.isnan(high) & (places(np.full(len(columns), t)) > 0)
        high[found] = t
        low[np.isnan(high)] = t
    can = ~np.isnan(high)
    high = np.where(can, high, 1.0)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        gained = places(middle) > 0
        high, low = np.where(gained, middle, high), np.where(gained, low, middle)
    slight, _ = score(columns, now[columns] + _SLIGHT * way)
    rise = slight - scored.score[u]
    lifts = [
        Lift(
            scored.framework.indicators[j],
            float(now[j]),
            float(now[j] + high[k] * way[k]),
            float(high[k] * abs(way[k]) / reach[j]),
            float(rise[k] / (_SLIGHT * abs(way[k]))),
            int(at_best[k]),
        )
        for k, j in enumerate(columns)
        if can[k]
    ]
    no_help = tuple(scored.framework.indicators[j] for k, j in enumerate(columns) if not can[k])
    return tuple(sorted(lifts, key=lambda lift: (-lift.places, lift.effort))), no_help


def _best(scored: Scored, goalposts: Floats | None) -> tuple[Floats, Floats]:
    """``(M,)`` the best value an indicator may take, and the range over the units."""
    layout, x = scored.framework.layout, scored.imputed
    posts = np.stack([layout.low, layout.high])
    if goalposts is not None:
        posts = np.where(np.isnan(posts), goalposts, posts)
    up = np.fmax(np.fmax(np.nanmax(x, 0), posts[1]), layout.target)
    down = np.fmin(np.fmin(np.nanmin(x, 0), posts[0]), layout.target)
    best = np.where(layout.direction > 0, up, np.where(layout.direction < 0, down, layout.target))
    reach = np.nanmax(x, 0) - np.nanmin(x, 0)
    return best, np.where(reach > 0.0, reach, 1.0)


class _Rescore:
    """The scorecard again with one value of one unit changed, a batch of such changes at once."""

    def __init__(self, scored: Scored, u: int, goalposts: Floats | None) -> None:
        self.scored, self.u, self.goalposts = scored, u, goalposts
        f = scored.framework
        self.alone = f.normalisation.method in _OWN and f.aggregation[0] not in FLAT
        self.reference = (
            scored.units.index(f.normalisation.reference) if f.normalisation.reference in scored.units else None
        )
        if not np.allclose(self._normalised(scored.imputed), scored.normalised, rtol=1e-9, atol=1e-9, equal_nan=True):
            raise BadInput(
                f"{f.id}: these goalposts do not give the scores of {scored.units[u]} back; give those of the evaluation"
            )

    def __call__(self, columns: Ints, values: Floats) -> tuple[Floats, Ints]:
        """Score of the unit ``(K,)`` with each of ``columns`` set to its value alone, and how many units are then above it."""
        f = self.scored.framework
        rows = slice(self.u, self.u + 1) if self.alone else slice(None)
        x = np.repeat(self.scored.imputed[None, rows], len(columns), 0)
        x[np.arange(len(columns)), 0 if self.alone else self.u, columns] = values
        score = aggregate(
            f.layout, self._normalised(x), f.aggregation, self.scored.weight, power=f.power, known=f.known
        )[..., 0]
        if self.alone:
            return score[:, 0], (self.scored.score > score).sum(1)
        return score[:, self.u], (score > score[:, self.u : self.u + 1]).sum(1)

    def _normalised(self, x: Floats) -> Floats:
        done, f = self.scored.treatment, self.scored.framework
        treated = x if done is None else done.apply(x)
        return normalise(treated, f.layout, f.normalisation, goalposts=self.goalposts, reference=self.reference)
