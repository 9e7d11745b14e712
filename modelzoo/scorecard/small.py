"""Small samples in a scorecard: what rests on too few is hidden, what is mostly noise is shrunk, as the framework says.

After denominators and before anything else: hidden first, shrunk after (:mod:`modelzoo.scorecard.shrinkage`), each period by
itself. So a hidden value enters no mean, no score and no rank, in no year. A value whose base is not known is hidden too, and so is
one that is to be shrunk where fewer than four units are known: nobody could say how much of it is noise. A score of a shrunk
indicator depends on the mean of the units, also under fixed goalposts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import BadInput
from engine.typing import Bools, Floats
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.node import Node
from modelzoo.scorecard.shrinkage import LEAST_UNITS, share_variance, shrink, suppress


@dataclass(frozen=True, slots=True, eq=False)
class Steadied:
    """values: ``(U, M)``, NaN where hidden. hidden: ``(U, M)``. reliability: ``(U, M)`` the share of a unit's deviation from the
    mean that is kept, NaN where nothing was shrunk."""

    values: Floats
    hidden: Bools
    reliability: Floats


def bases(framework: Framework) -> tuple[str, ...]:
    """The columns that count what stands behind indicators, each once."""
    return tuple(dict.fromkeys(leaf.small.base for leaf in framework.leaves if leaf.small is not None))


def steady(
    framework: Framework, raw: Floats, denominated: Floats, columns: Mapping[str, Floats], units: tuple[str, ...]
) -> Steadied:
    """One period, ``(U, M)`` raw and after denominators. columns: ``(U,)`` by name, those that are no indicators.

    Raises BadInput, naming node and unit, where a base is not given, is negative, or a share lies outside of its whole.
    """
    out, hidden = denominated.copy(), np.zeros(denominated.shape, bool)
    reliability = np.full(denominated.shape, np.nan)
    given = {name: raw[:, j] for j, name in enumerate(framework.indicators)} | dict(columns)
    for j, leaf in enumerate(framework.leaves):
        rule = leaf.small
        if rule is None:
            continue
        if (base := given.get(rule.base)) is None:
            raise BadInput(
                f"node {leaf.name}: its base {rule.base} is not given; give it, or an indicator of that name"
            )
        if (bad := base < 0).any():
            raise BadInput(f"node {leaf.name}: its base {rule.base} of {units[int(np.argmax(bad))]} is below 0")
        least = max(rule.least, int(rule.shrink in ("share", "mean")))  # a mean of none is none
        seen = np.where(np.isfinite(base), denominated[:, j], np.nan)
        if least:
            one = ("all",) * len(units) if rule.total else None
            seen = suppress(seen[:, None], base[:, None], least, one).values[:, 0]
        if rule.shrink != "no" and np.isfinite(seen).sum() < LEAST_UNITS:
            seen = np.full(len(seen), np.nan)
        elif rule.shrink != "no":
            exposure = given.get(leaf.denominator or "")
            seen, reliability[:, j] = _shrunk(leaf, seen, base, exposure, units)
        out[:, j], hidden[:, j] = seen, np.isfinite(denominated[:, j]) & np.isnan(seen)
    return Steadied(out, hidden, reliability)


def _shrunk(
    leaf: Node, y: Floats, base: Floats, exposure: Floats | None, units: tuple[str, ...]
) -> tuple[Floats, Floats]:
    """Values and reliabilities ``(U,)``. Where all are the same, nothing needs to be pulled and nothing is a unit's own."""
    rule, known = leaf.small, np.isfinite(y)
    assert rule is not None
    if not np.ptp(y[known]) > 0:
        return y, np.where(known, 0.0, np.nan)
    if rule.shrink == "mean":
        variance = float(rule.spread or 0.0) ** 2 / np.where(known, base, 1.0)
    elif rule.shrink == "share":
        share = y / rule.whole
        if (bad := known & ~((share >= 0.0) & (share <= 1.0))).any():
            u = int(np.argmax(bad))
            raise BadInput(f"node {leaf.name}: {y[u]:g} of {units[u]} is no share of a whole of {rule.whole:g}")
        variance = share_variance(share, np.where(known, base, 0.0)) * rule.whole**2
    else:  # Poisson: the rate of all together over the unit's exposure
        assert exposure is not None
        over = np.where(known, exposure, 1.0)
        variance = base[known].sum() / over[known].sum() / over
    found = shrink(y, np.where(known, variance, np.nan))
    return found.values, found.reliability
