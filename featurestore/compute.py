"""Features from cells: from what was known of their sources to values, stamps and flags, and behind each the cells it came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import NamedTuple

import numpy as np

from engine.calendar import Freq, Period, end_of, known_day
from engine.errors import BadInput
from engine.figures import Flags, published
from engine.kinds import figure_kind, pair_rule
from engine.panel import NEVER
from engine.typing import Bools, Floats, Ints
from featurestore.features import Feature
from featurestore.harmonise import SHOWN, Column, cook
from featurestore.recipes import Recipe


class Cells(NamedTuple):
    """What is known of one series: ordinals of periods, ascending, values and when each became known, ``(n,)``."""

    period: Ints
    value: Floats
    known: Ints


Read = Callable[[str], Cells]
"""The cells of a series by its id."""

REVIEW = (3, 31)
"""Month and day of the yearly review of seasonal adjustment: the figures of the whole year before are out by then."""


def last_review(asof: datetime) -> datetime:
    """The newest review that was held by then."""
    day = known_day(asof)
    held = end_of(day.replace(day.year, *REVIEW))
    return held if held <= asof else end_of(day.replace(day.year - 1, *REVIEW))


@dataclass(frozen=True, slots=True)
class Computed:
    """A feature from the period ``first`` on, ``(T,)``: values, NaN where there is none, stamps, NEVER there, and flags.

    behind: ``(T, n)`` which of the published cells ``places`` (number of the source, ordinal of the period) stand behind a value;
    for a period without a value, which would have to. note: how the data were treated, such as the method of adjustment.
    """

    first: Period
    values: Floats
    stamps: Ints
    flags: Flags
    note: str
    behind: Bools
    places: tuple[tuple[int, int], ...]


Adjust = Callable[[Mapping[str, Column], Mapping[str, Column]], Mapping[str, Column]]
"""From columns as known now and at the last review, by name, to the adjusted ones."""


def compute(
    features: Sequence[Feature],
    now: Read,
    then: Callable[[], Read],
    around: Period | None = None,
    adjust: Adjust | None = None,
) -> list[Computed | None]:
    """All features of a day; None where nothing is known of the first source.

    now: the cells known on the day; then: gives those known at the last review of seasonal adjustment, and is only called if a
    feature asks for it. around: a period that the axis shall reach, known or not. adjust: how columns are adjusted for seasons,
    without it by :func:`featurestore.adjustment.adjust_columns`.
    """
    starts = [_start(f, now, around) for f in features]
    cooked = {i: cook(_before(f), s.columns) for i, (f, s) in enumerate(zip(features, starts, strict=True)) if s}
    if waiting := {i: c for i, c in cooked.items() if any(o.name == "sa" for o in features[i].recipe)}:
        cooked |= _adjusted(features, waiting, then(), adjust)
    return [
        _result(cook(_after(f), [cooked[i]]), s) if s else None
        for i, (f, s) in enumerate(zip(features, starts, strict=True))
    ]


def _before(feature: Feature) -> Recipe:
    return tuple(takewhile(lambda o: o.name != "sa", feature.recipe))


def _after(feature: Feature) -> Recipe:
    return feature.recipe[len(_before(feature)) + 1 :]


def _adjusted(
    features: Sequence[Feature], waiting: Mapping[int, Column], read: Read, adjust: Adjust | None
) -> dict[int, Column]:
    """The columns after ``sa``; those of one and the same series are adjusted once."""
    from featurestore.adjustment import adjust_columns

    names = {i: f"{'+'.join(s.id for s in features[i].sources)} {_before(features[i])}" for i in waiting}
    once = {name: i for i, name in names.items()}
    then = {n: cook(_before(features[i]), s.columns) for n, i in once.items() if (s := _start(features[i], read, None))}
    done = (adjust or adjust_columns)({n: waiting[i] for n, i in once.items()}, then)
    return {i: done[name] for i, name in names.items()}


@dataclass(frozen=True, slots=True)
class _Start:
    columns: tuple[Column, ...]
    stamps: Ints
    places: tuple[tuple[int, int], ...]


def _start(feature: Feature, read: Read, around: Period | None) -> _Start | None:
    """The published cells as columns, each value standing on its own cell."""
    cells = [read(s.id) for s in feature.sources]
    if not len(cells[0].period) and around is None:
        return None
    figures, stamps, places = [], [], []
    for number, (series, known) in enumerate(zip(feature.sources, cells, strict=True)):
        ends = [int(p) for p in known.period[[0, -1]]] if len(known.period) else []
        if around is not None:
            at = around.to(series.freq).ordinal
            ends += [at - 2 * series.freq.per_year, at]
        elif not ends:
            ends = [Period(feature.sources[0].freq, int(cells[0].period[-1])).to(series.freq).ordinal]
        first, n = min(ends), max(ends) - min(ends) + 1
        values, when = np.full(n, np.nan), np.full(n, NEVER)
        values[known.period - first], when[known.period - first] = known.value, known.known
        try:
            figures.append(
                published(
                    figure_kind(series.indicator), Period(series.freq, first), values, pairs=pair_rule(series.indicator)
                )
            )
        except BadInput as e:
            raise BadInput(f"{feature.series.id}: {series.id}: {e}") from None
        stamps.append(when)
        places += [(number, first + i) for i in range(n)]
    whole, columns, at = np.eye(len(places), dtype=np.bool_), [], 0
    for f in figures:
        columns.append(Column(f, whole[at : at + len(f)]))
        at += len(f)
    return _Start(tuple(columns), np.concatenate(stamps), tuple(places))


def _result(column: Column, start: _Start) -> Computed:
    f = column.figures
    empty = np.isnan(f.values)
    stamps = np.where(column.behind, start.stamps, NEVER).max(axis=1, initial=NEVER)
    flags = np.where(empty, 0, f.origin & np.uint8(SHOWN)).astype(np.uint8)
    return Computed(f.first, f.values, np.where(empty, NEVER, stamps), flags, column.note, column.behind, start.places)


def months(computed: Computed) -> Ints:
    """``(T,)`` the rows of a panel in which the values stand: the last month of each period."""
    ordinals = computed.first.ordinal + np.arange(len(computed.values), dtype=np.int64)
    return ordinals if computed.first.freq is Freq.M else ordinals * 3 + 2
