"""Benefit of the doubt: each unit scored by the weights that favour it most, the shares of the parts held within limits.

max Σ w_j x_cj  subject to  Σ w_j x_kj ≤ 1 for every unit k,  w ≥ 0,  low_j ≤ w_j x_cj / Σ w_i x_ci ≤ high_j.
Melyn & Moesen (1991); Cherchye, Moesen, Rogge & Van Puyenbroeck (2007, Social Indicators Research 82). One linear programme a unit.

Without limits the method cannot tell few units apart: of 11 units on 8 pillars 7 or 8 reach 1 with weights that ignore most
pillars. So limits are compulsory here, and limits that bind nothing are refused; :func:`frontier` is the bare programme.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import BadInput, NotConverged, Refused
from engine.typing import Floats, Ints


@dataclass(frozen=True, slots=True)
class Doubt:
    """score ``(U,)`` in (0, 1]; weights and shares ``(U, N)``, a row's shares sum to 1; peer ``(U,)`` the row of the unit that
    holds it back most (itself where it scores 1)."""

    score: Floats
    weights: Floats
    shares: Floats
    peer: Ints


def benefit_of_doubt(
    values: Floats, low: Floats, high: Floats, *, units: tuple[str, ...], names: tuple[str, ...]
) -> Doubt:
    """Scores under share limits ``low`` and ``high``, each ``(N,)``, of values ``(U, N)``: positive, higher is better.

    Raises Refused if the limits bind nothing, BadInput if they cannot hold or a value is not positive.
    """
    if values.shape != (len(units), len(names)) or low.shape != (len(names),) or high.shape != (len(names),):
        raise BadInput(
            f"{len(units)} units and {len(names)} parts need values ({len(units)}, {len(names)}) and two limits a part"
        )
    if not (values > 0.0).all():
        u, j = (int(i[0]) for i in np.nonzero(~(values > 0.0)))
        raise BadInput(
            f"{units[u]}: {names[j]} is {values[u, j]:g}; shares need positive values: normalise to 1-100 first"
        )
    for j, name in enumerate(names):
        if not 0.0 <= low[j] <= high[j] <= 1.0:
            raise BadInput(f"{name}: the share limits {low[j]:g} and {high[j]:g} are not 0 <= low <= high <= 1")
    if low.sum() > 1.0 + 1e-12 or high.sum() < 1.0 - 1e-12:
        raise BadInput(f"shares sum to 1: lowest {low.sum():g} and highest {high.sum():g} in sum leave no room")
    if len(names) > 1 and (low <= 0.0).all() and (high >= 1.0).all():
        raise Refused(
            f"benefit of the doubt of {len(units)} units on {len(names)} parts without share limits lets a unit ignore what it is "
            "bad at; give each part a lowest and a highest share, for example 0.5 / N and 2 / N"
        )
    return frontier(values, low, high)


def frontier(values: Floats, low: Floats, high: Floats) -> Doubt:
    """The programme itself, limits of 0 and 1 allowed. Raises NotConverged if a programme has no solution."""
    from scipy.optimize import linprog

    U, N = values.shape
    scale = values.max(0)
    x = values / scale  # the programme does not depend on units of measure; its tolerances do
    score, weights, peer = np.empty(U), np.empty((U, N)), np.empty(U, np.int64)
    for c in range(U):
        own = np.diag(x[c])
        bounds = [own[j] - high[j] * x[c] for j in range(N) if high[j] < 1.0]
        bounds += [low[j] * x[c] - own[j] for j in range(N) if low[j] > 0.0]
        rows = np.vstack([x, *bounds]) if bounds else x
        right = np.concatenate([np.ones(U), np.zeros(len(rows) - U)])
        found = linprog(-x[c], A_ub=rows, b_ub=right, method="highs")
        if found.status != 0:
            raise NotConverged(f"unit {c + 1} of {U}: {found.message}")
        w = np.maximum(found.x, 0.0)
        w /= (x @ w).max()  # feasible to the last digit
        score[c], weights[c], peer[c] = x[c] @ w, w, np.argmin(found.ineqlin.marginals[:U])
        if score[c] >= 1.0 - 1e-12:
            peer[c] = c
    return Doubt(score, weights / scale, weights * x / score[:, None], peer)
