"""Which units have enough data to be scored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.typing import Bools, Floats
from modelzoo.scorecard.choices import Screening


@dataclass(frozen=True, slots=True)
class Screened:
    """kept: ``(U,)``. known: ``(U,)`` share of indicators known. nonzero: ``(U,)`` share of the known that are not 0."""

    kept: Bools
    known: Floats
    nonzero: Floats

    def reason(self, row: int, rule: Screening) -> str:
        """Why a unit was left out, in words."""
        if not self.known[row] > 0:
            return "nothing is known of it"
        if self.known[row] < rule.known:
            return f"{self.known[row]:.0%} of the indicators are known, {rule.known:.0%} are needed"
        return f"{self.nonzero[row]:.0%} of the known indicators are not 0, {rule.nonzero:.0%} are needed"


def screen(x: Floats, rule: Screening) -> Screened:
    """Hold each unit of ``(U, M)`` against the rule. A unit of which nothing is known is never kept."""
    seen = ~np.isnan(x)
    n = seen.sum(1)
    known = n / x.shape[1]
    nonzero = (seen & (x != 0)).sum(1) / np.maximum(n, 1)
    return Screened((n > 0) & (known >= rule.known) & (nonzero >= rule.nonzero), known, nonzero)
