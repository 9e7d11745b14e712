"""All models against all checks, on the two real vintages. A model that no case names fails the test."""

from __future__ import annotations

from datetime import date

import nyfed
import provincial
import pytest

from engine.calendar import Period, end_of
from engine.model import Model
from engine.panel import Panel
from featurestore.panel import build_panel
from modelzoo.checks import CHECKS, Check
from modelzoo.nowcast.ar import Ar
from modelzoo.nowcast.boosting import Boosting
from modelzoo.nowcast.bridge import Bridge
from modelzoo.nowcast.bridges import Bridges
from modelzoo.nowcast.bvar import Bvar
from modelzoo.nowcast.dfm import Dfm
from modelzoo.nowcast.elastic import Elastic
from modelzoo.nowcast.midas import Midas
from modelzoo.nowcast.naive import Naive
from modelzoo.nowcast.pool import Member, Pool
from modelzoo.nowcast.umidas import Umidas
from modelzoo.nowcast.walk import Walk
from modelzoo.nowcast.without import Without
from modelzoo.nowcast.ytd import Ytd
from modelzoo.zoo import names

FEW = ("gdpc1@US", "payems@US", "indpro@US", "rsafs@US", "houst@US", "gacdisa066msfrbny@US")
MANY = ("ulcnfb@US", *FEW[1:], "unrate@US", "cpiaucsl@US", "tcu@US")  # quarterly and monthly, rates and levels
CRISIS = (("2008-09", "2009-06"),)
CASES: dict[str, tuple[Model, ...]] = {
    "nowcast.naive": (Naive("gdpc1@US"), Naive("indpro@US")),
    "nowcast.ar": (Ar("gdpc1@US"), Ar("indpro@US", 0), Ar("gdpc1@US", since="1996-01")),
    "nowcast.bridge": (Bridge("gdpc1@US", ("indpro@US", "payems@US")),),
    "nowcast.walk": (Walk("gdpc1@US"), Walk("indpro@US", "drift", since="1990-01")),
    "nowcast.bridges": (
        Bridges("gdpc1@US", MANY, lags=2, weights="bic"),
        Bridges("rsafs@US", MANY[:3], weights="equal", select="hard"),
    ),
    "nowcast.umidas": (
        Umidas("gdpc1@US", MANY[1:]),
        Umidas("gdpc1@US", MANY[:3], lags=3, joint=True, since="1990-01"),
        Umidas("rsafs@US", MANY[:3], lags=2),
    ),
    "nowcast.midas": (Midas("gdpc1@US", MANY[1:]), Midas("rsafs@US", MANY[:3], "beta", lags=6, since="1990-01")),
    "nowcast.elastic": (
        Elastic("gdpc1@US", MANY, lags=2, select="soft"),
        Elastic("rsafs@US", MANY[:3], form="months", since="1990-01"),
    ),
    "nowcast.boosting": (Boosting("gdpc1@US", MANY), Boosting("rsafs@US", MANY[:3], 2, "months", 40, since="1995-01")),
    "nowcast.bvar": (Bvar("gdpc1@US", MANY), Bvar("rsafs@US", MANY[:3], 1, tightness=0.2, since="1990-01")),
    "nowcast.dfm": (
        Dfm("gdpc1@US", {"global": FEW, "labor": ("payems@US", "unrate@US", "jtsjol@US")}, since="1992-01"),
        Dfm("gdpc1@US", {"global": FEW}, since="2000-01", loadings="components"),
        Dfm("indpro@US", {"global": FEW}, order=2, tolerance=1e-4),
        Dfm("gdpc1@US", {"global": FEW}, since="1992-01", outliers=4.0, tolerance=1e-4),
        Dfm("gdpc1@US", {"global": FEW}, since="1992-01", outliers=4.0, loadings="components", tolerance=1e-3, draws=3),
        Dfm("gdpc1@US", {"global": (FEW[0], *MANY[1:])}, factors=0, since="1992-01", tolerance=1e-4),
    ),
    "nowcast.pool": (
        Pool(
            "gdpc1@US",
            {
                "ar": Member("nowcast.ar"),
                "bridge": Member("nowcast.bridge", {"indicators": ["indpro@US", "payems@US"]}),
                "naive": Member("nowcast.naive"),
            },
        ),
    ),
    "nowcast.without": (
        Without("gdpc1@US", Member("nowcast.ar"), (("2008-09", "2009-06"), ("2001-03", "2001-11"))),
        Without("gdpc1@US", Member("nowcast.dfm", {"blocks": {"global": FEW}, "since": "1992-01"}), CRISIS),
        Without("gdpc1@US", Member("nowcast.bvar", {"indicators": MANY}), CRISIS),
    ),
    "nowcast.ytd": (
        Ytd("gdp_yoy_ytd@SYN-33", "gdp_ytd@SYN-33", "nowcast.ar"),
        Ytd("gdp_yoy_ytd@SYN-33", "gdp_ytd@SYN-33", "nowcast.bridge", {"indicators": ["elec_total_yoy@SYN-33"]}),
    ),
}


def test_every_model_of_the_zoo_has_a_case() -> None:
    assert set(CASES) == {n for n in names() if n.startswith("nowcast.")}


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("model", [m for models in CASES.values() for m in models], ids=lambda m: repr(m)[:28])
def test_model_keeps(model: Model, check: Check) -> None:
    check(model, *case(model))


def case(model: Model) -> tuple[Panel, Panel, Period]:
    """A panel, a later one, and a period that neither has published."""
    if model.targets[0].endswith("@SYN-33"):  # between the third quarter's release and the fourth's
        read = (*model.inputs, "ppi_yoy@SYN-33")
        days = (date(2023, 10, 31), date(2024, 1, 12))
        old, new = (build_panel(provincial.store(), read, end_of(day)) for day in days)
        return old, new, Period.parse("2023-Q4")
    old, new = nyfed.panels()
    return old, new, Period.parse("2016-Q3" if model.targets[0] == "gdpc1@US" else "2016-09")
