"""One HTML page about a run of readings: what was read last, how steady it was, and the proof. English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import polars as pl

from engine import charts
from engine.calendar import known_day
from experiments import versions
from experiments.backtest import Watched
from experiments.html import document, grid, heading, say
from experiments.watched import SCORES


def figures(found: Watched, scores: pl.DataFrame, language: charts.Language) -> dict[str, bytes]:
    """By name, as SVG."""
    return {}


def page(found: Watched, scores: pl.DataFrame, drawn: Mapping[str, bytes]) -> bytes:
    """The page. scores: ``watched.SCORED``; drawn: ``figures/NAME-LANGUAGE.svg`` -> SVG."""
    spec = found.spec
    origins = found.records["origin"]
    first, last = known_day(origins.min()), known_day(origins.max())  # type: ignore[arg-type]
    count = origins.n_unique()
    models = scores["model"].unique(maintain_order=True).to_list()
    wide = scores.pivot("model", index="score", values="value")
    rows = [
        ([escape(r["score"]), *(_cell(r[m]) for m in models), escape(SCORES[r["score"]])], False)
        for r in wide.to_dicts()
    ]
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
        heading("How steady, how true", "稳定性与准确性"),
        grid([("score", "指标"), *((m, m) for m in models), ("meaning", "含义")], rows, text=1),
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


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
