"""Growth since January on the year, the figure a government announces: quarters published stay, the others are nowcast one by one.

With G the growth since January in per cent and b the levels of last year's quarters at constant prices, B their sums,

    G_m = Σ_{q ≤ m} (b_q / B_m) g_q,

so that, once quarters 1 … j are out, only the growth g of the others is uncertain, each by its share b_q / B_m: in the fourth
quarter with three known, by some 28 % of the doubt about a single quarter. g is nowcast by another model of the zoo. Where no
single quarter is published (the province publishes none), past ones follow from G and b. Levels at constant prices are not
published either, and last year's at its own prices stand for them. The rule is that of ``engine.algebra`` between yoy_ytd and
yoy_quarter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from engine import uncertainty
from engine.align import own, published
from engine.calendar import Freq, Period
from engine.errors import BadInput, NotEnoughData
from engine.estimate import LEVELS, Estimate
from engine.indicator import Series, split_id
from engine.model import Fitted, Model, State
from engine.panel import NEVER, Panel
from engine.typing import Floats, Ints
from engine.uncertainty import Sources
from modelzoo import zoo

HERE = "{quarter}"
_MARK = "inner|"  # before the name of an array of the inner model
_SUMS = ("level_ytd", "count_ytd")


@dataclass(frozen=True)
class Ytd:
    """A model of the growth of a single quarter, told as growth since January.

    target: series id, quarterly growth since January on the year, in per cent: gdp_yoy_ytd@SYN-33.
    levels: series id of levels whose quarters weigh the growth: sums since January (gdp_ytd@SYN-33), or levels of the quarter.
    model: name in the zoo of the model that nowcasts the single quarter.
    options: options of that model; ``{quarter}`` in a text stands for the series of the single quarter's growth.
    quarter: series id of the single quarter's growth where it is published; empty where it is to be computed.
    """

    target: str
    levels: str
    model: str
    options: dict[str, Any] = field(default_factory=dict)
    quarter: str = ""

    def __post_init__(self) -> None:
        if len({self.target, self.levels, self.quarter}) < 3:
            raise BadInput("target, levels and quarter are three different series")
        if {self.target, self.levels} & set(self.inner.inputs):
            raise BadInput(f"{self.model} reads growth of the quarter ({HERE}) and not {self.target} or {self.levels}")

    @property
    def single(self) -> str:
        """The series of the single quarter's growth; of one that is computed, a name of our own."""
        indicator, region = split_id(self.target)
        return self.quarter or f"{indicator}_single@{region}"

    @cached_property
    def inner(self) -> Model:
        """The model of the single quarter."""
        return zoo.about(self.model, self.single, _named(self.options, self.single))

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        others = tuple(i for i in self.inner.inputs if i != self.single or self.quarter)
        return tuple(dict.fromkeys((self.target, self.levels, *others)))

    def fit(self, panel: Panel) -> FittedYtd:
        """Fit the inner model to single quarters. Raises BadInput for series of other kinds, NotEnoughData as that model does."""
        return FittedYtd(self, self.inner.fit(self.quarters(panel)))

    def restore(self, state: State) -> FittedYtd:
        return FittedYtd(self, self.inner.restore({k.removeprefix(_MARK): v for k, v in state.items()}))

    def quarters(self, panel: Panel) -> Panel:
        """What the inner model reads: its inputs, with the single quarter's growth computed where it is not published."""
        self._check(panel)
        if self.quarter:
            return panel.select(self.inner.inputs)
        growth, at = self.growth(panel), panel.ids.index(self.target)
        rows: Ints = panel.row(growth.first) + 3 * np.arange(len(growth.single))
        values, stamps = np.full((panel.months, 1), np.nan), np.full((panel.months, 1), NEVER)
        values[rows, 0] = growth.single
        known = ~np.isnan(growth.single) | panel.left_out([self.target])[rows, 0]
        stamps[rows, 0] = np.where(known, panel.stamps[rows, at], NEVER)
        rest = panel.select([i for i in self.inner.inputs if i != self.single])
        return replace(
            rest,
            series=(_single(panel.meaning(self.target), self.single), *rest.series),
            values=np.hstack([values, rest.values]),
            stamps=np.hstack([stamps, rest.stamps]),
            flags=np.hstack([np.zeros((panel.months, 1), np.uint8), rest.flags]),
        )

    def growth(self, panel: Panel) -> Growth:
        """What is published, and last year's levels."""
        first, since = own(panel, self.target)
        _, levels = own(panel, self.levels)
        skip = -first.ordinal % 4  # from a first quarter on
        since, levels = since[skip:], levels[skip:]
        whole = -len(since) % 4
        since, levels = (np.pad(x, (0, whole), constant_values=np.nan) for x in (since, levels))
        if panel.meaning(self.levels).indicator.kind in _SUMS:
            levels = np.diff(levels.reshape(-1, 4), axis=1, prepend=0.0).ravel()
        return Growth(first + skip, since, _carried(levels), len(since) - whole)

    def _check(self, panel: Panel) -> None:
        for name, kinds in ((self.target, ("yoy_ytd",)), (self.levels, (*_SUMS, "level", "level_month"))):
            about = panel.meaning(name).indicator
            if about.freq is not Freq.Q or (about.kind and about.kind not in kinds):
                raise BadInput(
                    f"{name} is {about.kind or 'a figure'} of frequency {about.freq}; needs {kinds[0]}, quarterly"
                )


@dataclass(frozen=True, slots=True, eq=False)
class Growth:
    """Whole years from ``first``, a first quarter, on. since: ``(n,)`` growth since January as published, NaN where it is not.

    levels: ``(n,)`` of the single quarters, those not known carried on from the year before. known: quarters in the panel.
    """

    first: Period
    since: Floats
    levels: Floats
    known: int

    @property
    def single(self) -> Floats:
        """``(known,)`` growth of the single quarters; NaN where it or the one before it in the year is not published."""
        b = self.base(len(self.since)).reshape(-1, 4)
        sums = b.cumsum(axis=1)
        grown = sums * self.since.reshape(-1, 4)
        found: Floats = (np.diff(grown, axis=1, prepend=0.0) / b).ravel()[: self.known]
        return found

    def base(self, n: int) -> Floats:
        """``(n,)`` the levels of a year before: those of the first year weigh it too, as there are none before it."""
        years = np.arange(n) // 4
        held = len(self.levels) // 4
        year = np.clip(years - 1, 0, held - 1)
        found: Floats = self.levels[4 * year + np.arange(n) % 4]
        return found


def _carried(levels: Floats) -> Floats:
    """Quarters that are not known: those of the year before, times the growth of the quarters that are; so shares of a year whose
    levels are not out are those of the last one."""
    years = levels.reshape(-1, 4).copy()
    for y, year in enumerate(years):
        lacking = np.isnan(year)
        if y and lacking.any():
            before, both = years[y - 1], ~lacking & ~np.isnan(years[y - 1])
            pace = year[both].sum() / before[both].sum() if both.any() else 1.0
            year[lacking] = pace * before[lacking]
    return years.ravel()


def _single(target: Series, name: str) -> Series:
    about = target.indicator
    return replace(target, indicator=replace(
        about, id=split_id(name)[0], kind="yoy_quarter", step="lin", aggregation="average",
        name_en=f"{about.name_en}, of the single quarter", name_zh=f"{about.name_zh}（当季推算）",
    ))  # fmt: skip


def _named(options: Any, name: str) -> Any:
    """The options with ``{quarter}`` filled in, wherever it stands."""
    if isinstance(options, str):
        return options.replace(HERE, name)
    if isinstance(options, Mapping):
        return {_named(k, name): _named(v, name) for k, v in options.items()}
    if isinstance(options, list | tuple):
        return type(options)(_named(v, name) for v in options)
    return options


@dataclass(frozen=True)
class FittedYtd:
    """inner: the fitted model of the single quarter. Shares come from the panel that is asked about."""

    model: Ytd
    inner: Fitted

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """Quarters published as they are, the others by the inner model and their shares.

        Of several quarters not yet published, errors are taken to go together (comonotone): quantiles add up, which is exact for
        the first of them and the widest that bands can be for the sum. Raises NotEnoughData as the inner model does, and where
        no levels are known.
        """
        target = self.model.target
        mean = published(panel, target, periods)
        quantiles = np.repeat(mean[:, None], len(LEVELS), axis=1)
        parts, wanted = self._open(panel, periods)
        if parts:
            said = self.inner.estimate(self.model.quarters(panel), wanted)
            for j, (known, rows, w) in parts.items():
                mean[j] = known + w @ said.mean[rows]
                quantiles[j] = known + w @ said.quantiles[rows]
        return Estimate(target, panel.asof, tuple(periods), mean, quantiles)

    def sources(self, panel: Panel, periods: Sequence[Period]) -> Sources:
        """Those of the inner model, by the shares of the quarters, which move together. Raises as ``estimate``."""
        parts, wanted = self._open(panel, periods)
        rows = np.zeros((len(periods), 3))
        inner = (
            uncertainty.sources(self.inner, self.model.quarters(panel), wanted) if parts else Sources.of(np.zeros(0))
        )
        for j, (_, at, w) in parts.items():
            rows[j] = uncertainty.comonotone(w, [inner.row(i) for i in at])
        return replace(Sources(*rows.T), live=inner.live)

    def _open(
        self, panel: Panel, periods: Sequence[Period]
    ) -> tuple[dict[int, tuple[float, list[int], Floats]], list[Period]]:
        """For the place of each period that is not published: what is known of it, and of the quarters that are not their places
        among those to be nowcast, and their shares."""
        mean = published(panel, self.model.target, periods)
        open_ = [j for j in range(len(periods)) if np.isnan(mean[j])]
        if not open_:
            return {}, []
        growth = self.model.growth(panel)
        parts = {j: _shares(growth, periods[j], self.model.target, panel.day) for j in open_}
        wanted = sorted({q for known, shares in parts.values() for q in shares})
        at = {q: i for i, q in enumerate(wanted)}
        return {j: (known, [at[q] for q in s], np.array(list(s.values()))) for j, (known, s) in parts.items()}, wanted

    def state(self) -> State:
        return {f"{_MARK}{name}": value for name, value in self.inner.state().items()}


def _shares(growth: Growth, period: Period, target: str, day: str) -> tuple[float, dict[Period, float]]:
    """What the quarters published add to the growth since January, and the shares of those that are not."""
    at = period - growth.first
    if at < 0:
        raise NotEnoughData(f"{target}: {period} is not known as of {day} and lies before the first whole year")
    start = at - at % 4
    b = growth.base(at + 1)[start:]
    if np.isnan(b).any() or b.sum() <= 0:
        raise NotEnoughData(f"{target}: the levels that weigh the quarters of {period} are not known as of {day}")
    since = growth.since[start : at + 1]
    out = np.flatnonzero(~np.isnan(since))
    done = int(out[-1]) + 1 if len(out) else 0
    known = float(b[:done].sum() / b.sum() * since[done - 1]) if done else 0.0
    return known, {growth.first + start + q: float(b[q] / b.sum()) for q in range(done, at % 4 + 1)}


MODEL = Ytd
