"""Source ``alfred``: recorded answers of FRED and ALFRED (``series/observations``, JSON), with all their vintages.

PATH is one answer or a folder of answers; the mapping says by file name whose they are, since an answer does not::

    source = "alfred"
    release = "observations"
    [series]
    "payems*.json" = "payems@US"

An observation says over which days a value was the known one: from realtime_start to realtime_end, both included. Each
realtime_start makes a release that is known at the end of that day. A value that ends without a successor was taken back
(status M) the day after; ``.`` is no value. One answer holds at most 2,000 vintages, so a series may need several: their
windows must follow each other to the day, and what was known when a window began is no news. What stood at the first
day of the first window became known then or earlier: the precision of that release is ``assumed``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatch
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

import polars as pl

from engine.calendar import Freq, Period, end_of
from engine.errors import BadInput, Unknown
from engine.indicator import Series
from featurestore import catalogue
from featurestore.sources import Load, mapping
from featurestore.store import VALUES, Release

_Day: TypeAlias = date  # in classes that have a field of the name date
_DAY = timedelta(days=1)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Answers:
    """A mapping file. ``series``: patterns of file names (``payems*.json``) and the series whose answers they are."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}
    source: str
    release: str
    series: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Observation:
    """A value and the days on which it was the known one, both ends included."""

    realtime_start: _Day
    realtime_end: _Day
    date: _Day
    value: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call gave. ``count``: the observations of the whole answer, of which one page begins at ``offset``."""

    realtime_start: date
    realtime_end: date
    units: Literal["lin"]
    output_type: Literal[1]
    count: int
    offset: int
    observations: tuple[Observation, ...]


def loads(path: Path, mapping_path: Path) -> Iterator[Load]:
    """One release for each day on which anything changed, oldest first.

    Raises BadInput that names the file: for answers of other forms, pages that lack, windows that overlap or leave a hole.
    """
    m = mapping.read(mapping_path, Answers)
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise BadInput("a folder without a .json file", file=str(path))
    contents = {f.name: mapping.content_of(f) for f in files}
    groups: dict[str, dict[str, Answer]] = {}
    for name, content in contents.items():
        hits = {s for pattern, s in m.series.items() if fnmatch(name, pattern)}
        if len(hits) != 1:
            what = f"{len(hits)} series" if hits else "no series"
            raise BadInput(f"{what} in the mapping for this file name ({', '.join(m.series)})", file=name)
        groups.setdefault(hits.pop(), {})[name] = _answer(name, content)
    said: dict[date, list[tuple[str, int, float | None, str]]] = {}
    assumed: set[date] = set()
    meaning: dict[str, Series] = {}
    for series_id, answers in groups.items():
        try:
            meaning[series_id] = catalogue.load().series(series_id)
        except (BadInput, Unknown) as error:
            raise BadInput(str(error), file=next(iter(answers))) from None
        windows = _windows(answers)
        assumed.add(windows[0][1].realtime_start)
        for period, steps in _steps(windows, meaning[series_id].freq).items():
            for day, value in steps:
                said.setdefault(day, []).append((series_id, period, value, "A" if value is not None else "M"))
    if not said:
        raise BadInput("the answers hold no value", file=str(path))
    digest = mapping.digest(*(contents[n] for n in sorted(contents)), mapping.content_of(mapping_path))
    for day, values in sorted(said.items()):
        precision: Literal["assumed", "day"] = "assumed" if day in assumed else "day"
        frame = pl.DataFrame(values, schema=VALUES, orient="row")
        series = tuple(meaning[s] for s in dict.fromkeys(v[0] for v in values))
        yield Load(Release(m.source, m.release, end_of(day), precision, digest, path.name), frame, series)


def _answer(file: str, content: bytes) -> Answer:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Answer).validate_json(content)
    except ValidationError as error:
        if hit := re.search(rb'"error_message"\s*:\s*"([^"]*)', content):
            raise BadInput(f"the server refused the call: {hit[1].decode(errors='replace')}", file=file) from None
        first = error.errors()[0]
        problem = f"{first['msg']} (an answer of series/observations with units=lin and output_type=1 is needed)"
        raise BadInput(problem, file=file, column=".".join(map(str, first["loc"])) or None) from None


def _windows(answers: Mapping[str, Answer]) -> list[tuple[str, Answer]]:
    """File and answer of each window, in time, the pages of one window put together. Raises BadInput."""
    pages: dict[tuple[date, date], list[tuple[str, Answer]]] = {}
    for file, answer in answers.items():
        pages.setdefault((answer.realtime_start, answer.realtime_end), []).append((file, answer))
    windows: list[tuple[str, Answer]] = []
    for (start, end), found in sorted(pages.items()):
        found.sort(key=lambda page: page[1].offset)
        whole: list[Observation] = []
        for file, page in found:
            if page.offset != len(whole):
                kind = "overlap" if page.offset < len(whole) else "leave a hole"
                raise BadInput(f"pages {kind}: offset {page.offset} after {len(whole)} observations", file=file)
            whole += page.observations
        file, first = found[0]
        if len(whole) != first.count:
            problem = f"{len(whole)} of {first.count} observations: ask for the rest with offset={len(whole)}"
            raise BadInput(problem, file=found[-1][0])
        if windows:
            before_file, before = windows[-1]
            if start <= before.realtime_end:
                raise BadInput(
                    f"begins on {start}, but {before_file} reaches to {before.realtime_end}: overlap", file=file
                )
            if start != before.realtime_end + _DAY:
                problem = f"begins on {start}, but {before_file} ends on {before.realtime_end}: a hole between them"
                raise BadInput(f"{problem}; ask for realtime_start={before.realtime_end + _DAY}", file=file)
        windows.append((file, Answer(start, end, "lin", 1, first.count, 0, tuple(whole))))
    return windows


def _steps(windows: Sequence[tuple[str, Answer]], freq: Freq) -> dict[int, list[tuple[date, float | None]]]:
    """By period: the days on which the value changed, and to what; None where it was taken back."""
    spans: dict[int, list[tuple[date, date, float | None, str]]] = {}
    for file, answer in windows:
        for o in answer.observations:
            period = Period.of(o.date, freq)
            if freq in (Freq.M, Freq.Q, Freq.A) and period.start != o.date:
                raise BadInput(f"{o.date} begins no period of frequency {freq}", file=file, column=str(o.date))
            if not answer.realtime_start <= o.realtime_start <= o.realtime_end <= answer.realtime_end:
                problem = f"{o.realtime_start} to {o.realtime_end} is not within {answer.realtime_start} to {answer.realtime_end}"
                raise BadInput(problem, file=file, column=str(o.date))
            if period.start > o.realtime_start:
                raise BadInput(f"known on {o.realtime_start}, before it began", file=file, column=str(o.date))
            if o.value != "." and not _NUMBER.fullmatch(o.value):
                raise BadInput(f"not a number: {o.value!r}", file=file, column=str(o.date))
            value = None if o.value == "." else float(o.value)
            spans.setdefault(period.ordinal, []).append((o.realtime_start, o.realtime_end, value, file))
    last = windows[-1][1].realtime_end
    found: dict[int, list[tuple[date, float | None]]] = {}
    for ordinal, items in spans.items():
        items.sort(key=lambda item: item[:2])
        steps: list[tuple[date, float | None]] = []
        until = date.min
        for start, end, value, file in items:
            if start <= until:
                where = str(Period(freq, ordinal))
                raise BadInput(f"two values for {where} on {start}", file=file, column=where)
            if steps and steps[-1][1] is not None and start > until + _DAY:
                steps.append((until + _DAY, None))
            if value != (steps[-1][1] if steps else None):
                steps.append((start, value))
            until = end
        if steps and steps[-1][1] is not None and until < last:
            steps.append((until + _DAY, None))
        if steps:
            found[ordinal] = steps
    return found
