"""The specs of the synthetic province, method by method: which of its turning points, known by construction, are found."""

from __future__ import annotations

from datetime import date
from functools import cache

import pytest
from provincial import province, store

from engine import turning
from engine.calendar import Freq, Period, end_of
from engine.matching import Matching, match
from engine.turning import Kind, Oecd, Turn, Turns
from experiments import spec as specs
from experiments.spec import Watch
from featurestore.features import is_feature
from featurestore.panel import build_panel
from modelzoo.prosperity.history import Historied

DAY = end_of(date(2025, 12, 31))
SPECS = ("province_prosperity", "province_leading", "province_downturn", "province_lights")


def spec(name: str) -> Watch:
    read, _ = specs.load(name)
    assert isinstance(read, Watch)
    return read


def chronology() -> dict[str, list[str]]:
    """What the economy of the usual seed was made from."""
    rows = province().truth.turning.select("kind", "period").iter_rows()
    found: dict[str, list[str]] = {"peak": [], "trough": []}
    for kind, ordinal in rows:
        found[kind].append(str(Period(Freq.M, ordinal)))
    return found


@cache
def found(name: str, label: str) -> Matching:
    """The turns of one model's index, from all that was known at the end of 2025, held against the truth."""
    model = spec(name).make(label)
    panel = build_panel(store(), model.inputs, DAY)
    fitted = model.fit(panel)
    assert isinstance(fitted, Historied)
    history = fitted.history(panel)
    truth = sorted(
        (Period.parse(m) - history.first, Kind(kind)) for kind, months in chronology().items() for m in months
    )
    true = tuple(Turn(row, kind) for row, kind in truth if 0 <= row < len(history.parts))
    return match(Turns(true, 0, len(history.parts) - 1), turning.date(history.values, Oecd()))


@pytest.mark.parametrize("name", [n for n in SPECS if (specs.SHIPPED / f"{n}.toml").exists()])
def test_the_chronology_of_a_spec_is_the_truth(name: str) -> None:
    turns = spec(name).turns
    assert turns is not None
    assert chronology() == {"peak": list(turns.peaks), "trough": list(turns.troughs)}
    assert turns.source == "by construction"


@pytest.mark.parametrize(
    ("name", "least", "lead"), [("province_prosperity", 0.8, (-2, 6)), ("province_leading", 0.8, (2, 12))]
)
def test_the_hidden_turns_are_found_by_every_method(name: str, least: float, lead: tuple[float, float]) -> None:
    """Every method, the lag of a growth rate of twelve months against a level's cycle included; the table is printed."""
    labels = list(spec(name).models)
    table = {label: found(name, label) for label in labels}
    print(f"\n{name}: method, turns found of those lived through, rate, extra, median lead (months)")
    for label, m in table.items():
        rate = len(m.pairs) / m.targeted
        print(f"{label:12} {len(m.pairs):2} of {m.targeted:2} {rate:6.0%} {len(m.extra):2} {m.median:+5.1f}")
    assert {"conference", "composite", "cli", "diffusion", "factor"} <= set(labels)
    for label, m in table.items():
        assert m.targeted >= 10, label
        assert len(m.pairs) / m.targeted >= least, label
        assert len(m.extra) <= 1, label
        assert m.median is not None
        assert lead[0] <= m.median <= lead[1], label


def test_a_leading_index_turns_before_the_coincident_one_by_the_same_method() -> None:
    for label in ("conference", "composite", "cli"):
        a, b = found("province_leading", label).median, found("province_prosperity", label).median
        assert a is not None
        assert b is not None
        assert a > b, label


def test_harmonised_features_are_among_the_components() -> None:
    inputs = {i for name in ("province_prosperity", "province_leading") for i in spec(name).make("composite").inputs}
    assert {i for i in inputs if is_feature(i)} >= {"retail_total.yoy@SYN-33", "export_value.yoy@SYN-33"}
    assert any(not is_feature(i) for i in inputs)
