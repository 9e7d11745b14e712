"""What the service says of forecasts, once: the JSON body, the command's ``--json`` and the OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from engine.estimate import Phase
from engine.panel import Timing
from serving.schemas import AsOf, Digest, MadeUp, PeriodText, Quantiles, SeriesText


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastLabel:
    """What every number of a forecast travels with: enough to make it again."""

    target: SeriesText
    unit: Annotated[str, Field(description="Unit of the numbers.", examples=["100 million yuan"])]
    unit_zh: Annotated[str, Field(description="The same in Chinese; empty if not known.", examples=["亿元"])]
    asof: AsOf
    model: Annotated[str, Field(description="Name in the zoo.", examples=["forecast.pool"])]
    version: Annotated[
        str | None,
        Field(description="Version in the registry; null where no champion answers and the model was fitted now."),
    ]
    run_id: Annotated[str | None, Field(description="MLflow run that made the model; null as for version.")]
    fitted_asof: Annotated[
        str, Field(description="When its parameters were learned; never after asof.", examples=["2024-04-30"])
    ]
    timing: Timing
    panel: Digest
    is_synthetic: MadeUp


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRow(ForecastLabel):
    """One period that is not published yet."""

    period: PeriodText
    phase: Annotated[
        Phase, Field(description="Whether the period has ended, runs, or has not begun on the information date.")
    ]
    mean: Annotated[float, Field(examples=[3174.2])]
    quantiles: Quantiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast(ForecastLabel):
    """A published figure carried on, all that was known at ``asof``: every period after the newest value."""

    name_en: Annotated[str, Field(examples=["Retail sales of consumer goods, year to date"])]
    name_zh: Annotated[str, Field(examples=["社会消费品零售总额(累计)"])]
    newest: Annotated[str, Field(description="The newest published period.", examples=["2024-03"])]
    newest_value: Annotated[float, Field(examples=[2801.5])]
    estimates: tuple[ForecastRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A series that was asked for and cannot be forecast, and why."""

    target: SeriesText
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecasts:
    """Many forecasts of one day; what could not be forecast is told, never dropped."""

    forecasts: tuple[Forecast, ...]
    left_out: tuple[LeftOut, ...]
