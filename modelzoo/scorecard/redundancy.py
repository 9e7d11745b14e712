"""Do the indicators measure one thing, several, or the same thing twice? Correlations within and across the groups of a tree.

Cronbach's alpha: Cronbach (1951, Psychometrika 16). What is flagged and from which size follows the audits of the European
Commission's Joint Research Centre (OECD & JRC 2008, Handbook on Constructing Composite Indicators, steps 4 and 8): indicators
above 0.92 are twins that count one phenomenon twice, those that go against their own group cancel out in its score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import BadInput, NotEnoughData
from engine.typing import Floats, Ints

TWINS = 0.92
AGAINST = -0.3


@dataclass(frozen=True, slots=True)
class Pair:
    """Two indicators and their correlation over ``n`` units that have both; ``within``: the group they share, else empty."""

    a: str
    b: str
    r: float
    n: int
    within: str


@dataclass(frozen=True, slots=True)
class Coherence:
    """One group: alpha, Cronbach's, and without each of its indicators ``(k,)``; explained ``(k,)``, the share of the variance
    of its standardised indicators that each principal component takes, largest first; dimensions: components above 1.

    Alpha is over the units that have all indicators of the group; NaN in a group of one, where it has no meaning.
    """

    group: str
    names: tuple[str, ...]
    units: int
    alpha: float
    alpha_without: Floats
    explained: Floats
    dimensions: int


@dataclass(frozen=True, slots=True)
class Redundancy:
    """names ``(M,)``; correlation ``(M, M)``; own ``(M,)`` the mean correlation with the rest of its group, NaN if alone.

    twins: pairs from 0.92 up, wherever they stand. against: pairs of one group at -0.3 or below. astray: indicators that go
    with another group more than with their own, as (indicator, own group, that group).
    """

    names: tuple[str, ...]
    correlation: Floats
    own: Floats
    twins: tuple[Pair, ...]
    against: tuple[Pair, ...]
    astray: tuple[tuple[str, str, str], ...]
    groups: tuple[Coherence, ...]


def redundancy(values: Floats, names: tuple[str, ...], groups: Mapping[str, Ints]) -> Redundancy:
    """The structure of values ``(U, M)``, directed so that higher is better, NaN where missing; groups: columns by group.

    Raises BadInput naming an indicator that is the same everywhere, NotEnoughData naming a pair with fewer than 4 units.
    """
    values = np.asarray(values, float)
    if values.ndim != 2 or values.shape[1] != len(names):
        raise BadInput(f"{len(names)} indicators need values (U, {len(names)}), not {values.shape}")
    r, n = correlation(values, names)
    M = len(names)
    group_of = {int(j): g for g, columns in groups.items() for j in columns}
    pairs = [
        Pair(names[i], names[j], float(r[i, j]), int(n[i, j]), group_of[i] if group_of[i] == group_of[j] else "")
        for i in range(M)
        for j in range(i + 1, M)
    ]
    own, astray = np.full(M, np.nan), []
    for i in range(M):
        mean = {}
        for g, columns in groups.items():
            others = [int(j) for j in columns if j != i]
            if others:
                mean[g] = float(r[i, others].mean())
        mine = group_of[i]
        own[i] = mean.get(mine, np.nan)
        best = max(mean, key=lambda g: mean[g])
        if mine in mean and mean[best] > mean[mine]:
            astray.append((names[i], mine, best))
    return Redundancy(
        names,
        r,
        own,
        tuple(sorted((p for p in pairs if p.r >= TWINS), key=lambda p: -p.r)),
        tuple(sorted((p for p in pairs if p.within and p.r <= AGAINST), key=lambda p: p.r)),
        tuple(astray),
        tuple(coherence(values[:, c], tuple(names[int(j)] for j in c), g) for g, c in groups.items()),
    )


def correlation(values: Floats, names: tuple[str, ...]) -> tuple[Floats, Ints]:
    """``(M, M)`` Pearson correlations over the units that have both of a pair, and how many those are."""
    known = np.isfinite(values)
    count = known.astype(np.int64).T @ known.astype(np.int64)
    if (count < 4).any():
        i, j = (int(k[0]) for k in np.nonzero(count < 4))
        raise NotEnoughData(
            f"{names[i]} and {names[j]} are known together for {count[i, j]} units; a correlation needs 4"
        )
    x = np.where(known, values - np.nanmean(values, 0), 0.0)
    scale = np.sqrt((x**2).sum(0))
    flat = np.flatnonzero(scale <= 1e-12 * np.abs(np.nanmean(values, 0)))
    if len(flat):
        raise BadInput(
            f"{names[flat[0]]} is the same for all units; it separates nobody and correlates with nothing: leave it out"
        )
    x /= scale
    k = known.astype(float)
    sums, squares, cross = (
        x.T @ k,
        (x**2).T @ k,
        x.T @ x,
    )  # row: sums of the row's indicator where the column's is known too
    spread = squares - sums**2 / count
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (cross - sums * sums.T / count) / np.sqrt(spread * spread.T)
    if not np.isfinite(r).all():
        i, j = (int(q[0]) for q in np.nonzero(~np.isfinite(r)))
        raise NotEnoughData(f"over the {count[i, j]} units that have both, {names[i]} or {names[j]} does not vary")
    np.fill_diagonal(r, 1.0)
    return np.clip(r, -1.0, 1.0), count


def coherence(values: Floats, names: tuple[str, ...], group: str) -> Coherence:
    """How far one group of k indicators ``(U, k)`` measures one thing. Raises NotEnoughData below 4 complete units."""
    k = values.shape[1]
    complete = values[np.isfinite(values).all(1)]
    if len(complete) < 4:
        raise NotEnoughData(
            f"group {group}: {len(complete)} units have all of its {k} indicators; its coherence needs 4"
        )
    explained = np.linalg.eigvalsh(np.corrcoef(complete, rowvar=False))[::-1] if k > 1 else np.ones(1)
    without = np.array([_alpha(np.delete(complete, j, 1)) for j in range(k)])
    return Coherence(
        group, names, len(complete), _alpha(complete), without, explained / k, int((explained > 1.0 + 1e-9).sum())
    )


def _alpha(x: Floats) -> float:
    k = x.shape[1]
    if k < 2:
        return float("nan")
    total = x.sum(1).var(ddof=1)
    return float(k / (k - 1) * (1.0 - x.var(0, ddof=1).sum() / total)) if total > 0.0 else float("nan")
