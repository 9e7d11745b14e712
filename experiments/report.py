"""One HTML page about a run, complete in itself: figures inside, no scripts, English and Chinese by a switch.

What was replayed in pseudo real time is called so in every heading, and stands in other tables than real vintages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import polars as pl

from engine import charts
from engine.calendar import known_day
from engine.estimate import BANDS, LEVELS, quantile_name
from engine.news import News
from experiments import versions
from experiments.backtest import Backtest
from experiments.html import document, figure, grid, heading, number, say
from experiments.spec import Spec
from modelzoo.nowcast.without import Without

SHOWN = 4
"""Of so many of the newest real origins every estimate is listed."""


def figures(
    found: Backtest,
    table: pl.DataFrame,
    counted: pl.DataFrame,
    best: str,
    moved: Sequence[News],
    language: charts.Language,
) -> dict[str, bytes]:
    """``fan``, ``skill`` and ``news-PERIOD`` as SVG, with labels in that language."""
    zh = language == "zh"
    title, unit, made_up = _title(found, language), found.series.indicator.unit_analysed, found.series.is_synthetic
    judged = counted.filter(pl.col("timing") == found.spec.evidence)
    drawn = {
        "fan": charts.fan(
            judged.filter(pl.col("model") == best), f"{best}: {title}", unit, language, synthetic=made_up
        ),
        "skill": charts.skill(
            table.filter(pl.col("timing") == found.spec.evidence).drop_nulls("horizon"),
            title,
            unit,
            language,
            found.spec.benchmark,
            synthetic=made_up,
        ),
    }
    for n in moved:
        ends = ((str(known_day(n.old)), n.before), (str(known_day(n.new)), n.after))
        said = f"{best}：{n.period} 的新息" if zh else f"{best}: news for {n.period}"
        drawn[f"news-{n.period}"] = charts.news(n.table, ends, said, unit, language, synthetic=made_up)
    return drawn


def page(found: Backtest, table: pl.DataFrame, best: str, moved: Sequence[News], drawn: Mapping[str, bytes]) -> bytes:
    """The page. ``drawn``: ``figures/NAME-LANGUAGE.svg`` -> SVG; where Chinese is missing, the English figure serves."""
    spec, unit = found.spec, found.series.indicator.unit_analysed
    pseudo = spec.pseudo is not None
    en, zh = ("pseudo real time", "伪实时") if pseudo else ("real vintages", "真实版本")
    parts = [
        f"<h1>{say(spec.title_en, spec.title_zh)}</h1>",
        *([f"<p class=note><strong>{say('Synthetic data', '合成数据')}</strong></p>"] if found.series.is_synthetic else []),
        f"<p class=soft>{escape(spec.target)} · {escape(unit)} · {say('run', '实验')} {escape(spec.name)}</p>",
        f"<p class=note>{_note(spec)}</p>",
        heading("Nowcasts on real vintages", "真实版本上的即时预测"),
        _real(found, best),
        *(part for n in moved for part in _moved(n, drawn)),
        heading(f"Nowcasts through time ({en})", f"历次即时预测（{zh}）"),
        figure("fan", drawn, f"Best model of the run: {best}.", f"本次实验的最佳模型：{best}。"),
        heading(f"Skill ({en})", f"预测能力（{zh}）"),
        _skill(table, spec.evidence, best),
        *_left_out(spec),
        figure(
            "skill", drawn,
            "Horizon −3: the quarter has not begun; 0: it has just ended and is not published.",
            "−3：季度尚未开始；0：季度刚结束、数据尚未公布。",
        ),
        *(_few(table) if pseudo else ()),
        heading("Proof that nothing from the future was used", "未使用未来信息的证明"),
        _proofs(found),
        heading("Made with", "运行环境"),
        "<p class=soft>" + " · ".join(escape(f"{k} {v}") for k, v in versions.about().items()) + "</p>",
    ]  # fmt: skip
    return document(spec.title_en, parts)


def _note(spec: Spec) -> str:
    """What was replayed, and what the outcome is."""
    if spec.truth == "first":
        outcome = ("the first release", "首次发布值")
    elif spec.truth == "next":
        outcome = ("the value when the next period was first published", "下一期首次发布时的数值")
    else:
        outcome = (f"the value in the vintage of {spec.truth}", f"{spec.truth} 版本的数值")
    if spec.pseudo is None:
        days = spec.real
        return say(
            f"Real time. At each of {len(days)} information dates from {days[0]} to {days[-1]} the models read the values "
            f"published by then, and no others. Outcome: {outcome[0]}.",
            f"真实实时：{days[0]} 至 {days[-1]} 共 {len(days)} 个信息截止日，各模型只读取当时已发布的数值。实际值：{outcome[1]}。",
        )
    days, vintage = spec.pseudo.days, spec.pseudo.vintage
    return say(
        f"Pseudo real time. {len(days)} month-ends from {days[0]} to {days[-1]} are replayed on the values of the vintage "
        f"of {vintage}, each series cut by its usual publication delay. Revisions that came later are in these "
        f"values, so that the scores are better than real ones would have been. Real vintages are shown apart. "
        f"Outcome: {outcome[0]}.",
        f"伪实时：{days[0]} 至 {days[-1]} 共 {len(days)} 个月末，使用 {vintage} 版本的数值，"
        f"并按各序列通常的发布时滞截断。其中含有事后修订，因此得分优于真正的实时预测。"
        f"真实版本另行列出。实际值：{outcome[1]}。",
    )


def _left_out(spec: Spec) -> Iterable[str]:
    """Which models were learned without which months, where there are such."""
    wrapped = {label: model for label in spec.models if isinstance(model := spec.make(label), Without)}
    if wrapped:
        en, zh = (
            "; ".join(f"{label} {', '.join(f'{a} {to} {b}' for a, b in m.stretches)}" for label, m in wrapped.items())
            for to in ("to", "至")
        )
        said = say(f"Months left out of learning, and still read: {en}.", f"学习时剔除、估计时仍读取的月份：{zh}。")
        yield f"<p class=note>{said}</p>"


def _few(table: pl.DataFrame) -> Iterable[str]:
    yield heading("Skill on real vintages", "真实版本上的预测能力")
    yield _skill(table, "real", None)
    yield "<p class=soft>"
    yield say(
        "So few outcomes show what happened, not what a model can do.",
        "样本过少：只能说明发生了什么，不能说明模型的能力。",
    )
    yield "</p>"


def _real(found: Backtest, best: str) -> str:
    rows = []
    truth = dict(found.truth.select("period", "outcome").rows())
    real = found.records.filter(pl.col("timing") == "real")
    newest = real["origin"].unique().sort()[-SHOWN:]
    shown = real.filter(pl.col("origin").is_in(newest.implode())).sort("origin", "period", "model")
    for r in shown.to_dicts():
        q = [r[quantile_name(level)] for level in LEVELS]
        bands = ["" if r["published"] else f"{q[a]:.2f} … {q[b]:.2f}" for _, (a, b) in sorted(BANDS.items())]
        outcome = truth.get(r["period"])
        mean = say("published", "已公布") if r["published"] else f"{r['mean']:.2f}"
        cells = [str(known_day(r["origin"])), r["period"], escape(r["model"]), mean, *bands, number(outcome)]
        rows.append((cells, r["model"] == best))
    heads = [
        ("as of", "截至"), ("period", "时期"), ("model", "模型"), ("mean", "均值"),
        *((f"{p} % band", f"{p}% 区间") for p in sorted(BANDS)), ("outcome", "实际值"),
    ]  # fmt: skip
    return grid(heads, rows, text=3)


def _moved(n: News, drawn: Mapping[str, bytes]) -> Iterable[str]:
    old, new = known_day(n.old), known_day(n.new)
    yield heading(
        f"Why {n.period} moved from {old} to {new} (real vintages)",
        f"{n.period} 的预测为何变动：{old} 至 {new}（真实版本）",
    )
    yield figure(
        f"news-{n.period}", drawn,
        f"{n.before:.2f} + releases, revisions and new parameters = {n.after:.2f}, exactly.",
        f"{n.before:.2f} 加上各项发布、修订与参数重估，恰为 {n.after:.2f}。",
    )  # fmt: skip


def _skill(table: pl.DataFrame, timing: str, best: str | None) -> str:
    heads = [
        ("model", "模型"), ("horizon", "期限"), ("n", "样本数"), ("RMSE", "RMSE"), ("MAE", "MAE"), ("bias", "偏差"),
        ("CRPS", "CRPS"),         ("in 50 %", "50% 覆盖"), ("in 80 %", "80% 覆盖"), ("in 95 %", "95% 覆盖"), ("sign", "方向"),
        ("RMSE ratio", "RMSE 比"),
        ("CRPS ratio", "CRPS 比"), ("DM p", "DM p 值"),
    ]  # fmt: skip
    rows = []
    for r in table.filter(pl.col("timing") == timing).to_dicts():
        horizon = say("all", "全部") if r["horizon"] is None else f"{r['horizon']:+d}" if r["horizon"] else "0"
        cells = [
            escape(r["model"]), horizon, str(r["n"]), *(number(r[c]) for c in ("rmse", "mae", "bias", "crps")),
            *(f"{r[c]:.0%}" for c in ("cover50", "cover80", "cover95", "sign")),
            *(number(r[c]) for c in ("rmse_ratio", "crps_ratio", "dm_p")),
        ]  # fmt: skip
        rows.append((cells, r["model"] == best and r["horizon"] is None))
    return grid(heads, rows, text=1)


def _proofs(found: Backtest) -> str:
    newest = found.records.select((pl.col("origin") - pl.col("newest")).min()).item()
    said = say(
        f"Every one of {len(found.records)} estimates keeps the time of its newest datum; none is later than its origin "
        f"(the closest: {newest} before). Beyond the stamps: all values that became known after an origin were altered, the "
        "origin was replayed with a new fit, and no bit moved.",
        f"全部 {len(found.records)} 个估计均记录其最新数据的公布时间，无一晚于信息截止日。"
        "此外，将截止日之后公布的所有数值随机改动并重新估计，结果逐位不变。",
    )
    heads = [("model", "模型"), ("origin", "信息截止日"), ("timing", "性质"), ("values altered", "改动的数值个数")]
    rows = [([escape(p.model), str(known_day(p.origin)), p.timing, str(p.altered)], False) for p in found.proofs]
    return f"<p>{said}</p>" + grid(heads, rows, text=3)


def _title(found: Backtest, language: charts.Language) -> str:
    return found.spec.title_zh if language == "zh" else found.spec.title_en
