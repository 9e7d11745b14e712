"""Ledger: what several models said on earlier days about one target, and what came out. A pool learns from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from engine.errors import BadInput
from engine.estimate import LEVELS
from engine.panel import EPOCH
from engine.typing import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Ledger:
    """n cases, each an origin and a period that was not yet published then, said by the same M members.

    members: labels ``(M,)``. horizon: ``(n,)`` months from the period's end to the origin's month. period: ``(n,)`` ordinals.
    mean: ``(n, M)``. quantiles: ``(n, M, len(LEVELS))``. outcome: ``(n,)``. known: ``(n,)`` microseconds since 1970 UTC at which
    the outcome became known. Raises BadInput if shapes do not fit or a number is not finite.
    """

    members: tuple[str, ...]
    horizon: Ints
    period: Ints
    mean: Floats
    quantiles: Floats
    outcome: Floats
    known: Ints

    def __post_init__(self) -> None:
        n, m = len(self.horizon), len(self.members)
        shapes = (self.period.shape, self.outcome.shape, self.known.shape, self.mean.shape, self.quantiles.shape)
        if shapes != ((n,), (n,), (n,), (n, m), (n, m, len(LEVELS))):
            raise BadInput(f"a ledger of {n} cases and {m} members does not fit shapes {shapes}")
        if not all(np.isfinite(a).all() for a in (self.mean, self.quantiles, self.outcome)):
            raise BadInput("a ledger holds finite numbers only")

    @classmethod
    def empty(cls, members: Sequence[str]) -> Ledger:
        """Nothing was said yet."""
        none, m = np.zeros(0, np.int64), len(members)
        return cls(tuple(members), none, none, np.zeros((0, m)), np.zeros((0, m, len(LEVELS))), np.zeros(0), none)

    def __len__(self) -> int:
        return len(self.horizon)

    def before(self, asof: datetime) -> Ledger:
        """The cases whose outcome was known at ``asof``: those that may be learned from on that day."""
        return self.where(self.known <= (asof - EPOCH) // timedelta(microseconds=1))

    def at(self, horizon: int) -> Ledger:
        """The cases of one horizon."""
        return self.where(self.horizon == horizon)

    def where(self, which: Bools) -> Ledger:
        """The cases that are True in ``which`` ``(n,)``."""
        return Ledger(
            self.members, self.horizon[which], self.period[which], self.mean[which], self.quantiles[which],
            self.outcome[which], self.known[which],
        )  # fmt: skip
