"""A spec is read whole, or one error names file and key."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from engine.errors import BadInput, Unknown
from experiments import spec

SHIPPED = (spec.SHIPPED / "us_gdp.toml").read_text(encoding="utf-8")


def test_the_shipped_run_is_that_of_the_new_york_fed() -> None:
    us, text = spec.load("us_gdp")
    assert text == SHIPPED
    assert isinstance(us, spec.Spec)
    assert us.pseudo
    assert us.pseudo.days[0] == date(2010, 1, 31)
    assert us.pseudo.days[-1] == date(2016, 6, 30)
    dfm = us.make("dfm")
    assert len(dfm.inputs) == 25
    assert [len(members) for members in us.models["dfm"].options["blocks"].values()] == [25, 2, 13, 4]
    assert {us.make(label).targets for label in us.models} == {("gdpc1@US",)}


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("refit = 12", "refit = 0", "key refit"),
        ("refit = 12", 'refit = 12\nspeed = "fast"', "key speed"),
        ('target = "gdpc1@US"', "", "key target"),
        ('target = "gdpc1@US"', 'target = "gdp"', "key target: not a series id"),
        ("last = 2016-06-30", "last = 2009-06-30", "key pseudo.last"),
        ("last = 2016-06-30", "last = 2016-12-31", "key pseudo.vintage"),
        ("first = 2010-01-31", "first = 2010-13-31", "not TOML"),
        ("real = [2016-06-29, 2016-07-29]", "real = [2016-07-29, 2016-06-29]", "key real"),
        ("horizons = [-3", "horizons = [-3, -3", "key horizons"),
        ('benchmark = "ar" ', 'benchmark = "oracle" ', "key benchmark"),
        ("coverage.80 = [0.6", "coverage.81 = [0.6", "key gate.coverage.81"),
        ("coverage.80 = [0.6, 1.0]", "coverage.80 = [0.6, 1.1]", "key gate.coverage.80.1"),
        ('model = "nowcast.ar"', 'model = "nowcast.arma"', "key models.ar: no model"),
        (
            'model = "nowcast.ar"',
            'model = "nowcast.ar"\noptions.lag = 3',
            "key models.ar: nowcast.ar has no option lag",
        ),
        ('model = "nowcast.ar"', 'model = "nowcast.ar"\noptions.target = "x@US"', "key models.ar.options.target"),
    ],
)
def test_a_mistake_names_file_and_key(old: str, new: str, key: str, tmp_path: Path) -> None:
    assert old in SHIPPED
    file = tmp_path / "mine.toml"
    file.write_text(SHIPPED.replace(old, new), encoding="utf-8")
    with pytest.raises(BadInput) as raised:
        spec.load(str(file))
    assert raised.value.file == str(file)
    assert raised.value.problem.startswith(key)


def test_no_such_spec_names_those_that_ship() -> None:
    with pytest.raises(Unknown, match="us_gdp"):
        spec.load("uk_gdp")
