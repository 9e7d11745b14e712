"""What the offices knew when: scope that moves with the year, verification in autumn, and the census every five years.

A level that is published on a day is the true one times three factors: the scope of its year (enterprises above size
are sampled anew each January, investment and retail sales are re-based in silence, so that growth implied by levels is
not the official growth); the error of the first estimate, until the year is verified in the autumn after; and what no
census has found yet. A census raises the level of its year, in part those of the four before, and all that follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from engine.typing import Floats
from featurestore.sources.province.latent import YEARS
from featurestore.sources.province.meaning import Line
from featurestore.sources.province.publication import FIRST_YEAR

CENSUSES = {2008: date(2009, 12, 25), 2013: date(2014, 12, 19), 2018: date(2019, 11, 22), 2023: date(2024, 12, 26)}
"""Year that was counted, and day on which the revised history appeared."""

_VERIFIED = {"accounts": (11, 3), "retail": (10, 30), "trade": (6, 10)}  # month and day of the year after
_ERROR = {"accounts": 0.003, "retail": 0.004, "trade": 0.001}
_SCOPE = {"ind_va": 0.030, "services": 0.030, "retail": 0.012, "re_investment": 0.015, "profit": 0.040}
_GROWTH_ERROR = 0.15
_FOUND = 0.25
"""Share of what a census finds that had grown unseen, and so belongs to the growth of its five years."""


@dataclass(frozen=True, slots=True)
class Event:
    """A revision of past years. families: whose lines are said again; years: first and last."""

    day: date
    code: str
    families: tuple[str, ...]
    years: tuple[int, int]


class Vintages:
    """Factors on the truth, by line, year and day."""

    def __init__(self, rng: np.random.Generator) -> None:
        steps = rng.standard_normal((len(_SCOPE), YEARS))
        self._scope: dict[str, Floats] = {k: np.exp(s * row) for (k, s), row in zip(_SCOPE.items(), steps, strict=True)}
        errors = rng.standard_normal((len(_ERROR), YEARS))
        self._error = {k: s * row for (k, s), row in zip(_ERROR.items(), errors, strict=True)}
        self._growth_error = _GROWTH_ERROR * rng.standard_normal(YEARS)
        self._jump = {year: float(x) for year, x in zip(CENSUSES, rng.uniform(0.01, 0.04, 4), strict=True)}
        self._city = 0.001 * rng.standard_normal((11, YEARS))

    def level(self, line: Line, year: int, day: date, city: int | None = None) -> float:
        """What the true level of that year is multiplied by, in what is published on that day."""
        i = year - FIRST_YEAR
        factor = float(self._scope[line.truth][i]) if line.truth in _SCOPE else 1.0
        log = 0.0 if city is None else float(self._city[city, i])
        if line.family and not self._is_verified(line.family, year, day):
            log += float(self._error[line.family][i])
        if line.family == "accounts":
            log -= sum(jump * _phase(year, of) for of, jump in self._jump.items() if day < CENSUSES[of])
        return factor * float(np.exp(log))

    def growth(self, line: Line, year: int, day: date) -> float:
        """Percentage points by which growth that is published on that day differs from the true one."""
        if line.family != "accounts":
            return 0.0
        unseen = sum(j * (_phase(year, c) - _phase(year - 1, c)) for c, j in self._jump.items() if day < CENSUSES[c])
        error = 0.0 if self._is_verified("accounts", year, day) else float(self._growth_error[year - FIRST_YEAR])
        return error - 100 * _FOUND * unseen

    def events(self) -> Iterator[Event]:
        """All revisions of past years, by day."""
        found = [
            Event(date(year + 1, *_VERIFIED[family]), f"{family}-verified", (family,), (year, year))
            for family in _VERIFIED
            for year in range(FIRST_YEAR + 1, FIRST_YEAR + YEARS - 1)
        ]
        for year, day in CENSUSES.items():
            found.append(Event(day, "accounts-census", ("accounts",), (max(year - 4, FIRST_YEAR + 1), day.year)))
        yield from sorted(found, key=lambda event: event.day)

    @staticmethod
    def _is_verified(family: str, year: int, day: date) -> bool:
        return day >= date(year + 1, *_VERIFIED[family])


def _phase(year: int, census: int) -> float:
    """How much of what a census found belongs to a year: none five years before it, a fifth more each year, then all."""
    return min(max((year - census + 5) / 5, 0.0), 1.0)
