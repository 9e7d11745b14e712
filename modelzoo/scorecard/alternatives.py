"""The choices an evaluator could defend, as a table, and what ranks each of them gives.

Values are prepared once for each way to fill gaps, hold outliers and normalise; weights, means and nodes left out then cost
next to nothing, so that ten thousand draws are a matter of a tenth of a second.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeAlias

import numpy as np

from engine.errors import BadInput, NotEnoughData
from engine.typing import Floats, Ints
from modelzoo.scorecard.aggregate import aggregate
from modelzoo.scorecard.choices import Aggregation, Missing, Normalisation, Treatment
from modelzoo.scorecard.draws import Places, rank_table, scores
from modelzoo.scorecard.evaluate import evaluate
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.layout import Layout
from modelzoo.scorecard.outliers import Treated

Prepared: TypeAlias = Callable[[Framework], tuple[Floats, Floats]]
"""A variant of the framework to its normalised values ``(U, M)`` and the weights of its nodes ``(N,)``: all steps but the last."""
_STRICT = {"extra": "forbid", "strict": False}


@dataclass(frozen=True)
class Alternatives:
    """The table of choices; all of a kind are equally likely, a kind left empty stays as the framework has it.

    normalisation, aggregation (one tuple as the framework takes it), missing: instead of the framework's own. points: the most
    outliers pulled in. noise: weights move by up to this share of themselves, one for all levels or one a level below the top
    (0.25: ±25 %). without: at most one of these nodes is left out; none left out is as likely as each of them.

    Raises BadInput for a choice that is none.
    """

    normalisation: tuple[Normalisation, ...] = ()
    aggregation: tuple[tuple[Aggregation, ...], ...] = ()
    missing: tuple[Missing, ...] = ()
    points: tuple[int, ...] = ()
    noise: tuple[float, ...] = ()
    without: tuple[str, ...] = ()
    __pydantic_config__ = _STRICT

    def __post_init__(self) -> None:
        for kind in ("normalisation", "aggregation", "missing", "points"):
            if len(getattr(self, kind)) == 1:
                raise BadInput(f"{kind}: one alternative is no choice; write it into the framework, or give two")
        if any(not 0.0 <= noise < 1.0 for noise in self.noise):
            raise BadInput(f"noise is a share of a weight from 0 to below 1, not {self.noise}")

    @property
    def inputs(self) -> tuple[str, ...]:
        """The kinds of choice that vary, in the order of a design's columns."""
        return tuple(
            f.name for f in fields(self) if getattr(self, f.name) and any(_varies(v) for v in getattr(self, f.name))
        )


def steps(
    raw: Floats,
    units: Sequence[str],
    *,
    denominators: Mapping[str, Floats] | None = None,
    groups: Sequence[str] | None = None,
    history: Floats | None = None,
    goalposts: Floats | None = None,
    treatment: Treated | None = None,
    weight: Floats | None = None,
) -> Prepared:
    """All steps of :func:`modelzoo.scorecard.evaluate.evaluate` but the last, on its arguments, for any variant of a framework.

    Outliers are looked for once for each rule and way to fill gaps; a ``treatment`` that is given stands for the rule of the
    framework that is asked for first. Raises as evaluate does, and BadInput if a variant scores
    other units than the first one asked for.
    """
    found: dict[tuple[object, ...], Treated | None] = {}
    first: list[tuple[str, ...]] = []
    rule: list[Treatment | None] = []

    def prepared(framework: Framework) -> tuple[Floats, Floats]:
        rule.append(framework.treatment)
        key = (framework.treatment, framework.missing, framework.normalisation.method)
        scored = evaluate(
            framework,
            raw,
            units,
            denominators=denominators,
            groups=groups,
            history=history,
            goalposts=goalposts,
            treatment=treatment if treatment is not None and framework.treatment == rule[0] else found.get(key),
            weight=weight,
        )
        found[key] = scored.treatment
        first.append(scored.units)
        if scored.units != first[0]:
            raise BadInput(f"{framework.id}: an alternative scores other units; screen them before, not within")
        return scored.normalised, scored.weight

    return prepared


class Variants:
    """Points of the unit cube, one coordinate a kind of choice, to ranks."""

    def __init__(self, framework: Framework, prepared: Prepared, table: Alternatives, draws: int, seed: int) -> None:
        self.framework, self.table, self.layout = framework, table, framework.layout
        self._checks()
        values, weight = prepared(framework)
        score = aggregate(
            self.layout, values, framework.aggregation, weight, power=framework.power, known=framework.known
        )[:, 0]
        self.nominal: Ints = rank_table(score[None])[0].astype(np.int64)
        own = (framework.normalisation,), (framework.missing,), (None,)
        self.options = [
            getattr(table, kind) or only for kind, only in zip(("normalisation", "missing", "points"), own, strict=True)
        ]
        self.cells = [self._prepared(prepared, choice) for choice in itertools.product(*self.options)]
        self.methods = table.aggregation or (framework.aggregation,)
        self.dropped = [(), *(_left_out(self.layout, name) for name in table.without)]
        levels = _by_level(table.noise, len(self.layout.levels) - 1)
        spread = np.zeros(len(weight))
        for depth, noise in enumerate(levels, 1):
            spread[self.layout.levels[depth]] = noise
        # a coordinate of the design picks one of as many sets of noise as there are draws, so that one number stands for all
        rng = np.random.default_rng([seed, 1])
        self.noise = (
            1.0 + spread * rng.uniform(-1.0, 1.0, size=(draws, len(weight))) if any(levels) else np.ones((1, 1))
        )

    def _checks(self) -> None:
        for name in self.table.without:
            if self.layout.row(name) == 0:
                raise BadInput(f"node {name} is the whole framework; name the nodes below it to leave one out")
        if self.table.points and self.framework.treatment is None:
            raise BadInput(f"framework {self.framework.id} treats no outliers; points have nothing to vary")

    def _prepared(self, prepared: Prepared, choice: tuple[Normalisation, Missing, int | None]) -> tuple[Floats, Floats]:
        try:
            return prepared(self._variant(*choice))
        except (BadInput, NotEnoughData) as wrong:
            raise type(wrong)(f"the alternative {_said(choice)} cannot be used: {wrong}") from None

    def _variant(self, rule: Normalisation, missing: Missing, points: int | None) -> Framework:
        treatment = self.framework.treatment
        if points is not None and treatment is not None:
            treatment = replace(treatment, points=points)
        return replace(self.framework, normalisation=rule, missing=missing, treatment=treatment)

    def ranks(self, points: Floats) -> Places:
        """``(B, U)`` from ``(B, d)`` in the order of :attr:`Alternatives.inputs`."""
        column = {kind: points[:, i] for i, kind in enumerate(self.table.inputs)}

        def pick(kind: str, n: int) -> Ints:
            u = column.get(kind)
            return np.zeros(len(points), np.int64) if u is None else np.minimum((u * n).astype(np.int64), n - 1)

        normalisation, missing, limit = (
            pick(kind, len(options))
            for kind, options in zip(("normalisation", "missing", "points"), self.options, strict=True)
        )
        cell = (normalisation * len(self.options[1]) + missing) * len(self.options[2]) + limit
        method = pick("aggregation", len(self.methods))
        noise, without = pick("noise", len(self.noise)), pick("without", len(self.dropped))
        out = np.empty((len(points), len(self.nominal)), np.int16)
        which = cell * len(self.methods) + method
        for code in np.unique(which):
            rows = np.flatnonzero(which == code)
            values, weight = self.cells[code // len(self.methods)]
            if values.shape[0] != len(self.nominal):
                raise BadInput(
                    "an alternative scores other units than the framework does; screen units before, not within"
                )
            w = weight * self.noise[noise[rows]]
            for k, nodes in enumerate(self.dropped):
                w[np.ix_(without[rows] == k, nodes)] = 0.0
            out[rows] = self._ranked(values, self.methods[code % len(self.methods)], w, code // len(self.methods))
        return out

    def _ranked(self, values: Floats, methods: tuple[Aggregation, ...], weight: Floats, cell: int) -> Places:
        f = self.framework
        try:
            return rank_table(scores(self.layout, values, methods, weight, power=f.power, known=f.known))
        except BadInput as wrong:
            choice = list(itertools.product(*self.options))[cell]
            raise BadInput(
                f"the alternatives {'/'.join(methods)} and {_said(choice)} do not go together: {wrong.problem}"
            ) from None


def _said(choice: tuple[Normalisation, Missing, int | None]) -> str:
    rule, missing, points = choice
    scale = f"{rule.mean:g} ± {rule.sd:g}" if rule.method == "z" else f"{rule.low:g} … {rule.high:g}"
    return f"{rule.method} {scale}, gaps {missing}" + (f", {points} points" if points is not None else "")


def _varies(choice: object) -> bool:
    return not isinstance(choice, float) or choice > 0.0


def _by_level(noise: tuple[float, ...], levels: int) -> tuple[float, ...]:
    if len(noise) not in (0, 1, levels):
        raise BadInput(f"{levels} levels below the top take one noise or {levels}, not {len(noise)}")
    return noise * levels if len(noise) == 1 else noise or (0.0,) * levels


def _left_out(layout: Layout, name: str) -> tuple[int, ...]:
    """The row whose weight goes to 0: the node, or the group above that it is the only child of."""
    row = layout.row(name)
    while row > 0 and layout.count[layout.parent[row]] == 1:
        row = int(layout.parent[row])
    if row == 0:
        raise BadInput(f"node {name}: nothing would be left of the framework")
    return (row,)
