"""Where the width of a band comes from: states and shocks, parameters, and what will be revised.

Variances add up. Given the parameters a model knows the first; what estimating them adds is its own matter. Revisions of the data
are learned from past vintages: with weights w on the cells of the panel and the past revisions r of cells equally old, w'Rw with
R = mean of r r' is the mean of (w'r)². So no R is formed: each past revision is laid over today's panel and the model asked again,
which is the same number for a linear model, and needs no weights of the others. Revisions are news or noise (Mankiw & Shapiro 1986,
Survey of Current Business 66; Jacobs & van Norden 2011, J. Econometrics 161); both are taken to be uncorrelated with what the
settled data leave open.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from engine.calendar import Period
from engine.errors import LookAhead, NotEnoughData
from engine.estimate import BANDS, Estimate
from engine.model import Fitted
from engine.outcome import in_turn
from engine.panel import Panel
from engine.typing import Floats

FEWEST = 12
"""Past revisions below which nothing is said of the coming ones."""

_LOW, _HIGH = BANDS[80]
Z80 = 1.2815515655446004
"""Half the width of the 80 % band of a normal distribution, in standard deviations."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the variance of a model's band comes from, in the unit of the target squared; ``(H,)`` each, 0 for what is published.

    total: of the band. states: states and shocks, given the parameters; NaN where the band is taken from past errors, which hold
    both. parameters: what estimating them adds; NaN where the band does not hold it, or both are one. live: the band was
    recalibrated on errors made in real time, which hold the revisions of the data too.
    """

    total: Floats
    states: Floats
    parameters: Floats
    live: bool = False

    @classmethod
    def of(cls, states: Floats, parameters: Floats | None = None) -> Sources:
        """Of a model that knows them apart; without ``parameters`` its band holds none."""
        total = states if parameters is None else states + parameters
        return cls(total, states, np.full(len(states), np.nan) if parameters is None else parameters)

    def row(self, j: int) -> tuple[float, float, float]:
        """Total, states and parameters of one period."""
        return float(self.total[j]), float(self.states[j]), float(self.parameters[j])


@runtime_checkable
class Sourced(Protocol):
    """A fitted model that can tell where its band comes from."""

    def sources(self, panel: Panel, periods: Sequence[Period]) -> Sources:
        """``total`` is the variance of the band that ``estimate`` gives. Raises as ``estimate``."""
        ...


def sources(fitted: Fitted, panel: Panel, periods: Sequence[Period]) -> Sources:
    """Of any model: of one that cannot tell, the variance of the 80 % band as a whole. Raises as ``estimate``."""
    if isinstance(fitted, Sourced):
        return fitted.sources(panel, periods)
    return whole(fitted.estimate(panel, periods))


def whole(said: Estimate) -> Sources:
    """The variance of a band of which nothing is known apart, from its 80 % band."""
    none = np.full(len(said.periods), np.nan)
    return Sources(((said.quantiles[:, _HIGH] - said.quantiles[:, _LOW]) / (2 * Z80)) ** 2, none, none)


def comonotone(share: Floats, said: Sequence[tuple[float, float, float]]) -> tuple[float, float, float]:
    """Total, states and parameters of Σ share_k x_k whose quantiles add up: its deviation is Σ share_k sd_k, and each source has
    the part in it that it has in theirs (Euler).

    share: ``(K,)``, not negative; said: the same three of each x_k. Where one knows its sources apart and another does not,
    nothing is known of their sum.

    >>> comonotone(np.array([0.5, 0.5]), [(4.0, 3.0, 1.0), (4.0, 4.0, 0.0)])
    (4.0, 3.5, 0.5)
    """
    v = np.array(said)
    sd = np.sqrt(v[:, 0])
    wide = float(share @ sd)
    each = wide * (share / np.where(sd > 0, sd, 1.0)) @ v
    alike = len({tuple(row) for row in np.isnan(v[:, 1:])}) == 1
    return (wide**2, float(each[1]), float(each[2])) if alike else (wide**2, np.nan, np.nan)


@dataclass(frozen=True, slots=True)
class Revised:
    """What revisions of the data would do to an estimate. variance ``(H,)``, about 0: a bias counts; NaN where it is not known.

    count: past revisions that it was learned from. unknown: series that were read and have no past on record: theirs is left out.
    """

    variance: Floats
    count: int
    unknown: tuple[str, ...]


def revisions(
    fitted: Fitted,
    panel: Panel,
    past: Sequence[tuple[Panel, Panel]],
    periods: Sequence[Period],
    vintages: Collection[str],
) -> Revised:
    """By how much the estimate would move if what is known were revised as it was before.

    past: what was known on an earlier day, and what was known when it had settled. A cell is as old as there are newer values of
    its series; a series counts in a pair where newer values came between the two. vintages: the series of which revisions are on
    record. A series with fewer than ``FEWEST`` pairs is left out and named. One estimate for each pair, and one more. Raises
    LookAhead for a pair from after the panel, and as ``estimate``.
    """
    if late := [after.day for _, after in past if after.asof > panel.asof]:
        raise LookAhead(f"revisions known on {late[0]} say nothing of {panel.day}")
    ids = [i for i in panel.ids if i in vintages]
    each = [{i: r for i in ids if len(r := _revision(then, after, i))} for then, after in past]
    on_record = [i for i in ids if sum(i in r for r in each) >= FEWEST]
    whole = [r for r in each if on_record and all(i in r for i in on_record)]
    unknown = tuple(i for i in panel.ids if i not in on_record)
    if len(whole) < FEWEST:
        return Revised(np.full(len(periods), np.nan), len(whole), panel.ids)
    mean = fitted.estimate(panel, periods).mean
    moved = [fitted.estimate(_laid(panel, on_record, r), periods).mean - mean for r in whole]
    return Revised(np.mean(np.square(moved), axis=0), len(whole), unknown)


def _revision(then: Panel, after: Panel, series_id: str) -> Floats:
    """``(n,)`` settled minus said, newest value first; 0 where the settled panel knows none. Empty where nothing was known, or
    nothing came after it, so that nobody could have revised."""
    if series_id not in then.ids or series_id not in after.ids:
        return np.zeros(0)
    said = then.matrix([series_id])[:, 0]
    settled = after.over(then.first, then.last).matrix([series_id])[
        max(0, then.first.ordinal - after.first.ordinal) :, 0
    ]
    known = np.flatnonzero(~np.isnan(said))
    if not len(known) or np.isnan(settled[known[-1] + 1 :]).all():
        return np.zeros(0)
    return np.nan_to_num((settled[: len(said)] - said)[known][::-1])


def _laid(panel: Panel, ids: Sequence[str], change: dict[str, Floats]) -> Panel:
    """The panel with each value moved by the past revision of one equally old."""
    values = panel.matrix(ids)
    for j, series_id in enumerate(ids):
        rows = np.flatnonzero(~np.isnan(values[:, j]))[::-1]
        n = min(len(rows), len(change[series_id]))
        values[rows[:n], j] += change[series_id][:n]
    return panel.with_values(ids, values)


def target_revisions(panels: Sequence[Panel], later: int) -> Floats:
    """``(n,)`` the value of the target when the period ``later`` after it first came out, minus its first release.

    panels: of the target alone, one for each day on which something was said of it, in order. Raises NotEnoughData below
    ``FEWEST``.
    """
    first, settled = ({p: value for p, value, _ in in_turn(panels, ahead)} for ahead in (0, later))
    found = [settled[p] - value for p, value in first.items() if p in settled]
    if len(found) < FEWEST:
        raise NotEnoughData(
            f"{len(found)} first releases have a value {later} periods later on record; {FEWEST} are needed"
        )
    return np.array(found)
