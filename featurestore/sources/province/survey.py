"""What 2,000 firms answer: each quarter all of them, each month those in manufacturing. A separate frame, firm by firm.

Firms are drawn by city, industry and size; a fifth of the places goes to another firm of the same stratum each January.
Firms that do badly answer less often (so that what is answered looks better than what is), and two in a hundred say
"the same" to everything. Both are in the truth, for scoring.

Sources: the questions and weights of the manufacturing PMI (National Bureau of Statistics of China), and of the business
prosperity index: 0.4 x now + 0.6 x expected, each 100 + % good - % poor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.calendar import Freq, Period
from engine.typing import Floats
from featurestore.sources.province.cities import SIZES
from featurestore.sources.province.latent import FIRST, MONTHS, YEARS, Latent, ar2
from featurestore.sources.province.meaning import CITIES
from featurestore.sources.province.publication import PUBLISHED

FIRMS = 2000
ROTATED = FIRMS // 5
STRAIGHT = 0.02

INDUSTRIES = (
    "textiles", "apparel", "chemicals", "machinery", "electrical equipment", "electronics", "vehicles", "metals",
    "construction", "wholesale and retail", "transport", "information services", "real estate",
)  # fmt: skip
MANUFACTURING = 8
"""The first of INDUSTRIES."""

SIZES_OF_FIRMS = (("large", 0.10, 3.0), ("medium", 0.30, 1.6), ("small", 0.40, 0.8), ("micro", 0.20, 0.4))
"""Share of the sample, and weight: what a firm stands for in value added."""

MONTHLY = {"new_orders": (1.2, 0.02), "production": (1.2, 0.05), "employment": (0.5, -0.08), "delivery": (-0.3, 0.0),
           "stocks": (0.4, -0.10), "expectation": (1.0, 0.20)}  # fmt: skip
QUARTERLY = {"business_now": (1.2, 0.30), "business_next": (1.0, 0.35)}
"""How far an answer follows the signal, and its mean: 1 up or good, 0 the same, -1 down or poor."""

ENVIRONMENT = {"financing": (0.5, 0.1), "labour": (-0.3, -0.2), "taxes_fees": (0.1, 0.6), "land_energy": (0.1, 0.0),
               "approval": (0.0, 0.9)}  # fmt: skip
"""Five steps, from 2 much better to -2 much worse, each quarter: how firms find what surrounds them."""

PMI = {"new_orders": 0.30, "production": 0.25, "employment": 0.20, "delivery": -0.15, "stocks": 0.10}
"""Weights of the index; delivery counts as 100 - delivery."""

_LIMIT = 0.8  # an answer is "the same" while the score lies within


@dataclass(frozen=True, slots=True)
class Survey:
    """firms: one row a firm. answers: one row a firm and wave, null where not asked or not answered. straight: the firms
    that always say the same. complete: by wave and question, the index had every firm answered and meant it.
    pmi, boom: ``(MONTHS,)``, as an office computes them from the answers, NaN where there are none."""

    firms: pl.DataFrame
    answers: pl.DataFrame
    straight: pl.DataFrame
    complete: pl.DataFrame
    pmi: Floats
    boom: Floats


def survey(state: Latent, rng: np.random.Generator, surroundings: np.random.Generator) -> Survey:
    """The sample, its answers in all waves, and what an office makes of them. surroundings: chance of ENVIRONMENT alone."""
    sample = _Sample(rng)
    local = np.column_stack([ar2(rng, MONTHS, (0.8, 0.0), 0.10) for _ in SIZES])
    signal = _signal(state)
    pmi, boom = np.full(MONTHS, np.nan), np.full(MONTHS, np.nan)
    waves: dict[Freq, list[dict[str, NDArray[np.generic]]]] = {Freq.M: [], Freq.Q: []}
    complete: list[tuple[str, int, str, float]] = []
    for t in range(PUBLISHED, MONTHS):
        month = FIRST + t
        if t % 12 == 0:
            sample.rotate(month.start.year, first=t == PUBLISHED)
        due = [(Freq.M, MONTHLY, sample.industry < MANUFACTURING)]
        if t % 3 == 2:
            due.append((Freq.Q, QUARTERLY, np.ones(FIRMS, dtype=np.bool_)))
        mood = sample.mood + 0.5 * rng.standard_normal(FIRMS) + local[t, sample.city]
        for freq, questions, asked in due:
            seen = {q: signal[t] if q not in ("expectation", "business_next") else 0.7 * signal[t] for q in questions}
            scores = {q: load * seen[q] + mean + mood + 0.7 * rng.standard_normal(FIRMS)
                      for q, (load, mean) in questions.items()}  # fmt: skip
            meant = {q: ((s > _LIMIT) * 1 - (s < -_LIMIT) * 1).astype(np.int8) for q, s in scores.items()}
            silent = rng.random(FIRMS) < 1 / (1 + np.exp(1.9 + 0.8 * (mood + signal[t])))
            given = {q: np.where(sample.straight, 0, m).astype(np.int8) for q, m in meant.items()}
            period = month.to(freq)
            complete += [
                (freq.value, period.ordinal, q, diffusion(meant[q][asked], sample.weight[asked])) for q in meant
            ]
            there = asked & ~silent
            index = {q: diffusion(given[q][there], sample.weight[there]) for q in given}
            if freq is Freq.M:
                pmi[t] = 15 + sum(w * index[q] for q, w in PMI.items())  # 0.15 x 100 of the inverted delivery
            else:
                now, later = index["business_now"], index["business_next"]
                boom[t] = 0.4 * 2 * now + 0.6 * 2 * later  # 100 + % good - % poor is twice the diffusion index
            capacity = np.clip(78 + 6 * (signal[t] + mood) + 5 * rng.standard_normal(FIRMS), 20, 100).round()
            if freq is Freq.Q:
                for q, (load, mean) in ENVIRONMENT.items():
                    felt = load * signal[t] + mean + mood + surroundings.standard_normal(FIRMS)
                    step = np.clip(np.round(felt), -2, 2)
                    complete.append((freq.value, period.ordinal, q, diffusion(step / 2, sample.weight[asked])))
                    given[q] = np.where(sample.straight, 0, step).astype(np.int8)
            given["capacity"] = np.where(sample.straight, 80, capacity).astype(np.int8)
            waves[freq].append(_wave(period, sample.number, given, asked, silent))
    columns = ("freq", "period", "question", "index")
    whole = pl.DataFrame(complete, schema=dict(zip(columns, _COMPLETE, strict=True)), orient="row")
    answers = pl.concat([_joined(*of) for of in waves.items()], how="diagonal").select(_ANSWERS)
    return Survey(sample.firms(), answers, sample.straight_firms(), whole.with_columns(_FLAG), pmi, boom)


def diffusion(answers: NDArray[np.int8] | Floats, weight: Floats) -> float:
    """% up + half of % the same, of the weighted answers: 50 is no change."""
    return float(50 + 50 * np.average(answers, weights=weight))


_FLAG = pl.lit(True).alias("is_synthetic")
_COMPLETE = (pl.String(), pl.Int32(), pl.String(), pl.Float64())
_ANSWERS = ["freq", "period", "firm", "answered", *MONTHLY, *QUARTERLY, *ENVIRONMENT, "capacity", "is_synthetic"]


def _signal(state: Latent) -> Floats:
    """What firms feel of the state: how activity has changed in half a year, and the shock of the month."""
    change = state.activity - np.concatenate([np.full(6, state.activity[0]), state.activity[:-6]])
    shock = np.diff(state.event, prepend=0.0)
    signal: Floats = 0.13 * change + np.where(shock < 0, 1.9, 0.6) * shock  # relief is felt less than the blow
    return signal


def _wave(
    period: Period,
    firm: NDArray[np.int64],
    given: dict[str, NDArray[np.int8]],
    asked: NDArray[np.bool_],
    silent: NDArray[np.bool_],
) -> dict[str, NDArray[np.generic]]:
    """The columns of a wave: one row a firm that was asked."""
    answers = {q: a[asked] for q, a in given.items() if q != "capacity" or period.freq is Freq.Q}
    ordinal = np.full(int(asked.sum()), period.ordinal, dtype=np.int32)
    return {"period": ordinal, "firm": firm[asked].astype(np.int32), "answered": ~silent[asked], **answers}


def _joined(freq: Freq, waves: list[dict[str, NDArray[np.generic]]]) -> pl.DataFrame:
    """All waves of a frequency, null where a firm did not answer."""
    frame = pl.DataFrame({name: np.concatenate([wave[name] for wave in waves]) for name in waves[0]})
    answers = [name for name in frame.columns if name not in ("period", "firm", "answered")]
    return frame.with_columns(pl.when("answered").then(pl.col(answers)), pl.lit(freq.value).alias("freq"), _FLAG)


class _Sample:
    """The places of the sample, and the firms that hold them in turn. Arrays are ``(FIRMS,)``, by place."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        gdp = np.array([g for _, g in SIZES.values()])
        self.city = rng.choice(len(SIZES), FIRMS, p=gdp / gdp.sum())
        self.industry = rng.integers(0, len(INDUSTRIES), FIRMS)
        self.size = rng.choice(len(SIZES_OF_FIRMS), FIRMS, p=[share for _, share, _ in SIZES_OF_FIRMS])
        self.weight = np.array([w for *_, w in SIZES_OF_FIRMS])[self.size] * rng.uniform(0.7, 1.3, FIRMS)
        self.number = np.arange(FIRMS)
        self.mood = 0.4 * rng.standard_normal(FIRMS)
        self.straight = rng.random(FIRMS) < STRAIGHT
        self._since = np.zeros(FIRMS, dtype=np.int64)
        self._gone: list[tuple[object, ...]] = []
        self._next = 0  # the place from which the next rotation goes on
        self._count = FIRMS

    def rotate(self, year: int, *, first: bool) -> None:
        """In January: a fifth of the places, in turn, to new firms of the same stratum."""
        if first:
            self._since[:] = year
            return
        places = (self._next + np.arange(ROTATED)) % FIRMS
        self._gone += self._rows(places, year - 1)
        self._next = int(places[-1]) + 1
        self.number[places] = self._count + np.arange(ROTATED)
        self._count += ROTATED
        self.mood[places] = 0.4 * self._rng.standard_normal(ROTATED)
        self.straight[places] = self._rng.random(ROTATED) < STRAIGHT
        self._since[places] = year

    def _rows(self, places: NDArray[np.int64], until: int) -> list[tuple[object, ...]]:
        return [
            (int(self.number[p]), CITIES[self.city[p]].code, INDUSTRIES[self.industry[p]], bool(self.industry[p] < MANUFACTURING),
             SIZES_OF_FIRMS[self.size[p]][0], float(self.weight[p]), int(self._since[p]), until, bool(self.straight[p]))
            for p in places
        ]  # fmt: skip

    def _table(self) -> pl.DataFrame:
        schema = {"firm": pl.Int32, "city": pl.String, "industry": pl.String, "manufacturing": pl.Boolean}
        schema |= {"size": pl.String, "weight": pl.Float64, "first_year": pl.Int32, "last_year": pl.Int32}
        rows = self._gone + self._rows(np.arange(FIRMS), FIRST.start.year + YEARS - 1)
        table = pl.DataFrame(rows, schema=schema | {"straight": pl.Boolean}, orient="row")
        return table.with_columns(_FLAG).sort("firm")

    def firms(self) -> pl.DataFrame:
        """Every firm that ever was in the sample."""
        return self._table().drop("straight")

    def straight_firms(self) -> pl.DataFrame:
        """The firms that always say the same."""
        return self._table().filter("straight").select("firm", "is_synthetic")
