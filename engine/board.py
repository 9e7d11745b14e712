"""Board: many units at one period, scored and ranked. What a scorecard says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from engine.calendar import Period
from engine.errors import BadInput, Unknown
from engine.typing import Floats, Ints


@dataclass(frozen=True, slots=True)
class Board:
    """Units (cities, firms, countries) scored for one period with everything known at ``asof``.

    score: ``(U,)``. rank: ``(U,)`` places from 1, the best; equal scores share the better place. rank_low, rank_high: ``(U,)``
    the central 90 % of the ranks over all choices that were drawn, equal to ``rank`` where none were. node_names: the nodes of
    the framework below the top, from the top down and left to right; node_scores: ``(U, K)``, NaN where a node could not be
    scored. part_names: the indicators; parts: ``(U, M)``, what each adds to the score: they sum to it.

    Raises BadInput if shapes do not fit, a score is not finite, ranks contradict scores or parts do not add up.
    """

    target: str
    asof: datetime
    period: Period
    units: tuple[str, ...]
    score: Floats
    rank: Ints
    rank_low: Floats
    rank_high: Floats
    node_names: tuple[str, ...]
    node_scores: Floats
    part_names: tuple[str, ...]
    parts: Floats

    def __post_init__(self) -> None:
        U = len(self.units)
        for name in ("score", "rank", "rank_low", "rank_high"):
            if getattr(self, name).shape != (U,):
                raise BadInput(f"{self.target}: {U} units need {name} of ({U},), not {getattr(self, name).shape}")
        for name, width in (("node_scores", len(self.node_names)), ("parts", len(self.part_names))):
            if getattr(self, name).shape != (U, width):
                raise BadInput(f"{self.target}: {name} must be ({U}, {width}), not {getattr(self, name).shape}")
        if not np.isfinite(self.score).all():
            raise BadInput(f"{self.target}: a unit without a score stays off the board; a score is a finite number")
        if not np.array_equal(self.rank, ranks(self.score)):
            raise BadInput(f"{self.target}: the ranks are not those of the scores")
        if not np.allclose(self.parts.sum(1), self.score, rtol=1e-9, atol=1e-9):
            raise BadInput(f"{self.target}: what the indicators add must sum to the score")

    def of(self, unit: str) -> int:
        """The row of a unit. Raises Unknown."""
        try:
            return self.units.index(unit)
        except ValueError:
            raise Unknown(f"{self.target} as of {self.asof:%Y-%m-%d} does not score {unit}") from None

    def to_frame(self) -> pl.DataFrame:
        """The tidy form that store, API and reports share: target, period, asof, unit, name, level, value, by unit.

        level: ``score``, ``rank``, ``rank_low``, ``rank_high`` (name empty), ``node`` or ``part`` (name says which). A node
        that could not be scored has no row.
        """
        columns: list[tuple[str, str, Floats | Ints]] = [
            ("", level, getattr(self, level)) for level in ("score", "rank", "rank_low", "rank_high")
        ]
        columns += [(n, "node", self.node_scores[:, j]) for j, n in enumerate(self.node_names)]
        columns += [(n, "part", self.parts[:, j]) for j, n in enumerate(self.part_names)]
        frames = [
            pl.DataFrame(
                {"unit": self.units, "name": name, "level": level, "value": values.astype(np.float64)},
                schema={"unit": pl.String, "name": pl.String, "level": pl.String, "value": pl.Float64},
            )
            for name, level, values in columns
        ]
        order = {unit: n for n, unit in enumerate(self.units)}
        tidy = pl.concat(frames).filter(pl.col("value").is_not_nan())
        return (
            tidy.sort(pl.col("unit").replace_strict(order, return_dtype=pl.Int32), maintain_order=True)
            .with_columns(target=pl.lit(self.target), period=pl.lit(str(self.period)), asof=pl.lit(self.asof))
            .select("target", "period", "asof", "unit", "name", "level", "value")
        )


def ranks(score: Floats) -> Ints:
    """``(U,)`` places from 1 for the highest; equal scores share the better place (1, 2, 2, 4).

    >>> ranks(np.array([3.0, 9.0, 3.0, 1.0])).tolist()
    [2, 1, 2, 4]
    """
    descending = np.sort(-score)
    return np.searchsorted(descending, -score, side="left").astype(np.int64) + 1
