from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.calendar import Period
from engine.errors import BadInput
from engine.figures import PairRule

NAN = np.nan
JAN = Period.parse("2018-01")
timeless = settings(deadline=None)

CHANGING = "combined to 1999, separate since 2000, combined since 2013"


@pytest.mark.parametrize("text", ["separate", "combined", "separate to 2019, combined since 2020", CHANGING])
def test_a_rule_is_read_and_written(text: str) -> None:
    rule = PairRule.parse(text)
    assert PairRule.parse(str(rule)) == rule
    years = np.array([1990, 1999, 2000, 2012, 2013, 2019, 2020])
    expected = {"separate": "0000000", "combined": "1111111", "separate to 2019, combined since 2020": "0000001"}
    assert "".join(map(str, rule.combined(years).astype(int))) == expected.get(text, "1100111")


@pytest.mark.parametrize(
    "text", ["", "na", "separate to 2019", "separate to 2018, combined since 2020", "combined, separate"]
)
def test_a_rule_that_is_none(text: str) -> None:
    with pytest.raises(BadInput, match="January-February rule"):
        PairRule.parse(text)


@timeless
@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_a_rule_is_seen_in_its_series(states: list[bool]) -> None:
    values = np.ones(12 * len(states))
    values[::12][states] = NAN
    seen = PairRule.seen_in(JAN, values)
    assert seen.combined(2018 + np.arange(len(states))).tolist() == states
