"""All prosperity models against all checks of an index, on US months. A model that no case names fails the test."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import indices
import numpy as np
import pytest

from engine.calendar import Period
from engine.model import Model
from engine.panel import Panel
from modelzoo.checks_index import CHECKS, Check
from modelzoo.prosperity.cli import Cli
from modelzoo.prosperity.composite import Composite
from modelzoo.prosperity.conference import Conference
from modelzoo.prosperity.diffusion import Diffusion
from modelzoo.prosperity.factor import Factor
from modelzoo.zoo import names

pytestmark = pytest.mark.skipif(bool(indices.ABSENT), reason=indices.ABSENT)

CO = ("payems@US", "w875rx1@US", "indpro@US")
LEAD = ("awhman@US", "houst@US", "m2sl@US", "isratio@US")
POOL = (*CO, *LEAD, "unrate@US", "uempmean@US", "gs10@US", "cpiaucsl@US")
LAG = ("busloans@US", "uempmean@US", "unrate@US")
CASES: dict[str, tuple[Model, ...]] = {
    "prosperity.cli": (
        Cli("leading@US", LEAD, "indpro@US", ("isratio@US",), select=False),
        Cli("leading@US", LEAD, "indpro@US", ("isratio@US",), select=False, form="trend"),
        Cli("leading@US", LEAD, "indpro@US", ("isratio@US",), select=False, form="rate"),
        Cli("leading@US", POOL, "indpro@US", form="trend"),
    ),
    "prosperity.composite": (
        Composite("coincident@US", CO, base="2010", weights=(1.0, 2.0, 1.5)),
        Composite("lagging@US", LAG, CO, ("uempmean@US", "unrate@US")),
        Composite("leading@US", POOL, reference="indpro@US"),
    ),
    "prosperity.conference": (
        Conference("coincident@US", POOL, reference="indpro@US"),
        Conference("coincident@US", CO),
        Conference("leading@US", (*LEAD, "gs10@US"), CO, ("isratio@US",), base="2010"),
    ),
    "prosperity.diffusion": (
        Diffusion("coincident@US", (*CO, "unrate@US"), ("unrate@US",)),
        Diffusion("leading@US", LEAD, ("isratio@US",), weights=(1, 2, 3, 4), span=6, smooth=3),
        Diffusion("leading@US", POOL, reference="indpro@US"),
        Diffusion("lagging@US", LAG, ("uempmean@US",), form="cumulative", span=3),
    ),
    "prosperity.factor": (
        Factor("coincident@US", (*CO, "unrate@US"), ("unrate@US",), tolerance=1e-5),
        Factor("coincident@US", POOL, reference="indpro@US", base="2010", tolerance=1e-5),
    ),
}


@cache
def panels() -> tuple[Panel, Panel]:
    """1986 to 2019-06, and to 2019-08 half a year later; the last month of one series is not yet there, nor one inside."""
    whole = indices.us("1986-01", "2019-08")
    ids = whole.ids
    values = whole.matrix(ids)
    values[-1, ids.index("busloans@US")] = np.nan
    values[100, ids.index("indpro@US")] = np.nan
    old = values[:-2].copy()
    old[-1, ids.index("w875rx1@US")] = np.nan
    first = indices.panel("1986-01", old, whole.series)
    return first, indices.panel("1986-01", values, whole.series, first.asof + timedelta(days=180))


def test_every_index_of_the_zoo_has_a_case() -> None:
    assert set(CASES) == {n for n in names() if n.startswith("prosperity.")}


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("model", [m for models in CASES.values() for m in models], ids=lambda m: repr(m)[:40])
def test_index_keeps(model: Model, check: Check) -> None:
    check(model, *panels())


def test_panels_are_ragged() -> None:
    old, new = panels()
    assert old.last == Period.parse("2019-06")
    assert np.isnan(old.matrix(["w875rx1@US"])[-1, 0])
    assert np.isnan(new.matrix(["busloans@US"])[-1, 0])
