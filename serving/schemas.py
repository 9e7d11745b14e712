"""What the service says, once: these dataclasses make the JSON body, the command's ``--json`` and the OpenAPI document.

An information date is written as a day, ``2016-07-29``, when it means the end of that day, else as an instant with its
zone; ``engine.calendar.parse_asof`` reads both. Numbers keep their last digit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from engine.estimate import Phase
from engine.panel import Timing

AsOf = Annotated[
    str, Field(description="Information date: all that was known at the end of that day.", examples=["2016-07-29"])
]
PeriodText = Annotated[str, Field(description="2024, 2024-Q1 or 2024-01", examples=["2016-Q3"])]
SeriesText = Annotated[str, Field(description="indicator@region", examples=["gdpc1@US"])]
MadeUp = Annotated[bool, Field(description="Made up: nothing here is an official figure.")]
Digest = Annotated[
    str, Field(description="sha256 of the panel: the same digest gives the same answer.", examples=["9f2c…"])
]
Severity = Annotated[
    Literal["error", "warning"],
    Field(description="error: cannot be right, or not to be used before somebody looked; warning: may be right."),
]
Quantiles = Annotated[
    dict[str, float],
    Field(
        description="q025 and q975 bound the 95 % band, q100 and q900 the 80 %, q250 and q750 the 50 %; q500: median.",
        examples=[{"q025": 0.41, "q100": 1.02, "q250": 1.58, "q500": 2.2, "q750": 2.82, "q900": 3.38, "q975": 3.99}],
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What every number of a model travels with: enough to make it again."""

    target: SeriesText
    unit: Annotated[str, Field(description="Unit of the numbers.", examples=["%, annualised"])]
    unit_zh: Annotated[str, Field(description="The same in Chinese; empty if not known.", examples=["%，折年率"])]
    asof: AsOf
    model: Annotated[str, Field(description="Name in the zoo.", examples=["nowcast.dfm"])]
    version: Annotated[str, Field(description="Version in the registry.", examples=["1"])]
    run_id: Annotated[str, Field(description="MLflow run that made the model.", examples=["5f0c6e3b0d1e4c0f9a51"])]
    fitted_asof: Annotated[
        str, Field(description="When its parameters were learned; never after asof.", examples=["2016-06-29"])
    ]
    timing: Annotated[Timing, Field(description="real: days as they were; pseudo: one vintage cut by usual delays.")]
    panel: Digest
    is_synthetic: MadeUp


@dataclass(frozen=True, slots=True, kw_only=True)
class NowcastRow(Label):
    """One period of a nowcast."""

    period: PeriodText
    phase: Annotated[
        Phase, Field(description="Whether the period has ended, runs, or has not begun on the information date.")
    ]
    status: Annotated[
        Literal["estimated", "published"], Field(description="published: the office's own value was known by then.")
    ]
    mean: Annotated[float, Field(examples=[2.2034471823])]
    quantiles: Quantiles
    released: Annotated[float | None, Field(description="The published value, where known at asof.", examples=[None])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nowcast(Label):
    """What the champion says about a target, all that was known at ``asof``."""

    name_en: Annotated[str, Field(examples=["Real gross domestic product"])]
    name_zh: Annotated[str, Field(examples=["实际国内生产总值"])]
    estimates: tuple[NowcastRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One end of a comparison."""

    asof: AsOf
    mean: Annotated[float, Field(examples=[2.1034471823])]
    fitted_asof: Annotated[str, Field(examples=["2016-06-29"])]
    timing: Timing
    panel: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsItem:
    """One reason: impact = weight x news where a weight is given; re-estimation has an impact alone."""

    kind: Annotated[
        Literal["revision", "release", "weights", "re-estimation"],
        Field(description="weights: of a member of a pool, named as the series.", examples=["release"]),
    ]
    series: Annotated[str | None, Field(examples=["payems@US"])]
    name_en: Annotated[str | None, Field(examples=["Nonfarm payroll employment"])]
    name_zh: Annotated[str | None, Field(examples=["非农就业人数"])]
    period: Annotated[str | None, Field(examples=["2016-06"])]
    known_at: Annotated[datetime | None, Field(description="When the new value became known.")]
    expected: Annotated[float | None, Field(description="What the model expected; for a revision, the earlier value.")]
    actual: Annotated[float | None, Field(description="What was published.")]
    news: Annotated[float | None, Field(description="actual - expected")]
    weight: Annotated[float | None, Field(description="Change of the estimate per unit of news.")]
    impact: Annotated[float, Field(description="What this adds to the estimate, in its unit.", examples=[0.1273])]


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Why an estimate moved: ``items`` add up to ``change`` = after.mean - before.mean. Largest impact first."""

    target: SeriesText
    unit: Annotated[str, Field(examples=["% change, annual rate"])]
    period: PeriodText
    model: Annotated[str, Field(examples=["nowcast.dfm"])]
    version: Annotated[str, Field(examples=["1"])]
    run_id: Annotated[str, Field(examples=["5f0c6e3b0d1e4c0f9a51"])]
    name_en: Annotated[str, Field(examples=["Real gross domestic product"])]
    name_zh: Annotated[str, Field(examples=["实际国内生产总值"])]
    is_synthetic: MadeUp
    before: Side
    after: Side
    change: Annotated[float, Field(examples=[0.1])]
    sums: Annotated[
        dict[str, float], Field(description="Impacts by kind.", examples=[{"revision": -0.02, "release": 0.12}])
    ]
    items: tuple[NewsItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One number of a reading. Names in two languages are empty where a code says all."""

    unit: Annotated[str, Field(description="Region, firm or cell of a survey.", examples=["SYN-3301"])]
    unit_en: str
    unit_zh: str
    period: PeriodText
    level: Annotated[
        str,
        Field(
            description="index; q025 … q975; part: what a component adds; light: 1 blue to 5 red; score; mark: 1 carried, "
            "2 missing, 3 filled, 4 hidden, 5 shrunk, 6 January and February as one, 7 estimated; cut1 … cut4: thresholds; rank, "
            "rank_low, rank_high; node; firms; the record of an index: cycle, cycle_low, cycle_high, noise, sign, direction, "
            "vintages, turns, turns_found, turns_false, turns_months.",
            examples=["index"],
        ),
    ]
    name: Annotated[str, Field(description="Of which component, item or node; empty for the whole.", examples=[""])]
    name_en: str
    name_zh: str
    value: Annotated[float, Field(examples=[101.3])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What the champion reads, all that was known at ``asof``: an index, lights, a board or a monitor."""

    target: Annotated[str, Field(examples=["lights@SYN-33"])]
    kind: Annotated[str, Field(description="index, warning, scorecard or monitor.", examples=["warning"])]
    title_en: str
    title_zh: str
    asof: AsOf
    model: Annotated[str, Field(description="Name in the zoo.", examples=["warning.lights"])]
    version: Annotated[str, Field(description="Version in the registry.", examples=["1"])]
    run_id: Annotated[str, Field(description="MLflow run that made the model.", examples=["5f0c6e3b0d1e4c0f9a51"])]
    fitted_asof: Annotated[
        str, Field(description="When its parameters were learned; never after asof.", examples=["2016-06-29"])
    ]
    timing: Timing
    panel: Digest
    is_synthetic: MadeUp
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesInfo:
    """A series of the store and what it means."""

    id: SeriesText
    name_en: Annotated[str, Field(examples=["Real gross domestic product"])]
    name_zh: Annotated[str, Field(examples=["实际国内生产总值"])]
    region: Annotated[str, Field(examples=["US"])]
    region_en: Annotated[str, Field(examples=["United States"])]
    region_zh: Annotated[str, Field(examples=["美国"])]
    freq: Annotated[Literal["A", "Q", "M", "W", "D"], Field(examples=["Q"])]
    unit: Annotated[str, Field(description="Unit of the published value.")]
    unit_zh: Annotated[str, Field(description="The same in Chinese; empty if not known.")]
    unit_analysed: Annotated[str, Field(description="Unit after the step.")]
    unit_analysed_zh: Annotated[str, Field(description="The same in Chinese; empty if not known.")]
    step: Annotated[Literal["lin", "chg", "pch", "pca"], Field(description="From published to analysed value.")]
    recipe: Annotated[str, Field(description="Of a feature how it is made, version, hash; else empty.", examples=[""])]
    delay_days: Annotated[int, Field(description="Usual days from the end of a period to its first release.")]
    agency: str
    module: str
    is_synthetic: MadeUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicators:
    """All series of the store."""

    indicators: tuple[SeriesInfo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value as it was known at the information date."""

    period: PeriodText
    value: Annotated[float, Field(description="As published.")]
    analysed: Annotated[float | None, Field(description="After the series' step; null where its base is not known.")]
    status: Annotated[str, Field(description="SDMX observation status; I imputed, E estimated.", examples=["A"])]
    known_at: datetime
    precision: Annotated[str, Field(description="How exactly known_at is known: instant, day, month or assumed.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesValues:
    """A series as it was known at the information date."""

    series: SeriesInfo
    asof: AsOf
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of one value."""

    period: PeriodText
    nth: Annotated[int, Field(description="1 is the first release.", examples=[1])]
    value: Annotated[float | None, Field(description="null: the office took the value back.")]
    status: Annotated[str, Field(examples=["A"])]
    known_at: datetime
    precision: str
    recorded_at: Annotated[datetime, Field(description="When it reached this store.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisions:
    """Every version of every value of a series, by period and then by time."""

    series: SeriesInfo
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a figure, or may be, and what to do about it."""

    severity: Severity
    rule: Annotated[
        str,
        Field(
            description="unit, repeated, missing, falls, contradiction, shift, parts: errors; late, overdue: warnings.",
            examples=["unit"],
        ),
    ]
    series: SeriesText
    name_en: str
    name_zh: str
    period: PeriodText
    known: Annotated[str, Field(description="Day on which the value became known; empty if it did not.")]
    agency: Annotated[str, Field(description="Department that is the source.")]
    agency_zh: str
    says: Annotated[str, Field(examples=["92,375,100 is about 10^4 times its neighbours"])]
    do: Annotated[str, Field(description="What to do.")]
    is_synthetic: MadeUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What the check of the store found: errors first, newest period first."""

    asof: AsOf
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """How a department delivered what was expected of it: the periods whose usual day lay before the information date."""

    agency: str
    agency_zh: str
    series: Annotated[int, Field(description="Series of which it is the source.", examples=[4])]
    expected: Annotated[int, Field(description="Values that were due.", examples=[864])]
    delivered: Annotated[
        float | None, Field(description="Share of what was due; null where nothing was.", examples=[0.99])
    ]
    on_time: Annotated[
        float | None, Field(description="Share of what was due that came within a week of its usual day.")
    ]
    corrected: Annotated[float | None, Field(description="Share of what was delivered that was corrected later.")]
    is_synthetic: MadeUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Departments:
    """How each department delivered."""

    asof: AsOf
    departments: tuple[DeliveryRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredModel:
    """A model of the registry; champion is null until one was promoted."""

    name: Annotated[str, Field(examples=["nowcast-gdpc1-US"])]
    kind: Annotated[str, Field(description="nowcast, index, warning, scorecard or monitor.", examples=["nowcast"])]
    target: Annotated[str | None, Field(description="What it speaks about.", examples=["gdpc1@US"])] = None
    champion: Annotated[str | None, Field(description="Version that answers.", examples=["1"])]
    versions: Annotated[int, Field(description="How many versions there are.", examples=[2])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The registry."""

    models: tuple[RegisteredModel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """A version of a registered model, with the tags that the experiment gave it."""

    name: Annotated[str, Field(examples=["nowcast-gdpc1-US"])]
    version: Annotated[str, Field(examples=["1"])]
    aliases: Annotated[tuple[str, ...], Field(examples=[["champion"]])]
    run_id: Annotated[str, Field(examples=["5f0c6e3b0d1e4c0f9a51"])]
    created: datetime
    tags: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersions:
    """All versions of a registered model, newest first."""

    versions: tuple[ModelVersion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """That the process answers, or that it can answer questions."""

    status: Literal["ok"] = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One part of a question that cannot be used."""

    where: Annotated[str, Field(examples=["query.asof"])]
    problem: Annotated[str, Field(examples=["not a day or an instant: 'yesterday'"])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """RFC 9457, ``application/problem+json``: the shape of every error."""

    type: Annotated[str, Field(examples=["urn:jingqi:problem:unknown"])]
    title: Annotated[str, Field(examples=["Not found"])]
    status: Annotated[int, Field(examples=[404])]
    detail: Annotated[str, Field(examples=["no series nope@US in the store"])]
    instance: Annotated[str, Field(examples=["/v1/series/nope@US"])]
    errors: tuple[Fault, ...] = field(default=())
