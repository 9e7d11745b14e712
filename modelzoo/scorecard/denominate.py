"""Totals become rates: each indicator over what it is to be held against (population, area, output)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.errors import BadInput
from engine.typing import Floats
from modelzoo.scorecard.framework import Framework


def denominate(
    framework: Framework, raw: Floats, denominators: Mapping[str, Floats], units: tuple[str, ...] | None = None
) -> Floats:
    """``(..., U, M)`` from raw values ``(..., U, M)``: columns whose indicator names a denominator are divided by it.

    denominators: ``(..., U)`` by name; the name of another indicator stands for its raw column. A denominator that is not
    known leaves a gap. Raises BadInput, naming node and unit, where one is not given or not above 0.
    """
    out, columns = raw.copy(), {name: j for j, name in enumerate(framework.indicators)}
    for j, leaf in enumerate(framework.leaves):
        by = leaf.denominator
        if by is None:
            continue
        if by not in denominators and by not in columns:
            raise BadInput(
                f"node {leaf.name}: its denominator {by} is not given; give it, or an indicator of that name"
            )
        divisor = np.asarray(denominators[by] if by in denominators else raw[..., columns[by]], float)
        if divisor.shape[-1:] != raw.shape[-2:-1]:
            raise BadInput(
                f"node {leaf.name}: its denominator {by} must be (..., {raw.shape[-2]}), not {divisor.shape}"
            )
        if (bad := divisor <= 0).any():
            row = int(np.argwhere(bad)[0][-1])
            unit = units[row] if units else f"row {row}"
            raise BadInput(f"node {leaf.name}: its denominator {by} of {unit} is not above 0")
        out[..., j] = raw[..., j] / divisor
    return out
