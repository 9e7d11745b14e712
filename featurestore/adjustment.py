"""Seasonal adjustment of columns as of a day, with models that are held from one yearly review to the next.

At the end of March each year every series is reviewed: X-13 chooses a model, windows and outliers on what was known then, at that
day's vintage. Until the next review the model stands and only the moving averages are run anew (partial concurrent adjustment).
A series that X-13 could not take at the last review is reviewed on what is known now. What X-13 cannot take is adjusted by STL,
and the column says so. Results lie by content in the folder ``seasonal`` under JINGQI_HOME, so that no back-test repeats them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from engine.adjusted import Adjusted
from engine.calendar import Period
from engine.errors import BadInput, NotConverged, NotEnoughData
from engine.regarima import Specification, unfit
from engine.seasonal import adjust, adjust_all, smooth
from engine.settings import settings
from engine.typing import Floats
from featurestore.harmonise import Column, adjusted

_CANNOT = (NotConverged, BadInput)  # X-13 in its own words; what we were told wrongly is caught before


def adjust_columns(now: Mapping[str, Column], then: Mapping[str, Column]) -> dict[str, Column]:
    """Adjust columns by name, with the models of the review.

    now: as known on the day; then: the same as known at the last review, which may lack some. A column that nothing can adjust,
    because each season is not known twice, comes back empty, and its note says why.
    """
    cache = _cache()
    runs = {name: run for name, c in now.items() if (run := _known(c))}
    models = _review({name: run for name in runs if (c := then.get(name)) and (run := _known(c))}, cache)
    models = {n: m for n, m in models.items() if not isinstance(m, Specification) or _not_newer(m, runs[n])}
    done = _held({n: (*runs[n], m) for n, m in models.items() if isinstance(m, Specification)}, cache)
    found: dict[str, Column] = {}
    for name, column in now.items():
        result: Adjusted | str
        if name not in runs:
            result = "no value is known"
        elif name in done:
            result = done[name]
        else:
            result = _alone(*runs[name], models.get(name), cache)
        found[name] = _spread(column, result)
    return found


def _known(column: Column) -> tuple[Period, Floats] | None:
    """The values from the first to the last that is known: what results are filed under must not depend on empty months."""
    seen = np.flatnonzero(~np.isnan(column.figures.values))
    if not len(seen):
        return None
    return column.figures.first + int(seen[0]), column.figures.values[seen[0] : seen[-1] + 1]


def _review(runs: Mapping[str, tuple[Period, Floats]], cache: Path | None) -> dict[str, Specification | str | None]:
    """The model of each series, why X-13 failed to find one, or None where it could not take the series at all."""
    fit = {name: (*run, None) for name, run in runs.items() if not unfit(*run)}
    try:
        return {name: a.specification for name, a in adjust_all(fit, cache=cache).items()}
    except _CANNOT:
        found: dict[str, Specification | str | None] = {}
        for name, run in fit.items():
            try:
                found[name] = adjust(*run, cache=cache).specification
            except _CANNOT as e:
                found[name] = str(e)
        return found


def _not_newer(model: Specification, run: tuple[Period, Floats]) -> bool:
    """Whether the model has seen no period that is not known now: figures may have been taken back since the review."""
    newest = run[0] + (len(run[1]) - 1)
    return model.identified is None or model.identified <= newest


def _held(asked: Mapping[str, tuple[Period, Floats, Specification]], cache: Path | None) -> dict[str, Adjusted]:
    """All series that have a model, in few programs; none where one of them fails, and then each is tried alone."""
    fit = {n: a for n, a in asked.items() if not unfit(a[0], a[1], log=a[2].log)}
    try:
        return adjust_all(fit, cache=cache) if fit else {}
    except _CANNOT:
        return {}


def _alone(first: Period, values: Floats, model: Specification | str | None, cache: Path | None) -> Adjusted | str:
    """One series; the reason where nothing can adjust it."""
    reason = model if isinstance(model, str) else ""
    try:
        if not reason:
            try:
                return adjust(first, values, model if isinstance(model, Specification) else None, cache=cache)
            except _CANNOT as e:
                reason = str(e)
        return smooth(first, values, reason, cache=cache)
    except NotEnoughData as e:
        return str(e)


def _spread(column: Column, result: Adjusted | str) -> Column:
    """The adjusted values on the axis of the column, and how they came about."""
    values = np.full(len(column.figures), np.nan)
    if isinstance(result, str):
        return adjusted(column, values, f"not adjusted: {result}")
    at = result.first - column.figures.first
    values[at : at + len(result.adjusted)] = result.adjusted
    model = result.specification
    seen = f", model chosen on data to {model.identified}" if model and model.identified else ""
    return adjusted(column, values, result.method + seen)


def _cache() -> Path | None:
    """Where results lie; None where this process may not write, and then nothing is kept."""
    folder = settings().home / "seasonal"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
