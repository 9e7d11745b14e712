"""Features of China's national figures, read from ``../shared`` and never copied into the project: every sum since January."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.calendar import Freq, Period
from engine.errors import Refused
from engine.figures import Origin, PairRule
from engine.indicator import Indicator, PublishedKind, Region, Series
from featurestore.memory import MemoryStore
from featurestore.panel import build_panel
from featurestore.store import VALUES, Release

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "china_national_monthly"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="needs ../shared/data/china_national_monthly (internal data)"
)
RATE = "IEP"  # production and sales rate since January: a ratio of sums
ASOF = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def store() -> MemoryStore:
    """The series that the dictionary calls sums since January, as known on one day."""
    with (FOLDER / "dictionary.csv").open(encoding="utf-8") as lines:
        names = {r["Code"]: r["Factor_CN"] for r in csv.DictReader(lines) if r["value_kind"] == "ytd_cumulative_value"}
    known: dict[str, dict[int, float]] = defaultdict(dict)
    for file in ("monthly_long.csv", "monthly_extra_long.csv"):
        with (FOLDER / file).open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                if row["code"] in names:
                    known[row["code"]][Period.parse(row["period"]).ordinal] = float(row["value"])
    made = MemoryStore()
    for code, cells in known.items():
        first = min(cells)
        values = np.array([cells.get(first + i, np.nan) for i in range(max(cells) - first + 1)])
        rule = str(PairRule.seen_in(Period(Freq.M, first), values))
        kind: PublishedKind = "ratio_ytd" if code == RATE else "level_ytd"
        said = Indicator(code.lower(), code, names[code], Freq.M, "", "", "lin", "last", 18, "NBS", "x", "", kind, rule)
        series = Series(said, Region("CN", "China", "中国"))
        rows = pl.DataFrame([(series.id, t, v, "A") for t, v in cells.items()], schema=VALUES, orient="row")
        release = Release("national", code, datetime(2025, 6, 1, tzinfo=UTC), "assumed", code.encode())
        made.append(release, rows, (series,))
    return made


def test_every_sum_since_january_is_a_feature_of_a_panel() -> None:
    codes = sorted(i.partition("@")[0] for i in store().series())
    assert len(codes) == 17
    sums = [c for c in codes if c != RATE.lower()]
    ids = [f"{c}.{feature}@CN" for c in sums for feature in ("month", "yoy")] + [f"{RATE.lower()}.year_change@CN"]
    panel = build_panel(store(), ids, ASOF)
    months = np.arange(panel.first.ordinal, panel.first.ordinal + panel.months)
    for code in sums:
        known = dict(store().known([f"{code}@CN"], ASOF).select("period", "value").iter_rows())
        values, flags = panel.matrix([f"{code}.month@CN"])[:, 0], panel.flags_of([f"{code}.month@CN"])[:, 0]
        for t, value, flag in zip(months.tolist(), values.tolist(), flags.tolist(), strict=True):
            pair = t % 12 == 1 and t in known and t - 1 not in known
            alone = t % 12 == 0 or pair
            expected = known.get(t, np.nan) - (0.0 if alone else known.get(t - 1, np.nan))
            np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-9)
            assert flag == (Origin.PAIR if pair else 0)
        assert (flags & Origin.PAIR).any(), code
        growth, flags = panel.matrix([f"{code}.yoy@CN"])[:, 0], panel.flags_of([f"{code}.yoy@CN"])[:, 0]
        assert ((flags & Origin.NOMINAL_SCOPE) != 0).tolist() == (~np.isnan(growth)).tolist()
        assert np.isfinite(growth).sum() > 30, code
    change = panel.matrix([f"{RATE.lower()}.year_change@CN"])
    assert 0 < np.nanmax(np.abs(change)) < 10


def test_investment_by_its_levels_is_not_the_official_growth() -> None:
    """The levels of 2019 fall by 13 per cent since January, official growth is 5.4: hence computed, and flagged as such."""
    panel = build_panel(store(), ["fai.yoy@CN"], ASOF)
    at = Period.parse("2019-12") - panel.first
    assert panel.values[at, 0] < -5
    assert panel.flags[at, 0] == Origin.NOMINAL_SCOPE
    for feature, reason in (("two_year", "official growth is never computed"), ("year_change", "it takes share")):
        with pytest.raises(Refused, match=reason):
            build_panel(store(), [f"fai.{feature}@CN"], ASOF)
    with pytest.raises(Refused, match="a share, rate or ratio is neither a sum nor a growth"):
        build_panel(store(), ["iep.month@CN"], ASOF)
