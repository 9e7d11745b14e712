"""Small samples as a framework declares them: errors that name the node, values by hand, nothing hidden reaches a board, marks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import cities
import numpy as np
import pytest

from engine.calendar import Period
from engine.errors import BadInput
from engine.panel import Panel
from modelzoo import bundle
from modelzoo.scorecard.choices import Small, Treatment
from modelzoo.scorecard.composite import Composite, FittedComposite
from modelzoo.scorecard.evaluate import evaluate
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.marks import Mark
from modelzoo.scorecard.node import Node
from modelzoo.scorecard.shrinkage import share_variance, shrink
from tests.modelzoo.scorecard.test_composite import FIRST, MODEL, RULE, UNITS, YEARS, made

TEXT = """
id = "climate"
name_en = "Climate"
name_zh = "营商环境"
missing = "group"

[normalisation]
method = "minmax"

[tree]
name = "top"
children = [
    { name = "content", direction = 1, small = { base = "answers", least = 5, total = true, shrink = "share", whole = 100 } },
    { name = "wage", direction = 1, small = { base = "answers", shrink = "mean", spread = 3 } },
    { name = "firms", direction = 1, denominator = "people", small = { base = "firms", shrink = "rate" } },
    { name = "plain", direction = 1, missing = "leave" },
]
"""
NAMES = tuple("ABCDEFGHIJK")


def sample(seed: int = 0) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    answers, people = rng.integers(8, 90, 11).astype(float), rng.uniform(5, 50, 11)
    raw = np.column_stack(
        [rng.uniform(30, 70, 11), rng.normal(20, 1, 11), rng.poisson(2 * people).astype(float), rng.uniform(size=11)]
    )
    return raw, {"answers": answers, "people": people}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('base = "answers", least', 'base = " ", least', "node content: small names no base"),
        ("least = 5, total", "least = -1, total", "node content: small hides below a least base from 1"),
        ("least = 5, total", "total", "node content: small keeps a total"),
        ("whole = 100", "whole = 0", "node content: small takes whole"),
        ("whole = 100", "hole = 100", "node content, key small.hole"),
        (', spread = 3', "", "node wage: small takes spread"),
        ("spread = 3", "spread = 0", "node wage: small takes a spread above 0"),
        ('shrink = "mean", spread = 3', 'shrink = "no"', "node wage: small hides below"),
        ('shrink = "mean"', 'shrink = "much"', "node wage, key small.shrink"),
        ('denominator = "people", ', "", "node firms: small shrinks a rate"),
        ('base = "firms"', 'base = "people"', "node firms: small shrinks a rate"),
    ],
)  # fmt: skip
def test_errors_name_the_node(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(BadInput, match=said):
        Framework.read(TEXT.replace(old, new, 1))


def test_a_group_has_no_sample() -> None:
    with pytest.raises(BadInput, match="node g: a group with children takes no small"):
        Node("g", children=(Node("a", direction=1),), small=Small("n", 5))


def test_values_are_shrunk_by_hand() -> None:
    raw, columns = sample()
    scored = evaluate(Framework.read(TEXT), raw, NAMES, denominators=columns)
    n, people = columns["answers"], columns["people"]
    share = shrink(raw[:, 0] / 100, share_variance(raw[:, 0] / 100, n))
    mean = shrink(raw[:, 1], 9 / n)
    rate = shrink(raw[:, 2] / people, raw[:, 2].sum() / people.sum() / people)
    for j, (found, factor) in enumerate(((share, 100), (mean, 1), (rate, 1))):
        np.testing.assert_allclose(scored.imputed[:, j], factor * found.values, rtol=1e-9)
        np.testing.assert_allclose(scored.small.reliability[:, j], found.reliability, rtol=1e-9)
    assert np.array_equal(scored.imputed[:, 3], raw[:, 3])
    assert np.isnan(scored.small.reliability[:, 3]).all()
    assert not scored.small.hidden.any()
    assert scored.denominated[0, 0] == raw[0, 0], "what was reported is kept beside what was made of it"


def test_what_rests_on_few_is_hidden_and_a_total_does_not_tell() -> None:
    raw, columns = sample()
    columns["answers"][4] = 3.0
    nearest = int(np.argsort(columns["answers"])[1])
    rule = Framework.read(TEXT)
    scored = evaluate(rule, raw, NAMES, denominators=columns)
    assert np.flatnonzero(scored.small.hidden[:, 0]).tolist() == sorted((4, nearest))
    assert np.flatnonzero(scored.small.hidden[:, 1:].any(1)).tolist() == [], "the mean wage has no least base"
    alone = evaluate(Framework.read(TEXT.replace("total = true, ", "")), raw, NAMES, denominators=columns)
    assert np.flatnonzero(alone.small.hidden[:, 0]).tolist() == [4]
    raw[[4, nearest], 0] = 1e6, -1e6
    assert np.array_equal(evaluate(rule, raw, NAMES, denominators=columns).parts, scored.parts)


def test_without_a_base_or_with_few_units_nothing_is_shown() -> None:
    raw, columns = sample()
    columns["answers"][2] = np.nan
    scored = evaluate(Framework.read(TEXT), raw, NAMES, denominators=columns)
    assert scored.small.hidden[2, :2].all()
    columns["answers"][3:] = np.nan
    with pytest.raises(Exception, match="node content: the rule 'group' finds nothing"):
        evaluate(Framework.read(TEXT), raw, NAMES, denominators=columns)


def test_bad_values_are_named() -> None:
    raw, columns = sample()
    rule = Framework.read(TEXT)
    with pytest.raises(BadInput, match="node content: its base answers is not given"):
        evaluate(rule, raw, NAMES, denominators={"people": columns["people"]})
    raw[6, 0] = 101.0
    with pytest.raises(BadInput, match="node content: 101 of G is no share of a whole of 100"):
        evaluate(rule, raw, NAMES, denominators=columns)
    columns["answers"][1] = -2.0
    with pytest.raises(BadInput, match="its base answers of B is below 0"):
        evaluate(rule, raw, NAMES, denominators=columns)


def test_equal_values_stay_as_they_are() -> None:
    raw, columns = sample()
    raw[:, 1] = 20.0
    tree = Node("top", children=Framework.read(TEXT).leaves[1:3])
    posts = np.array([[0.0, 0], [40, 9]])
    scored = evaluate(Framework("x", "x", "x", tree), raw[:, 1:3], NAMES, denominators=columns, goalposts=posts)
    assert np.array_equal(scored.imputed[:, 0], raw[:, 1])
    assert (scored.small.reliability[:, 0] == 0.0).all()


def few(rule: Small) -> Composite:
    """The model of test_composite, its dust resting on as many stations as the column ``people`` says."""
    nature = RULE.tree.children[1]
    dust = replace(nature.children[0], small=rule)
    tree = replace(RULE.tree, children=(RULE.tree.children[0], replace(nature, children=(dust, nature.children[1]))))
    return replace(MODEL, framework=replace(RULE, tree=tree, missing="time", treatment=Treatment()), draws=100)


def thin(whole: Panel, unit: str = UNITS[2], year: int = 3) -> Panel:
    """The unit's base is 2 in that year."""
    name = f"people@{unit}"
    values = whole.matrix([name])
    values[12 * year + 11] = 2.0
    return whole.with_values([name], values)


def test_a_hidden_year_reaches_no_board_of_any_year_and_is_marked(tmp_path: Path) -> None:
    model, whole = few(Small("people", 5, shrink="mean", spread=4.0)), thin(made())
    assert "people" in model.columns
    fit = bundle.fit(model, whole)
    fitted, periods = fit.fitted, model.periods(whole)
    assert isinstance(fitted, FittedComposite)
    told = fitted.tell(whole, periods)
    name = f"dust@{UNITS[2]}"
    values = whole.matrix([name])
    values[36:48] *= 50.0
    other = whole.with_values([name], values)
    again = model.fit(other)
    assert again.state()["goalposts"].tobytes() == fitted.state()["goalposts"].tobytes()
    assert again.tell(other, periods).equals(told)
    rows = told.filter(level="mark").iter_rows(named=True)
    marked = {(r["unit"], r["period"], r["name"]): Mark(int(r["value"])) for r in rows}
    assert marked[UNITS[2], "2018", "dust"] is Mark.HIDDEN
    assert marked[UNITS[2], "2019", "dust"] is Mark.SHRUNK
    assert sum(m is Mark.HIDDEN for m in marked.values()) == 1
    year = fitted.scored(whole, FIRST.to(model.cube(whole)[0].freq) + 3)
    before = fitted.scored(whole, FIRST.to(model.cube(whole)[0].freq) + 2)
    assert year.imputed[2, 2] == before.imputed[2, 2], "last year's, as shrunk then, stands for what is hidden"
    about = tuple(whole.meaning(i) for i in model.inputs)
    bundle.save(tmp_path / "b", bundle.Bundle("scorecard.composite", model, (fit,), about))
    back = bundle.load(tmp_path / "b")
    assert back.model == model
    assert isinstance(back.fits[0].fitted, FittedComposite)
    assert back.fits[0].fitted.tell(whole, periods).equals(told)


def test_shrunk_values_lie_between_the_reported_one_and_the_mean() -> None:
    model, whole = few(Small("people", shrink="mean", spread=30.0)), made()
    fitted = model.fit(whole)
    for k in range(YEARS):
        scored = fitted.scored(whole, Period.parse(str(2015 + k)))
        reported, shown = scored.denominated[:, 2], scored.imputed[:, 2]
        assert np.ptp(shown) < np.ptp(reported)
        r = scored.small.reliability[:, 2]
        assert ((r > 0) & (r < 1)).all()
        mean = (shown - r * reported) / (1 - r)
        np.testing.assert_allclose(mean, mean[0], rtol=1e-9)


def test_new_firms_of_the_template_are_counts_and_say_so() -> None:
    model = cities.scorecard("private_economy")
    panel = cities.panel(model.inputs, date(2025, 9, 30))
    fitted = model.fit(panel)
    scored = fitted.scored(panel, Period.parse("2024"))
    column = model.framework.indicators.index("new_private_firms_ytd")
    kept = scored.small.reliability[:, column]
    assert ((kept > 0.9) & (kept < 1.0)).all(), "cities found thousands of firms: little is noise"
    counts = scored.raw[:, column]
    assert np.argmin(kept) == np.argmin(scored.raw[:, column] / scored.denominated[:, column])
    assert counts.min() > 10
    told = fitted.tell(panel, [Period.parse("2024")])
    marked = told.filter(level="mark")
    assert set(marked["name"]) == {"new_private_firms_ytd"}
    assert marked["value"].to_list() == [float(Mark.SHRUNK)] * 11
