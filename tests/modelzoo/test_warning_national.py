"""The warning index on China's national months: the episodes of 2008, 2015 and 2020, each with what was known by then."""

from __future__ import annotations

import csv
from functools import cache

import numpy as np
import pytest
import warned

from engine.calendar import Period
from engine.indicator import Region
from engine.lights import Light, Lights
from engine.panel import Panel
from modelzoo.warning import rules
from modelzoo.warning.lights import CompositeLights
from modelzoo.warning.rules import Item

FOLDER = warned.GOLDEN.parent / "data/china_national_monthly"
ABSENT = "" if FOLDER.is_dir() else "needs ../shared/data/china_national_monthly (internal)"
pytestmark = pytest.mark.skipif(bool(ABSENT), reason=ABSENT)

NATION = {
    "ind_va_yoy": ("IVA", "as is"), "retail_yoy": ("TRS", "growth"), "trade_total_ytd": ("IEV", "growth"),
    "fiscal_general_rev_yoy_ytd": ("PUR", "growth"), "ind_profit_yoy_ytd": ("IET", "growth"),
    "loans_yoy": ("FIL", "as is"), "deposits_yoy": ("MTW", "as is"), "cpi_yoy": ("CPI", "as is"),
}  # fmt: skip
"""The ten items without income (quarterly elsewhere) and investment, whose published growth its levels do not give."""

WEIGHT = {i.id: i.weight for i in rules.load("zhejiang")[0]}
ITEMS = tuple(
    Item(code, WEIGHT[ours], form=form, side="both" if code == "CPI" else "high")  # type: ignore[arg-type]
    for ours, (code, form) in NATION.items()
)
MODEL = CompositeLights("warning@CN", ITEMS, years=5)


@cache
def nation() -> Panel:
    """The months to 2023-02 of one vintage, each taken as known at its end."""
    with (FOLDER / "monthly_long.csv").open(encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["code"] in MODEL_CODES and r["value"]]
    first, last = Period.parse("1999-01"), Period.parse("2023-02")
    columns = {i.id: np.full(last - first + 1, np.nan) for i in ITEMS}
    for r in rows:
        t = Period.parse(r["period"]) - first
        if 0 <= t < len(columns["CPI"]):
            columns[r["code"]][t] = float(r["value"])
    made: Panel = warned.panel(columns, "1999-01", Region("CN", "China", "中国"))
    return made


MODEL_CODES = {i.id for i in ITEMS}


def then(month: str) -> Lights:
    """The lights as they would have been at the end of the month after, with thresholds learned by then."""
    panel = warned.until(nation(), Period.parse(month))
    return MODEL.fit(panel).lights(panel)


@pytest.mark.parametrize(("before", "after"), [("2007-12", "2009-02"), ("2010-12", "2015-09"), ("2019-12", "2020-03")])
def test_the_episodes_are_found_with_what_was_known_by_then(before: str, after: str) -> None:
    hot, cold = then(before), then(after)
    assert hot.index[-1] > cold.index[-1] + 20
    assert cold.light[-1] <= Light.LIGHT_BLUE, f"{after}: {cold.index[-1]:.1f}"
    assert hot.light[-1] >= Light.GREEN


def test_what_was_published_of_2007_and_2008() -> None:
    """December 2007 was yellow; April 2008 was green at 110.7, with prices yellow. Eight of the ten items, our thresholds."""
    assert then("2007-12").light[-1] == Light.YELLOW
    april = then("2008-04")
    assert april.light[-1] == Light.GREEN
    assert april.index[-1] == pytest.approx(110.7, abs=5)
    assert april.scores[-1, [i.id for i in ITEMS].index("CPI")] >= Light.YELLOW


def test_all_of_a_past_that_is_gone_is_no_measure() -> None:
    """Growth fell for a decade: thresholds learned from all years since 2000 are blue even in the calm of 2018."""
    month = Period.parse("2018-06")
    panel = warned.until(nation(), month)
    whole = CompositeLights("warning@CN", ITEMS, since="2000-01").fit(panel)
    recent = MODEL.fit(panel)
    assert whole.lights(panel, [month]).light[0] == Light.BLUE
    assert recent.lights(panel, [month]).light[0] > Light.BLUE
    assert (str(recent.first), str(recent.last)) == ("2013-01", "2017-12")
