"""Every planted fault of the synthetic province is found and nothing else is an error; each rule by hand; the commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from engine.calendar import Freq, Period, end_of, known_day
from engine.errors import BadInput, Unknown
from engine.indicator import Indicator, Region, Series
from featurestore import quality, rows
from featurestore.memory import MemoryStore
from featurestore.sources import Load
from featurestore.sources.province import economy
from featurestore.sources.province.score import ENDS, answer_key, score
from featurestore.store import HISTORY, VALUES, Release

LAST = end_of(date(2024, 12, 31))


class Said:
    """A store of which quality reads ``series`` and ``history``, made of thousands of releases at once."""

    def __init__(self, loads: Sequence[Load]) -> None:
        self._series = {s.id: s for load in loads for s in load.series}
        number = np.repeat(np.arange(len(loads), dtype=np.int32), [x.values.height for x in loads])
        known = pl.Series([x.release.known_at for x in loads], dtype=HISTORY["known_at"]).gather(number)
        said = pl.concat([x.values for x in loads]).with_columns(
            known.alias("known_at"),
            known.alias("recorded_at"),
            pl.lit("day").alias("precision"),
            release=pl.Series(number),
        )
        self._history = rows.versions(said)

    def series(self) -> Mapping[str, Series]:
        return self._series

    def releases(self) -> pl.DataFrame:
        """Each of one month or of revisions alone: none mostly repeats."""
        return pl.DataFrame(schema={"release": pl.Int32, "rows": pl.Int32, "new": pl.Int32, "revised": pl.Int32})

    def history(self, ids: Sequence[str]) -> pl.DataFrame:
        return self._history.filter(pl.col("series").is_in(list(ids)))


@pytest.mark.parametrize("seed", [33, 7, 2026])
def test_every_planted_fault_is_found_and_nothing_else_is_an_error(seed: int) -> None:
    made = economy(seed=seed, faults=True)
    loads = list(made.releases())
    asof = max(x.release.known_at for x in loads)
    store = Said(loads)
    found = quality.check(store, asof)  # type: ignore[arg-type]
    key = made.key
    for fault in key["fault"].unique():
        planted = set(key.filter(pl.col("fault") == fault).select("series", "period").rows())
        severity = "warning" if fault == "late_release" else "error"
        hits = planted & set(found.filter(pl.col("severity") == severity).select("series", "period").rows())
        assert hits, f"{fault} {sorted(planted)} was not found"
    errors = found.filter(pl.col("severity") == "error")
    planted = set(key.select("series", "period").rows())
    wrong = [r for r in errors.select("series", "period", "rule", "says").rows() if r[:2] not in planted]
    assert not wrong, f"flagged without being planted: {wrong}"
    table, missed, strange = score(quality.check(store, ENDS), key)  # type: ignore[arg-type]
    assert table.select("severity", "planted", "found", "recall", "precision").rows() == [
        ("error", 6, 6, 1.0, 1.0),
        ("warning", 1, 1, 1.0, 1.0),
    ]
    assert table["flagged"].equals(table["right"])
    assert (missed.height, strange.height) == (0, 0)
    assert found["is_synthetic"].all()
    late = found.filter(pl.col("rule") == "late").select("series", "period").rows()
    fault = set(key.filter(pl.col("fault").is_in(["late_release", "missing_city"])).select("series", "period").rows())
    assert set(late) <= fault


def test_the_score_counts_what_is_missed_and_what_nobody_planted() -> None:
    made = economy(faults=True)
    found = quality.check(Said(list(made.releases())), ENDS)  # type: ignore[arg-type]
    blind = found.filter(pl.col("rule") != "falls")
    invented = blind.filter(pl.col("rule") == "unit").with_columns(period=pl.lit("2009-03"))
    table, missed, wrong = score(pl.concat([blind, invented]), made.key)
    assert table.select("planted", "found", "flagged", "right").row(0) == (6, 5, 9, 8)
    assert table["recall"][0] == pytest.approx(5 / 6)
    assert table["precision"][0] == pytest.approx(8 / 9)
    assert missed["fault"].to_list() == ["ytd_falls"]
    assert wrong["period"].to_list() == ["2009-03"]
    nothing, _, _ = score(found.clear(), made.key.clear())
    assert nothing.select("recall", "precision").rows() == [(None, None)] * 2


def test_the_key_is_that_of_the_economy_in_the_store() -> None:
    uris = ["file.csv", "synthetic:province/version-1/seed-7/activity/2017-12-16/faults"]
    key = answer_key(pl.DataFrame({"uri": uris}), ENDS)
    assert key.equals(economy(7, faults=True).key)
    early = end_of(date(2015, 1, 31))
    assert answer_key(pl.DataFrame({"uri": uris}), early)["known"].max() <= date(2015, 1, 31)  # type: ignore[operator]
    with pytest.raises(Unknown, match="data ingest province --faults"):
        answer_key(pl.DataFrame({"uri": [u.removesuffix("/faults") for u in uris]}), ENDS)
    with pytest.raises(BadInput, match=r"several seeds here \(33, 7\)"):
        answer_key(pl.DataFrame({"uri": [*uris, uris[1].replace("seed-7", "seed-33")]}), ENDS)
    with pytest.raises(BadInput, match="version 9"):
        answer_key(pl.DataFrame({"uri": [uris[1].replace("version-1", "version-9")]}), ENDS)


def test_an_economy_without_faults_has_no_errors() -> None:
    loads = list(economy().releases())
    asof = max(x.release.known_at for x in loads)
    found = quality.check(Said(loads), asof)  # type: ignore[arg-type]
    assert found.filter(pl.col("severity") == "error").height == 0
    table = quality.departments(Said(loads), asof)  # type: ignore[arg-type]
    assert (table["delivered"] > 0.99).all()
    assert (table["on_time"] > 0.99).all()
    assert table["is_synthetic"].all()
    assert table["agency_zh"].str.starts_with("合成").all()
    assert table["corrected"].max() > 0.1  # type: ignore[operator]  # verification and census


def one(
    kind: str, values: Sequence[float | None], start: str = "2020-01", jan_feb: str = "", lag: int = 10
) -> MemoryStore:
    """A monthly series, each value released ``lag`` days after its month."""
    plain = Indicator("x", "x", "某指标", Freq.M, "亿元", "亿元", "lin", "sum", lag, "局", "m")
    about = replace(plain, kind=kind, jan_feb=jan_feb)  # type: ignore[arg-type]
    series = Series(about, Region("XX", "X", "某地"))
    store = MemoryStore()
    for i, value in enumerate(values):
        if value is not None:
            release(store, series, Period.parse(start) + i, value, lag)
    return store


def release(store: MemoryStore, series: Series, period: Period, value: float, lag: int) -> None:
    row = pl.DataFrame([(series.id, period.ordinal, value, "A")], schema=VALUES, orient="row")
    at = end_of(period.end + timedelta(days=lag))
    store.append(Release("t", "t", at, "day", f"{series.id}{period}{value}".encode()), row, [series])


def rules(store: MemoryStore, asof: datetime = LAST) -> list[tuple[str, str]]:
    found = quality.check(store, asof).filter(pl.col("rule") != "overdue")
    return [(r, p) for r, p in found.select("rule", "period").rows()]


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("level_month", [101.25, 102.5, 1034000.0, 103.1, 104.2], [("unit", "2020-03")]),
        ("level_month", [101.25, 102.5, 0.1034, 103.1, 104.2], [("unit", "2020-03")]),
        ("level_month", [1012.51, 1025.04, 1025.04, 1031.77], [("repeated", "2020-03")]),
        ("level_month", [420.0, 420.0, 430.0], []),  # three digits repeat by chance
        ("level_month", [101.25, None, 103.1], [("missing", "2020-02")]),
        ("level_ytd", [10.5, 20.5, 19.5, 30.5], [("falls", "2020-03")]),
        ("yoy_month", [5.1, 5.1, -3.0, 5.1], []),  # growth may fall and repeat
    ],
)
def test_one_series_by_hand(kind: str, values: list[float | None], expected: list[tuple[str, str]]) -> None:
    assert rules(one(kind, values)) == expected


def test_january_of_a_pair_is_not_missing() -> None:
    values = [None if i % 12 == 0 else 10.0 * (i % 12) + i / 7 for i in range(26)]
    assert rules(one("level_ytd", values, jan_feb="combined")) == []
    assert rules(one("level_ytd", values, jan_feb="separate to 2020, combined since 2021")) == []
    assert ("missing", "2021-01") in rules(one("level_ytd", values, jan_feb="separate"))
    later = rules(one("level_ytd", values, jan_feb="separate to 2021, combined since 2022"))
    assert ("missing", "2021-01") in later
    assert ("missing", "2022-01") not in later


def test_a_stock_that_jumps_and_stays_is_told_from_one_that_comes_back() -> None:
    steady = [1000 * 1.01**i + (i * 37 % 11) for i in range(40)]
    stays = [v * (1.15 if i >= 30 else 1.0) for i, v in enumerate(steady)]
    back = [v * (1.15 if i == 30 else 1.0) for i, v in enumerate(steady)]
    period = str(Period.parse("2020-01") + 30)
    assert ("shift", period) in rules(one("level_eop", stays))
    assert ("shift", period) not in rules(one("level_eop", back))
    assert rules(one("level_eop", steady)) == []


def test_late_and_overdue_by_the_habit_of_the_series() -> None:
    """The catalogue says 10 days, the office takes 20: after eight releases that is its usual day."""
    store = one("level_month", [100.5 + i * 1.37 for i in range(14)], lag=10)
    (series,) = store.series().values()
    for i in range(14, 30):
        release(store, series, Period.parse("2020-01") + i, 100.5 + i * 1.37, 40 if i == 25 else 10)
    asof = end_of(date(2022, 7, 31))
    found = quality.check(store, asof)
    assert found.select("rule", "period").rows() == [("late", "2022-02")]
    later = quality.check(store, end_of(date(2022, 8, 20)))
    assert ("overdue", "2022-07") in later.select("rule", "period").rows()
    table = quality.departments(store, asof)
    assert table["expected"].item() == 29  # all but the first, with which the series begins
    assert table["on_time"].item() == pytest.approx(28 / 29)


def test_nothing_that_came_later_is_read() -> None:
    store = one("level_month", [101.25, 102.5, 1034000.0, 103.1, 104.2])
    before = end_of(date(2020, 4, 5))
    assert known_day(before) < date(2020, 4, 10)
    assert rules(store, before) == []
