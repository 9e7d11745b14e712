"""The ragged-edge lag stack: what would have been known of each indicator at each horizon, for every period of the past.

The horizon h is the number of months from the newest month of the panel (its edge) to the last month of the target period; it
is negative for a backcast. Each series ends d months before the edge, its delay, seen in the panel from which is learned. In the
past, at horizon h, a series was therefore known up to h + d months before the period's end (vertical realignment: Altissimo,
Cristadoro, Forni, Lippi & Veronese 2010, Rev. Econ. Stat. 92; ragged edges in MIDAS: Wallis 1986, J. Forecasting 5; Marcellino &
Schumacher 2010, Oxf. Bull. Econ. Stat. 72). Two forms:

* sums: the value of the indicator in the target period *as its own autoregression expected it then*: for a quarterly target the sum
  over the quarter (growth by the weights of Mariano & Murasawa 2003, levels by their mean), and ``lags - 1`` periods before;
* months: its newest ``lags`` values known then.

The same autoregressions fill interior gaps, and what a later panel does not know yet although the panel of the fit did. A
quarterly indicator stands with its values by quarter. Where one panel leaves open by how many months a quarterly series is
late (it shows the last quarter only), the catalogue's delay decides within what the panel allows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

import numpy as np

from engine import autoregression
from engine.align import WEIGHTS, own, single_months
from engine.calendar import Freq, Period
from engine.errors import BadInput, NotEnoughData
from engine.model import State
from engine.panel import Panel
from engine.typing import Bools, Floats, Ints
from modelzoo.nowcast.paths import filled_and_expected

Form: TypeAlias = Literal["sums", "months"]

HORIZONS = range(-2, 7)
"""Horizons with equations of their own; one beyond them takes the nearest, its missing months filled."""

MOST_LAGS = 6  # of the autoregressions
FEWEST = {Freq.M: 36, Freq.Q: 16}  # known values below which an indicator is left out
LATEST = 12  # months behind the edge; an indicator that is later than that is no longer published
WINDOW = 180  # months that an estimate looks back


@dataclass(frozen=True)
class Stack:
    """What was learned of the target (column 0) and its N indicators; all values are read in standard units.

    used: ``(1 + N,)``. mean, sd: ``(1 + N,)``. fills: ``(1 + N, 1 + MOST_LAGS)``, constant and coefficients of the
    autoregressions, padded with zeros. delays: ``(1 + N,)`` months from the end of the newest known period to the edge.
    """

    ids: tuple[str, ...]
    lags: int
    form: Form
    since: str
    used: Bools
    mean: Floats
    sd: Floats
    fills: Floats
    delays: Ints

    def rows(self, panel: Panel) -> tuple[Ints, Floats]:
        """Rows of the panel in which the sample's target periods end, and the target in them, standardised; NaN if not known."""
        start, values = own(panel, self.ids[0])
        each = 3 if panel.meaning(self.ids[0]).freq is Freq.Q else 1
        at = panel.row(start) + each * np.arange(len(values))
        inside = at >= skip(panel, self.since)
        return at[inside], (values[inside] - self.mean[0]) / self.sd[0]

    def filled(self, panel: Panel) -> Floats:
        """``(T, 1 + N)`` standardised values on the months of the panel, interior gaps filled."""
        read, out = _Reader(self, panel, 0), np.full((panel.months, len(self.ids)), np.nan)
        out[:, read.months] = read.known[1]
        if read.quarters:
            out[read.quarter :: 3, read.quarters] = read.known[3]
        return out

    def history(self, panel: Panel) -> Callable[[int], tuple[Floats, Floats]]:
        """The features of all rows of the sample, as a function of the horizon.

        It gives ``(n,)`` the target as expected by its own autoregression, and ``(n, N, lags)`` the indicators; NaN where they
        were not known, and everywhere for those not used.
        """
        read = _Reader(self, panel, int(self.delays.max()) + HORIZONS[-1] + 1)
        return partial(read.at, self.rows(panel)[0], delays=self.delays)

    def now(self, panel: Panel, period: Period) -> tuple[int, Floats, Floats]:
        """Index among HORIZONS (their number beyond them), own expectation ``(1,)`` and features ``(1, N, lags)`` of a period.

        All that the panel knows is read. An indicator that it does not know at all, or not for fifteen years, stands at its mean.
        Raises NotEnoughData if the target is not known.
        """
        row, each = panel.row(period), 3 if period.freq is Freq.Q else 1
        newest = _newest(panel, self.ids)
        if newest[0] < 0:
            raise NotEnoughData(f"{self.ids[0]}: no value is known as of {panel.day}")
        edge = int(newest[self.used].max())
        if row <= newest[0]:
            raise NotEnoughData(
                f"{self.ids[0]}: {period} is not known as of {panel.day} and lies before the newest value"
            )
        h = min(max(row - edge, HORIZONS[0]), HORIZONS[-1])
        index = h - HORIZONS[0] + (row - edge > h)
        first = max(0, min(edge, row) - WINDOW) // each * each
        recent = panel.over(panel.first, period.last_month)
        late = edge - np.maximum(newest, first - 1)
        if self.form == "sums":
            h_read, delays = row - edge, late
        else:  # the months that the equation was learned on, filled where this panel lacks them
            h_read, delays = h, self.delays
        steps = row - edge + int(late[self.used & (newest >= first)].max()) + 2
        read = _Reader(self, recent, max(1, steps), first)
        mine, features = read.at(np.array([row]), h_read, delays, late_target=row - int(newest[0]), fill=True)
        return index, mine, np.nan_to_num(features, nan=0.0)

    def state(self) -> dict[str, Floats | Ints]:
        return {
            "stack_used": self.used.astype(np.int64), "stack_mean": self.mean, "stack_sd": self.sd,
            "stack_fills": self.fills, "stack_delays": self.delays,
        }  # fmt: skip


def restored(target: str, indicators: tuple[str, ...], lags: int, form: Form, since: str, state: State) -> Stack:
    """The inverse of ``Stack.state``."""
    s: Mapping[str, Floats] = {k: np.asarray(v, float) for k, v in state.items() if k.startswith("stack_")}
    used, delays = s["stack_used"].astype(bool), s["stack_delays"].astype(np.int64)
    return Stack(
        (target, *indicators), lags, form, since, used, s["stack_mean"], s["stack_sd"], s["stack_fills"], delays
    )


def check(target: str, indicators: tuple[str, ...], lags: int) -> None:
    """Raises BadInput unless the options of a model on a stack make sense."""
    if not indicators:
        raise BadInput("at least one indicator is needed")
    if target in indicators or len(set(indicators)) < len(indicators):
        raise BadInput("the indicators must differ from each other and from the target")
    if not 1 <= lags <= 36:
        raise BadInput(f"lags must lie in 1 … 36, not {lags}")


def learn(panel: Panel, target: str, indicators: tuple[str, ...], lags: int, form: Form, since: str) -> Stack:
    """Scales, autoregressions and delays of a target and its indicators, from one panel.

    An indicator is left out if fewer than 36 months or 16 quarters of it are known, if it began after the first half of the
    sample, ended more than a year before the edge, or does not vary. Raises NotEnoughData if none is left or the target has fewer
    than 24 known values (monthly: 48), BadInput for a series that is neither monthly nor quarterly.
    """
    ids, from_row = (target, *indicators), skip(panel, since)
    newest = _newest(panel, ids)
    edge = int(newest.max())
    n = len(ids)
    used, mean, sd = np.zeros(n, bool), np.zeros(n), np.ones(n)
    fills, delays = np.zeros((n, 1 + MOST_LAGS)), np.zeros(n, np.int64)
    half = 0
    months, january = read_months(panel, ids)
    panel = panel.with_values(ids, np.where(january, np.nan, months)) if january.any() else panel
    for i, name in enumerate(ids):
        freq = panel.meaning(name).freq
        start, values = own(panel, name)
        each = 3 if freq is Freq.Q else 1
        values = values[max(0, -((panel.row(start) - from_row) // each)) :]
        seen = np.flatnonzero(~np.isnan(values))
        if i == 0:
            need = 24 if freq is Freq.Q else 48
            if len(seen) < need:
                raise NotEnoughData(f"{name}: {len(seen)} values are known as of {panel.day}, {need} are needed")
            half = (int(seen[0]) + int(seen[-1])) // 2 * each
        elif len(seen) < FEWEST[freq] or seen[0] * each > half or edge - newest[i] > LATEST:
            continue
        mean[i], spread = values[seen].mean(), values[seen].std()
        if not spread > 1e-10 * abs(mean[i]):
            if i == 0:
                raise NotEnoughData(f"{name}: all values known as of {panel.day} are equal")
            continue
        sd[i] = spread
        try:
            equation = autoregression.fit((values - mean[i]) / spread, MOST_LAGS, name, stationary=True)
        except NotEnoughData:
            if i == 0:
                raise
            continue
        fills[i, : 1 + len(equation.coefficients)] = equation.constant, *equation.coefficients
        used[i] = True
    if not used[1:].any():
        raise NotEnoughData(f"{target}: none of {n - 1} indicators has enough values that differ as of {panel.day}")
    edge = int(newest[used].max())  # that of ``Stack.now``: one that is left out may be newer than all that are read
    delays[used] = [_delay(panel, ids[i], edge - int(newest[i])) for i in np.flatnonzero(used)]
    return Stack(ids, lags, form, since, used, mean, sd, fills, delays)


def skip(panel: Panel, since: str) -> int:
    """Rows of the panel before the sample. Raises NotEnoughData if the sample begins after the panel."""
    n = Period.parse(since).last_month.ordinal - panel.first.ordinal if since else 0
    if n >= panel.months:
        raise NotEnoughData(f"the sample begins in {since}, after the last month of the panel as of {panel.day}")
    return max(0, n)


def read_months(panel: Panel, ids: tuple[str, ...]) -> tuple[Floats, Bools]:
    """As ``engine.align.single_months`` for the indicators; of the target, the first, what is published is what is asked for."""
    values, january = single_months(panel, ids[1:])
    own_values = panel.matrix(ids[:1])
    return np.hstack([own_values, values]), np.hstack([np.zeros(own_values.shape, bool), january])


def _newest(panel: Panel, ids: tuple[str, ...]) -> Ints:
    """``(N,)`` row of the newest known value of each, left out of learning or not; -1 if there is none.

    Raises NotEnoughData if all are empty.
    """
    seen = ~np.isnan(panel.matrix(ids)) | panel.left_out(ids)
    rows: Ints = np.where(seen.any(0), panel.months - 1 - np.argmax(seen[::-1], axis=0), -1)
    if rows.max() < 0:
        raise NotEnoughData(f"{ids[0]}: nothing is known as of {panel.day}, neither of it nor of its indicators")
    return rows


def _delay(panel: Panel, name: str, seen: int) -> int:
    meaning = panel.meaning(name)
    if meaning.freq is not Freq.Q:
        return seen
    usual = max(0, -(-meaning.indicator.delay_days // 31) - 1)  # the edge is a month behind the information date
    return min(max(usual, seen - 2), seen)


class _Reader:
    """Standardised values with interior gaps filled, and their expected paths from every row, by frequency."""

    def __init__(self, stack: Stack, panel: Panel, steps: int, first: int = 0) -> None:
        self.stack, self.first = stack, first
        freqs = [panel.meaning(i).freq for i in stack.ids]
        self.quarterly_target = freqs[0] is Freq.Q
        self.months = [i for i, f in enumerate(freqs) if f is Freq.M and stack.used[i]]
        self.quarters = [i for i, f in enumerate(freqs) if f is Freq.Q and stack.used[i]]
        values, january = read_months(panel, stack.ids)
        z = ((values - stack.mean) / stack.sd)[first:]
        january, left_out = january[first:], panel.left_out(stack.ids)[first:]
        self.quarter = (panel.row(panel.first.to(Freq.Q)) - first) % 3  # the first row in which a quarter ends
        self.paths, self.known = {}, {}
        for each, at in ((1, self.months), (3, self.quarters)):
            rows = slice(None) if each == 1 else slice(int(self.quarter), None, 3)
            n = steps if each == 1 else -(-steps // 3) + 2
            mine = z[rows, at], stack.fills[at], n, left_out[rows, at], january[rows, at]
            self.known[each], self.paths[each] = filled_and_expected(*mine)
        steps_of = [panel.meaning(i).indicator.step for i in stack.ids]
        weights = [WEIGHTS["average" if s == "lin" else "growth"] for s in steps_of]
        self.weights = weights if self.quarterly_target and stack.form == "sums" else [(1.0,)] * len(weights)

    def at(
        self, rows: Ints, h: int, delays: Ints, late_target: int | None = None, fill: bool = False
    ) -> tuple[Floats, Floats]:
        """Own expectation ``(n,)`` and features ``(n, N, lags)`` at rows of the panel, h months before which the edge lay.

        late_target: months from the newest known target to the row, where that is known and not to be taken from the delays.
        """
        rows, s = rows - self.first, self.stack
        out = np.full((len(rows), len(s.ids), s.lags), np.nan)
        mine = np.full(len(rows), np.nan)
        each = 3 if self.quarterly_target else 1
        late = max(each, h + int(delays[0])) if late_target is None else late_target
        place = (self.quarters if each == 3 else self.months).index(0)
        mine[:] = self._expected(each, np.array([place]), rows, 0, -(-late // each))[:, 0]
        for cut in np.unique(delays[self.months]) + h if self.months else ():
            where = np.array([j for j, i in enumerate(self.months) if i and delays[i] + h == cut], np.int64)
            if not len(where):
                continue
            at = np.array(self.months)[where]
            for lag in range(s.lags):
                out[:, at, lag] = self._month(where, at, rows, lag, int(cut), fill)
        for j, i in enumerate(self.quarters):
            if i:
                out[:, i, :] = self._quarter(j, rows, h + int(delays[i]))
        return mine, out[:, 1:]

    def _month(self, where: Ints, at: Ints, rows: Ints, lag: int, cut: int, fill: bool) -> Floats:
        if self.stack.form == "months":
            back = cut + lag
            return self._filled(where, rows - back) if fill else self._expected(1, where, rows, back, cut)
        shift = lag * (3 if self.quarterly_target else 1)
        length = max(len(self.weights[i]) for i in at)
        w = np.zeros((len(at), length))
        for k, i in enumerate(at):
            w[k, : len(self.weights[i])] = self.weights[i]
        parts = [w[:, j] * self._expected(1, where, rows, j + shift, cut) for j in range(length)]
        # a series that needs only three of five months does not wait for the others
        total: Floats = np.sum([np.where(w[:, j] == 0, 0.0, parts[j]) for j in range(length)], axis=0)
        return total

    def _quarter(self, j: int, rows: Ints, late: int) -> Floats:
        """``(n, lags)`` a quarterly indicator in the quarter of each row and the quarters before."""
        out = np.full((len(rows), self.stack.lags), np.nan)
        to_end = (self.quarter - rows) % 3
        for phase in range(3):
            here = np.flatnonzero(to_end == phase)
            k = max(0, -(-(phase + late) // 3))
            for lag in range(self.stack.lags):
                back = lag if self.stack.form == "sums" else lag + k
                out[here, lag] = self._expected(3, np.array([j]), rows[here] + phase, back, k)[:, 0]
        return out

    def _filled(self, where: Ints, rows: Ints) -> Floats:
        """Values at rows; beyond the newest known one of each series as it expects them."""
        known, path = self.known[1], self.paths[1]
        out = np.full((len(rows), len(where)), np.nan)
        for k, j in enumerate(where):
            seen = np.flatnonzero(~np.isnan(known[:, j]))
            if len(seen):
                ahead = np.maximum(rows - seen[-1], 0)
                ok = (rows >= 0) & (ahead < len(path))
                at, steps = np.minimum(rows[ok], seen[-1]), ahead[ok]
                out[ok, k] = np.where(steps == 0, known[at, j], path[steps, at, j])
        return out

    def _expected(self, each: int, where: Ints, rows: Ints, back: int, cut: int) -> Floats:
        """``(n, len(where))`` values ``back`` periods before the rows, as expected ``cut`` periods before them."""
        path = self.paths[each]
        ahead = max(0, cut - back)
        source = self.known[each] if back > cut else path[min(ahead, len(path) - 1)]
        index = (rows if each == 1 else (rows - self.quarter) // 3) - max(back, cut)
        ok = (index >= 0) & (index < path.shape[1])
        out = np.full((len(rows), len(where)), np.nan)
        if ahead < len(path):
            out[ok] = source[np.ix_(index[ok], where)]
        return out
