"""False alarms of the review on China's national figures, month by month as if each had come in its time (internal data)."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from engine.calendar import Freq, Period, end_of
from engine.indicator import Indicator, Region, Series
from featurestore import review
from featurestore.memory import MemoryStore
from featurestore.sources import Load
from featurestore.store import VALUES, Release
from tests.engine.test_figures_national import FOLDER, load

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="needs ../shared/data/china_national_monthly (internal data)"
)


def releases() -> list[Load]:
    """All amounts of the panel, the values of each month in one release twenty days after it."""
    series: dict[str, Series] = {}
    months: dict[int, list[tuple[str, int, float, str]]] = defaultdict(list)
    for code, figures in load().items():
        if figures.kind.startswith("level"):
            about = Indicator(code, code, code, Freq.M, "", "", "lin", "last", 20, "", "", kind=figures.kind)  # type: ignore[arg-type]
            one = Series(about, Region("CN", "China", "全国"))
            series[one.id] = one
            for t, value in zip(figures.ordinals, figures.values, strict=True):
                if not np.isnan(value):
                    months[int(t)].append((one.id, int(t), float(value), "A"))
    loads = []
    for t, rows in sorted(months.items()):
        known = end_of(Period(Freq.M, t).end + timedelta(days=20))
        frame = pl.DataFrame(rows, schema=VALUES, orient="row")
        loads.append(Load(Release("n", "n", known, "day", str(t).encode()), frame, tuple(series[r[0]] for r in rows)))
    return loads


def test_thirteen_thousand_real_values_are_held_six_times() -> None:
    loads = releases()
    assert sum(x.values.height for x in loads) > 13_000
    found = review.doubts(MemoryStore(), loads)
    assert {d.rule for d in found} == {"shift"}
    # Loans and deposits in the Decembers of 1993 to 1995, when their scope was widened, and one series of 2001.
    assert len(found) == 6
    assert max(d.period for d in found) == "2001-06"


def test_a_unit_mistaken_in_any_series_is_seen() -> None:
    """Each amount once times 10^4, in a month with three years of history before it: none passes, none of the others stops."""
    loads = releases()
    last = len(loads) - 12
    frame = loads[last].values
    grown = frame.filter(pl.col("value").abs() > 0)
    wrong = frame.with_columns(pl.col("value") * 1e4)
    store = MemoryStore()
    earlier = loads[:last]
    store.append_all(earlier)
    release = loads[last].release
    found = review.doubts(store, [Load(release, wrong, loads[last].series)])
    seen = {d.series for d in found if d.rule == "unit"}
    sizes = {s: r.height for (s,), r in pl.concat([x.values for x in earlier]).group_by("series")}
    assert {s for s in grown["series"] if sizes.get(s, 0) > 36} <= seen
    assert review.doubts(store, [loads[last]]) == ()
