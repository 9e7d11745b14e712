"""How a factor model reads a panel: what a value sums up, which series leave the state, and parameters divided alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine import align, factor, factor_start
from engine.calendar import Freq
from engine.indicator import Series
from engine.typing import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class Sample:
    """values ``(T, N)``, where a pair is the mean of its months; pairs ``(T, N)``: which cells are one; times ``(T, N)``: what was
    read is so many times the value.
    """

    values: Floats
    pairs: Bools
    times: Floats


def months_of(meanings: Sequence[Series]) -> tuple[Floats, Bools]:
    """``(N, L)`` how each series sums up its months, newest first, and ``(N,)`` which ones are not months of their own: quarterly
    ones, and growth on the year of months.
    """
    every = [align.months_of(meaning) for meaning in meanings]
    out = np.zeros((len(every), max(len(w) for w in every)))
    for i, w in enumerate(every):
        out[i, : len(w)] = w
    return out, np.array([len(w) > 1 or s.freq is Freq.Q for s, w in zip(meanings, every, strict=True)])


@dataclass(frozen=True)
class Layout:
    """Positions of the collapsed ``(n,)`` and explicit ``(E,)`` series among the inputs, and the data so divided."""

    collapsed: Ints
    explicit: Ints
    data: factor.Data

    @classmethod
    def of(
        cls, months: tuple[Floats, Bools], standard: Floats, pair: Bools, used: Bools, factors: int, order: int, all_explicit: bool
    ) -> Layout:  # fmt: skip
        """Collapsed are monthly series without long gaps, but for the first, the target.

        months: of :func:`months_of`; standard, pair ``(T, N)``; used ``(N,)``; all_explicit: none is collapsed.
        """
        weights, summed = months
        explicit = summed | all_explicit
        explicit[0] = True
        lags = int(np.flatnonzero(weights[explicit & used].any(0)).max(initial=0)) + 1
        rest = np.where(explicit | ~used, np.nan, standard)
        reach = factor.shortest(rest, pair, max(lags, order + 1), factors + int((explicit & used).sum()))
        explicit |= factor.long_gaps(rest, pair, reach)
        c, x = np.flatnonzero(~explicit & used), np.flatnonzero(explicit & used)
        data = factor.prepare(standard[:, c], standard[:, x], weights[x, :lags], order, pair[:, c], pair[:, x], reach)
        return cls(c, x, data)

    def split(self, w: factor_start.Whole, noise: float) -> factor.Parameters:
        """Parameters of all inputs divided as the data are."""
        c, x = self.collapsed, self.explicit
        return factor.Parameters(
            w.A, w.Q, np.ascontiguousarray(w.loadings[c]), w.rho[c], w.sigma2[c],
            np.ascontiguousarray(w.loadings[x]), w.rho[x], w.sigma2[x], np.full(len(x), noise),
        )  # fmt: skip

    def join(self, p: factor.Parameters, N: int) -> factor_start.Whole:
        """Parameters of all N inputs; those that were left out have no loadings."""
        w = factor_start.Whole(p.A, p.Q, np.zeros((N, len(p.Q))), np.zeros(N), np.ones(N))
        w.loadings[self.collapsed], w.rho[self.collapsed], w.sigma2[self.collapsed] = p.loadings, p.rho, p.sigma2
        w.loadings[self.explicit], w.rho[self.explicit], w.sigma2[self.explicit] = p.x_loadings, p.x_rho, p.x_sigma2
        return w
