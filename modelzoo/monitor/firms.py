"""Indices from what firms answered: operation, environment, expectation and the whole, by industry, city and size."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import BeforeValidator

from engine.answers import Answers
from engine.calendar import Freq, Period
from engine.errors import BadInput, NotEnoughData
from engine.estimate import LEVELS, Estimate, quantile_name
from engine.indicator import split_id
from engine.model import State
from engine.reading import READINGS
from engine.typing import Floats, Ints
from modelzoo.monitor import cells
from modelzoo.monitor.formulas import Formula, index

DATA = Path(__file__).parent / "data"
WHOLE = "composite"


@dataclass(frozen=True)
class Question:
    """A question, its weight in the index, and whether more of it is worse."""

    id: str
    weight: float = 1.0
    inverse: bool = False


@dataclass(frozen=True)
class Index:
    """An index: its questions, and its weight in the whole."""

    id: str
    name_en: str
    name_zh: str
    weight: float
    questions: tuple[Question, ...]


def shipped(said: Any) -> Any:
    """The indices of a data file of that name; anything else is left to be read as indices."""
    if not isinstance(said, str):
        return said
    file = DATA / f"{said}.toml"
    if not file.is_file():
        raise ValueError(f"no indices {said!r}; there are {', '.join(sorted(f.stem for f in DATA.glob('*.toml')))}")
    return tomllib.loads(file.read_text(encoding="utf-8"))["indices"]


@cache
def called() -> dict[str, tuple[str, str]]:
    """``code of a cell -> English and Chinese name``."""
    with (DATA / "cells.csv").open(encoding="utf-8") as file:
        return {row["code"]: (row["name_en"], row["name_zh"]) for row in csv.DictReader(file)}


def _enterprise() -> tuple[Index, ...]:
    from pydantic import TypeAdapter

    return TypeAdapter(tuple[Index, ...]).validate_python(shipped("enterprise"))


@dataclass(frozen=True)
class Firms:
    """Weighted means of answers on the scale of an institution, with bands from resampled firms. Not seasonally adjusted.

    target: what is read and the region of the whole: firms@SYN-33.
    indices: the indices and their questions, or the name of a data file in modelzoo/monitor/data.
    formula: diffusion (0 to 100, 50 is neutral), prosperity (0 to 200, 100) or balance (-100 to 100, 0).
    freq: of the waves, M or Q.
    by: what cells are made of: industry, city, size.
    sample: all who answered, with answers carried for one wave; or those who answered in this wave and the one before.
    least: a cell with fewer firms is not shown.
    draws: of firms, for the bands.
    """

    target: str
    indices: Annotated[tuple[Index, ...], BeforeValidator(shipped)] = field(default_factory=_enterprise)
    formula: Formula = "diffusion"
    freq: Literal["M", "Q"] = "M"
    by: tuple[Literal["industry", "city", "size"], ...] = ("industry", "city", "size")
    sample: Literal["all", "matched"] = "all"
    least: int = 10
    draws: int = 200
    reads: ClassVar[str] = "answers"

    def __post_init__(self) -> None:
        split_id(self.target)
        ids = [i.id for i in self.indices]
        if not ids or len(set(ids)) != len(ids) or WHOLE in ids:
            raise BadInput(f"{self.target}: indices have names of their own, each once, and none is {WHOLE!r}")
        if any(not q.weight > 0 for i in self.indices for q in i.questions) or any(
            not i.weight > 0 for i in self.indices
        ):
            raise BadInput(f"{self.target}: weights of indices and questions are above 0")
        if self.least < 1 or self.draws < 20:
            raise BadInput(f"{self.target}: least is 1 or more and draws 20 or more")

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        """None: it reads answers, not series."""
        return ()

    @property
    def questions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(q.id for i in self.indices for q in i.questions))

    @property
    def names(self) -> Mapping[str, tuple[str, str]]:
        """English and Chinese names of the indices, and of cells of which data/cells.csv has one."""
        return called() | {i.id: (i.name_en, i.name_zh) for i in self.indices} | {WHOLE: ("Comprehensive", "综合指数")}

    def fit(self, answers: Answers) -> FittedFirms:
        """Learn the frame: what each stratum weighs, from all firms of the last year. Raises NotEnoughData."""
        waves = answers.waves(Freq(self.freq))
        if not waves:
            raise NotEnoughData(f"{self.target}: no firm's answers were known as of {answers.day}")
        year = waves[-Freq(self.freq).per_year :]
        keys, totals = cells.frame(pl.concat([answers.wave(w) for w in year]))
        return FittedFirms(self, keys, totals)

    def restore(self, state: State) -> FittedFirms:
        return FittedFirms(self, np.asarray(state["strata"], np.int64), np.asarray(state["totals"], float))


@dataclass(frozen=True)
class FittedFirms:
    """strata: ``(S,)`` numbers of strata, totals: ``(S,)`` the weight of each in the frame of the day of learning."""

    model: Firms
    strata: Ints
    totals: Floats

    def tell(self, answers: Answers, periods: Sequence[Period]) -> pl.DataFrame:
        """READINGS: every index of every cell, its quantiles and how many firms answered. Raises NotEnoughData, BadInput."""
        model = self.model
        region = split_id(model.target)[1]
        rows: list[tuple[str, str, str, str, float]] = []
        for period in periods:
            wave = self._wave(answers, period)
            weight = cells.raised(wave, self.strata, self.totals)
            times = cells.draws(wave, model.draws, seed=period.ordinal)
            for unit, own in {region: np.arange(len(wave.firms)), **wave.cells}.items():
                count = int((~np.isnan(wave.answers[own])).any(1).sum())
                if count < model.least:
                    continue
                point = self._indices(cells.means(wave, weight, own))
                drawn = self._indices(cells.means(wave, weight, own, times))
                known = [name for name, value in point.items() if not np.isnan(value)]
                quantiles = _quantiles(np.stack([drawn[name] for name in known]))
                for name, ends in zip(known, quantiles, strict=True):
                    said = [("index", float(point[name])), ("firms", float(count))]
                    said += [(quantile_name(q), float(v)) for q, v in zip(LEVELS, ends, strict=True)]
                    rows += [(unit, str(period), level, name, v) for level, v in said]
        if not rows:
            raise NotEnoughData(f"{model.target}: fewer than {model.least} firms answered as of {answers.day}")
        return pl.DataFrame(rows, schema=READINGS, orient="row")

    def estimate(self, answers: Answers, periods: Sequence[Period]) -> Estimate:
        """The comprehensive index of all firms. Raises as :meth:`tell`."""
        told = self.tell(answers, periods).filter(
            pl.col("unit") == split_id(self.model.target)[1], pl.col("name") == WHOLE
        )
        wide = told.pivot("level", index="period", values="value", maintain_order=True)
        if wide["period"].to_list() != [str(p) for p in periods]:
            raise NotEnoughData(f"{self.model.target}: too few firms answered in one of {', '.join(map(str, periods))}")
        quantiles = wide.select(map(quantile_name, LEVELS)).to_numpy()
        return Estimate(self.model.target, answers.asof, tuple(periods), wide["index"].to_numpy(), quantiles)

    def newest(self, answers: Answers) -> Period:
        """The last wave. Raises NotEnoughData."""
        waves = answers.waves(Freq(self.model.freq))
        if not waves:
            raise NotEnoughData(f"{self.model.target}: no firm's answers were known as of {answers.day}")
        return waves[-1]

    def oldest(self, answers: Answers) -> Period:
        """The first wave; of a matched sample the second. Raises NotEnoughData."""
        waves = answers.waves(Freq(self.model.freq))
        if len(waves) < (least := 1 + (self.model.sample == "matched")):
            raise NotEnoughData(f"{self.model.target}: fewer than {least} waves were known as of {answers.day}")
        return waves[least - 1]

    def state(self) -> State:
        return {"strata": self.strata, "totals": self.totals}

    def _wave(self, answers: Answers, period: Period) -> cells.Wave:
        model = self.model
        if period.freq is not Freq(model.freq):
            raise BadInput(f"{model.target} has waves of frequency {model.freq}, and {period} is of {period.freq}")
        before = answers.wave(period + -1) if (period + -1) in answers.waves(period.freq) else None
        if model.sample == "matched" and before is None:
            raise NotEnoughData(f"{model.target}: no wave before {period} to match firms with, as of {answers.day}")
        return cells.read(answers.wave(period), model.questions, model.by, before, model.sample == "matched")

    def _indices(self, mean: Floats) -> dict[str, Floats]:
        """By name, from mean answers ``(..., Q)``; NaN where none of its questions was answered."""
        model, column = self.model, {q: j for j, q in enumerate(self.model.questions)}
        out: dict[str, Floats] = {}
        for one in model.indices:
            own = mean[..., [column[q.id] for q in one.questions]]
            signs = np.array([-1.0 if q.inverse else 1.0 for q in one.questions])
            out[one.id] = _average(index(signs * own, model.formula), np.array([q.weight for q in one.questions]))
        parts = np.stack(list(out.values()), axis=-1)
        out[WHOLE] = _average(parts, np.array([i.weight for i in model.indices]))
        return out


def _average(values: Floats, weights: Floats) -> Floats:
    """Over the last axis; what is not known leaves its weight to the others."""
    known = ~np.isnan(values)
    total = known @ weights
    out: Floats = np.divide(np.nan_to_num(values) @ weights, total, out=np.full(total.shape, np.nan), where=total > 0)
    return out


def _quantiles(drawn: Floats) -> Floats:
    """``(K, len(LEVELS))`` of draws ``(K, B)``; a draw in which nobody answered does not count."""
    if np.isnan(drawn).any():
        return np.asarray(np.nanquantile(drawn, LEVELS, axis=1).T, np.float64)
    return np.asarray(np.quantile(drawn, LEVELS, axis=1).T, np.float64)


MODEL = Firms
