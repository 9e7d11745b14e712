"""News for 2016-Q3 between the vintages of 2016-06-29 and 2016-07-29: 25 series, four blocks.

Both sides go from parameters and two panels to the table of releases and revisions.
"""

import sys
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import peers  # isort: skip
import nyfed
import pandas as pd

from engine.calendar import Period
from engine.news import news
from modelzoo.nowcast.dfm import Dfm


def main() -> None:
    old, new = nyfed.panels()
    fitted = Dfm("gdpc1@US", nyfed.blocks(), iterations=1000).fit(old)
    period = Period.parse("2016-Q3")
    model, start = peers.nyfed_model(old, nyfed.blocks())
    monthly, quarterly = peers.frames(new)

    def theirs() -> object:
        before = model.smooth(start)
        after = before.apply(monthly, endog_quarterly=quarterly, copy_initialization=True)
        return after.news(before, impact_date=pd.Period("2016-09", "M")).summary_details()

    result = peers.race(lambda: news(fitted, fitted, old, new, period), theirs, 7, 10)
    peers.report("news", result, f"statsmodels-{version('statsmodels')}")


if __name__ == "__main__":
    main()
