"""Source ``province``: an openly synthetic Zhejiang-like economy, published as Chinese offices publish.

Nothing in it is an official figure and nothing can pass for one: the regions are ``SYN-33`` and its cities ``SYN-3301``
to ``SYN-3311``, their names begin with 合成 and end with （示例省） or （示例市）, the source is ``synthetic-province``,
every frame has a column ``is_synthetic``. The same seed and version give the same economy to the last bit.

=============== ======================================================================================
latent.py       the hidden state, with turning points and shocks known by construction
levels.py       true monthly levels: trend, season, Spring Festival, loadings
cities.py       eleven cities that add up exactly
conditions.py   what the cities are judged by
publication.py  sums and growth since January, pairs, release days
vintages.py     scope, verification in autumn, the census every five years
survey.py       what 2,000 firms answer
opinions.py     the same, a row an answer, in the terms of the store
faults.py       seven planted mistakes with their key
meaning.py      which indicators there are and what they mean
releases.py     one release of an office after another, in the terms of the store
=============== ======================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl

from engine.calendar import Freq, known_day
from engine.typing import Floats
from featurestore.sources import Load
from featurestore.sources.province import faults as planted
from featurestore.sources.province.cities import cities
from featurestore.sources.province.conditions import conditions
from featurestore.sources.province.conditions import loads as condition_loads
from featurestore.sources.province.latent import FIRST, MONTHS, Latent, latent, turning_points
from featurestore.sources.province.levels import Level, levels
from featurestore.sources.province.meaning import CITIES, PROVINCE
from featurestore.sources.province.opinions import opinions
from featurestore.sources.province.releases import VERSION, releases
from featurestore.sources.province.survey import survey
from featurestore.sources.province.vintages import Vintages

SEED = 33


@dataclass(frozen=True, slots=True)
class Truth:
    """What no office knows; for scoring.

    states: period (month ordinal), cycle, activity, price, credit, event. turning: kind, period. levels: name, region,
    period, level (at the prices of the month), basis (what growth is counted on). straight: firms that always say the
    same. survey: freq, period, question, index, had every firm answered and meant it.
    conditions: indicator, region, period, value: a flow of the month, or the share of the province's trade, else the state.
    """

    states: pl.DataFrame
    turning: pl.DataFrame
    levels: pl.DataFrame
    straight: pl.DataFrame
    survey: pl.DataFrame
    conditions: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Economy:
    """firms, answers: the survey (``survey.Survey``). key: the planted faults (``faults.KEY``), empty without them."""

    seed: int
    version: int
    firms: pl.DataFrame
    answers: pl.DataFrame
    truth: Truth
    key: pl.DataFrame
    _loads: tuple[Load, ...]

    def releases(self) -> Iterator[Load]:
        """Every release of every office, from 2008 on, by the day on which it became known."""
        return iter(self._loads)

    def opinions(self) -> pl.DataFrame:
        """The survey as ``featurestore.answers.ANSWERS``: 1.8 million answers, a second's work."""
        return opinions(self.firms, self.answers)


@lru_cache(2)
def economy(seed: int = SEED, faults: bool = False) -> Economy:
    """The economy of a seed, about a second's work; ``faults`` plants seven mistakes in what is published.

    The truth and the survey are the same with and without faults.
    """
    draws = [np.random.default_rng([VERSION, seed, part]) for part in range(7)]  # so that no part moves another
    state = latent(draws[0])
    truth = levels(state, draws[1])
    parts = cities(truth, state, draws[2])
    asked = survey(state, draws[3], np.random.default_rng([VERSION, seed, 7]))
    answered = {"pmi": Level(asked.pmi, asked.pmi), "boom": Level(asked.boom, asked.boom)}
    vintages = Vintages(draws[4])
    loads = releases(truth | answered, parts, vintages, draws[5], seed)
    key = pl.DataFrame(schema=planted.KEY)
    if faults:
        loads, key = planted.plant(loads, draws[6])
    judged = conditions(state, np.random.default_rng([VERSION, seed, 8]))
    last = known_day(max(load.release.known_at for load in loads))
    loads += condition_loads(judged, truth["trade"], vintages, np.random.default_rng([VERSION, seed, 9]), seed, last)
    loads.sort(key=lambda load: load.release.known_at)
    hidden = Truth(
        _states(state), _turning(), _levels(truth, parts), asked.straight, asked.complete, _conditions(judged)
    )
    return Economy(seed, VERSION, asked.firms, asked.answers, hidden, key, tuple(loads))


_FLAG = pl.lit(True).alias("is_synthetic")


def _axis() -> pl.Series:
    return pl.Series("period", np.arange(FIRST.ordinal, FIRST.ordinal + MONTHS, dtype=np.int32))


def _states(state: Latent) -> pl.DataFrame:
    names = ("cycle", "activity", "price", "credit", "event")
    return pl.DataFrame([_axis(), *(pl.Series(n, getattr(state, n)) for n in names)]).with_columns(_FLAG)


def _turning() -> pl.DataFrame:
    rows = [(kind, period.to(Freq.M).ordinal) for kind, period in turning_points()]
    return pl.DataFrame(rows, schema={"kind": pl.String, "period": pl.Int32}, orient="row").with_columns(_FLAG)


def _levels(truth: dict[str, Level], parts: dict[str, tuple[Level, ...]]) -> pl.DataFrame:
    whole = [(name, PROVINCE.code, level) for name, level in truth.items()]
    whole += [(name, CITIES[c].code, level) for name, of in parts.items() for c, level in enumerate(of)]
    frames = (
        pl.DataFrame([_axis(), pl.Series("level", x.level), pl.Series("basis", x.basis)]).select(
            pl.lit(name).alias("name"), pl.lit(region).alias("region"), "period", "level", "basis", _FLAG
        )
        for name, region, x in whole
    )
    return pl.concat(frames)


def _conditions(judged: dict[str, Floats]) -> pl.DataFrame:
    frames = (
        pl.DataFrame([_axis(), pl.Series("value", x[:, c])]).select(
            pl.lit(name).alias("indicator"), pl.lit(CITIES[c].code).alias("region"), "period", "value", _FLAG
        )
        for name, x in judged.items()
        for c in range(len(CITIES))
    )
    return pl.concat(frames)
