"""Scorecards beside their board: why places changed between two days, periods or versions, and the page of one unit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from engine.calendar import Period, known_day
from engine.errors import BadInput, Unknown
from engine.indicator import is_synthetic
from engine.panel import Panel
from featurestore.panel import build_panel
from featurestore.store import Store
from modelzoo import telling
from modelzoo.bundle import Fit
from serving.answer import asof_text, timing_of
from serving.board_schemas import (
    BoardChange,
    BoardEnd,
    ChangeRow,
    GoalRow,
    Goals,
    LiftRow,
    MarkRow,
    PeerRow,
    StandingRow,
    UnitEnds,
    UnitPage,
)
from serving.champions import Champion, Champions
from serving.readings import meant

if TYPE_CHECKING:
    from modelzoo.scorecard.change import Change
    from modelzoo.scorecard.composite import FittedComposite

KIND = "scorecard"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which change. since, period, before, version: None for what `changes` takes then.

    since: what was known of the old board. period, before: of the new and of the old board. version: of the old board's model.
    region: one unit alone, and its indicators.
    """

    since: datetime | None = None
    period: Period | None = None
    before: Period | None = None
    version: str | None = None
    region: str | None = None


def changes(store: Store, champions: Champions, target: str, asof: datetime, asked: Asked) -> BoardChange:
    """Why the champion's board is another one than before.

    Without ``period`` the newest at ``asof``. Without ``since`` both boards are of what is known at ``asof``, the old one of the
    period before. Without ``before`` the newest period at ``since``. Without ``version`` the champion's own.
    Raises Unknown for a unit or a version, BadInput where the old board is the later one, NotEnoughData, NotReady.
    """
    from modelzoo.scorecard.change import End, change

    champion = meant(champions, KIND, target, None)
    other = champion if asked.version is None else champions.version(champion.name, asked.version)
    since = asof if asked.since is None else asked.since
    if since > asof:
        raise BadInput(f"a change goes to a later day: {asof_text(since)} is not before {asof_text(asof)}")
    inputs = tuple(dict.fromkeys([*champion.bundle.model.inputs, *other.bundle.model.inputs]))
    new, old = build_panel(store, inputs, asof), build_panel(store, other.bundle.model.inputs, since)
    fit, fit_old = _fit(champion, new), _fit(other, old)
    fitted, fitted_old = _scorecard(champion, fit), _scorecard(other, fit_old)
    period = asked.period or fitted.newest(new)
    before = asked.before or (period + -1 if asked.since is None else fitted_old.newest(old))
    found = change(End(fitted_old, old, before), End(fitted, new, period))
    rows = _rows_of(found, asked.region)
    names = _names(store, other) | _names(store, champion)
    return BoardChange(
        target=champion.target,
        title_en=champion.title_en,
        title_zh=champion.title_zh,
        is_synthetic=_made_up(champion),
        before=_end(other, fit_old, old, before),
        after=_end(champion, fit, new, period),
        method=found.method,
        units=tuple(
            UnitEnds(
                **_called("unit", found.units[u], names),
                score_before=float(found.score_before[u]),
                score_after=float(found.score_after[u]),
                rank_before=int(found.rank_before[u]),
                rank_after=int(found.rank_after[u]),
            )
            for u in sorted(rows, key=lambda u: (found.rank_after[u], found.units[u]))
        ),
        rows=tuple(row for u in rows for row in _told(found, u, names, asked.region is not None)),
        left_out=found.left_out,
    )


def unit_page(
    store: Store, champions: Champions, target: str, region: str, asof: datetime, period: Period | None = None
) -> UnitPage:
    """The page of one unit, of the newest period unless another is asked for.

    Raises Unknown for a unit that is not scored, NotReady without a champion, NotEnoughData where too little is known.
    """
    from modelzoo.scorecard.marks import NAMES, Mark, marks

    champion = meant(champions, KIND, target, None)
    panel = build_panel(store, champion.bundle.model.inputs, asof)
    fit = _fit(champion, panel)
    fitted = _scorecard(champion, fit)
    period = period or fitted.newest(panel)
    board, page = fitted.board(panel, period), fitted.page(panel, period, region)
    u, names = board.of(region), _names(store, champion)
    marked = marks(fitted.scored(panel, period), period).filter(unit=region).select("name", "value").iter_rows()
    standings = [
        tuple(
            StandingRow(
                **_called("indicator", s.indicator, names), value=s.value, score=s.score, place=s.place, gap=s.gap
            )
            for s in some
        )
        for some in (page.strengths, page.weaknesses)
    ]
    return UnitPage(
        target=champion.target,
        title_en=champion.title_en,
        title_zh=champion.title_zh,
        is_synthetic=_made_up(champion),
        board=_end(champion, fit, panel, period),
        **_called("unit", region, names),
        score=page.score,
        rank=page.rank,
        rank_low=float(board.rank_low[u]),
        rank_high=float(board.rank_high[u]),
        units=len(board.units),
        strengths=standings[0],
        weaknesses=standings[1],
        peers=tuple(PeerRow(**_called("peer", unit, names), distance=away) for unit, away in page.peers),
        lifts=tuple(
            LiftRow(
                **_called("indicator", lift.indicator, names),
                value=lift.value,
                needed=lift.needed,
                effort=lift.effort,
                gain=lift.gain,
                places=lift.places,
            )
            for lift in page.lifts
        ),
        no_help=page.no_help,
        marks=tuple(
            MarkRow(**_called("indicator", name, names), mark=NAMES[Mark(int(m))][0], mark_zh=NAMES[Mark(int(m))][1])
            for name, m in marked
        ),
        goals=_goals(fitted, panel, region, names),
    )


def _goals(fitted: FittedComposite, panel: Panel, unit: str, names: dict[str, tuple[str, str]]) -> Goals | None:
    """Of the year that runs; None of a framework whose targets are no goals of a year."""
    from modelzoo.scorecard.outcomes import outlook_of

    if fitted.model.framework.outcome is None:
        return None
    year = Period.parse(str(known_day(panel.asof).year))
    found = outlook_of(fitted.model, panel, unit, year)
    rows = tuple(
        GoalRow(
            **_called("indicator", o.goal.name, names),
            goal=o.goal.value,
            mean=o.mean,
            margin=o.margin,
            probability=o.probability,
        )
        for o in found.outlooks
    )
    return Goals(year=str(year), goals=rows, expected=found.expected, all_met=found.all, low=found.low, high=found.high)


def _scorecard(champion: Champion, fit: Fit) -> FittedComposite:
    from modelzoo.scorecard.composite import FittedComposite

    if not isinstance(fit.fitted, FittedComposite):
        raise BadInput(f"{champion.target}: {champion.bundle.name} ranks no units; scorecard.composite does")
    return fit.fitted


def _fit(champion: Champion, panel: Panel) -> Fit:
    return champion.fit_for(panel.select(champion.bundle.model.inputs))


def _rows_of(found: Change, region: str | None) -> list[int]:
    if region is None:
        return list(range(len(found.units)))
    if region not in found.units:
        why = dict(found.left_out).get(region)
        raise Unknown(f"{found.target} does not score {region}" + (f" all the way: {why}" if why else ""))
    return [found.units.index(region)]


def _told(found: Change, u: int, names: dict[str, tuple[str, str]], by_indicator: bool) -> list[ChangeRow]:
    from modelzoo.scorecard.change import CAUSES, NAMES

    unit, rows = _called("unit", found.units[u], names), []
    for k, cause in enumerate(CAUSES):
        en, zh = NAMES[cause]
        cells: list[tuple[dict[str, str], float, float | None]] = [
            ({"indicator": "", "indicator_en": "", "indicator_zh": ""}, found.score[u, k], float(found.places[u, k]))
        ]
        if by_indicator:
            cells += [
                (_called("indicator", n, names), found.parts[u, k, j], None) for j, n in enumerate(found.indicators)
            ]
        rows += [
            ChangeRow(**unit, **of, cause=cause, cause_en=en, cause_zh=zh, score=float(score), places=places)
            for of, score, places in cells
        ]
    return rows


def _called(what: str, code: str, names: dict[str, tuple[str, str]]) -> dict[str, str]:
    en, zh = names.get(code, ("", ""))
    return {what: code, f"{what}_en": en, f"{what}_zh": zh}


def _names(store: Store, champion: Champion) -> dict[str, tuple[str, str]]:
    regions = {s.region.code: (s.region.name_en, s.region.name_zh) for s in store.series().values()}
    return regions | telling.names(champion.bundle.model, champion.bundle.series)


def _made_up(champion: Champion) -> bool:
    return is_synthetic(champion.target) or any(s.is_synthetic for s in champion.bundle.series)


def _end(champion: Champion, fit: Fit, panel: Panel, period: Period) -> BoardEnd:
    own = panel.select(champion.bundle.model.inputs)
    return BoardEnd(
        asof=asof_text(panel.asof),
        period=str(period),
        model=champion.bundle.name,
        version=champion.version,
        run_id=champion.run_id,
        fitted_asof=asof_text(fit.asof),
        timing="real" if timing_of(own, fit) == "real" else "pseudo",
        panel=own.digest(),
    )
