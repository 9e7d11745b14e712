"""Which components an index is made of: given, or chosen at every fit from candidates, with the reason for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import polars as pl

from engine.calendar import Period
from engine.comovement import Group, Reason, Verdict, classify
from engine.cycle import growth_cycle
from engine.errors import BadInput, NotEnoughData
from engine.indicator import split_id
from engine.model import State
from engine.panel import Panel
from engine.turning import Oecd
from engine.typing import Bools, Floats, Ints
from modelzoo.prosperity import measure
from modelzoo.prosperity.measure import Columns, Measured, Measures

REASONS = (
    "given",
    "chosen",
    "the reference",
    "fewer than 48 months are known",
    "does not change",
    "is leading",
    "is coincident",
    "is lagging",
    *(reason.value for reason in Reason),
    "moves as one that was chosen (correlation of 0.99 or more)",
    "too little is known beside the reference",
    "moves against the direction that the catalogue gives",
    "nothing is known of its last twelve months",
)
"""Why a series is in an index or not. A series may have several reasons: they are the bits of a number."""

GIVEN, CHOSEN, REFERENCE, FEW, CONSTANT = (1 << n for n in range(5))
GROUPS = {Group.LEADING: 1 << 5, Group.COINCIDENT: 1 << 6, Group.LAGGING: 1 << 7}
WHY = {reason: 1 << (8 + n) for n, reason in enumerate(Reason)}
TWIN, SHORT, AGAINST, ENDED = (1 << (8 + len(WHY) + n) for n in range(4))

AGAINST_SIGN = {"pro": -1.0, "counter": 1.0}
FEWEST = 48  # months known
SAME = 0.99  # correlation of twins


PARTS = {
    "trend": ("trend", "趋势"),
    "base": ("base", "基数"),
    "neutral": ("neutral level of 50", "荣枯线50"),
}
"""English and Chinese names of what is a part of an index and no component."""


class Composed(Protocol):
    """The options that say what an index is made of."""

    @property
    def target(self) -> str: ...
    @property
    def components(self) -> tuple[str, ...]: ...
    @property
    def coincident(self) -> tuple[str, ...]: ...
    @property
    def inverted(self) -> tuple[str, ...]: ...
    @property
    def reference(self) -> str: ...
    @property
    def base(self) -> str: ...


def inputs(model: Composed) -> tuple[str, ...]:
    """Components, those of the coincident index, the reference: each once."""
    more = (model.reference,) if model.reference else ()
    return tuple(dict.fromkeys((*model.components, *model.coincident, *more)))


def check(model: Composed) -> None:
    """Raises BadInput for options that do not fit together."""
    split_id(model.target)
    if not model.components:
        raise BadInput(f"{model.target}: an index needs components")
    for name, ids in (("components", model.components), ("coincident", model.coincident), ("inverted", model.inverted)):
        if len(set(ids)) < len(ids):
            raise BadInput(f"{model.target}: {name} names a series twice")
    if alien := set(model.inverted) - {*model.components, *model.coincident}:
        raise BadInput(f"{model.target}: inverted, but not a component: {', '.join(sorted(alien))}")
    if model.reference and split_id(model.target)[0] not in list(GROUPS):
        raise BadInput(f"{model.target}: to choose components its name must say the role: {', '.join(GROUPS)}")
    if model.base:
        try:
            Period.parse(f"{model.base}-01")
        except BadInput:
            raise BadInput(f"{model.target}: base is a year, as 2016, not {model.base!r}") from None


@dataclass(frozen=True)
class Chosen:
    """ids ``(M,)`` the inputs; own, coincident ``(M,)``: in the index, in the coincident index beside it; sign ``(M,)`` 1 or -1.

    lead ``(M,)`` months and correlation ``(M,)`` as found, NaN where nothing was asked; reason ``(M,)`` bits of REASONS.
    """

    ids: tuple[str, ...]
    measures: Measures
    own: Bools
    coincident: Bools
    sign: Floats
    lead: Floats
    correlation: Floats
    reason: Ints

    @classmethod
    def restore(cls, ids: tuple[str, ...], state: State) -> Chosen:
        whole = {k: np.asarray(state[k]).astype(np.int64) for k in ("measures", "own", "coincident", "reason")}
        real = {k: np.asarray(state[k], float) for k in ("sign", "lead", "correlation")}
        return cls(
            ids, whole["measures"], whole["own"].astype(bool), whole["coincident"].astype(bool), **real, reason=whole["reason"]
        )  # fmt: skip

    def state(self) -> dict[str, Floats | Ints]:
        """Arrays for a model's state."""
        return {
            "measures": self.measures, "own": self.own.astype(np.int64), "coincident": self.coincident.astype(np.int64),
            "sign": self.sign, "lead": self.lead, "correlation": self.correlation, "reason": self.reason,
        }  # fmt: skip

    @property
    def names(self) -> tuple[str, ...]:
        """The components of the index."""
        return tuple(i for i, own in zip(self.ids, self.own, strict=True) if own)

    def columns(self, panel: Panel) -> Columns:
        """The inputs by month. Raises NotEnoughData, Unknown."""
        return measure.columns(panel, self.ids, self.measures)

    def measured(self, found: Columns, *, carry: bool = True) -> Measured:
        """Changes and levels with their sign: what falls when the economy rises is turned round."""
        m = measure.measured(found, self.measures, carry=carry)
        return Measured(m.first, m.changes * self.sign, m.levels * self.sign, m.marks)

    def table(self) -> pl.DataFrame:
        """One row an input: series, in_index, in_coincident, sign, lead (months), correlation, reason."""
        return pl.DataFrame(
            {
                "series": self.ids,
                "in_index": self.own,
                "in_coincident": self.coincident,
                "sign": self.sign,
                "lead": self.lead,
                "correlation": self.correlation,
                "reason": [said(r) for r in self.reason],
            }
        ).with_columns(pl.col("lead", "correlation").fill_nan(None))


def choose(model: Composed, panel: Panel, select: bool) -> Chosen:
    """What the inputs are measured in and which of them are in the index: all components, or those of its role.

    select: hold the growth cycle of each component against that of the reference (engine.comovement.classify). Raises
    NotEnoughData if none is left or the reference cannot be used, Unknown.
    """
    ids = inputs(model)
    measures = measure.measures_of(panel, ids)
    found = measure.columns(panel, ids, measures)
    reason = _usable(found, measures)
    among = [np.array([i in group for i in ids]) for group in (model.components, model.coincident, model.inverted)]
    usable, sign = reason == GIVEN, np.where(among[2], -1.0, 1.0)
    none = np.full(len(ids), np.nan)
    chosen = Chosen(ids, measures, among[0] & usable, among[1] & usable, sign, none.copy(), none.copy(), reason)
    if model.reference:
        r = ids.index(model.reference)
        if not usable[r]:
            raise NotEnoughData(f"{model.target}: its reference {model.reference} cannot be used: {said(reason[r])}")
        reason[r] = reason[r] if among[0][r] else REFERENCE
    if select:
        chosen = _classified(model, chosen, found, [panel.meaning(i).indicator.direction for i in ids])
    if not chosen.own.any():
        why = "; ".join(f"{i}: {said(r)}" for i, r in zip(ids, chosen.reason, strict=True))
        raise NotEnoughData(f"{model.target}: no component can be used as of {panel.day} ({why})")
    return chosen


def said(reason: int) -> str:
    """Reasons in words."""
    return "; ".join(text for n, text in enumerate(REASONS) if int(reason) >> n & 1)


def _classified(model: Composed, given: Chosen, found: Columns, directions: Sequence[str]) -> Chosen:
    """The candidates of the role that the target names; signs as found, but none against the catalogue's direction."""
    levels = bridged(measure.measured(found, given.measures).levels)
    role = Group(split_id(model.target)[0])
    own, coincident, sign = np.zeros(len(given.ids), bool), given.coincident.copy(), given.sign.copy()
    lead, correlation, reason = given.lead, given.correlation, given.reason.copy()
    ended = measure.last_rows(found.values) < len(levels) - 12
    reason[given.own & ended] = ENDED
    asked = [int(n) for n in np.flatnonzero(given.own & ~ended)]
    found_cycles = growth_cycle(levels[:, [given.ids.index(model.reference), *asked]]).cycle.T
    cycles: dict[int, Floats] = {}
    for n, cycle in zip(asked, found_cycles[1:], strict=True):
        try:
            verdict = _verdict(found_cycles[0].tobytes(), cycle.tobytes())
        except NotEnoughData:
            reason[n] = SHORT
            continue
        sign[n], correlation[n] = verdict.sign, verdict.correlation.value
        lead[n] = np.nan if verdict.lead is None else verdict.lead
        reason[n] = GROUPS.get(verdict.group, 0) | sum(WHY[why] for why in verdict.reasons)
        if sign[n] == AGAINST_SIGN.get(
            directions[n]
        ):  # in a regular cycle half a wave of lead looks like the other sign
            reason[n] |= AGAINST
            continue
        if verdict.group is role:
            cycles[n] = cycle
        if verdict.group is Group.COINCIDENT and not model.coincident:
            coincident[n] = True
    for n in sorted(cycles, key=lambda n: (-abs(correlation[n]), n)):
        twin = any(_correlation(cycles[n], cycles[m]) >= SAME for m in cycles if own[m])
        own[n], reason[n] = not twin, (TWIN if twin else CHOSEN) | reason[n]
    if role is Group.COINCIDENT and not model.coincident:
        coincident = own
    return Chosen(given.ids, given.measures, own, coincident, sign, lead, correlation, reason)


@lru_cache(maxsize=512)
def _verdict(reference: bytes, cycle: bytes) -> Verdict:
    """Kept, as the leading, the coincident and the lagging index of a region ask of one panel the same."""
    return classify(np.frombuffer(reference), np.frombuffer(cycle), Oecd())


def _correlation(a: Floats, b: Floats) -> float:
    both = ~(np.isnan(a) | np.isnan(b))
    return float(abs(np.corrcoef(a[both], b[both])[0, 1])) if both.sum() > 2 else 0.0


def bridged(levels: Floats) -> Floats:
    """Gaps within a series ``(T, N)`` on a straight line, for filters alone; its ends stay as they are."""
    out = levels.copy()
    for n in range(out.shape[1]):
        at = np.flatnonzero(~np.isnan(out[:, n]))
        if len(at) and len(at) < at[-1] - at[0] + 1:
            inside = np.arange(at[0], at[-1] + 1)
            out[inside, n] = np.interp(inside, at, out[at, n])
    return out


def _usable(found: Columns, measures: Measures) -> Ints:
    """``(M,)`` GIVEN, or the reason why a series cannot be used."""
    changes = measure.measured(found, measures, carry=False).changes
    known = ~np.isnan(changes)
    count = known.sum(0)
    mean = np.where(known, changes, 0.0).sum(0) / np.maximum(count, 1)
    off = np.where(known, np.abs(changes - mean), 0.0).max(0)
    still = off <= 1e-9 * np.abs(np.where(known, changes, 0.0)).max(0)
    return np.where(count < FEWEST, FEW, np.where(still, CONSTANT, GIVEN)).astype(np.int64)
