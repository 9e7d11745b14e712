"""The whole way of a scorecard, from raw values to a Board, every step kept.

denominate → hide and shrink small samples → screen → fill gaps → treat outliers → normalise → weight → aggregate → split into
contributions. Screening looks at the data as delivered: after gaps are filled there is nothing left to screen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from engine.board import Board, ranks
from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData, Refused
from engine.typing import Bools, Floats, Ints
from modelzoo.scorecard import weights as weighing
from modelzoo.scorecard.aggregate import aggregate
from modelzoo.scorecard.choices import Weighting
from modelzoo.scorecard.contributions import contributions
from modelzoo.scorecard.denominate import denominate
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.impute import impute
from modelzoo.scorecard.normalise import normalise, orient
from modelzoo.scorecard.outliers import Treated, treat
from modelzoo.scorecard.screen import screen
from modelzoo.scorecard.small import Steadied, steady
from modelzoo.scorecard.weights import Weights

_FIXED = ("goalposts", "to_target", "ratio", "efficacy")  # held against raw values: no log scale
_ENDS = ("goalposts", "minmax", "percentile", "to_maximum", "to_reference", "to_target")  # run from low to high


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A framework applied to U units: every intermediate ``(U, M)``, all node scores, and what was done on the way.

    raw, denominated, imputed, treated, normalised: ``(U, M)``. small: what was hidden and shrunk, ``(U, M)`` too. filled:
    ``(U, M)`` gaps that were filled. held: ``(U, M)`` values moved by the treatment, which ``treatment`` describes (None:
    none). weight: ``(N,)`` as used. weighing: how the weights of each group of indicators came about, by node; empty for the
    tree's own. scores: ``(U, N)`` all nodes in the order of the layout. parts: ``(U, M)``, summing to the score. left_out:
    units not scored, and why.
    """

    framework: Framework
    units: tuple[str, ...]
    raw: Floats
    denominated: Floats
    small: Steadied
    imputed: Floats
    treated: Floats
    normalised: Floats
    filled: Bools
    held: Bools
    treatment: Treated | None
    weight: Floats
    weighing: Mapping[str, Weights]
    scores: Floats
    parts: Floats
    left_out: tuple[tuple[str, str], ...]

    @property
    def score(self) -> Floats:
        """``(U,)`` of the top."""
        return self.scores[:, 0]

    @property
    def rank(self) -> Ints:
        """``(U,)`` places from 1; equal scores share the better place."""
        return ranks(self.score)

    @property
    def nominal(self) -> Floats:
        """``(M,)`` what the weights say that each indicator weighs at the top; sums to 1."""
        return self.framework.layout.effective(self.weight)[self.framework.layout.leaf]

    @property
    def influence(self) -> Floats:
        """``(M,)`` the share of the variance of the score that comes with each indicator's part; sums to 1, may be negative.

        Raises NotEnoughData where all units have the same score.
        """
        away = self.score - self.score.mean()
        if not (total := float(away @ away)) > 0:
            raise NotEnoughData(f"{self.framework.id}: all units have the same score; nothing has influence")
        out: Floats = away @ (self.parts - self.parts.mean(0)) / total
        return out

    def board(
        self,
        target: str,
        asof: datetime,
        period: Period,
        rank_low: Floats | None = None,
        rank_high: Floats | None = None,
    ) -> Board:
        """The result as a Board: node scores from the top down, indicators last, and their parts.

        rank_low, rank_high: ``(U,)`` from an uncertainty analysis; the rank itself where none was made.
        """
        rank = self.rank
        return Board(
            target=target,
            asof=asof,
            period=period,
            units=self.units,
            score=self.score,
            rank=rank,
            rank_low=rank.astype(np.float64) if rank_low is None else rank_low,
            rank_high=rank.astype(np.float64) if rank_high is None else rank_high,
            node_names=self.framework.layout.names[1:],
            node_scores=self.scores[:, 1:],
            part_names=self.framework.indicators,
            parts=self.parts,
        )


def evaluate(
    framework: Framework,
    raw: Floats,
    units: Sequence[str],
    *,
    denominators: Mapping[str, Floats] | None = None,
    groups: Sequence[str] | None = None,
    history: Floats | None = None,
    goalposts: Floats | None = None,
    treatment: Treated | None = None,
    weight: Floats | None = None,
) -> Scored:
    """Score ``(U, M)`` raw values, columns in the order of ``framework.indicators``, NaN where not known.

    denominators: ``(U,)`` by name, and bases of small samples too. groups: ``(U,)`` labels, for filling gaps. history:
    ``(T, U, M)`` earlier values after denominators and small samples, oldest first. goalposts: ``(2, M)`` frozen over a panel.
    treatment: what was done to the panel, to be done here too; learned from these units otherwise. weight: ``(N,)`` in the
    order of the layout, instead of the tree's.

    Raises BadInput naming the node; NotEnoughData if fewer than two units can be scored; Refused for negative weights.
    """
    units = tuple(units)
    raw = np.asarray(raw, np.float64)
    M = len(framework.indicators)
    if raw.shape != (len(units), M):
        raise BadInput(
            f"{framework.id}: {len(units)} units and {M} indicators need ({len(units)}, {M}), not {raw.shape}"
        )
    if twice := [u for u, n in Counter(units).items() if n > 1]:
        raise BadInput(f"{framework.id}: the unit {twice[0]} stands more than once")
    if np.isinf(raw).any():
        u, j = np.argwhere(np.isinf(raw))[0]
        raise BadInput(f"node {framework.indicators[j]}: the value of {units[u]} is infinite")
    layout, rule = framework.layout, framework.normalisation

    denominated = denominate(framework, raw, denominators or {}, units)
    small = steady(framework, raw, denominated, denominators or {}, units)
    seen = screen(small.values, framework.screening)
    kept = np.flatnonzero(seen.kept)
    left_out = [(units[u], seen.reason(u, framework.screening)) for u in np.flatnonzero(~seen.kept).tolist()]
    _enough(framework, kept, left_out)
    labels = None if groups is None else [groups[u] for u in kept.tolist()]
    past = None if history is None else history[:, kept]
    named = tuple(units[u] for u in kept)
    filling = impute(framework, small.values[kept], labels, past, named)
    treated, done = filling.values, treatment
    if treatment is not None:
        treated = treatment.apply(filling.values)
    elif framework.treatment is not None:
        treated, done = treat(filling.values, framework.treatment, may_log(framework))
    reference = named.index(rule.reference) if rule.reference in named else None
    normalised = normalise(treated, layout, rule, goalposts=goalposts, reference=reference)
    weight, weighed = (weight, {}) if weight is not None else weigh(framework, treated)
    scores = aggregate(layout, normalised, framework.aggregation, weight, power=framework.power, known=framework.known)
    foot = rule.low if rule.method in _ENDS and rule.low > 0 else float(np.nanmin(normalised))
    parts = contributions(layout, scores, framework.aggregation, weight, power=framework.power, foot=foot)

    ok = ~np.isnan(scores[:, 0])
    left_out += [(named[u], "too few of its groups could be scored") for u in np.flatnonzero(~ok).tolist()]
    rows = kept[ok]
    _enough(framework, rows, left_out)
    return Scored(
        framework=framework,
        units=tuple(named[u] for u in np.flatnonzero(ok)),
        raw=raw[rows],
        denominated=denominated[rows],
        small=Steadied(small.values[rows], small.hidden[rows], small.reliability[rows]),
        imputed=filling.values[ok],
        treated=treated[ok],
        normalised=normalised[ok],
        filled=filling.filled[ok],
        held=(treated != filling.values)[ok] & ~np.isnan(treated[ok]),
        treatment=done,
        weight=weight,
        weighing=weighed,
        scores=scores[ok],
        parts=parts[ok],
        left_out=tuple(left_out),
    )


def _enough(framework: Framework, kept: Ints, left_out: list[tuple[str, str]]) -> None:
    if len(kept) < 2:
        first = f"; {left_out[0][0]}: {left_out[0][1]}" if left_out else ""
        raise NotEnoughData(f"{framework.id}: a scorecard compares two units or more, {len(kept)} can be scored{first}")


def may_log(framework: Framework) -> Bools:
    """``(M,)`` indicators that may go to a log scale when they have outliers: those not held against raw values."""
    may: Bools = (framework.layout.direction != 0) & (framework.normalisation.method not in _FIXED)
    return may


def weigh(framework: Framework, treated: Floats) -> tuple[Floats, dict[str, Weights]]:
    """``(N,)`` weights by the framework's rule on treated values ``(U, M)`` and, by group, where they come from.

    Indicators keep their group's common share. Raises BadInput naming the node, Refused for negative weights.
    """
    layout, weight, made = framework.layout, framework.layout.weight.copy(), {}
    if framework.weighting == "expert":
        return weight, {}
    up, shares = orient(treated, layout), layout.shares()
    for row in layout.groups.tolist():
        rows = np.arange(layout.children(row).start, layout.children(row).stop)
        rows = rows[layout.count[rows] == 0]
        columns = [int(np.flatnonzero(layout.leaf == r)[0]) for r in rows]
        weight[layout.children(row)] = shares[layout.children(row)]
        if not columns:
            continue
        names = [layout.names[r] for r in rows]
        if framework.weighting == "equal" or len(rows) == 1:
            weight[rows] = shares[rows].sum() / len(rows)
            continue
        found = _from_data(framework.weighting, up[:, columns], names)
        if (found.values < 0).any():
            raise Refused(
                f"node {layout.names[row]}: {'; '.join(found.notes)}. Weight it by experts, equally, or split the group"
            )
        made[layout.names[row]] = found
        weight[rows] = shares[rows].sum() * found.values / found.values.sum()
    return weight, made


def _from_data(weighting: Weighting, up: Floats, names: list[str]) -> Weights:
    toward = np.ones(len(names))  # already turned so that more is better
    if weighting == "entropy":
        return weighing.entropy(up, toward, names=names)
    if weighting == "critic":
        return weighing.critic(up, toward, names=names)
    if weighting == "deviation":
        return weighing.deviation(up, toward, names=names)
    return weighing.pca(up, toward, names=names)
