"""An answer as bytes: JSON, or a table as CSV or an Arrow stream. Floats read back to the same bits."""

from __future__ import annotations

import hashlib
import types
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from io import BytesIO
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

import orjson
import polars as pl

from engine.estimate import LEVELS, quantile_name
from serving.board_schemas import BoardChange, ChangeRow, GoalRow, LiftRow, MarkRow, PeerRow, StandingRow, UnitPage
from serving.cycles import CycleRow, Cycles
from serving.forecast_schemas import Forecast, ForecastRow
from serving.schemas import (
    DeliveryRow,
    Departments,
    Finding,
    Indicators,
    Models,
    ModelVersion,
    ModelVersions,
    News,
    NewsItem,
    Nowcast,
    NowcastRow,
    Quality,
    Reading,
    Readings,
    RegisteredModel,
    Revisions,
    SeriesInfo,
    SeriesValues,
    Value,
    Version,
)
from serving.schemas_evidence import AlarmRow, Alarms, LeadRow, Leads
from serving.schemas_news import Coming, ComingRelease, WhatIf
from serving.schemas_opened import ChangeItem, Changes, LightProof, ProofItem
from serving.schemas_uncertainty import Uncertainty, UncertaintyPart

Table: TypeAlias = (
    Nowcast | Forecast | News | WhatIf | Coming | Uncertainty | Readings | Cycles | LightProof | Changes | Alarms | Leads
    | BoardChange | UnitPage | Indicators | SeriesValues | Revisions | Quality | Departments | Models | ModelVersions
)  # fmt: skip

JSON = "application/json"
CSV = "text/csv"
ARROW = "application/vnd.apache.arrow.stream"

_KINDS: dict[Any, pl.DataType] = {
    str: pl.String(),
    float: pl.Float64(),
    int: pl.Int64(),
    bool: pl.Boolean(),
    datetime: pl.Datetime("us", "UTC"),
}


def encode(answer: object) -> bytes:
    """JSON in UTF-8, with a newline at its end; floats in the fewest digits that read back to the same bits."""
    return orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)


def encode_as(media: str, answer: Table) -> bytes:
    """The answer in one of the media types JSON, CSV, ARROW."""
    if media == CSV:
        return frame(answer).write_csv(datetime_format="%Y-%m-%dT%H:%M:%S%.fZ").encode()
    if media == ARROW:
        sink = BytesIO()
        frame(answer).write_ipc_stream(sink)
        return sink.getvalue()
    return encode(answer)


def etag(body: bytes) -> str:
    """A strong entity tag: the same bytes, the same tag."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def frame(answer: Table) -> pl.DataFrame:
    """The tidy table in an answer: one row an observation, each row with what it needs to stand alone."""
    match answer:
        case Nowcast() | Forecast():
            kind = NowcastRow if isinstance(answer, Nowcast) else ForecastRow
            rows = _table(kind, answer.estimates, drop=("quantiles",))
            return rows.with_columns(
                pl.Series(name, [e.quantiles[name] for e in answer.estimates], pl.Float64)
                for name in map(quantile_name, LEVELS)
            )
        case News():
            return _table(NewsItem, answer.items).select(
                pl.lit(answer.target).alias("target"),
                pl.lit(answer.period).alias("target_period"),
                pl.lit(answer.before.asof).alias("from"),
                pl.lit(answer.after.asof).alias("to"),
                pl.lit(answer.version).alias("version"),
                pl.all(),
                pl.lit(answer.is_synthetic).alias("is_synthetic"),
            )
        case WhatIf():
            return _labelled(NewsItem, answer.items, answer)
        case Coming():
            return _labelled(ComingRelease, answer.releases, answer)
        case Uncertainty():
            return _labelled(UncertaintyPart, answer.parts, answer)
        case Readings():
            return _table(Reading, answer.readings).select(
                *(
                    pl.lit(getattr(answer, c)).alias(c)
                    for c in ("target", "asof", "version", "run_id", "timing", "is_synthetic")
                ),
                pl.all(),
            )
        case LightProof():
            return _opened(answer, _table(ProofItem, answer.items), ("target", "region", "period", "asof", "version"))
        case Changes():
            a, b = answer.before, answer.after
            ends = {"from": a.asof, "to": b.asof, "from_period": a.period, "to_period": b.period}
            items = _table(ChangeItem, answer.items).select(*(pl.lit(v).alias(c) for c, v in ends.items()), pl.all())
            return _opened(answer, items, ("target", "region"))
        case Alarms():
            return _opened(answer, _table(AlarmRow, answer.alarms), ("target", "asof"))
        case Leads():
            return _opened(answer, _table(LeadRow, answer.leads), ("target", "asof"))
        case BoardChange():
            return _table(ChangeRow, answer.rows).select(
                pl.lit(answer.target).alias("target"),
                *(
                    pl.lit(getattr(end, c)).alias(f"{c}_{when}")
                    for when, end in (("before", answer.before), ("after", answer.after))
                    for c in ("asof", "period", "version")
                ),
                pl.all(),
                pl.lit(answer.is_synthetic).alias("is_synthetic"),
            )
        case UnitPage():
            kinds = {
                "strengths": StandingRow,
                "weaknesses": StandingRow,
                "lifts": LiftRow,
                "marks": MarkRow,
                "peers": PeerRow,
            }
            parts = [
                _table(kind, getattr(answer, name)).with_columns(section=pl.lit(name)) for name, kind in kinds.items()
            ]
            goals = answer.goals.goals if answer.goals else ()
            parts.append(_table(GoalRow, goals).with_columns(section=pl.lit("goals")))
            rows = pl.concat(parts, how="diagonal")
            return rows.select(
                pl.lit(answer.target).alias("target"),
                pl.lit(answer.board.asof).alias("asof"),
                pl.lit(answer.board.period).alias("period"),
                pl.lit(answer.unit).alias("unit"),
                pl.all(),
                pl.lit(answer.is_synthetic).alias("is_synthetic"),
            )
        case Cycles():
            labels = ("target", "asof", "version", "run_id", "is_synthetic")
            said = (pl.lit(getattr(answer, c)).alias(c) for c in labels)
            return _table(CycleRow, answer.cycle).select(*said, pl.all())
        case SeriesValues():
            return _table(Value, answer.values).select(
                pl.lit(answer.series.id).alias("series"), pl.lit(answer.asof).alias("asof"), pl.all(), made_up(answer)
            )
        case Revisions():
            return _table(Version, answer.versions).select(
                pl.lit(answer.series.id).alias("series"), pl.all(), made_up(answer)
            )
        case Indicators():
            return _table(SeriesInfo, answer.indicators)
        case Quality():
            return _table(Finding, answer.findings).select(pl.lit(answer.asof).alias("asof"), pl.all())
        case Departments():
            return _table(DeliveryRow, answer.departments).select(pl.lit(answer.asof).alias("asof"), pl.all())
        case Models():
            return _table(RegisteredModel, answer.models)
        case ModelVersions():
            return _table(ModelVersion, answer.versions)


def _labelled(kind: type, rows: Iterable[object], answer: WhatIf | Coming | Uncertainty) -> pl.DataFrame:
    """Rows about a target's period, with what the number that they explain travels with."""
    about = ("target", "asof", "model", "version", "run_id", "timing", "is_synthetic")
    label = [pl.lit(getattr(answer, c)).alias(c) for c in about]
    return _table(kind, rows).select(label[0], pl.lit(answer.period).alias("target_period"), *label[1:], pl.all())


def _opened(answer: LightProof | Changes | Alarms | Leads, rows: pl.DataFrame, labels: tuple[str, ...]) -> pl.DataFrame:
    """The rows with what they are about, and whether it is made up."""
    said = [pl.lit(getattr(answer, name)).alias(name) for name in labels]
    return rows.select(*said, pl.all(), pl.lit(answer.is_synthetic).alias("is_synthetic"))


def made_up(answer: SeriesValues | Revisions) -> pl.Expr:
    """The mark of a series for each of its rows."""
    return pl.lit(answer.series.is_synthetic).alias("is_synthetic")


def _table(kind: type, rows: Iterable[object], drop: tuple[str, ...] = ()) -> pl.DataFrame:
    """Rows of one dataclass, with column types from its annotations, so that an empty table has them too."""
    hints = get_type_hints(kind)
    schema = {f.name: _column(hints[f.name]) for f in fields(kind) if f.name not in drop}
    return pl.DataFrame([[_cell(getattr(r, name)) for name in schema] for r in rows], schema=schema, orient="row")


def _column(hint: Any) -> pl.DataType:
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (a for a in get_args(hint) if a is not type(None))
    return _KINDS.get(hint, pl.String())  # literals, and what a cell cannot hold, as text


def _cell(value: object) -> object:
    return orjson.dumps(value).decode() if isinstance(value, tuple | dict) else value
