"""Gaps filled by the rule of each indicator, and flagged.

leave       stays a gap; the node above is the mean of what is known
time        the unit's latest earlier value
group       the mean of the units of its group (all units, if there are no groups)
regression  on the one indicator that the unit reports and that goes with it most closely over the other units
em          the expectation given what the unit reports of the same group of indicators, under a normal law fitted by EM
            (Dempster, Laird & Rubin 1977)

Never by a value that was not known: ``history`` holds earlier periods only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import BadInput, NotConverged, NotEnoughData
from engine.typing import Bools, Floats, Ints
from modelzoo.scorecard.framework import Framework

_PAIRS = 5  # a line through fewer units says nothing
_TOLERANCE, _ROUNDS = 1e-9, 5000


@dataclass(frozen=True, slots=True, eq=False)
class Imputed:
    """values: ``(U, M)``. filled: ``(U, M)`` cells that were gaps and are not any more. rules: ``(M,)`` by indicator."""

    values: Floats
    filled: Bools
    rules: tuple[str, ...]


def impute(
    framework: Framework,
    x: Floats,
    groups: Sequence[str] | None = None,
    history: Floats | None = None,
    units: tuple[str, ...] | None = None,
) -> Imputed:
    """Fill ``(U, M)``. groups: ``(U,)`` labels. history: ``(T, U, M)`` earlier periods in the same form, oldest first.

    Raises NotEnoughData, naming node and unit, where a rule finds nothing to go by; BadInput where ``time`` has no history.
    """
    out = x.copy()
    rules = tuple(leaf.missing or framework.missing for leaf in framework.leaves)
    labels = np.array(groups if groups is not None else [""] * len(x))
    parent = framework.layout.parent[framework.layout.leaf]
    named = units or tuple(f"row {u}" for u in range(len(x)))
    if labels.shape != (len(x),):
        raise BadInput(f"{len(x)} units need as many groups, not {labels.shape}")
    if history is not None and (history.ndim != 3 or history.shape[1:] != x.shape):
        raise BadInput(f"history must be (T, {x.shape[0]}, {x.shape[1]}), not {history.shape}")
    expected: dict[int, Floats] = {}
    for j, rule in enumerate(rules):
        gaps = np.flatnonzero(np.isnan(x[:, j]))
        if not len(gaps) or rule == "leave":
            continue
        name = framework.leaves[j].name
        if rule == "time":
            if history is None:
                raise BadInput(f"node {name}: to fill gaps from the past, give history")
            out[gaps, j] = _latest(history[:, gaps, j])
        elif rule == "group":
            for label in set(labels[gaps].tolist()):
                here = labels == label
                same = x[here, j]
                same = same[~np.isnan(same)]
                if len(same):
                    out[here & np.isnan(x[:, j]), j] = same.mean()
        elif rule == "regression":
            out[gaps, j] = _by_line(x, j, gaps)
        else:
            mates = np.flatnonzero(parent == parent[j])
            group = int(parent[j])
            if group not in expected:  # one fit serves all indicators of the group
                expected[group] = _expected(x[:, mates], name)
            out[gaps, j] = expected[group][gaps, int(np.flatnonzero(mates == j)[0])]
        if (empty := np.isnan(out[gaps, j])).any():
            unit = named[int(gaps[np.flatnonzero(empty)[0]])]
            raise NotEnoughData(f"node {name}: the rule {rule!r} finds nothing to fill the gap of {unit} by")
    return Imputed(out, np.isnan(x) & ~np.isnan(out), rules)


def _latest(past: Floats) -> Floats:
    """``(T, G)`` -> ``(G,)``: the last known of each column."""
    out: Floats = past[0].copy()
    for row in past[1:]:
        out = np.where(np.isnan(row), out, row)
    return out


def _by_line(x: Floats, j: int, gaps: Ints) -> Floats:
    """``(G,)`` least squares on the closest indicator that each unit reports; NaN where none shares enough units."""
    y, out = x[:, j], np.full(len(gaps), np.nan)
    lines: list[tuple[float, int, float, float]] = []
    for k in range(x.shape[1]):
        both = ~np.isnan(y) & ~np.isnan(x[:, k])
        if k == j or both.sum() < _PAIRS or not (np.ptp(x[both, k]) > 0 and np.ptp(y[both]) > 0):
            continue
        a, b = x[both, k] - x[both, k].mean(), y[both] - y[both].mean()
        slope = float(a @ b / (a @ a))
        lines.append((abs(float(a @ b)) / np.sqrt((a @ a) * (b @ b)), k, float(y[both].mean()), slope))
    lines.sort(key=lambda line: (-line[0], line[1]))
    for g, u in enumerate(gaps):
        for _, k, mean, slope in lines:
            if not np.isnan(x[u, k]):
                both = ~np.isnan(y) & ~np.isnan(x[:, k])
                out[g] = mean + slope * (x[u, k] - x[both, k].mean())
                break
    return out


def _expected(x: Floats, name: str) -> Floats:
    """``(U, p)`` with every gap at its conditional mean under the fitted normal law.

    Raises NotEnoughData below p + 2 units that report something, NotConverged.
    """
    seen = ~np.isnan(x)
    use = seen.any(1)
    p, n = x.shape[1], int(use.sum())
    if n < p + 2 or (seen.sum(0) < 2).any():
        raise NotEnoughData(
            f"node {name}: EM on a group of {p} indicators needs {p + 2} units and two values of each; there are {n} units"
        )
    mean, sd = np.nanmean(x, 0), np.nanstd(x, 0)
    sd = np.where(sd > 0, sd, 1.0)
    z = (x - mean) / sd
    mu, cov = np.zeros(p), np.eye(p)
    patterns = [_Pattern.of(kind, (seen == kind).all(1)) for kind in np.unique(seen[use], axis=0)]
    for _ in range(_ROUNDS):
        full, second = np.where(seen, z, 0.0), np.zeros((p, p))
        for pattern in patterns:
            second += pattern.expect(z, full, mu, cov)
        new = full[use].sum(0) / n
        new_cov = (full[use].T @ full[use] + second) / n - np.outer(new, new)
        step = max(np.abs(new - mu).max(), np.abs(new_cov - cov).max())
        mu, cov = new, new_cov
        if step < _TOLERANCE:
            full[~use] = mu
            out: Floats = np.where(seen, x, mean + sd * full)
            return out
    raise NotConverged(f"node {name}: EM did not settle in {_ROUNDS} rounds; fill it by group or regression")


@dataclass(frozen=True, slots=True, eq=False)
class _Pattern:
    """The units that know and lack the same indicators. both, cross, lost: where these stand in a covariance."""

    rows: Ints
    known: Ints
    gone: Ints
    both: tuple[Ints, ...]
    cross: tuple[Ints, ...]
    lost: tuple[Ints, ...]

    @staticmethod
    def of(seen: Bools, rows: Bools) -> _Pattern:
        known, gone = np.flatnonzero(seen), np.flatnonzero(~seen)
        return _Pattern(
            np.flatnonzero(rows), known, gone, np.ix_(known, known), np.ix_(known, gone), np.ix_(gone, gone)
        )

    def expect(self, z: Floats, full: Floats, mu: Floats, cov: Floats) -> Floats:
        """Put conditional means into ``full``; ``(p, p)`` conditional covariance of these units together."""
        left = np.zeros(cov.shape)
        if len(self.gone):
            slope = np.linalg.lstsq(cov[self.both], cov[self.cross], rcond=None)[0]
            rows = self.rows[:, None]
            full[rows, self.gone] = mu[self.gone] + (z[rows, self.known] - mu[self.known]) @ slope
            left[self.lost] = len(self.rows) * (cov[self.lost] - cov[self.cross].T @ slope)
        return left
