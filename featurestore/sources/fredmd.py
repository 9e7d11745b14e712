"""Vintages of FRED-MD, the monthly database of the Federal Reserve Bank of St. Louis: a folder that holds them in delta code.

PATH is a folder with ``fred_md_vintages.parquet`` (columns series, period, vintage, value), or such a file, of whatever vintages. A
vintage counts as known on the last day of its month: the exact days are not on record. Source: McCracken & Ng (2016), "FRED-MD: A
Monthly Database for Macroeconomic Research", Journal of Business & Economic Statistics 34(4).

Ids are ``fm_`` and the mnemonic, ``fm_payems@US``: ``payems@US`` is the same figure as the New York Fed had it on exact days, and
two histories under one id would be neither. The steps of the catalogue follow the transformation codes of the database:

==== ============================ ==== ==================================================================================
1    level                        lin
2    change                       chg
4    log                          lin  of starts and permits: stationary as they are; where models scale, the log adds little
5    change of the log            pch
6    second change of the log     pch  inflation and money growth: the second change is mostly noise and revision
7    change of the growth rate    pch  non-borrowed reserves: no growth rate where they were negative, in 2008
==== ============================ ==== ==================================================================================

The four producer prices that were renamed in 2016 go on under the old name; unadjusted consumer prices, which stood in for two
adjusted ones from 2015 to 2017, are series of their own. What the catalogue does not know is left out with a warning: the database
gains a column now and then.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl

from engine.errors import BadInput
from featurestore import catalogue
from featurestore.sources import Load, mapping
from featurestore.sources.vintages import Vintages, releases

FILE = "fred_md_vintages.parquet"
STEPS = {1: "lin", 2: "chg", 4: "lin", 5: "pch", 6: "pch", 7: "pch"}
"""From transformation codes to steps."""
RENAMED = {"WPSFD49207": "PPIFGS", "WPSFD49502": "PPIFCG", "WPSID61": "PPIITM", "WPSID62": "PPICRM"}
_HOW = Vintages(source="st-louis-fed", release="fred-md", known="month_end", precision="month")


def series_id(mnemonic: str) -> str:
    """``fm_payems@US``, ``fm_s_p_500@US``; of a renamed series that of its first name.

    >>> series_id("WPSID61")
    'fm_ppiitm@US'
    """
    return f"fm_{re.sub('[^a-z0-9]+', '_', RENAMED.get(mnemonic, mnemonic).lower())}@US"


def loads(path: Path) -> Iterator[Load]:
    """One release a vintage, oldest first. Raises BadInput for a file of another form; warns of what is left out."""
    file = path / FILE if path.is_dir() else path
    mapping.content_of(file)
    try:
        names = pl.read_parquet(file, columns=["series"])["series"].drop_nulls().unique().sort().to_list()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadInput(f"no vintages of FRED-MD: {str(error).splitlines()[0]}", file=str(file)) from None
    measured = catalogue.load().measured
    strange = tuple(n for n in names if "US" not in measured.get(series_id(n).removesuffix("@US"), ()))
    if strange:
        warnings.warn(f"left out of {file.name}, as not in the catalogue: {', '.join(strange)}", stacklevel=2)
    return releases(file, replace(_HOW, ignore=strange), {n: series_id(n) for n in names}, ",".join(strange).encode())
