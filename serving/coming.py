"""Which coming release matters most for a nowcast: the champion asked once for each, and once for all before it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from engine.calendar import Period, known_day
from engine.coming import Awaited, coming
from engine.errors import BadInput
from engine.estimate import phase
from engine.panel import Panel
from featurestore.store import Store
from serving.answer import checked, described, label_of
from serving.champions import Champions
from serving.schemas_news import Coming, ComingRelease
from serving.whatif import at_hand


def coming_releases(
    store: Store, champions: Champions, target: str, asof: datetime, period: Period | None = None
) -> Coming:
    """By how much the next release of each series would narrow the champion's estimate; without ``period``, the running one.

    Raises as `serving.answer.nowcast`.
    """
    series, champion = described(store, target), champions.champion(target)
    (wanted,) = checked(series, asof, [period or Period.of(known_day(asof), series.freq)])
    run, panel, fitted = at_hand(store, champion, target, asof)
    found = coming(fitted, panel, wanted)
    before = [found.variance, *(r.after for r in found.releases)]
    return Coming(
        **asdict(label_of(series, run)),
        name_en=series.indicator.name_en,
        name_zh=series.indicator.name_zh,
        period=str(wanted),
        phase=phase(wanted, asof),
        variance=found.variance,
        sd=math.sqrt(found.variance),
        releases=tuple(_row(panel, r, b, found.variance) for r, b in zip(found.releases, before, strict=False)),
    )


def _row(panel: Panel, r: Awaited, before: float, now: float) -> ComingRelease:
    of = panel.meaning(r.release.series).indicator
    share = (lambda v: v / now) if now > 0 else (lambda v: 0.0)  # what is published has no variance to lose
    return ComingRelease(
        series=r.release.series,
        name_en=of.name_en,
        name_zh=of.name_zh,
        period=str(r.release.period),
        day=r.release.day.isoformat(),
        overdue=r.release.overdue,
        expected=r.expected,
        unit=of.unit_analysed,
        unit_zh=of.unit_analysed_zh,
        variance_alone=r.alone,
        variance_after=r.after,
        reduction_alone=share(now - r.alone),
        reduction_in_turn=share(before - r.after),
    )


def write_charts(said: Sequence[Coming], file: Path) -> list[Path]:
    """The answers as figures, FILE.svg and, where a font has the characters, FILE.zh-CN.svg; of several periods each its own.

    Returns what was written. Raises BadInput for another ending.
    """
    from engine.charts import languages
    from engine.coming_charts import Bar
    from engine.coming_charts import coming as draw

    if file.suffix != ".svg":
        raise BadInput(f"{file}: a figure of coming releases is written as .svg")
    written = []
    for one in said:
        bars = [
            Bar(r.name_en, r.name_zh, r.period, r.day, r.overdue, r.reduction_alone, r.reduction_in_turn)
            for r in one.releases
        ]
        stem = file.with_suffix("") if len(said) == 1 else file.with_name(f"{file.stem}.{one.period}")
        for language in languages():
            zh = language == "zh"
            title = (
                f"{one.name_zh}，{one.period}，截至 {one.asof}"
                if zh
                else f"{one.name_en}, {one.period}, as of {one.asof}"
            )
            place = stem.with_name(f"{stem.name}{'.zh-CN' if zh else ''}.svg")
            place.write_bytes(draw(bars, title, language, synthetic=one.is_synthetic))
            written.append(place)
    return written
