"""Any framework on any data either gives a board whose parts add up, or says what is wrong: never a warning, never a NaN."""

from __future__ import annotations

import typing
import warnings
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from engine.calendar import Period
from engine.errors import JingqiError
from modelzoo.scorecard.choices import Aggregation, Method, Missing, Normalisation, Screening, Treatment, Weighting
from modelzoo.scorecard.evaluate import evaluate
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.node import Node

DAY, YEAR = datetime(2024, 1, 1, tzinfo=UTC), Period.parse("2023")


def some(rng: np.random.Generator, kind: object) -> typing.Any:
    """One of the names that a Literal allows."""
    options = typing.get_args(kind)
    return options[int(rng.integers(len(options)))]


def tree(rng: np.random.Generator, depth: int, names: Iterator[int]) -> Node:
    name, weight = f"n{next(names)}", float(rng.choice([0, 1, 2.5], p=[0.05, 0.65, 0.3]))
    if depth and (depth == 3 or rng.random() < 0.5):
        return Node(name, weight=weight, children=tuple(tree(rng, depth - 1, names) for _ in range(rng.integers(1, 4))))
    target = float(rng.uniform(0.1, 2))
    return Node(
        name,
        weight=weight,
        direction=some(rng, typing.Literal[1, 1, 1, -1, -1, 0]),
        target=target,
        goalposts=(target - 1, target + 1.5) if rng.random() < 0.7 else None,
        cap=80.0 if rng.random() < 0.1 else None,
        missing=some(rng, Missing) if rng.random() < 0.1 else None,
    )


def test_a_board_that_adds_up_or_a_reason() -> None:
    rng = np.random.default_rng(20241123)
    scored: Counter[str] = Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(400):
            units = [f"u{n}" for n in range(rng.integers(2, 12))]
            try:
                method = some(rng, Method)
                chosen = Framework(
                    "any",
                    "any",
                    "any",
                    tree(rng, 3, iter(range(999))),
                    Normalisation(
                        method,
                        float(rng.choice([0, 1])),
                        100.0,
                        100.0,
                        10.0,
                        "u1" if method == "to_reference" else None,
                    ),
                    (some(rng, Aggregation),),
                    float(rng.choice([-1, 0.5, 2])),
                    some(rng, Weighting) if rng.random() < 0.5 else "expert",
                    some(rng, Missing) if rng.random() < 0.4 else "leave",
                    float(rng.choice([0, 0.5, 1])),
                    Treatment() if rng.random() < 0.5 else None,
                    Screening(float(rng.choice([0, 0.5]))),
                )
                x = rng.standard_normal((len(units), len(chosen.indicators))) ** int(rng.integers(1, 4))
                x = np.abs(x) if rng.random() < 0.4 else x
                x = np.round(x) if rng.random() < 0.3 else x
                x[rng.random(x.shape) < rng.choice([0, 0.05, 0.5])] = np.nan
                ends = np.stack([np.fmin.reduce(x) - 0.1, np.fmax.reduce(x) + 0.1])
                past = rng.standard_normal((2, *x.shape))
                found = evaluate(chosen, x, units, goalposts=np.nan_to_num(ends, nan=1.0), history=past)
                board = found.board("any.f", DAY, YEAR)
            except JingqiError:
                continue
            np.testing.assert_allclose(board.parts.sum(1), board.score, rtol=1e-7, atol=1e-7)
            assert len(found.units) + len(found.left_out) == len(units)
            scored.update([method, chosen.aggregation[0], chosen.weighting, chosen.missing])
    every = {
        *typing.get_args(Method),
        *typing.get_args(Aggregation),
        *typing.get_args(Weighting),
        *typing.get_args(Missing),
    }
    assert every <= set(scored)  # each choice was scored at least once, so the test tests it
