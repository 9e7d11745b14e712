"""The autoregression on a sample that begins with a month."""

from __future__ import annotations

import numpy as np
import nyfed
import pytest

from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData
from modelzoo.nowcast.ar import Ar


def test_since_leaves_earlier_values_out() -> None:
    old, _ = nyfed.panels()
    panel = old.select(["gdpc1@US"])
    cut = panel.row(Period.parse("1996-Q1"))
    values = panel.matrix(["gdpc1@US"])
    values[:cut] = np.nan
    alone = panel.with_values(["gdpc1@US"], values)
    assert Ar("gdpc1@US", since="1996-01").fit(panel).equation.sigma == Ar("gdpc1@US").fit(alone).equation.sigma
    assert Ar("gdpc1@US", since="1900-01").fit(panel).equation.sigma == Ar("gdpc1@US").fit(panel).equation.sigma
    with pytest.raises(NotEnoughData):
        Ar("gdpc1@US", since="2016-01").fit(panel)
    with pytest.raises(BadInput, match="a month"):
        Ar("gdpc1@US", since="1996")
