"""Units scored and ranked by a framework, over years that compare: goalposts and weights are learned once and then held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import numpy as np
import polars as pl
from pydantic import BeforeValidator

from engine.board import Board
from engine.calendar import Freq, Period
from engine.errors import BadInput, NotEnoughData, Refused
from engine.indicator import split_id
from engine.model import State
from engine.panel import Panel
from engine.reading import READINGS
from engine.typing import Bools, Floats
from modelzoo.scorecard.alternatives import Alternatives, steps
from modelzoo.scorecard.columns import over_time
from modelzoo.scorecard.denominate import denominate
from modelzoo.scorecard.evaluate import Scored, evaluate, may_log, weigh
from modelzoo.scorecard.explain import Page, page
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.marks import marks
from modelzoo.scorecard.normalise import frozen_goalposts
from modelzoo.scorecard.outliers import Treated, treat
from modelzoo.scorecard.small import bases, steady
from modelzoo.scorecard.uncertainty import Uncertainty, uncertainty

TEMPLATES = Path(__file__).parent / "templates"


def template(said: Any) -> Any:
    """The framework that ships under that name; anything else is left to be read as a framework."""
    if not isinstance(said, str):
        return said
    file = TEMPLATES / f"{said}.toml"
    if not file.is_file():
        raise ValueError(
            f"no template {said!r}; there are {', '.join(sorted(f.stem for f in TEMPLATES.glob('*.toml')))}"
        )
    return Framework.read(file)


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """What is known of U units for one period. values: ``(U, columns)`` of a Composite. history: ``(T, U, M)`` earlier periods,
    after denominators and small samples, where gaps are filled from them; None where none are."""

    values: Floats
    history: Floats | None


@dataclass(frozen=True)
class Composite:
    """A scorecard of regions. Its columns are the framework's indicators in each unit: ``gdp_yoy_ytd@SYN-3301``.

    target: the board, and the region that the units are part of: quality@SYN-33.
    units: codes of the regions that are scored, two or more.
    framework: the tree and its choices, or the name of a template.
    alternatives: choices that an evaluator could also defend; ranks get the interval that they span.
    freq: A for whole years, Q for the year to each quarter.
    draws: of the alternatives, for the intervals.
    """

    target: str
    units: tuple[str, ...]
    framework: Annotated[Framework, BeforeValidator(template)]
    alternatives: Alternatives = field(default_factory=Alternatives)
    freq: Literal["A", "Q"] = "A"
    draws: int = 2000

    def __post_init__(self) -> None:
        split_id(self.target)
        if len(self.units) < 2 or len(set(self.units)) != len(self.units):
            raise BadInput(f"{self.target}: a scorecard compares two units or more, each once")

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Indicators, then denominators and bases of small samples that are not among them."""
        own = self.framework.indicators
        below = [leaf.denominator for leaf in self.framework.leaves if leaf.denominator]
        return tuple(dict.fromkeys([*own, *below, *bases(self.framework)]))

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(f"{name}@{unit}" for name in self.columns for unit in self.units)

    @property
    def names(self) -> Mapping[str, tuple[str, str]]:
        """English and Chinese names of the nodes, where the framework gives them."""
        nodes = self.framework.tree.walk()
        return {n.name: (n.name_en, n.name_zh) for n in nodes if n.name_en or n.name_zh}

    def fit(self, panel: Panel) -> FittedComposite:
        """Freeze goalposts, treatment of outliers and weights over all periods that the panel knows.

        Outliers and the ends of the scale are those of all units in all years together; weights that come from the data are
        those of all unit-years of which every indicator is known. Raises NotEnoughData naming the indicators, Refused.
        """
        rule, layout = self.framework, self.framework.layout
        first, cube = self.cube(panel)
        whole = self._known(cube)
        if not whole.any():
            raise self._nothing(panel)
        flat = np.concatenate([self._ready(cube[t], first + int(t)) for t in np.flatnonzero(whole)])
        if missing := [n for j, n in enumerate(rule.indicators) if np.isnan(flat[:, j]).all()]:
            raise NotEnoughData(f"{self.target}: as of {panel.day} nothing is known of {', '.join(missing)}")
        treatment = None
        if rule.treatment is not None:
            flat, treatment = treat(flat, rule.treatment, may_log(rule))
        goalposts = frozen_goalposts(flat, layout) if rule.normalisation.method == "goalposts" else None
        rows = flat[~np.isnan(flat).any(1)]
        if rule.weighting not in ("expert", "equal") and len(rows) < 3:
            raise NotEnoughData(
                f"{self.target}: as of {panel.day} every indicator is known of {len(rows)} unit-years; {rule.weighting} weights "
                "need three"
            )
        return FittedComposite(self, goalposts, weigh(rule, rows)[0], treatment)

    def restore(self, state: State) -> FittedComposite:
        goalposts, low = np.asarray(state["goalposts"], float), np.asarray(state["low"], float)
        held = None
        if self.framework.treatment is not None:
            logged = np.asarray(state["logged"]).astype(bool)
            rest = (np.asarray(state[name], float) for name in ("least", "width"))
            held = Treated(low, np.asarray(state["high"], float), logged, *rest)
        fixed = self.framework.normalisation.method == "goalposts"
        return FittedComposite(self, goalposts if fixed else None, np.asarray(state["weight"], float), held)

    def cube(self, panel: Panel) -> tuple[Period, Floats]:
        """The first period, and ``(T, U, columns)`` of all periods: see :mod:`modelzoo.scorecard.columns`. Raises Unknown."""
        return over_time(panel, self.columns, self.units, Freq(self.freq))

    def periods(self, panel: Panel) -> tuple[Period, ...]:
        """Those of which two units know half of the indicators, oldest first."""
        first, cube = self.cube(panel)
        return tuple(first + int(t) for t in np.flatnonzero(self._known(cube)))

    def sheet(self, panel: Panel, period: Period) -> Sheet:
        """What is known of a period. Raises NotEnoughData outside of the panel, BadInput for a period of another frequency."""
        first, cube = self.cube(panel)
        if period.freq is not first.freq:
            raise BadInput(f"{self.target} is scored by {first.freq.value} periods such as {first}, not {period}")
        if not 0 <= period - first < len(cube):
            raise NotEnoughData(f"{self.target}: as of {panel.day} nothing is known of {period}")
        return self.sheet_of(cube, first, period)

    def sheet_of(self, cube: Floats, first: Period, period: Period) -> Sheet:
        """That of a period in a cube ``(T, U, columns)`` that begins with ``first``."""
        rules = {self.framework.missing, *(leaf.missing for leaf in self.framework.leaves)}
        row, past = period - first, None
        if "time" in rules:
            earlier = [self._ready(values, first + t) for t, values in enumerate(cube[:row])]
            past = (
                np.stack(earlier) if earlier else np.full((1, len(self.units), len(self.framework.indicators)), np.nan)
            )
        return Sheet(cube[row], past)

    def below(self, raw: Floats) -> dict[str, Floats]:
        """``(U,)`` by name: the columns of ``(U, columns)`` that are no indicators."""
        count = len(self.framework.indicators)
        return {name: raw[:, count + k] for k, name in enumerate(self.columns[count:])}

    def _known(self, cube: Floats) -> Bools:
        known = np.mean(~np.isnan(cube[:, :, : len(self.framework.indicators)]), axis=2) >= 0.5
        enough: Bools = known.sum(1) >= 2
        return enough

    def _ready(self, raw: Floats, period: Period) -> Floats:
        """``(U, M)`` of one period after denominators and small samples."""
        named = tuple(f"{unit} in {period}" for unit in self.units)
        own, more = raw[:, : len(self.framework.indicators)], self.below(raw)
        return steady(self.framework, own, denominate(self.framework, own, more, named), more, named).values

    def _nothing(self, panel: Panel) -> NotEnoughData:
        return NotEnoughData(
            f"{self.target}: as of {panel.day} there is no period of which two units know half of the indicators"
        )


@dataclass(frozen=True)
class FittedComposite:
    """goalposts: ``(2, M)`` raw values between which scores run, None where the method has none. weight: ``(N,)`` of the nodes.
    treatment: what is done to outliers, None where nothing is."""

    model: Composite
    goalposts: Floats | None
    weight: Floats
    treatment: Treated | None

    def scored(self, panel: Panel, period: Period) -> Scored:
        """Every step for one period. Raises NotEnoughData if fewer than two units can be scored."""
        return self.score(self.model.sheet(panel, period))

    def score(self, sheet: Sheet) -> Scored:
        """Every step for what is known of one period. Raises as `scored`."""
        return evaluate(
            self.model.framework,
            sheet.values[:, : len(self.model.framework.indicators)],
            self.model.units,
            denominators=self.model.below(sheet.values),
            history=sheet.history,
            goalposts=self.goalposts,
            treatment=self.treatment,
            weight=self.weight,
        )

    def uncertainty(self, panel: Panel, period: Period, seed: int = 0) -> Uncertainty:
        """Ranks over the alternatives, of the units of :meth:`scored`. Raises as it does, and BadInput."""
        sheet = self.model.sheet(panel, period)
        return self._uncertainty(sheet, self.score(sheet), seed)

    def board(self, panel: Panel, period: Period) -> Board:
        """Scores, ranks with their intervals, nodes and contributions. Raises NotEnoughData."""
        sheet = self.model.sheet(panel, period)
        return self._board(sheet, self.score(sheet), panel, period)

    def page(self, panel: Panel, period: Period, unit: str) -> Page:
        """Strengths, weaknesses, peers, and what would gain a place. Raises Unknown for a unit that is not scored."""
        return page(self.scored(panel, period), unit, goalposts=self.goalposts)

    def tell(self, panel: Panel, periods: Sequence[Period]) -> pl.DataFrame:
        """READINGS of the boards of these periods, and marks (:mod:`modelzoo.scorecard.marks`). A period of which too little is
        known is left out. Raises NotEnoughData if all are."""
        told: list[pl.DataFrame] = []
        problem = None
        for period in periods:
            try:
                sheet = self.model.sheet(panel, period)
                scored = self.score(sheet)
                board = self._board(sheet, scored, panel, period).to_frame().select(READINGS.names())
            except NotEnoughData as short:
                problem = short
            else:
                told += [board, marks(scored, period)]
        if not told:
            raise problem or NotEnoughData(f"{self.model.target}: no period was asked for")
        return pl.concat(told)

    def newest(self, panel: Panel) -> Period:
        """The newest period of which enough is known. Raises NotEnoughData."""
        periods = self.model.periods(panel)
        if not periods:
            raise self.model._nothing(panel)
        return periods[-1]

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> NoReturn:
        """Raises Refused: a scorecard ranks many units and estimates no figure; ask for its board."""
        raise Refused(
            f"{self.model.target} is a board of {len(self.model.units)} units, not one figure: ask for the board"
        )

    def _uncertainty(self, sheet: Sheet, scored: Scored, seed: int = 0) -> Uncertainty:
        model = self.model
        rows = [model.units.index(u) for u in scored.units]
        raw = sheet.values[rows]
        prepared = steps(
            raw[:, : len(model.framework.indicators)],
            scored.units,
            denominators=model.below(raw),
            history=None if sheet.history is None else sheet.history[:, rows],
            goalposts=self.goalposts,
            treatment=self.treatment,
            weight=self.weight,
        )
        return uncertainty(model.framework, prepared, model.alternatives, draws=model.draws, seed=seed)

    def _board(self, sheet: Sheet, scored: Scored, panel: Panel, period: Period) -> Board:
        low = high = None
        if self.model.alternatives.inputs:
            drawn = self._uncertainty(sheet, scored)
            low, high = np.minimum(drawn.low, scored.rank), np.maximum(drawn.high, scored.rank)
        return scored.board(self.model.target, panel.asof, period, low, high)

    def state(self) -> State:
        M = len(self.model.framework.indicators)
        none = np.full(M, np.nan)
        held = self.treatment or Treated(np.full(M, -np.inf), np.full(M, np.inf), np.zeros(M, bool), none, none)
        return {
            "goalposts": np.full((2, M), np.nan) if self.goalposts is None else self.goalposts,
            "weight": self.weight,
            "low": held.low,
            "high": held.high,
            "logged": held.logged.astype(np.int64),
            "least": held.least,
            "width": held.width,
        }


MODEL = Composite
