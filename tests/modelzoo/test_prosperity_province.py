"""The synthetic province, whose turning points are known by construction: every index finds them. Run alone, it prints how many."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np
import provincial
import pytest

from engine import turning
from engine.calendar import Period, end_of
from engine.matching import Matching, match
from engine.model import Model
from engine.panel import Panel
from engine.turning import Kind, Oecd, Turn, Turns
from featurestore.panel import build_panel
from modelzoo.prosperity.cli import Cli
from modelzoo.prosperity.composite import Composite
from modelzoo.prosperity.conference import Conference
from modelzoo.prosperity.diffusion import Diffusion
from modelzoo.prosperity.factor import Factor
from modelzoo.prosperity.history import Historied, History

REF = "ind_va_yoy@SYN-33"
CO = tuple(
    f"{i}@SYN-33"
    for i in (
        "ind_va_yoy",
        "retail_yoy",
        "elec_total_yoy",
        "svc_revenue_yoy_ytd",
        "export_yoy_ytd",
        "fai_yoy_ytd",
        "fiscal_general_rev_yoy_ytd",
        "ind_profit_yoy_ytd",
    )
)
POOL = (*CO, *(f"{i}@SYN-33" for i in ("loans_yoy", "deposits_yoy", "zj_mfg_pmi", "ppi_yoy", "enterprise_boom")))


@cache
def panel() -> Panel:
    """What was known of the province at the end of 2025."""
    return build_panel(provincial.store(), POOL, end_of(date(2025, 12, 31)))


def found(model: Model) -> tuple[History, Matching]:
    """The index, and its turns held against those of the hidden cycle within its months."""
    fitted = model.fit(panel())
    assert isinstance(fitted, Historied)
    history = fitted.history(panel())
    turns = provincial.province().truth.turning.select("kind", "period").iter_rows()
    rows = [(p - history.first.ordinal, Kind(kind)) for kind, p in turns]
    true = tuple(Turn(row, kind) for row, kind in rows if 0 <= row < len(history.parts))
    hidden = Turns(true, 0, len(history.parts) - 1)
    return history, match(hidden, turning.date(history.values, Oecd()))


@pytest.mark.parametrize(
    ("model", "hits", "extra", "lead"),
    [
        (Conference("coincident@SYN-33", CO), 11, 0, (-2, 4)),
        (Composite("coincident@SYN-33", CO), 11, 0, (-2, 4)),
        (Composite("coincident@SYN-33", POOL, reference=REF), 11, 0, (-2, 5)),
        (Composite("leading@SYN-33", POOL, reference=REF), 11, 0, (4, 9)),
        (Cli("leading@SYN-33", POOL, REF), 11, 0, (4, 9)),
        (Diffusion("coincident@SYN-33", CO, span=6, form="cumulative"), 10, 0, (-4, 3)),
        (Factor("coincident@SYN-33", CO), 10, 1, (-2, 5)),
    ],
    ids=lambda v: f"{type(v).__name__} {v.targets[0]}" if hasattr(v, "targets") else None,
)
def test_hidden_turns_are_found(model: Model, hits: int, extra: int, lead: tuple[int, int]) -> None:
    history, pairs = found(model)
    print(f"\n{type(model).__name__} {history.target}: {len(pairs.pairs)} of {pairs.targeted}, {len(pairs.extra)} extra, "
          f"median lead {pairs.median} months")  # fmt: skip
    assert pairs.targeted == 11
    assert len(pairs.pairs) >= hits
    assert len(pairs.extra) <= extra
    assert pairs.median is not None
    assert lead[0] <= pairs.median <= lead[1]


def test_january_is_carried_where_it_is_never_published() -> None:
    """Industrial output of January and February is one figure, published for February: January stands as December did."""
    history, _ = found(Conference("coincident@SYN-33", CO))
    january = Period.parse("2019-01")
    assert history.mark(january)[REF] == 1
    assert REF not in history.mark(january + 1)
    assert history.contribution(january)[REF] == 0.0


def test_a_leading_index_leads_the_coincident_one() -> None:
    leading, _ = found(Composite("leading@SYN-33", POOL, reference=REF))
    coincident, _ = found(Composite("coincident@SYN-33", POOL, reference=REF))
    a, b = np.log(leading.values), np.log(coincident.values)
    n = min(len(a), len(b))
    months = range(-12, 13)
    a, b = a[:n] - np.poly1d(np.polyfit(range(n), a[:n], 1))(range(n)), b[:n]
    correlations = [np.corrcoef(a[12 - k : n - 12 - k], b[12 : n - 12])[0, 1] for k in months]
    assert 2 <= months[int(np.argmax(correlations))] <= 9
