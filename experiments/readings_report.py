"""One HTML page about a run of readings: what was read last, how steady it was, and the proof. English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import polars as pl

from engine import charts
from engine import reading_charts as drawing
from engine.calendar import known_day
from engine.indicator import split_id
from engine.reading import READINGS
from experiments import versions
from experiments.backtest import Watched
from experiments.html import document, figure, grid, heading, say
from experiments.watched import SCORES, ranking
from modelzoo import telling

_CAPTIONS = {
    "index": ("Of each month the last reading; shaded: downturns.", "各月取最后一次读数；阴影为下行期。"),
    "clock": ("Level against change; the red point is the newest month.", "水平与变动；红点为最新月份。"),
    "items": ("The lights of the items.", "各指标灯号。"),
    "units": ("The whole light of each region.", "各地区综合灯号。"),
    "board": ("Places with their intervals.", "位次及其区间。"),
}  # fmt: skip


def figures(found: Watched, scores: pl.DataFrame, language: charts.Language) -> dict[str, bytes]:
    """By name, as SVG: what the model with the least loss read last, of each period."""
    best = ranking(scores)[0]
    zh, spec = language == "zh", found.spec
    mine = found.records.filter(pl.col("model") == best).sort("origin")
    keys = ("unit", "period", "level", "name")
    if spec.kind == "index":
        mine = _on_one_base(mine)
    last = mine.group_by(keys, maintain_order=True).last().select(READINGS.names())
    kept = found.bundles[best]
    names = {code: both[zh] for code, both in telling.names(kept.model, kept.series).items()}
    title = f"{spec.title_zh if zh else spec.title_en} ({best})"
    made_up = any(s.region.is_synthetic for s in kept.series)
    units = last["unit"].unique(maintain_order=True).to_list()
    own = last.filter(pl.col("unit") == _own(units, spec.target))
    downs = [] if spec.turns is None else spec.turns.downturns
    if spec.kind == "scorecard":
        newest = last.filter(pl.col("period") == pl.col("period").max())
        return {"board": drawing.board(newest, title, names, language, synthetic=made_up)}
    drawn = {"index": drawing.index(own, title, language, downs, synthetic=made_up, names=names)}
    if spec.kind == "index":
        drawn["clock"] = drawing.clock(own, title, language, synthetic=made_up)
    if (last["level"] == "light").any():
        recent = sorted(last["period"].unique())[-36:]
        shown = last.filter(pl.col("period").is_in(recent))
        unit = _own(units, spec.target)
        drawn["items"] = drawing.lights(shown, title, names, language, unit, synthetic=made_up)
        if len(units) > 1:
            drawn["units"] = drawing.lights(shown, title, names, language, synthetic=made_up)
    return drawn


def page(found: Watched, scores: pl.DataFrame, drawn: Mapping[str, bytes]) -> bytes:
    """The page. scores: ``watched.SCORED``; drawn: ``figures/NAME-LANGUAGE.svg`` -> SVG."""
    spec = found.spec
    origins = found.records["origin"]
    first, last = known_day(origins.min()), known_day(origins.max())  # type: ignore[arg-type]
    count = origins.n_unique()
    models = scores["model"].unique(maintain_order=True).to_list()
    wide = scores.pivot("model", index="score", values="value")

    def meant(score: str) -> str:
        return f"<span class=prose>{escape(SCORES[score])}</span>"

    rows = [([escape(r["score"]), meant(r["score"]), *(_cell(r[m]) for m in models)], False) for r in wide.to_dicts()]
    parts = [
        f"<h1>{say(spec.title_en, spec.title_zh)}</h1>",
        f"<p class=soft>{escape(spec.target)} · {escape(spec.kind)} · {say('run', '实验')} {escape(spec.name)}</p>",
        "<p>"
        + say(
            f"Read at {count} information dates from {first} to {last}, each time the newest {spec.periods} periods, with "
            "nothing that was known later.",
            f"自 {first} 至 {last} 共 {count} 个信息截止日，每次读取最近 {spec.periods} 期，均未使用之后才公布的数据。",
        )
        + "</p>",
        heading("What was read last", "最新读数"),
        *(figure(name, drawn, *_CAPTIONS[name]) for name in _CAPTIONS if f"figures/{name}-en.svg" in drawn),
        heading("How steady, how true", "稳定性与准确性"),
        grid([("score", "指标"), ("meaning", "含义"), *((m, m) for m in models)], rows, text=2),
        heading("Proof that nothing from the future was used", "未使用未来信息的证明"),
        grid(
            [("model", "模型"), ("origin", "信息截止日"), ("timing", "性质"), ("values altered", "改动的数值个数")],
            [([escape(p.model), str(known_day(p.origin)), p.timing, str(p.altered)], False) for p in found.proofs],
            text=3,
        ),
        heading("Made with", "运行环境"),
        "<p class=soft>" + " · ".join(escape(f"{k} {v}") for k, v in versions.about().items()) + "</p>",
    ]
    return document(spec.title_en, parts)


def _on_one_base(records: pl.DataFrame) -> pl.DataFrame:
    """Readings of an index, sorted by origin, moved so that they meet: an index is rebased as its history grows.

    From the last origin back, each is shifted to agree with the next on the last month that both read; bands move along.
    """
    origins = records["origin"].unique().sort(descending=True)
    whole = (pl.col("level") == "index") & (pl.col("name") == "")
    moved, held = [], pl.DataFrame()
    for origin in origins:
        part = records.filter(pl.col("origin") == origin)
        own = part.filter(whole).select("unit", "period", "value")
        if held.height:
            both = own.join(held, on=["unit", "period"], suffix="_next").sort("period")
            shift = both.group_by("unit").last().select("unit", by=pl.col("value_next") - pl.col("value"))
            part = part.join(shift, on="unit", how="left").with_columns(by=pl.col("by").fill_null(0.0))
            level = pl.col("level").str.contains(r"^(index|q\d{3})$") & (pl.col("name") == "")
            part = part.with_columns(value=pl.when(level).then(pl.col("value") + pl.col("by")).otherwise("value")).drop(
                "by"
            )
            own = part.filter(whole).select("unit", "period", "value")
        held = own
        moved.append(part)
    return pl.concat(moved[::-1])


def _own(units: list[str], target: str) -> str:
    """The unit that the run is about, or the first where it has none of its own."""
    region = split_id(target)[1]
    return region if region in units else units[0]


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
