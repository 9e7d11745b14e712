"""One model for many regions: each learns and reads as it would alone, and one with too little data is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.errors import BadInput, NotEnoughData, NotReady
from engine.indicator import split_id
from modelzoo import bundle, telling, zoo
from modelzoo.regions.each import Each
from tests.modelzoo.test_warning_province import known

REGIONS = ("SYN-33", "SYN-3301", "SYN-3302")
OPTIONS: dict[str, Any] = {
    "regions": REGIONS, "model": "warning.lights", "own": {"SYN-33??": {"items": "zhejiang_city"}},
}  # fmt: skip


def each(**more: Any) -> Each:
    model = zoo.about("regions.each", "warning@SYN-33", OPTIONS | more)
    assert isinstance(model, Each)
    return model


def test_each_region_reads_as_its_model_alone() -> None:
    panel, model = known(2022, 6, 30), each()
    fitted = model.fit(panel)
    periods = telling.newest(fitted, panel, 6)
    told = telling.tell(fitted, panel, periods)
    assert set(told["unit"]) == set(REGIONS)
    for region, one in model.models.items():
        alone = one.fit(panel.select(one.inputs))
        said = telling.tell(alone, panel.select(one.inputs), periods)
        assert told.filter(pl.col("unit") == region).equals(said)
    own = model.models["SYN-33"].fit(panel).estimate(panel, periods)
    assert np.array_equal(fitted.estimate(panel, periods).mean, own.mean)
    assert len(model.models["SYN-33"].inputs) != len(model.models["SYN-3301"].inputs)
    assert model.names


def test_it_is_kept_as_a_bundle_and_by_its_options(tmp_path: Path) -> None:
    panel, model = known(2022, 6, 30), each()
    assert zoo.make("regions.each", zoo.given_options(model)) == model
    fit = bundle.fit(model, panel)
    series = tuple(panel.meaning(i) for i in model.inputs)
    bundle.save(tmp_path / "b", bundle.Bundle("regions.each", model, (fit,), series))
    again = bundle.load(tmp_path / "b").fits[0].fitted
    periods = telling.newest(again, panel, 3)
    assert telling.tell(again, panel, periods).equals(telling.tell(fit.fitted, panel, periods))


def test_a_region_with_too_little_data_is_left_out_and_said() -> None:
    panel, model = known(2022, 6, 30), each()
    gone = [i for i in model.inputs if split_id(i)[1] == "SYN-3301"]
    poor = panel.with_values(gone, np.full((panel.months, len(gone)), np.nan))
    fitted = model.fit(poor)
    assert set(fitted.fitted) == {"SYN-33", "SYN-3302"}
    periods = telling.newest(fitted, poor, 2)
    assert set(telling.tell(fitted, poor, periods)["unit"]) == {"SYN-33", "SYN-3302"}
    other = zoo.about("regions.each", "warning@SYN-3301", OPTIONS)
    with pytest.raises(NotReady, match="SYN-3301"):
        other.fit(poor).estimate(poor, periods)
    nothing = panel.with_values(panel.ids, np.full((panel.months, len(panel.ids)), np.nan))
    with pytest.raises(NotEnoughData, match="SYN-3302"):
        model.fit(nothing)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"regions": ("SYN-3301",)}, "needs its own region"),
        ({"regions": ("SYN-33", "SYN-33")}, "each of them once"),
        ({"own": {"CN-??": {}}}, "none of the regions is CN-"),
        ({"options": {"nonsense": 1}}, "nonsense"),
    ],
)
def test_what_cannot_be_used_is_named(more: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        each(**more)


def test_a_place_holder_stands_for_the_region() -> None:
    components = ["gdp_yoy_ytd@{region}", "elec_total_ytd@{region}"]
    options = {"regions": REGIONS, "model": "prosperity.diffusion", "options": {"components": components}}
    model = zoo.about("regions.each", "growth@SYN-33", options)
    assert model.inputs[:3] == ("gdp_yoy_ytd@SYN-33", "elec_total_ytd@SYN-33", "gdp_yoy_ytd@SYN-3301")
