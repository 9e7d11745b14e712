"""Forecasts of published figures as of any day: one, or all of a province at once.

The champion of kind forecast answers where there is one, up to two years ahead. Else a model is fitted to the panel of that day and
says so (version null): the pool to two years ahead, the trend beyond. A model that is named answers itself.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from engine.align import last_known
from engine.calendar import Freq, Period, known_day
from engine.errors import BadInput, JingqiError, NoChampion, NotEnoughData, Unknown
from engine.estimate import LEVELS, Estimate, phase, quantile_name
from engine.indicator import Series
from engine.model import Model
from engine.panel import Panel
from featurestore.panel import build_panel, plan_of
from featurestore.store import Store
from modelzoo import zoo
from serving import answer
from serving.champions import Champion, Champions
from serving.forecast_schemas import Forecast, ForecastLabel, ForecastRow, Forecasts, LeftOut

KIND = "forecast"
DEFAULT, LONG = "forecast.pool", "forecast.trend"
SHOWN = {Freq.M: 12, Freq.Q: 8, Freq.A: 5}
"""How many periods are forecast unasked."""
NEAR, FAR = {Freq.M: 2, Freq.Q: 2, Freq.A: 5}, 15
"""Years ahead: to the first a champion or the pool speaks, to the second the trend; beyond nobody does."""
OTHERS = {"forecast.bvar": 4, "forecast.boosting": 30}
"""How many other series of the region these models read, those of the target's module first."""


@dataclass(frozen=True, slots=True)
class Task:
    """One forecast to be made, whole, for another process. model: by its name in the zoo."""

    series: Series
    panel: Panel
    name: str
    model: Model
    to: Period | None


def forecast(
    store: Store, champions: Champions, target: str, asof: datetime, to: Period | None = None, model: str | None = None
) -> Forecast:
    """Every period of a series after its newest value, until ``to``; without it a year of months, two of quarters, five years.

    target: a published series or a feature. to: of the series' frequency or a lower one, ``2035``. model: ``trend`` or
    ``forecast.trend``. Raises Unknown for the target or the model, NotEnoughData where too little is known, BadInput where ``to``
    lies before what is published or too far ahead, or the frequency is weekly or daily.
    """
    series = _series(store, target)
    if model is None and not _is_far(to, series, asof) and (champion := champion_for(champions, target)):
        own = build_panel(store, [target], asof)
        return _by_champion(store, champion, series, own, asof, ahead(own, target, to))
    name = named(model, to, series, asof)
    speaker = _make(store, name, series)
    return _said(Task(series, build_panel(store, speaker.inputs, asof), name, speaker, to))


def many(
    store: Store,
    champions: Champions,
    targets: Sequence[str],
    asof: datetime,
    to: Period | None = None,
    model: str | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, all_: None,
) -> Forecasts:
    """All of them in one call, read from the store once, in as many processes as CPUs (``workers`` 1: in this one).

    What cannot be forecast stands in ``left_out`` with its reason. progress: is told how many are done, of how many. Raises
    BadInput where nothing is asked for.
    """
    if not targets:
        raise BadInput("nothing to forecast: name series, or --all REGION")
    done: dict[str, Forecast | str] = {}
    waiting: dict[str, tuple[str, Model, Series]] = {}
    stored = store.series()
    for target in targets:
        try:
            series = stored.get(target) or _series(store, target)
            _monthly_to_annual(series)
            if model is None and not _is_far(to, series, asof) and champion_for(champions, target):
                done[target] = forecast(store, champions, target, asof, to)
            else:
                name = named(model, to, series, asof)
                waiting[target] = (name, _make(store, name, series), series)
        except JingqiError as reason:
            done[target] = str(reason)
    ids = list(dict.fromkeys(i for _, m, _ in waiting.values() for i in m.inputs))
    try:
        whole = build_panel(store, ids, asof) if ids else None
    except NotEnoughData as nothing:
        done |= dict.fromkeys(waiting, str(nothing))
        whole = None
    if whole is not None:
        tasks = {t: Task(s, _own(whole, m.inputs), n, m, to) for t, (n, m, s) in waiting.items()}
        for count, (target, said) in enumerate(_run(tasks, workers or len(os.sched_getaffinity(0))), 1):
            done[target] = said
            progress(count, len(tasks))
    return Forecasts(
        forecasts=tuple(f for t in targets if isinstance(f := done[t], Forecast)),
        left_out=tuple(LeftOut(target=t, reason=r) for t in targets if isinstance(r := done[t], str)),
    )


def chosen(store: Store, patterns: Sequence[str], region: str | None = None, module: str | None = None) -> list[str]:
    """The series of the store that ids, patterns (``retail*@SYN-33``), a region and a module mean, each once.

    module: its name in English or Chinese, or its number in the plan. Raises Unknown where one of them means none.
    """
    stored = store.series()
    found: dict[str, None] = {}
    for pattern in patterns:
        hits = sorted(i for i in stored if fnmatchcase(i, pattern)) if set(pattern) & set("*?[") else [pattern]
        if not hits:
            raise Unknown(f"no series {pattern} in the store; `jingqi data catalogue` lists what there is")
        found |= dict.fromkeys(hits)
    if region is not None:
        mine = sorted(i for i, s in stored.items() if s.region.code == region)
        if not mine:
            raise Unknown(f"no series of {region} in the store")
        found |= dict.fromkeys(mine)
    if module is None:
        return list(found)
    from featurestore import catalogue

    wanted = catalogue.load().module(module).name_en
    kept = [i for i in found if i in stored and stored[i].indicator.module == wanted]
    if not kept:
        raise Unknown(f"none of these {len(found)} series belongs to the module {wanted}")
    return kept


def champion_for(champions: Champions, target: str) -> Champion | None:
    """The champion of kind forecast, if there is one. Raises NotReady where the registry does not answer."""
    try:
        return champions.champion(target, KIND)
    except NoChampion:
        return None


def named(model: str | None, to: Period | None, series: Series, asof: datetime) -> str:
    """The name in the zoo: the one that was asked for, else by how far ``to`` lies from the information date. Raises Unknown."""
    if model is None:
        return LONG if _is_far(to, series, asof) else DEFAULT
    name = model if "." in model else f"{KIND}.{model}"
    if not name.startswith(f"{KIND}.") or name not in zoo.names():
        there = ", ".join(n.removeprefix(f"{KIND}.") for n in zoo.names() if n.startswith(f"{KIND}."))
        raise Unknown(f"no forecast model {model!r}; there is {there}")
    return name


def ahead(panel: Panel, target: str, to: Period | None) -> list[Period]:
    """The periods to be forecast: after the newest value until ``to``, without a January that the office does not publish.

    Raises NotEnoughData, BadInput.
    """
    from modelzoo.forecast import history

    freq = panel.meaning(target).freq
    newest, _ = last_known(panel, target)
    if to is not None and (to.freq not in SHOWN or to.freq.per_year > freq.per_year):
        raise BadInput(f"{target} has frequency {freq}, and {to} is of frequency {to.freq}")
    end = newest + SHOWN[freq] if to is None else to.to(freq)
    if end <= newest:
        raise BadInput(f"{target} is published until {newest} as of {panel.day}; a forecast to {to} is not needed")
    if end - newest > FAR * freq.per_year:
        raise BadInput(
            f"{end} lies more than {FAR} years after {newest}, the newest value of {target}; nobody knows that"
        )
    periods = [newest + k for k in range(1, end - newest + 1)]
    if freq is Freq.M and history.read(panel, target).slots == 11:
        periods = [p for p in periods if p.ordinal % 12]
    if not periods:
        raise BadInput(f"{target}: {end} is never published; January and February appear as one")
    return periods


def _is_far(to: Period | None, series: Series, asof: datetime) -> bool:
    return to is not None and to.last_month - Period.of(known_day(asof), Freq.M) > 12 * NEAR[series.freq]


def _series(store: Store, target: str) -> Series:
    series = plan_of(store, [target]).series[0]
    _monthly_to_annual(series)
    return series


def _monthly_to_annual(series: Series) -> None:
    if series.freq not in SHOWN:
        raise BadInput(f"{series.id} has frequency {series.freq}: forecasts are of months, quarters and years")


def _make(store: Store, name: str, series: Series) -> Model:
    options = {"others": companions(store, series, OTHERS[name])} if name in OTHERS else {}
    return zoo.about(name, series.id, options)


def companions(store: Store, series: Series, count: int) -> tuple[str, ...]:
    """Other stored series of the region and frequency, those of the same module first, then by name."""
    of = series.indicator.module
    same = [
        s for s in store.series().values() if s.region == series.region and s.freq is series.freq and s.id != series.id
    ]
    return tuple(s.id for s in sorted(same, key=lambda s: (s.indicator.module != of, s.id))[:count])


def _own(panel: Panel, ids: Sequence[str]) -> Panel:
    """The panel that the store would give of these series alone."""
    mine = panel.select(ids)
    filled = np.flatnonzero(~np.isnan(mine.values).all(axis=1))
    if not len(filled):
        return mine
    rows = slice(int(filled[0]), int(filled[-1]) + 1)
    first = mine.first + rows.start
    return replace(mine, first=first, values=mine.values[rows], stamps=mine.stamps[rows], flags=mine.flags[rows])


def _run(tasks: dict[str, Task], workers: int) -> Iterator[tuple[str, Forecast | str]]:
    if workers == 1 or len(tasks) < 8:
        yield from ((t, _try(task)) for t, task in tasks.items())
        return
    # spawn: a forked child would inherit locks of threads that it does not have
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield from zip(tasks, pool.map(_try, tasks.values(), chunksize=4), strict=True)


def _try(task: Task) -> Forecast | str:
    try:
        return _said(task)
    except JingqiError as reason:
        return str(reason)


def _said(task: Task) -> Forecast:
    panel, target = task.panel, task.series.id
    periods = ahead(panel, target, task.to)
    estimate = task.model.fit(panel).estimate(panel, periods)
    label = ForecastLabel(
        target=target,
        unit=task.series.indicator.unit_analysed,
        unit_zh=task.series.indicator.unit_analysed_zh,
        asof=answer.asof_text(panel.asof),
        model=task.name,
        version=None,
        run_id=None,
        fitted_asof=answer.asof_text(panel.asof),
        timing=panel.timing,
        panel=panel.digest(),
        is_synthetic=task.series.is_synthetic,
    )
    return _told(label, task.series, panel, estimate)


def _by_champion(
    store: Store, champion: Champion, series: Series, own: Panel, asof: datetime, periods: Sequence[Period]
) -> Forecast:
    run, estimate = answer.score(store, champion, series.id, asof, periods)
    label = ForecastLabel(
        target=series.id,
        unit=series.indicator.unit_analysed,
        unit_zh=series.indicator.unit_analysed_zh,
        asof=answer.asof_text(asof),
        model=run.model,
        version=run.version,
        run_id=run.run_id,
        fitted_asof=answer.asof_text(run.fitted_asof),
        timing="real" if run.timing == "real" else "pseudo",
        panel=run.panel,
        is_synthetic=series.is_synthetic,
    )
    return _told(label, series, own, estimate)


def _told(label: ForecastLabel, series: Series, own: Panel, estimate: Estimate) -> Forecast:
    newest, values = last_known(own, series.id)
    said: dict[str, Any] = {name: getattr(label, name) for name in ForecastLabel.__dataclass_fields__}
    rows = tuple(
        ForecastRow(
            **said,
            period=str(p),
            phase=phase(p, estimate.asof),
            mean=float(estimate.mean[j]),
            quantiles=dict(zip(map(quantile_name, LEVELS), estimate.quantiles[j].tolist(), strict=True)),
        )
        for j, p in enumerate(estimate.periods)
    )
    about = series.indicator
    return Forecast(
        **said,
        name_en=about.name_en,
        name_zh=about.name_zh,
        newest=str(newest),
        newest_value=float(values[-1]),
        estimates=rows,
    )
