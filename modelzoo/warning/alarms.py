"""Alarms by rule, as data: a figure below a number, or below another figure, so many publications in a row; with their record."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
import polars as pl

from engine.calendar import Freq, Period
from engine.classify import leads, tabulate
from engine.errors import BadInput, Unknown
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.warning.event import Event
from modelzoo.warning.rules import Form


@dataclass(frozen=True)
class Rule:
    """One rule, a row of a data file.

    left: indicator, read in ``form``: as it is, or its growth on the same period of last year. sign: on which side of ``right``,
    a number or another indicator, the alarm lies. periods: publications in a row that it takes. reason: why it is so.
    """

    id: str
    name_zh: str
    name_en: str
    left: str
    form: Form
    sign: Literal["below", "above"]
    right: str
    periods: int
    reason: str = ""

    def inputs(self, region: str) -> tuple[str, ...]:
        """The series that it reads in a region."""
        number = _number(self.right)
        return tuple(f"{i}@{region}" for i in ((self.left,) if number is not None else (self.left, self.right)))

    def traced(self, panel: Panel, region: str) -> tuple[Floats, Floats, Floats]:
        """``(T,)`` each: alarm 1 or 0, the value, its limit; NaN in months where either is not known.

        A month without a figure (January, within a quarter) neither makes nor breaks a row. Raises Unknown for a series that
        the panel lacks.
        """
        x = panel.matrix(self.inputs(region))
        value = x[:, 0]
        if self.form == "growth":
            base = np.full(len(value), np.nan)
            base[12:] = value[:-12]
            value = 100.0 * (value / np.where(base > 0, base, np.nan) - 1.0)
        number = _number(self.right)
        limit = x[:, 1] if number is None else np.where(np.isnan(value), np.nan, number)
        told = ~(np.isnan(value) | np.isnan(limit))
        bad = value < limit if self.sign == "below" else value > limit
        alarm, row = np.full(len(value), np.nan), 0
        for t in np.flatnonzero(told).tolist():
            row = row + 1 if bad[t] else 0
            alarm[t] = float(row >= self.periods)
        return alarm, value, limit


@cache
def load(name: str = "alarms") -> tuple[Rule, ...]:
    """The rules of a data file in modelzoo/warning/data. Raises Unknown; BadInput naming file, row and column."""
    file = files("modelzoo.warning") / "data" / f"{name}.csv"
    if not file.is_file():
        raise Unknown(f"no rules {name!r} in modelzoo/warning/data")
    return parse(file.read_text(encoding="utf-8"), f"{name}.csv")


def parse(text: str, name: str) -> tuple[Rule, ...]:
    """Rules from a table with the columns of Rule. Raises BadInput naming file, row and column."""
    from pydantic import TypeAdapter, ValidationError

    rules: list[Rule] = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        try:
            rule = TypeAdapter(Rule).validate_python(row)
        except ValidationError as wrong:
            first = wrong.errors()[0]
            raise BadInput(first["msg"], file=name, row=number, column=str(first["loc"][0])) from None
        if rule.periods < 1:
            raise BadInput("an alarm needs one publication or more", file=name, row=number, column="periods")
        if rule.id in {r.id for r in rules}:
            raise BadInput(f"a second rule {rule.id}", file=name, row=number, column="id")
        rules.append(rule)
    return tuple(rules)


def alarms(rules: Sequence[Rule], panel: Panel, regions: Sequence[str], period: Period | None = None) -> pl.DataFrame:
    """Where each rule stands in each region: at its newest known month, up to ``period`` where one is named.

    Columns: region, rule, name_zh, name_en, status ("alarm", "quiet", "unknown": no month is known, "not published": the panel
    has no such series), period, value, limit, since (first month of an alarm that lasts). The period says how old the answer is.
    """
    end = panel.months if period is None else max(min(_month(period) - panel.first + 1, panel.months), 0)
    rows = []
    for region in regions:
        for rule in rules:
            row: dict[str, object] = {
                "region": region, "rule": rule.id, "name_zh": rule.name_zh, "name_en": rule.name_en,
                "status": "not published", "period": None, "value": None, "limit": None, "since": None,
            }  # fmt: skip
            rows.append(row)
            if not set(rule.inputs(region)) <= set(panel.ids):
                continue
            alarm, value, limit = (v[:end] for v in rule.traced(panel, region))
            told = np.flatnonzero(~np.isnan(alarm))
            if not len(told):
                row["status"] = "unknown"
                continue
            t = int(told[-1])
            row |= {
                "period": str(panel.first + t),
                "value": float(value[t]),
                "limit": float(limit[t]),
                "status": "quiet",
            }
            if alarm[t] == 1:
                calm = told[alarm[told] == 0]
                begun = told[0] if not len(calm) else told[np.searchsorted(told, calm[-1]) + 1]
                row |= {"status": "alarm", "since": str(panel.first + int(begun))}
    return pl.DataFrame(rows, schema=_ALARMS)


def record(rules: Sequence[Rule], panel: Panel, events: Mapping[str, Event]) -> pl.DataFrame:
    """What the alarms of each rule were worth against a declared event of each region, over the months where both are known.

    events: by region; with ``when="within"`` an alarm is good in the months before the event begins. Columns: region, rule,
    months, hits, false, missed, quiet, recall, false_rate (share of calm months with an alarm), nsr, events, called (events
    with an alarm before), lead (median months of these). A rule that the panel cannot tell in a region has no row.
    """
    rows = []
    for region, event in events.items():
        on = event.on(panel)
        y = event.label(on)
        for rule in rules:
            if not set(rule.inputs(region)) <= set(panel.ids):
                continue
            alarm, _, _ = rule.traced(panel, region)
            t = tabulate(alarm == 1, np.where(np.isnan(alarm), np.nan, y))
            months = t.hits + t.false + t.missed + t.quiet
            if not months:
                continue
            found = leads(alarm == 1, on, max(event.ahead, 1))
            rows.append(
                {
                    "region": region, "rule": rule.id, "months": months, "hits": t.hits, "false": t.false, "missed": t.missed,
                    "quiet": t.quiet, "recall": _or_null(t.recall), "false_rate": _or_null(t.type_2),
                    "nsr": _or_null(t.nsr), "events": found.events, "called": found.called,
                    "lead": float(np.median(found.lead)) if found.called else None,
                }
            )  # fmt: skip
    return pl.DataFrame(rows, schema=_RECORD)


_ALARMS = pl.Schema(
    {c: pl.String() for c in ("region", "rule", "name_zh", "name_en", "status", "period")}
    | {"value": pl.Float64(), "limit": pl.Float64(), "since": pl.String()}
)
_RECORD = pl.Schema(
    {"region": pl.String(), "rule": pl.String()}
    | {c: pl.Int64() for c in ("months", "hits", "false", "missed", "quiet")}
    | {c: pl.Float64() for c in ("recall", "false_rate", "nsr")}
    | {"events": pl.Int64(), "called": pl.Int64(), "lead": pl.Float64()}
)


def _month(period: Period) -> Period:
    if period.freq is not Freq.M:
        raise BadInput(f"alarms are told by month; {period} is not one")
    return period


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _or_null(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
