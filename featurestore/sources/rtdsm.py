"""Real output of the United States by quarterly vintages: the Philadelphia Fed's Real-Time Data Set for Macroeconomists (ROUTPUT).

PATH is a CSV file in delta code with the columns area, period, vintage and value, of whatever vintages. A vintage is known on its
day, by the convention of the data set the 15th of the quarter's middle month, when the first estimate of the quarter before is
out. Levels change base with time: growth is taken within what was known on one day. Source: Croushore & Stark (2001), "A real-time
data set for macroeconomists", Journal of Econometrics 105(1).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from featurestore.sources import Load
from featurestore.sources.vintages import Vintages, releases

TARGET = "gdp_rt@US"
_HOW = Vintages(source="philadelphia-fed", release="rtdsm", series_column="area")


def loads(path: Path) -> Iterator[Load]:
    """One release a vintage, oldest first. Raises BadInput for a file of another form or another area than US."""
    return releases(path, _HOW, {"US": TARGET}, b"rtdsm")
