"""The same contest on China's growth on the year, in pseudo real time: ``python tests/contest/china.py`` writes its page.

The figures (../shared/data/china_national_monthly) are internal: they are read into a store in memory, and only scores leave it.
One vintage of March 2023 is cut at each month-end by the release calendar that comes with it, so that revisions are in the values
and scores are better than real ones would have been.

Flows become growth on the year of the month, January and February as one, on February: so the office publishes most of them, and
the Spring Festival moves between the two. Fixed investment is left out: its published growth does not follow from its levels.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import engine  # isort: skip  # first: it holds BLAS to one thread
import numpy as np
import polars as pl
from contest import judge, page

from engine import metrics
from engine.calendar import Freq, Period, end_of
from engine.indicator import Indicator, Series
from experiments import backtest, spec
from experiments.replay import QUANTILES
from experiments.spec import Spec
from featurestore import catalogue
from featurestore.memory import MemoryStore
from featurestore.store import VALUES, Release

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared/data/china_national_monthly"
PANDEMIC = (2020, 2021)
assert engine
VINTAGE = date(2023, 3, 1)
DAYS = {1: 3, 2: 3, 3: 37, 4: 7, 5: 16, 6: 17, 8: 17, 9: 18, 11: 18, 12: 30, 13: 30, 14: 31}
"""Day of the next month by the dictionary's release batch, the latest of those in the calendar. What consumers said is out in the
month after the next. Purchasing managers of the 14th batch are heard on the last day of their own month."""
GDP_DAY = 18
STOCKS = ("ORF", "OFA", "BCL", "BCC", "BCP", "CCI", "CSI", "CEI")
EXTRA = {
    "产量:乘用车:广义:当月值": ("cars_made", 17, "flow"),
    "零售销量:乘用车:广义:当月值": ("cars_sold", 17, "flow"),
    "商品房销售面积:累计值": ("homes_sold", 30, "ytd"),
    "房屋施工面积:累计值": ("under_construction", 30, "stock"),
    "沪深股市:股票成交金额:当月值": ("turnover", 6, "flow"),
    "社会融资规模:当月值": ("financing", 16, "flow"),
    "人民币:实际有效汇率指数": ("real_rate", 28, "stock"),
}
LATEST = date(2008, 1, 1)
"""Series that begin later have too little history at the first origin of 2012."""


def store_of(folder: Path) -> MemoryStore:
    """Growth on the year as ``gdp_yoy@CN`` and the monthly indicators, ``iva@CN`` …, in one release."""
    rows: list[tuple[str, int, float]] = []
    series = [_series("gdp_yoy", Freq.Q, GDP_DAY)]
    with (folder / "gdp_yoy.csv").open(encoding="utf-8") as file:
        rows += [
            ("gdp_yoy@CN", Period.parse(f"{r['QTR'][:4]}-{r['QTR'][4:]}").ordinal, float(r["YOY"]))
            for r in csv.DictReader(file)
        ]
    for name, (kind, day, values) in _monthly(folder).items():
        grown = {t: v for t, v in _growth(values, kind).items() if t >= Period.parse("1996-01").ordinal}
        if grown and Period(Freq.M, min(grown)).start <= LATEST:
            series.append(_series(name, Freq.M, day, paired=kind in ("flow", "ytd") or name == "iva"))
            rows += [(f"{name}@CN", t, v) for t, v in grown.items()]
    store = MemoryStore()
    frame = pl.DataFrame(rows, schema=["series", "period", "value"], orient="row").with_columns(status=pl.lit("A"))
    known = Release("internal", "national", end_of(VINTAGE), "assumed", b"china", folder.name)
    store.append(known, frame.cast(dict(VALUES)).select(VALUES.names()), tuple(series))  # type: ignore[arg-type]
    return store


def _monthly(folder: Path) -> dict[str, tuple[str, int, dict[int, float]]]:
    """Kind, day of release and values by month, by the name of the indicator."""
    values: dict[str, dict[int, float]] = {}
    for file_name in ("monthly_long.csv", "monthly_extra_long.csv"):
        with (folder / file_name).open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                values.setdefault(row["code"], {})[Period.parse(row["period"]).ordinal] = float(row["value"])
    found: dict[str, tuple[str, int, dict[int, float]]] = {}
    with (folder / "dictionary.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            code, said = row["Code"], row["value_kind"]
            kind = {"yoy_pct": "rate", "diffusion_index": "rate", "ytd_cumulative_value": "ytd"}.get(said, "flow")
            kind = "rate" if code == "IEP" else "stock" if code in STOCKS else kind
            day = 0 if said == "diffusion_index" and row["Release Batch"] == "14" else DAYS[int(row["Release Batch"])]
            if code in values and code not in ("FAI", "USU"):
                found[code.lower()] = kind, day, values[code]
    for code, (name, day, kind) in EXTRA.items():
        found[name] = kind, day, values[code]
    found["iva"] = "rate", found["iva"][1], _paired(found["iva"][2])
    return found


def _paired(growth: Mapping[int, float]) -> dict[int, float]:
    """Growth of which the vendor tells January and February, and the office only both as one: their mean, on February. Each alone
    moves with the Spring Festival."""
    means = {t: (growth[t - 1] + v) / 2 for t, v in growth.items() if t % 12 == 1 and t - 1 in growth}
    return {t: v for t, v in growth.items() if t % 12 > 1} | means


def _growth(values: Mapping[int, float], kind: str) -> dict[int, float]:
    """Growth on the same month of last year, per cent; what is a rate or an index already stays. Months as ordinals."""
    if kind == "rate":
        return dict(values)
    if kind == "ytd":
        months = {t: v if t % 12 == 1 else v - values.get(t - 1, float("nan")) for t, v in values.items() if t % 12}
    elif kind == "flow":
        months = {t: v + values.get(t - 1, float("nan")) if t % 12 == 1 else v for t, v in values.items() if t % 12}
    else:
        months = dict(values)
    grown = {t: 100 * (v / months[t - 12] - 1) for t, v in months.items() if min(v, months.get(t - 12, 0.0)) > 0}
    return {t: g for t, g in grown.items() if g == g and abs(g) < 1000}


def _series(name: str, freq: Freq, day: int, paired: bool = False) -> Series:
    office = "National Bureau of Statistics"
    made = Indicator(name, name, name, freq, "%", "%", "lin", "average", day, office, "national accounts")
    if paired:  # January and February as one, on February
        made = replace(made, kind="yoy_month", jan_feb="combined")
    return Series(made, catalogue.load().regions["CN"])


def main() -> None:
    ask = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    ask.add_argument("--page", type=Path, default=ROOT / "docs/contest_china.md")
    said = ask.parse_args()
    if not DATA.exists():
        raise SystemExit(f"the figures are internal and not on this machine: {DATA}")
    store = store_of(DATA)
    text = (Path(__file__).parent / "contest_china.toml").read_text(encoding="utf-8")
    every = ", ".join(f'"{i}"' for i in sorted(store.series()) if i != "gdp_yoy@CN")
    run = spec.parse(text.replace('"EVERY"', every), "contest_china.toml")
    assert isinstance(run, Spec)
    start = time.perf_counter()
    found = backtest.run(run, store)
    seconds = time.perf_counter() - start
    write(said.page, run, found.records, found.truth, len(store.series()) - 1, seconds)


def write(to: Path, run: Spec, records: pl.DataFrame, truth: pl.DataFrame, inputs: int, seconds: float) -> None:
    apart = [label for label in run.models if label.endswith(("_without", "_outliers"))]
    everyone, records = records, records.filter(~pl.col("model").is_in(apart))
    plain = judge.table(judge.cases(records, truth), run.benchmark, "")
    pool = next((m for m in plain["model"] if m in run.pools), plain["model"][0])
    assert run.pseudo is not None
    days = run.pseudo.days
    numbers = [
        f"Growth on the year, per cent; {len(days)} month-ends from {days[0]} to {days[-1]}, pseudo real time; {inputs} "
        f"monthly series; models refitted every {run.refit} months; {seconds:.0f} s on this machine. Columns: months from the "
        f"end of the quarter to the information date; GDP itself is out about {GDP_DAY} days after the quarter."
    ]
    for without in ((), PANDEMIC):
        rows = judge.cases(records, truth, without)
        table = judge.table(rows, run.benchmark, pool)
        first, last = judge.years(rows)
        stretch = f"{first} to {last}" if not without else f"without {without[0]}–{without[-1]}"
        numbers += [
            f"## {stretch}", f"{table['n'][0]} quarters. Root mean squared error:", page.skill(table, run.benchmark),
            "Over all horizons; coverage in per cent; p as on [the page of the United States](contest.md):",
            page.tests(table, run.benchmark, pool),
            page.coverage({m: judge.coverage(rows, m) for m in dict.fromkeys([pool, run.benchmark, *plain["model"][:2]])}),
        ]  # fmt: skip
    numbers += [
        "## Learned without 2020",
        "Root mean squared error over all horizons, and how much of 2021 and 2022 the 80 % bands held, in per cent. Fits of January"
        " 2021 and January 2022 alone differ. `_without`: February to December 2020 are left out of learning; `_outliers`: values "
        "beyond ten interquartile ranges are read as missing.",
        learned_without(judge.cases(everyone, truth), apart),
    ]
    page.write(to, run.title_en, "\n\n".join(numbers))


def learned_without(rows: pl.DataFrame, apart: Sequence[str]) -> str:
    """Each model that treats 2020 in some way, after the one that does not."""
    plain = dict.fromkeys(label.rpartition("_")[0] for label in apart)
    shown = [m for base in plain for m in (base, *(label for label in apart if label.rpartition("_")[0] == base))]
    stretches = {"2021": ("2021",), "2022": ("2022",), "2021–2022": ("2021", "2022"), "all years": ()}
    lines = []
    for model in shown:
        mine = rows.filter(model=model).with_columns(year=pl.col("period").str.slice(0, 4))
        parts = [mine.filter(pl.col("year").is_in(years)) if years else mine for years in stretches.values()]
        errors = [f"{np.mean([judge.rmse(at) for _, at in part.group_by('horizon')]):.2f}" for part in parts]
        held = metrics.coverage(parts[2].select(QUANTILES).to_numpy(), parts[2]["outcome"].to_numpy(), 80)
        lines.append([model, *errors, f"{100 * held:.0f}"])
    return str(page.grid(["model", *stretches, "80 % band"], lines))


if __name__ == "__main__":
    main()
