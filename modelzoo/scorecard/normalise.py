"""To one scale on which more is better: twelve ways, named as in :data:`modelzoo.scorecard.choices.Method`.

==============  =========================================================================================================
goalposts       low … high between fixed goalposts, values beyond them held at the ends; scores compare over years
minmax          low … high between the least and the largest value present
z               mean and standard deviation (n - 1) set to ``mean``, ``sd``
rank, borda     1 … U and 0 … U - 1 from the worst; equal values share the lower place
percentile      (rank - 1) / (units known - 1), on low … high
to_maximum      1 - (max - x) / (max - min), on low … high
to_reference    1 - (ref - x) / (ref - min), on low … high; above ``high`` where better than the reference unit
to_target       1 - (target - x) / (target - min), on low … high; above ``high`` where the target is exceeded
fraction        high · x / max; where less is better high · min / x
ratio           high · x / target; where less is better high · target / x
efficacy        功效系数: 60 + 40 (x - not allowed) / (satisfied - not allowed), not held at the ends
==============  =========================================================================================================

Where less is better a value is first multiplied by -1, where nearer to the target is better it becomes -\\|x - target\\|
(OECD/JRC Handbook on Constructing Composite Indicators, 2008, step 5; formulas as in COINr 1.1.14).
"""

from __future__ import annotations

import numpy as np

from engine.errors import BadInput
from engine.typing import Bools, Floats
from modelzoo.scorecard.choices import Normalisation
from modelzoo.scorecard.layout import Layout
from modelzoo.scorecard.preparation import refuse


def orient(x: Floats, layout: Layout) -> Floats:
    """``(..., U, M)`` on which more is better: x, -x, or -|x - target|, by each indicator's direction."""
    near = layout.direction == 0
    if not near.any():
        return x * layout.direction
    return np.where(near, -np.abs(x - np.where(near, layout.target, 0.0)), x * layout.direction)


def frozen_goalposts(panel: Floats, layout: Layout) -> Floats:
    """``(2, M)`` low and high: the framework's own, else the range over all of ``panel`` ``(..., M)``, in raw values.

    With these, a score moves only when its own unit does. Where nearer to the target is better, the range is as wide on
    both sides of it. Raises BadInput, naming the node, where nothing is known or all values are the same.
    """
    cells = panel.reshape(-1, panel.shape[-1])
    empty = np.isnan(cells).all(0)
    _refuse(empty & np.isnan(layout.low), layout, "no value is known; give goalposts or leave it out")
    low, high = _least(np.where(empty, 0.0, cells), 0), _most(np.where(empty, 0.0, cells), 0)
    near = layout.direction == 0
    reach = np.fmax(np.abs(low - layout.target), np.abs(high - layout.target))
    low, high = np.where(near, layout.target - reach, low), np.where(near, layout.target + reach, high)
    low = np.where(np.isnan(layout.low), low, layout.low)
    high = np.where(np.isnan(layout.high), high, layout.high)
    _refuse(~(high > low), layout, "all values are the same; give goalposts or leave it out")
    return np.stack([low, high])


def normalise(
    x: Floats, layout: Layout, rule: Normalisation, *, goalposts: Floats | None = None, reference: int | None = None
) -> Floats:
    """``(..., U, M)`` scores from treated values ``(..., U, M)``; NaN stays NaN.

    goalposts: ``(2, M)`` for the method of that name, from :func:`frozen_goalposts`, where the framework gives none itself.
    reference: the row of the unit that ``to_reference`` holds others against.

    Raises BadInput, naming the node, where the method cannot tell units apart or needs something that is not given.
    """
    if x.shape[-1] != len(layout.leaf):
        raise BadInput(f"the framework has {len(layout.leaf)} indicators, the data {x.shape[-1]} columns")
    width = rule.high - rule.low
    if rule.method == "goalposts":
        out = rule.low + width * _between(x, layout, goalposts)
    elif rule.method == "efficacy":
        worst, best = _posts(layout, np.stack([layout.low, layout.high]))
        out = 60.0 + 40.0 * (x - worst) / (best - worst)
    elif rule.method == "ratio":
        out = rule.high * _ratio(x, layout)
    elif rule.method == "fraction":
        out = rule.high * _fraction(x, layout)
    else:
        up = orient(x, layout)
        if rule.method in ("rank", "borda", "percentile"):
            out = places(up)
            if rule.method == "borda":
                out = out - 1.0
            elif rule.method == "percentile":
                out = rule.low + width * (out - 1.0) / np.maximum((~np.isnan(x)).sum(-2, keepdims=True) - 1, 1)
        elif rule.method == "z":
            out = rule.mean + rule.sd * _z(up, layout)
        else:
            out = rule.low + width * _share(up, layout, rule, reference)
    return out if np.isnan(layout.cap).all() else np.fmin(out, np.where(np.isnan(out), np.nan, layout.cap))


def places(up: Floats) -> Floats:
    """``(..., U, M)`` places from 1, the worst, down each column; equal values share the lower place; NaN stays NaN."""
    order = np.argsort(up, axis=-2, kind="stable")
    ordered = np.take_along_axis(up, order, -2)
    steps = np.zeros(up.shape, np.int64)
    steps[..., 1:, :] = np.where(ordered[..., 1:, :] != ordered[..., :-1, :], np.arange(1, up.shape[-2])[:, None], 0)
    out = np.empty(up.shape)
    np.put_along_axis(out, order, np.maximum.accumulate(steps, axis=-2) + 1.0, -2)
    return np.where(np.isnan(up), np.nan, out)


def _between(x: Floats, layout: Layout, given: Floats | None) -> Floats:
    given = np.full((2, x.shape[-1]), np.nan) if given is None else given
    posts = np.stack([np.where(np.isnan(layout.low), given[0], layout.low), given[1]])
    posts[1] = np.where(np.isnan(layout.high), given[1], layout.high)
    worst, best = _posts(layout, posts)
    share = (x - worst) / (best - worst)
    near = layout.direction == 0
    if near.any():  # a tent: 1 at the target, 0 at either post
        rising = (x - posts[0]) / (layout.target - posts[0])
        falling = (posts[1] - x) / (posts[1] - layout.target)
        share = np.where(near, np.minimum(rising, falling), share)
    return np.clip(share, 0.0, 1.0)


def _posts(layout: Layout, posts: Floats) -> tuple[Floats, Floats]:
    """The worst and the best raw value of each indicator."""
    _refuse(
        np.isnan(posts),
        layout,
        "normalisation needs its goalposts: write them in the framework, or freeze them over a panel (frozen_goalposts)",
    )
    down = layout.direction < 0
    return np.where(down, posts[1], posts[0]), np.where(down, posts[0], posts[1])


def _ratio(x: Floats, layout: Layout) -> Floats:
    target, direction = layout.target, layout.direction
    _refuse(~(target > 0), layout, "the ratio to a target needs a target above 0")
    _refuse((direction < 0) & (x <= 0), layout, "target / value needs values above 0")
    with np.errstate(divide="ignore", invalid="ignore"):
        out = np.where(direction < 0, target / x, x / target)
    return np.where(direction == 0, 1.0 - np.abs(x - target) / target, out)


def _fraction(x: Floats, layout: Layout) -> Floats:
    up = orient(x, layout)
    best = _most(up, -2)
    down = layout.direction < 0
    _refuse((layout.direction == 0), layout, "a target has no fraction of the maximum; use to_maximum")
    _refuse(~np.where(down, best < 0, best > 0), layout, "a fraction of the best needs values above 0")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(down, best / up, up / best)


def _z(up: Floats, layout: Layout) -> Floats:
    known = ~np.isnan(up)
    n = known.sum(-2, keepdims=True)
    away = up - np.where(known, up, 0.0).sum(-2, keepdims=True) / np.maximum(n, 1)
    sd = np.sqrt((np.where(known, away, 0.0) ** 2).sum(-2, keepdims=True) / np.maximum(n - 1, 1))
    scale = np.maximum(np.abs(_most(up, -2)), np.abs(_least(up, -2)))
    _refuse(~(sd > 1e-14 * scale), layout, "all known values are the same; leave it out")
    out: Floats = away / sd
    return out


def _share(up: Floats, layout: Layout, rule: Normalisation, reference: int | None) -> Floats:
    """1 at the best, the reference or the target, 0 at the worst."""
    worst = _least(up, -2)
    if rule.method == "to_target":
        best = np.where(layout.direction == 0, 0.0, layout.direction * layout.target)
        need = "its target is not better than the worst value"
    elif rule.method == "to_reference":
        if reference is None:
            raise BadInput(f"normalisation to_reference: the unit {rule.reference} is not among those scored")
        best = up[..., reference : reference + 1, :]
        need = f"the reference {rule.reference} is not known or is the worst itself"
    else:
        best, need = _most(up, -2), "all known values are the same; give goalposts or leave it out"
    _refuse(~(best > worst), layout, need)
    return (up - worst) / (best - worst)


def _least(x: Floats, axis: int) -> Floats:
    out: Floats = np.fmin.reduce(x, axis=axis)
    return np.expand_dims(out, axis) if axis == -2 else out


def _most(x: Floats, axis: int) -> Floats:
    out: Floats = np.fmax.reduce(x, axis=axis)
    return np.expand_dims(out, axis) if axis == -2 else out


def _refuse(bad: Bools, layout: Layout, why: str) -> None:
    refuse(bad, layout.indicators, why)
