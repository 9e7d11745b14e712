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
from modelzoo.scorecard.evaluate import Scored, evaluate
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.normalise import frozen_goalposts
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
        """Indicators, then denominators that are not among them."""
        own = self.framework.indicators
        below = [leaf.denominator for leaf in self.framework.leaves if leaf.denominator]
        return tuple(dict.fromkeys([*own, *below]))

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(f"{name}@{unit}" for name in self.columns for unit in self.units)

    @property
    def names(self) -> Mapping[str, tuple[str, str]]:
        """English and Chinese names of the nodes, where the framework gives them."""
        nodes = self.framework.tree.walk()
        return {n.name: (n.name_en, n.name_zh) for n in nodes if n.name_en or n.name_zh}

    def fit(self, panel: Panel) -> FittedComposite:
        """Freeze goalposts, treatment and weights over all periods that the panel knows. Raises NotEnoughData, Refused."""
        periods = self.periods(panel)
        if not periods:
            raise NotEnoughData(f"{self.target}: as of {panel.day} no period is known of two units or more")
        cube = np.stack([self.values(panel, p) for p in periods])[:, :, : len(self.framework.indicators)]
        layout = self.framework.layout
        known = np.asarray(~np.isnan(cube).reshape(-1, cube.shape[-1]).all(0), bool)
        if not known.all():
            missing = [n for n, some in zip(self.framework.indicators, known, strict=True) if not some]
            raise NotEnoughData(f"{self.target}: as of {panel.day} nothing is known of {', '.join(missing)}")
        flat = self._denominated(panel, periods)
        goalposts = frozen_goalposts(flat, layout) if self.framework.normalisation.method == "goalposts" else None
        newest = self._scored(panel, periods[-1], goalposts, None)
        return FittedComposite(
            self, np.full((2, len(layout.leaf)), np.nan) if goalposts is None else goalposts, newest.weight
        )

    def restore(self, state: State) -> FittedComposite:
        return FittedComposite(self, np.asarray(state["goalposts"], float), np.asarray(state["weight"], float))

    def periods(self, panel: Panel) -> tuple[Period, ...]:
        """Those that have ended in the panel and of which two units know half of the indicators, oldest first."""
        freq = Freq(self.freq)
        first, last = panel.first.to(freq), panel.last.to(freq)
        found = []
        for k in range(last - first + 1):
            values = self.values(panel, first + k)[:, : len(self.framework.indicators)]
            if (np.mean(~np.isnan(values), axis=1) >= 0.5).sum() >= 2:
                found.append(first + k)
        return tuple(found)

    def values(self, panel: Panel, period: Period) -> Floats:
        """``(U, columns)`` what each unit's indicators say of a period, NaN where it is not whole yet.

        A figure since January or at the end of the period is that of its last month; a flow of months or quarters is summed,
        a rate or an index averaged, over periods that are all known.
        """
        out = np.full((len(self.units), len(self.columns)), np.nan)
        last = panel.row(period)
        months = 12 // Freq(self.freq).per_year
        data = panel.matrix(self.inputs)
        for j, name in enumerate(self.columns):
            for u, unit in enumerate(self.units):
                meaning = panel.meaning(f"{name}@{unit}")
                column = data[:, j * len(self.units) + u]
                step = 12 // meaning.freq.per_year
                rows = [last] if meaning.indicator.aggregation == "last" else list(range(last, last - months, -step))
                if rows[-1] >= 0 and rows[0] < len(column):
                    cells = column[rows]
                    out[u, j] = cells.sum() if meaning.indicator.aggregation in ("sum", "growth") else cells.mean()
        return out

    def _denominated(self, panel: Panel, periods: Sequence[Period]) -> Floats:
        """``(T · U, M)`` all periods after denominators."""
        return np.concatenate([self._scored_values(panel, p) for p in periods])

    def _scored_values(self, panel: Panel, period: Period) -> Floats:
        from modelzoo.scorecard.denominate import denominate

        raw = self.values(panel, period)
        count = len(self.framework.indicators)
        return denominate(self.framework, raw[:, :count], self._below(raw), self.units)

    def _below(self, raw: Floats) -> dict[str, Floats]:
        count = len(self.framework.indicators)
        return {name: raw[:, count + k] for k, name in enumerate(self.columns[count:])}

    def _scored(self, panel: Panel, period: Period, goalposts: Floats | None, weight: Floats | None) -> Scored:
        raw = self.values(panel, period)
        count = len(self.framework.indicators)
        return evaluate(
            self.framework,
            raw[:, :count],
            self.units,
            denominators=self._below(raw),
            history=self._history(panel, period),
            goalposts=goalposts,
            weight=weight,
        )

    def _history(self, panel: Panel, period: Period) -> Floats | None:
        """``(T, U, M)`` earlier periods for gaps that are filled over time."""
        rules = {self.framework.missing, *(leaf.missing for leaf in self.framework.leaves)}
        if "time" not in rules:
            return None
        earlier = [p for p in self.periods(panel) if p < period]
        return np.stack([self._scored_values(panel, p) for p in earlier]) if earlier else None


@dataclass(frozen=True)
class FittedComposite:
    """goalposts: ``(2, M)`` raw values between which scores run, NaN where the method has none. weight: ``(N,)`` of the nodes."""

    model: Composite
    goalposts: Floats
    weight: Floats

    def scored(self, panel: Panel, period: Period) -> Scored:
        """Every step for one period. Raises NotEnoughData if fewer than two units can be scored."""
        return self.model._scored(panel, period, self._goalposts, self.weight)

    def uncertainty(self, panel: Panel, period: Period, seed: int = 0) -> Uncertainty:
        """Ranks over the alternatives, of the units of :meth:`scored`. Raises as it does, and BadInput."""
        model, scored = self.model, self.scored(panel, period)
        rows = [model.units.index(u) for u in scored.units]
        raw = model.values(panel, period)[rows]
        count = len(model.framework.indicators)
        history = model._history(panel, period)
        prepared = steps(
            raw[:, :count],
            scored.units,
            denominators=model._below(raw),
            history=None if history is None else history[:, rows],
            goalposts=self._goalposts,
        )
        return uncertainty(model.framework, prepared, model.alternatives, draws=model.draws, seed=seed)

    def board(self, panel: Panel, period: Period) -> Board:
        """Scores, ranks with their intervals, nodes and contributions. Raises NotEnoughData."""
        scored = self.scored(panel, period)
        low = high = None
        if self.model.alternatives.inputs:
            drawn = self.uncertainty(panel, period)
            low, high = np.minimum(drawn.low, scored.rank), np.maximum(drawn.high, scored.rank)
        return scored.board(self.model.target, panel.asof, period, low, high)

    def tell(self, panel: Panel, periods: Sequence[Period]) -> pl.DataFrame:
        """READINGS of the boards of these periods; one of which too little is known is left out. Raises NotEnoughData."""
        told, problem = [], None
        for period in periods:
            try:
                told.append(self.board(panel, period).to_frame().select(READINGS.names()))
            except NotEnoughData as short:
                problem = short
        if not told:
            raise problem or NotEnoughData(f"{self.model.target}: no period was asked for")
        return pl.concat(told)

    def newest(self, panel: Panel) -> Period:
        """The newest period of which enough is known. Raises NotEnoughData."""
        periods = self.model.periods(panel)
        if not periods:
            raise NotEnoughData(f"{self.model.target}: as of {panel.day} no period is known of two units or more")
        return periods[-1]

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> NoReturn:
        """Raises Refused: a scorecard ranks many units and estimates no figure; ask for its board."""
        raise Refused(
            f"{self.model.target} is a board of {len(self.model.units)} units, not one figure: ask for the board"
        )

    def state(self) -> State:
        return {"goalposts": self.goalposts, "weight": self.weight}

    @property
    def _goalposts(self) -> Floats | None:
        return None if np.isnan(self.goalposts).all() else self.goalposts


MODEL = Composite
