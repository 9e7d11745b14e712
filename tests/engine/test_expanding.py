"""Out of sample by expanding window: each origin sees its own panel, fits age, refusals are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
import warned

from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData
from engine.estimate import Estimate
from engine.expanding import expanding
from engine.model import State
from engine.panel import Panel


@dataclass(frozen=True)
class Mean:
    """Says the mean of the months that it was fitted to; refuses below 20 of them."""

    fits: list[str] = field(default_factory=list)
    targets: tuple[str, ...] = ("x@X",)
    inputs: tuple[str, ...] = ("x@X",)

    def fit(self, panel: Panel) -> Told:
        self.fits.append(str(panel.last))
        if panel.months < 20:
            raise NotEnoughData(f"{panel.months} months")
        return Told(float(panel.matrix(["x@X"]).mean()))

    def restore(self, state: State) -> Told:
        return Told(float(state["mean"][0]))


@dataclass(frozen=True)
class Told:
    mean: float

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        return Estimate.normal("x@X", panel.asof, periods, np.full(len(periods), self.mean), np.zeros(len(periods)))

    def state(self) -> State:
        return {"mean": np.array([self.mean])}


def test_each_origin_sees_its_own_panel() -> None:
    whole = warned.panel({"x": np.arange(40.0)})
    panels = [warned.until(whole, whole.first + t) for t in range(17, 26)]
    model = Mean()
    said = expanding(model, panels, lambda p: p.last + 1, every=3)
    assert [str(p) for p in said.periods[:2]] == ["2011-07", "2011-08"]
    assert np.isnan(said.mean[:2]).all()
    assert said.mean[2:].tolist() == [9.5, 9.5, 9.5, 11.0, 11.0, 11.0, 12.5]
    assert said.refused == (("2011-06-30", "18 months"), ("2011-07-31", "19 months"))
    assert model.fits == ["2011-06", "2011-07", "2011-08", "2011-11", "2012-02"]
    with pytest.raises(BadInput, match="origins run forward"):
        expanding(Mean(), panels[::-1], lambda p: p.last)
