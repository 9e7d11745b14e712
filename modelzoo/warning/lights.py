"""The composite warning index 预警指数: items scored 1 to 5, five lights, thresholds learned or set, a light that is held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

import numpy as np
import polars as pl
from pydantic import BeforeValidator

from engine.calendar import Freq, Period, known_day
from engine.errors import BadInput, NotEnoughData
from engine.estimate import LEVELS, Estimate
from engine.figures import Origin
from engine.indicator import split_id
from engine.lights import Lights, Mark
from engine.model import State
from engine.panel import Panel
from engine.reading import CUTS, READINGS, of_estimate
from engine.typing import Bools, Floats, Ints
from modelzoo.warning import rules, scoring
from modelzoo.warning.rules import Item, Learning, ThresholdSet

Items: TypeAlias = Annotated[tuple[Item, ...], BeforeValidator(rules.by_name)]

COMPLETE = 12
"""Months with every item known, from which it is learned how far an index with carried or missing items is off."""

SETTLED = 3
"""Months after December before a year counts as known, when its thresholds are learned."""


@dataclass(frozen=True)
class CompositeLights:
    """Index = 100 Σ w s / (3 Σ w): all items green is 100. A missing item is carried once, then re-weighted, and marked.

    target: warning@REGION, whose items are read and whose index this is.
    items: the items, or the name of a data file in modelzoo/warning/data.
    sets: thresholds set by an office, in force from a month on; re-set at most once a year.
    learning: how thresholds are learned where none are set: "quantiles" .10 .30 .70 .90, or "deviations" mean ± .5 and 1.5 sd.
    since: first month of the window from which they are learned; "" is all. It ends with the last December that is at least
        three months past, so that they move once a year.
    years: the last so many years of it, 0 for all; where growth falls for decades, all is a judgement by a past that is gone.
    january: what January scores of a series that publishes January and February as one: "february" only February has the
        pair's figure, and January carries December's; "both" January takes it too, once it is known.
    delta: how far, in points of the index, a band must be crossed before the light changes at once; else it takes two months.
    bands: of the index, between blue, light blue, green, yellow and red.
    least: share of the weight that must be known or carried for an index; one item at least must be known.
    """

    target: str
    items: Items = field(default_factory=lambda: rules.load("zhejiang")[0])
    sets: tuple[ThresholdSet, ...] = ()
    learning: Learning = "quantiles"
    since: str = ""
    years: int = 0
    january: Literal["february", "both"] = "february"
    delta: float = 1.0
    bands: tuple[float, float, float, float] = scoring.CEMAC
    least: float = 0.5

    def __post_init__(self) -> None:
        split_id(self.target)
        if not self.items or len(set(self.inputs)) != len(self.items):
            raise BadInput(f"{self.target}: an index needs items, each once")
        if self.years < 0 or (self.since and Period.parse(self.since).freq is not Freq.M):
            raise BadInput(f"{self.target}: since is a month, years are 0 or more: {self.since!r}, {self.years}")
        if not self.delta >= 0 or not 0 < self.least <= 1:
            raise BadInput(f"{self.target}: delta is from 0, least in (0, 1], not {self.delta} and {self.least}")
        if sorted(self.bands) != list(self.bands):
            raise BadInput(f"{self.target}: bands ascend, not {self.bands}")
        rules.check_sets(self.sets, self.items)

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def region(self) -> str:
        """Code of the region."""
        return split_id(self.target)[1]

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(i.series(self.region) for i in self.items)

    @property
    def weights(self) -> Ints:
        """``(K,)`` whole numbers."""
        return np.array([i.weight for i in self.items], np.int64)

    @property
    def names(self) -> dict[str, tuple[str, str]]:
        """English and Chinese names of the items, by series."""
        return {i.series(self.region): (i.name_en, i.name_zh) for i in self.items if i.name_en and i.name_zh}

    def fit(self, panel: Panel) -> FittedLights:
        """Learn the thresholds of the items that no set covers from the start. Raises NotEnoughData naming the item."""
        first, last = self._window(panel)
        values, cuts = self.values(panel), np.empty((len(self.items), 4))
        set_at: dict[str, tuple[float, ...]] = {}
        for one in self.sets[:1]:
            set_at = {c.item: c.at for c in one.cuts}
        sides, both = self._sides(panel)
        for k, (item, name) in enumerate(zip(self.items, self.inputs, strict=True)):
            if item.id in set_at:
                cuts[k] = set_at[item.id]
                continue
            x = values[max(first - panel.first, 0) : max(last - panel.first + 1, 0), k]
            cuts[k] = rules.learn(x[~np.isnan(x)], self.learning, bool(both[k]), panel.meaning(name).freq, name)
        return FittedLights(self, cuts, sides, first, last)

    def restore(self, state: State) -> FittedLights:
        first, last = (Period(Freq.M, int(n)) for n in state["window"])
        return FittedLights(self, np.asarray(state["cuts"], float), np.asarray(state["sides"], np.int64), first, last)

    def values(self, panel: Panel) -> Floats:
        """``(T, K)`` what is scored, each in its own row. Raises Unknown for an item that the panel lacks."""
        x = panel.matrix(self.inputs)
        for k, item in enumerate(self.items):
            if item.form == "growth":
                base = np.full(len(x), np.nan)
                base[12:] = x[:-12, k]
                x[:, k] = 100.0 * (x[:, k] / np.where(base > 0, base, np.nan) - 1.0)
        return x

    def _sides(self, panel: Panel) -> tuple[Ints, Bools]:
        """1 or -1, and whether the thresholds lie on both sides of a centre, as the items or the catalogue say."""
        sides, both = np.ones(len(self.items), np.int64), np.zeros(len(self.items), np.bool_)
        for k, (item, name) in enumerate(zip(self.items, self.inputs, strict=True)):
            meaning = panel.meaning(name).indicator
            counter = item.side == "low" or (not item.side and meaning.direction == "counter")
            sides[k] = -1 if counter else 1
            both[k] = item.side == "both" or (not item.side and not counter and meaning.polarity == "neutral")
        return sides, both

    def _window(self, panel: Panel) -> tuple[Period, Period]:
        settled = Period.of(known_day(panel.asof), Freq.M) + -SETTLED
        last = Period(Freq.M, settled.ordinal // 12 * 12 - 1)
        first = Period.parse(self.since) if self.since else panel.first
        return (max(first, last + (1 - 12 * self.years)) if self.years else first), last


@dataclass(frozen=True)
class FittedLights:
    """cuts: ``(K, 4)`` learned, or those of the first set. first, last: the window from which they were learned."""

    model: CompositeLights
    cuts: Floats
    sides: Ints
    first: Period
    last: Period

    def lights(self, panel: Panel, periods: Sequence[Period] | None = None) -> Lights:
        """The lights of these months, or of all that have one. Raises NotEnoughData for a month of which too little is known."""
        return self.path(panel, self.model.values(panel), periods)

    def path(self, panel: Panel, values: Floats, periods: Sequence[Period] | None = None) -> Lights:
        """As :meth:`lights`, from values ``(T, K)`` in the place of those of the panel: what if an item had come out otherwise."""
        model, target = self.model, self.model.targets[0]
        if odd := [str(p) for p in periods or () if p.freq is not Freq.M]:
            raise BadInput(f"{target}: a warning index is monthly; {', '.join(odd)} is not a month")
        found = scoring.sources(~np.isnan(values), self.quarterly(panel), panel.first.ordinal, model.january == "both")
        x = scoring.looked_up(values, found.row)
        cuts, versions = self.thresholds(panel)
        score = scoring.scores(x, cuts, self.sides)
        index = scoring.index(score, model.weights, model.least, found.mark)
        light, raw = scoring.hold(index, np.array(model.bands), model.delta)
        if periods is None:
            rows = np.flatnonzero(light)
            periods = [panel.first + t for t in rows.tolist()]
            if not periods:
                raise NotEnoughData(f"{target}: no month has {model.least:.0%} of the weight known as of {panel.day}")
        else:
            rows = np.array([p - panel.first for p in periods], np.int64)
        for p, t in zip(periods, rows.tolist(), strict=True):
            if not 0 <= t < len(index) or np.isnan(index[t]):
                fresh = np.isin(found.mark[t], (Mark.KNOWN, Mark.PAIRED)) if 0 <= t < len(index) else np.array([False])
                share = float((score[t] > 0) @ model.weights / model.weights.sum()) if fresh.any() else 0.0
                raise NotEnoughData(
                    f"{target}: {share:.0%} of the weight is known for {p} as of {panel.day}; "
                    f"an index needs {model.least:.0%}"
                )
        imputed = (panel.flags_of(model.inputs) & Origin.IMPUTED) != 0
        guessed = np.take_along_axis(imputed, np.maximum(found.row, 0), 0) & (found.mark == Mark.KNOWN)
        marks = np.where(guessed, Mark.IMPUTED, found.mark).astype(np.int64)
        return Lights(
            target, panel.asof, tuple(periods), model.inputs, index[rows], light[rows], raw[rows], x[rows], score[rows],
            marks[rows], model.weights, self.sides, cuts[rows], tuple(versions[t] for t in rows),
            np.array(model.bands),
        )  # fmt: skip

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """The index, what each item adds, and how far such an index was off where items were carried or missing.

        A month with every item known has no bands. Raises NotEnoughData as :meth:`lights`, or where too few months are
        complete to tell how far it was off.
        """
        told = self.lights(panel, periods)
        quantiles = np.repeat(told.index[:, None], len(LEVELS), axis=1)
        for h, marks in enumerate(told.marks):
            if np.isin(marks, (Mark.CARRIED, Mark.MISSING)).any():
                quantiles[h] += np.quantile(self._misses(panel, marks), LEVELS)
        quantiles = np.clip(quantiles, 100 / 3, 500 / 3)  # all items blue, all items red
        return Estimate(told.target, told.asof, told.periods, told.index, quantiles, told.items, told.parts)

    def newest(self, panel: Panel) -> Period:
        """The newest month with a light. Raises NotEnoughData."""
        return self.lights(panel).periods[-1]

    def oldest(self, panel: Panel) -> Period:
        """The first month with a light. Raises NotEnoughData."""
        return self.lights(panel).periods[0]

    def tell(self, panel: Panel, periods: Sequence[Period]) -> pl.DataFrame:
        """READINGS: the index with its bands and parts, lights of the whole and of the items, their scores and marks.

        The thresholds of the newest of these months, and of each in which others came into force.
        """
        told = self.lights(panel, periods)
        months = [str(p) for p in periods]
        rows = [(m, "light", "", float(v)) for m, v in zip(months, told.light, strict=True)]
        for h, m in enumerate(months):
            for k, name in enumerate(told.items):
                if told.scores[h, k]:
                    rows += [(m, level, name, float(told.scores[h, k])) for level in ("light", "score")]
                if told.marks[h, k] != Mark.KNOWN:
                    rows.append((m, "mark", name, float(told.marks[h, k])))
        cuts, _ = self.thresholds(panel)
        for h, p in enumerate(periods):
            for k, name in enumerate(told.items):
                new = p - panel.first > 0 and (told.cuts[h, k] != cuts[p - panel.first - 1, k]).any()
                if new or p == max(periods):
                    rows += [(months[h], level, name, float(v)) for level, v in zip(CUTS, told.cuts[h, k], strict=True)]
        more = pl.DataFrame([(self.model.region, *r) for r in rows], schema=READINGS, orient="row")
        return pl.concat([of_estimate(self.estimate(panel, periods), self.model.region), more])

    def thresholds(self, panel: Panel) -> tuple[Floats, tuple[str, ...]]:
        """``(T, K, 4)`` in force in each month of the panel, and their names."""
        T, place = panel.months, {i.id: k for k, i in enumerate(self.model.items)}
        cuts = np.repeat(self.cuts[None], T, axis=0)
        name = f"{self.model.learning} {self.first}…{self.last}"
        versions = [name] * T
        for one in self.model.sets:
            since = max(Period.parse(one.valid_from) - panel.first, 0)
            for c in one.cuts:
                cuts[since:, place[c.item]] = c.at
            versions[since:] = [one.version] * max(T - since, 0)
        return cuts, tuple(versions)

    def quarterly(self, panel: Panel) -> Bools:
        """``(K,)`` which items are. Raises BadInput for another frequency than months and quarters."""
        freqs = [panel.meaning(i).freq for i in self.model.inputs]
        if odd := [i for i, f in zip(self.model.inputs, freqs, strict=True) if f not in (Freq.M, Freq.Q)]:
            raise BadInput(f"{self.model.targets[0]}: items are monthly or quarterly, not {', '.join(odd)}")
        return np.array([f is Freq.Q for f in freqs], np.bool_)

    def state(self) -> State:
        window = np.array([self.first.ordinal, self.last.ordinal], np.int64)
        return {"cuts": self.cuts, "sides": self.sides, "window": window}

    def _misses(self, panel: Panel, marks: Ints) -> Floats:
        """Index with every item less the index had these been carried and those missing, over all complete months."""
        model, values = self.model, self.model.values(panel)
        quarterly = self.quarterly(panel)
        found = scoring.sources(~np.isnan(values), quarterly, panel.first.ordinal, model.january == "both")
        cuts, _ = self.thresholds(panel)
        score = scoring.scores(scoring.looked_up(values, found.row), cuts, self.sides)
        before = found.due - np.where(quarterly, 3, 1)
        older = scoring.scores(scoring.looked_up(values, np.where(before < 0, -1, before)), cuts, self.sides)
        whole = np.isin(found.mark, (Mark.KNOWN, Mark.PAIRED)).all(1) & (older > 0).all(1)
        if whole.sum() < COMPLETE:
            raise NotEnoughData(
                f"{model.targets[0]}: {int(whole.sum())} months with every item known as of {panel.day}; "
                f"{COMPLETE} are needed to say how far an index with carried items is off"
            )
        poor = np.where(marks == Mark.CARRIED, older, np.where(marks == Mark.MISSING, 0, score))
        full, less = (scoring.index(s[whole], model.weights, 0.0) for s in (score, poor))
        return full - less


MODEL = CompositeLights
