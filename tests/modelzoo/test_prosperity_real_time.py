"""Indices on the two real vintages of the New York Fed's example: growth rates, changes and balances, quarterly series, ragged."""

from __future__ import annotations

import numpy as np
import nyfed
import pytest

from engine.calendar import Period
from engine.errors import NotEnoughData
from engine.panel import Panel
from modelzoo import bundle
from modelzoo.prosperity.composite import Composite
from modelzoo.prosperity.conference import Conference
from modelzoo.prosperity.diffusion import Diffusion
from modelzoo.prosperity.factor import Factor
from modelzoo.prosperity.history import Historied, History
from modelzoo.prosperity.measure import CARRIED, GROWTH, MISSING, RATE, STEP

CO = ("payems@US", "indpro@US", "dspic96@US", "rsafs@US")
JUNE = Period.parse("2016-06")


def panels() -> tuple[Panel, Panel]:
    found: tuple[Panel, Panel] = nyfed.panels()
    return found


def history(model: Composite | Conference | Diffusion | Factor, panel: Panel) -> History:
    fitted = model.fit(panel)
    assert isinstance(fitted, Historied)
    return fitted.history(panel)


@pytest.mark.parametrize(
    "model",
    [Factor("coincident@US", CO), Composite("coincident@US", CO), Conference("coincident@US", CO, base="2012")],
    ids=lambda m: type(m).__name__,
)
def test_coincident_index_of_two_vintages(
    model: Factor | Composite | Conference, tmp_path_factory: pytest.TempPathFactory
) -> None:
    old, new = panels()
    then, now = history(model, old), history(model, new)
    assert str(then.last) == "2016-05"
    assert now.last == JUNE
    change = now.contribution(JUNE)
    assert sum(change.values()) == pytest.approx(now.values[-1] - now.values[-2], abs=1e-10)
    assert now.mark(JUNE) == ({"dspic96@US": CARRIED if not isinstance(model, Factor) else MISSING})
    if not isinstance(model, Composite):  # whose trend hangs on which cycle was the last
        moved = np.abs(np.log(now.values[len(then.values) - 1] / then.values[-1]))
        assert moved < 0.02
    recession = then.values[Period.parse("2007-12") - then.first : Period.parse("2009-06") - then.first + 1]
    assert recession[-1] < recession[0]
    kept = bundle.Bundle(
        f"prosperity.{type(model).__name__.lower()}", model, (bundle.fit(model, old),),
        tuple(old.meaning(i) for i in model.inputs),
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("bundle") / "index"
    bundle.save(folder, kept)
    again = bundle.load(folder).fits[0].fitted.estimate(old.select(model.inputs), [then.last])
    assert again.mean[0] == then.values[-1]


def test_columns_are_what_the_catalogue_says() -> None:
    old, _ = panels()
    ids = ("indpro@US", "payems@US", "gacdisa066msfrbny@US", "gdpc1@US")
    model = Conference("leading@US", ids)
    fitted = model.fit(old)
    assert fitted.chosen.measures.tolist() == [GROWTH, STEP, RATE, GROWTH]


def test_a_quarterly_component_runs_on_a_line_between_the_middles_of_quarters() -> None:
    old, _ = panels()
    fitted = Diffusion("coincident@US", ("gdpc1@US", "payems@US")).fit(old)
    data = fitted.chosen.measured(fitted.chosen.columns(old))
    level = np.exp(data.levels[:, 0])
    row = Period.parse("2015-11") - data.first  # the middle of 2015-Q4
    growth = old.matrix(["gdpc1@US"])[old.row(Period.parse("2015-Q4")), 0]
    assert 100.0 * (np.prod((level[row] / level[row - 3]) ** 4) - 1.0) == pytest.approx(growth, abs=1e-9)
    steps = np.diff(data.levels[row - 3 : row + 1, 0])
    np.testing.assert_allclose(steps, steps[0], atol=1e-12)
    assert fitted.history(old).mark(Period.parse("2016-03")) == {"gdpc1@US": CARRIED}
    assert fitted.history(old).mark(Period.parse("2015-12")) == {}


def test_an_index_of_a_month_that_has_not_come_is_refused() -> None:
    old, _ = panels()
    fitted = Conference("coincident@US", CO).fit(old)
    with pytest.raises(NotEnoughData, match=r"2016-09 is outside of the months .* … 2016-05"):
        fitted.estimate(old, [Period.parse("2016-09")])
