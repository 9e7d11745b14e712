"""A panel of one day, adjusted with the seasonal factors of an earlier one: what tells a revised factor from a revised figure.

The factor of a month is what lies between the figure and its adjusted value on the earlier day, a ratio where both are positive
throughout and a difference otherwise; it holds for the figure of the new day. A month that had no factor then takes that of the
same month of the year before, as projected factors of official statistics do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from engine.calendar import Freq
from engine.panel import Panel
from engine.typing import Floats
from featurestore.adjustment import adjust_columns
from featurestore.compute import Adjust, Computed, compute, last_review, months
from featurestore.features import Feature
from featurestore.harmonise import Column, adjusted
from featurestore.panel import build_panel, cells_of, plan_of
from featurestore.store import Store


def held_panel(store: Store, ids: Sequence[str], asof: datetime, since: datetime) -> Panel | None:
    """As :func:`build_panel` at ``asof``, with the seasonal factors of ``since``; None if no series is adjusted by us."""
    plan = plan_of(store, ids)
    waiting = [f for f in plan.features.values() if any(o.name == "sa" for o in f.recipe)]
    if not waiting:
        return None
    seen: dict[str, tuple[Column, Column]] = {}

    def noted(now: Mapping[str, Column], then: Mapping[str, Column]) -> Mapping[str, Column]:
        done = adjust_columns(now, then)
        seen.update({name: (now[name], done[name]) for name in now})
        return done

    def held(now: Mapping[str, Column], then: Mapping[str, Column]) -> Mapping[str, Column]:
        fresh = {n: c for n, c in now.items() if n not in seen}
        own = adjust_columns(fresh, {n: c for n, c in then.items() if n in fresh}) if fresh else {}
        return {n: own[n] if n in own else _with_factors(c, *seen[n]) for n, c in now.items()}

    _made(store, waiting, since, noted)
    panel = build_panel(store, ids, asof)
    for feature, made in zip(waiting, _made(store, waiting, asof, held), strict=True):
        if made is None:
            continue
        column = np.full((panel.months, 1), np.nan)
        at = months(made) - panel.first.ordinal
        inside = (at >= 0) & (at < panel.months)
        column[at[inside], 0] = made.values[inside]
        panel = panel.with_values([feature.series.id], column)
    return panel


def _made(store: Store, features: Sequence[Feature], day: datetime, adjust: Adjust) -> list[Computed | None]:
    sources = list(dict.fromkeys(s.id for f in features for s in f.sources))
    review = last_review(day)
    return compute(features, cells_of(store, sources, day), lambda: cells_of(store, sources, review), None, adjust)


def _with_factors(now: Column, raw: Column, done: Column) -> Column:
    """The column of the new day, freed of the factors between ``raw`` and ``done`` of the old one."""
    before, after = raw.figures, done.figures
    known = ~np.isnan(before.values) & ~np.isnan(after.values)
    ratio = bool(known.any() and (before.values[known] > 0).all() and (after.values[known] > 0).all())
    factor = before.values / after.values if ratio else before.values - after.values
    year = 12 if now.figures.first.freq is Freq.M else 4
    mine: Floats = np.full(len(now.figures.values), np.nan)
    shift = now.figures.first - before.first
    for t in range(len(mine)):
        at = t + shift
        while at >= len(factor) or (at >= 0 and not known[at]):
            at -= year
        if at >= 0:
            mine[t] = factor[at]
    values = now.figures.values / mine if ratio else now.figures.values - mine
    return adjusted(now, np.asarray(values, np.float64), "factors held")
