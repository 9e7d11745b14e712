"""What institutions make of shares of answers. All are linear in the mean answer m, which runs from -1 to 1.

========== ============================ =============== =======================================================
diffusion  up % + same % / 2            0 … 100, 50     NBS purchasing managers, PBC: 50 + 50 m
prosperity good % - bad % + 100         0 … 200, 100    NBS 企业景气指数: 100 + 100 m
balance    (PP + P/2) - (M/2 + MM)      -100 … 100, 0   European Commission: 100 m
========== ============================ =============== =======================================================

Sources: NBS method notes on the purchasing managers' index and on 企业景气指数 (0.4 now + 0.6 expected); PBC entrepreneurs'
survey; European Commission, "The Joint Harmonised EU Programme of Business and Consumer Surveys: User Guide".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np

from engine.errors import BadInput
from engine.typing import Floats

Formula: TypeAlias = Literal["diffusion", "prosperity", "balance"]
ENDS: Mapping[str, tuple[float, float]] = {
    "diffusion": (50.0, 50.0),
    "prosperity": (100.0, 100.0),
    "balance": (0.0, 100.0),
}
"""The neutral value, and how far the index lies from it when all answer alike."""

PMI = {"new_orders": 0.30, "production": 0.25, "employment": 0.20, "delivery": -0.15, "stocks": 0.10}
"""Weights of the NBS manufacturing index; a negative one: 100 - index."""

ESI = {"industry": 40.0, "services": 30.0, "consumer": 20.0, "construction": 5.0, "retail": 5.0}
"""Weights of the Economic Sentiment Indicator, per cent."""


def index(mean: Floats, formula: Formula) -> Floats:
    """From mean answers in [-1, 1], any shape, to the index.

    >>> index(np.array([0.369 - 0.102]), "prosperity").round(1).tolist()
    [126.7]
    """
    neutral, reach = ENDS[formula]
    return neutral + reach * np.asarray(mean, float)


def of_shares(shares: Floats, formula: Formula) -> Floats:
    """From per cents ``(..., 3)`` of better, same, worse, or ``(..., 5)`` from much better to much worse, to the index.

    As the institutions print it: the parts count as given and are not forced to sum to 100. Raises BadInput for shares
    that do not sum to 100 within rounding (half a point for each part).
    """
    shares = np.asarray(shares, float)
    k = shares.shape[-1]
    if k not in (3, 5):
        raise BadInput(f"an index is made of three or five shares, not {k}")
    if (np.abs(shares.sum(-1) - 100.0) > 0.5 * k).any():
        raise BadInput(f"shares sum to 100, not to {shares.sum(-1).ravel()[0]:g}")
    weights = np.linspace(1.0, -1.0, k)
    if formula == "diffusion":
        return shares @ ((weights + 1.0) / 2.0)
    return ENDS[formula][0] + shares @ weights


def pmi(parts: Mapping[str, float]) -> float:
    """The NBS manufacturing index from its five sub-indices (each seasonally adjusted before). Raises BadInput.

    >>> round(pmi({"production": 52.8, "new_orders": 50.4, "employment": 48.7, "stocks": 48.1, "delivery": 51.3}), 3)
    50.175
    """
    if missing := [name for name in PMI if name not in parts]:
        raise BadInput(f"the index needs {', '.join(missing)}")
    return float(sum(w * parts[n] if w > 0 else -w * (100.0 - parts[n]) for n, w in PMI.items()))


def confidence(now: float, expected: float) -> float:
    """企业景气指数 and 企业家信心指数: 0.4 now + 0.6 expected, both on 0 … 200.

    >>> round(confidence(109.4, 112.5), 1)
    111.3
    """
    return 0.4 * now + 0.6 * expected


def sentiment(components: Floats, weights: Floats, frozen: slice) -> Floats:
    """``(T,)`` an Economic Sentiment Indicator from balances ``(T, K)``: standardised, weighted, mean 100 and sd 10.

    frozen: rows from which means and standard deviations are taken, of the components and of the result. A component that
    is not known leaves its weight to the others. Raises BadInput if nothing varies.
    """
    mean, sd = np.nanmean(components[frozen], 0), np.nanstd(components[frozen], 0, ddof=1)
    if not (sd > 0).all():
        raise BadInput("a component of the sentiment indicator does not vary over the frozen sample")
    known = ~np.isnan(components)
    z = np.where(known, (components - mean) / sd, 0.0) @ weights
    with np.errstate(invalid="ignore", divide="ignore"):
        z = z / (known @ weights)
    centre, spread = np.nanmean(z[frozen]), np.nanstd(z[frozen], ddof=1)
    return np.asarray(100.0 + 10.0 * (z - centre) / spread, np.float64)
