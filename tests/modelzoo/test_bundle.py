"""A bundle comes back to the last bit, or one error names the file."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.calendar import Freq, Period, end_of
from engine.errors import BadInput, NotReady, Unknown
from engine.indicator import Indicator, Made, Region, Series
from engine.panel import AXIS, Panel, empty_known
from modelzoo import bundle, zoo

US = Region("US", "United States", "美国")
GDP = Series(
    Indicator(
        "gdpc1", "Real GDP", "实际国内生产总值", Freq.Q, "USD bn", "% annualised", "pca", "growth", 28, "BEA", "x"
    ),
    US,
)


def panel(day: date, seed: int = 0, quarters: int = 40) -> Panel:
    values = np.full(3 * quarters, np.nan)
    values[2::3] = np.random.default_rng(seed).normal(2, 1, quarters)
    months = np.arange(quarters * 3, dtype=np.int32) + 2006 * 12
    frame = pl.DataFrame({AXIS: months, GDP.id: pl.Series(values).fill_nan(None)})
    return Panel.of_frames(end_of(day), (GDP,), frame, empty_known(frame, end_of(day)))


DAYS = (date(2016, 6, 29), date(2016, 7, 29))


@pytest.fixture
def two_days() -> bundle.Bundle:
    model = zoo.make("nowcast.naive", {"target": GDP.id})
    return bundle.Bundle(
        "nowcast.naive", model, tuple(bundle.fit(model, panel(d, i)) for i, d in enumerate(DAYS)), (GDP,)
    )


def test_round_trip_to_the_last_bit(two_days: bundle.Bundle, tmp_path: Path) -> None:
    bundle.save(tmp_path / "b", two_days)
    back = bundle.load(tmp_path / "b")
    assert (back.name, back.model, back.series) == (two_days.name, two_days.model, two_days.series)
    for old, new in zip(two_days.fits, back.fits, strict=True):
        assert (old.asof, old.timing, old.panel_digest) == (new.asof, new.timing, new.panel_digest)
        assert bundle.digest(old.fitted.state()) == bundle.digest(new.fitted.state())
        periods = [Period.parse("2016-Q2"), Period.parse("2016-Q3")]
        a, b = (f.fitted.estimate(panel(DAYS[1], 5), periods) for f in (old, new))
        assert a.mean.tobytes() == b.mean.tobytes()
        assert a.quantiles.tobytes() == b.quantiles.tobytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b"], "a draft was left behind"


def test_how_a_column_was_made_comes_back_and_what_is_published_stands_as_it_always_did(
    two_days: bundle.Bundle, tmp_path: Path
) -> None:
    made = Made("gdpc1 | two_year", 2, "ab" * 32)
    bundle.save(tmp_path / "made", replace(two_days, series=(replace(GDP, made=made),)))
    assert bundle.load(tmp_path / "made").series[0].made == made
    bundle.save(tmp_path / "plain", two_days)
    said = json.loads((tmp_path / "plain" / "model.json").read_text(encoding="utf-8"))
    assert list(said["series"][0]) == ["indicator", "region"]  # as bundles were before there were features
    assert bundle.load(tmp_path / "plain").series == (GDP,)


def test_the_fit_of_a_day_was_never_learned_later(two_days: bundle.Bundle) -> None:
    assert two_days.fit_for(end_of(date(2016, 7, 28))).asof == end_of(DAYS[0])
    assert two_days.fit_for(end_of(DAYS[1])).asof == end_of(DAYS[1])
    with pytest.raises(NotReady, match="2016-06-29, after 2016-06-28"):
        two_days.fit_for(end_of(date(2016, 6, 28)))


def test_fits_of_one_day_or_in_the_wrong_order_are_refused(two_days: bundle.Bundle) -> None:
    with pytest.raises(BadInput, match="oldest first"):
        bundle.Bundle(two_days.name, two_days.model, two_days.fits[::-1], (GDP,))
    with pytest.raises(BadInput, match="meaning of each input"):
        bundle.Bundle(two_days.name, two_days.model, two_days.fits, ())


def test_a_saved_bundle_is_not_written_over(two_days: bundle.Bundle, tmp_path: Path) -> None:
    bundle.save(tmp_path / "b", two_days)
    with pytest.raises(BadInput, match="do not change"):
        bundle.save(tmp_path / "b", two_days)


def _one_bit(file: Path) -> None:
    with np.load(file) as arrays:
        state = {k: arrays[k].copy() for k in arrays.files}
    first = state[next(iter(state))].reshape(-1)
    first[0] = np.nextafter(first[0], np.inf) if first.dtype == np.float64 else first[0] + 1
    np.savez(file, **state)


@pytest.mark.parametrize(
    ("name", "break_it"),
    [
        ("fits/2016-06-29.npz", _one_bit),
        ("fits/2016-07-29.npz", lambda f: f.write_bytes(f.read_bytes()[:-30])),
        ("fits/2016-07-29.npz", lambda f: f.write_text("not a zip")),
        ("fits/2016-07-29.npz", Path.unlink),
        ("model.json", lambda f: f.write_text(f.read_text().replace("gdpc1@US", "gdpc2@US"))),
        ("model.json", lambda f: f.write_text(f.read_text()[:200])),
        ("model.json", lambda f: f.write_text(json.dumps(json.loads(f.read_text()) | {"format": 99}))),
        ("model.json", Path.unlink),
    ],
)
def test_what_was_changed_is_named(two_days: bundle.Bundle, tmp_path: Path, name: str, break_it) -> None:  # type: ignore[no-untyped-def]
    bundle.save(tmp_path / "b", two_days)
    break_it(tmp_path / "b" / name)
    with pytest.raises(BadInput) as raised:
        bundle.load(tmp_path / "b")
    assert raised.value.file == str(tmp_path / "b" / name)


def test_registry_name() -> None:
    assert bundle.registry_name("nowcast", "gdpc1@US") == "nowcast-gdpc1-US"


def test_options_are_checked_by_name() -> None:
    with pytest.raises(Unknown, match=r"nowcast\.naive"):
        zoo.make("nowcast.oracle", {})
    with pytest.raises(BadInput, match="no option lag; it has target"):
        zoo.make("nowcast.naive", {"target": GDP.id, "lag": 2})
    with pytest.raises(BadInput, match="option target"):
        zoo.make("nowcast.naive", {"target": 3})


def test_every_model_of_the_zoo_says_what_it_is_and_what_its_options_do() -> None:
    for name in zoo.names():
        assert zoo.summary(name), f"{name}.py has no docstring"
        assert zoo.options(name)[0].name == "target"
        assert all(o.doc for o in zoo.options(name)), f"{name}: an option without a line in the class docstring"
