"""Estimate: one target through time, with its uncertainty. What a model says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
import polars as pl

from engine.calendar import Period, known_day
from engine.errors import BadInput, Unknown
from engine.typing import Floats

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
"""Probabilities of the quantiles: the 95, 80 and 50 % bands and the median."""

BANDS = {95: (0, 6), 80: (1, 5), 50: (2, 4)}
"""Central bands, per cent, as positions in LEVELS."""

Phase = Literal["backcast", "nowcast", "forecast"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A nowcast, an index value, a warning probability: always everything known at ``asof``, for named periods.

    mean: ``(H,)``. quantiles: ``(H, len(LEVELS))``, never crossing. parts: ``(H, K)``, what each name in ``part_names`` adds to
    the mean, where a model can say so. Raises BadInput if shapes do not fit, a number is not finite, or quantiles cross.
    """

    target: str
    asof: datetime
    periods: tuple[Period, ...]
    mean: Floats
    quantiles: Floats
    part_names: tuple[str, ...] = ()
    parts: Floats | None = None

    def __post_init__(self) -> None:
        H = len(self.periods)
        if self.mean.shape != (H,) or self.quantiles.shape != (H, len(LEVELS)):
            raise BadInput(f"{self.target}: {H} periods need a mean of ({H},) and quantiles of ({H}, {len(LEVELS)})")
        if not (np.isfinite(self.mean).all() and np.isfinite(self.quantiles).all()):
            raise BadInput(f"{self.target}: an estimate is a finite number, or an error; not NaN")
        if (np.diff(self.quantiles, axis=1) < 0).any():
            raise BadInput(f"{self.target}: quantiles cross")
        if self.parts is not None and (
            self.parts.shape != (H, len(self.part_names)) or not np.allclose(self.parts.sum(1), self.mean)
        ):
            raise BadInput(f"{self.target}: parts must be ({H}, {len(self.part_names)}) and add up to the mean")

    @classmethod
    def normal(cls, target: str, asof: datetime, periods: Sequence[Period], mean: Floats, sd: Floats) -> Estimate:
        """From a mean ``(H,)`` and a standard deviation ``(H,)`` of a normal distribution."""
        from scipy.special import ndtri  # the store knows estimates, and starts without it

        mean = np.asarray(mean, float)
        quantiles = mean[:, None] + np.asarray(sd, float)[:, None] * ndtri(np.array(LEVELS))
        return cls(target, asof, tuple(periods), mean, quantiles)

    def at(self, period: Period) -> float:
        """The mean for one period. Raises Unknown."""
        try:
            return float(self.mean[self.periods.index(period)])
        except ValueError:
            raise Unknown(f"{self.target}: {period} was not estimated") from None

    def band(self, percent: int) -> Floats:
        """``(H, 2)`` lower and upper end of the central 50, 80 or 95 % band."""
        return self.quantiles[:, BANDS[percent]]

    def to_frame(self) -> pl.DataFrame:
        """The tidy form that the store, the API and the reports share: one row a period."""
        return pl.DataFrame(
            {
                "target": [self.target] * len(self.periods),
                "period": [str(p) for p in self.periods],
                "asof": [self.asof] * len(self.periods),
                "phase": [phase(p, self.asof) for p in self.periods],
                "mean": self.mean,
                **{quantile_name(level): self.quantiles[:, j] for j, level in enumerate(LEVELS)},
            }
        )


def quantile_name(level: float) -> str:
    """Column name of a quantile: 0.025 is ``q025``, 0.5 is ``q500``."""
    return f"q{round(level * 1000):03d}"


def phase(period: Period, asof: datetime) -> Phase:
    """Backcast, nowcast or forecast: whether the period has ended, runs, or has not begun on the information date."""
    day = known_day(asof)
    return "backcast" if period.end < day else "nowcast" if period.start <= day else "forecast"
