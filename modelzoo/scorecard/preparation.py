"""What is done to a decision matrix before weights or a multi-criteria score are computed from it, and said with the result.

The same method gives other numbers after another preparation (entropy weights of one matrix: .336 .102 .561 from raw shares,
.251 .548 .202 after min-max), so none of ours runs without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from engine.errors import BadInput
from engine.typing import Bools, Floats

How: TypeAlias = Literal["raw", "minmax", "vector", "invert_vector"]


@dataclass(frozen=True, slots=True)
class Preparation:
    """normalisation, direction, zeros: what was done about each, in words."""

    normalisation: str
    direction: str
    zeros: str


_SAID: dict[How, Preparation] = {
    "raw": Preparation("none: values as given", "ignored", "kept"),
    "minmax": Preparation("min-max to 0 … 1", "less is better is turned round", "the worst value becomes 0"),
    "vector": Preparation("divided by the root of the sum of squares", "sign turned where less is better", "kept"),
    "invert_vector": Preparation(
        "divided by the root of the sum of squares", "1 / value where less is better", "refused where less is better"
    ),
}


def prepare(
    x: Floats, direction: Floats, how: How, names: Sequence[str] | None = None, shift: float = 0.0
) -> tuple[Floats, Preparation]:
    """``(..., U, M)`` prepared values and what was done. direction: ``(M,)`` of 1 and -1. shift: added at the end.

    Raises BadInput naming the indicator where a value is not known or the preparation cannot be done.
    """
    if direction.shape != (x.shape[-1],) or not np.isin(direction, (-1.0, 1.0)).all():
        raise BadInput(f"give a direction of 1 or -1 for each of the {x.shape[-1]} indicators")
    refuse(~np.isfinite(x), names, "every value must be known; fill its gaps or leave it out")
    if how == "minmax":
        up = x * direction
        low, high = up.min(-2, keepdims=True), up.max(-2, keepdims=True)
        refuse(~(high > low), names, "all values are the same; leave it out")
        x = (up - low) / (high - low)
    elif how == "vector" or how == "invert_vector":
        if how == "invert_vector":
            refuse((x <= 0) & (direction < 0), names, "1 / value needs values above 0; prepare by vector or minmax")
            with np.errstate(divide="ignore"):
                x = np.where(direction < 0, 1.0 / x, x)
        length = np.sqrt((x**2).sum(-2, keepdims=True))
        refuse(~(length > 0), names, "all values are 0; leave it out")
        x = x / length * (direction if how == "vector" else 1.0)
    said = _SAID[how]
    if shift:
        said = Preparation(f"{said.normalisation}, plus {shift:g}", said.direction, said.zeros)
        x = x + shift
    return x, said


def refuse(bad: Bools, names: Sequence[str] | None, why: str) -> None:
    """Raises BadInput naming the first indicator (last axis) that is bad anywhere."""
    if bad.any():
        column = int(np.flatnonzero(bad.any(tuple(range(bad.ndim - 1))))[0])
        raise BadInput(f"node {names[column] if names else f'in column {column}'}: {why}")
