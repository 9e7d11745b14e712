"""How steady and how true were readings? What was read first, on the day, against what is read of the same period last.

Nothing is ever published that an index or a board could be held against: so they are held against themselves, later, and
against a declared chronology of turning points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl
from scipy.stats import kendalltau

from engine import turning as dating
from engine.calendar import Period
from engine.classify import auroc, auroc_interval
from engine.errors import NotEnoughData
from engine.matching import match
from experiments.spec import Turns, Watch

SCORED = pl.Schema({"model": pl.String(), "score": pl.String(), "n": pl.Int32(), "value": pl.Float64()})
"""One row a model and score; n: on how many values, turns or lights it rests."""

SCORES = {
    "loss": "by which models are ranked, less is better: 1 - tau, 1 - turns, 1 - auroc, or nsr; at equal loss, nsr",
    "nsr": "noise to signal: spread of last less first readings, to the spread of the last; of an index, of its changes",
    "mar": "mean absolute revision from first to last reading; of an index, of its changes",
    "direction": "share of changes first read with the sign that they kept",
    "hits": "share of the chronology's turning points that go with one of the index, as matching pairs them",
    "extra": "turning points of the index that go with none, for each that it has",
    "turns": "hits and what is not extra, as one (harmonic mean): 1 is every turning point and no other",
    "auroc": "of what was first read of each month: the chance that a month of a downturn reads worse than another",
    "auroc_low": "of one unit: what the auroc is above with 95 %, by drawing blocks of 24 months",
    "lead": "median lead over the chronology's turning points, months",
    "lights": "share of overall lights that stayed as first shown",
    "tau": "Kendall's rank correlation of first and last scores of the units, mean over periods",
}
"""What each score says."""

BLOCK = 24
"""Months in a block of the bootstrap: what is read of a month tells much of the next."""

_CELL = ("unit", "period", "name")
Score = tuple[str, int, float]


def scored(spec: Watch, records: pl.DataFrame) -> pl.DataFrame:
    """SCORED rows, models with the least loss first. records: ``replay.READ``. Raises NotEnoughData.

    Real and pseudo origins are not mixed: pseudo ones are scored where there are any, as there are many of them.
    """
    found = []
    pseudo = records.filter(pl.col("timing") == "pseudo")
    records = records if pseudo.is_empty() else pseudo
    for (model,), mine in records.group_by("model", maintain_order=True):
        scores = {name: (n, value) for name, n, value in _scores(spec, mine)}
        if "mar" not in scores:
            raise NotEnoughData(f"{model}: no period was read at two origins, so that nothing can be held against it")
        found += [(model, "loss", *_loss(scores)), *((model, name, *said) for name, said in scores.items())]
    table = pl.DataFrame(found, schema=SCORED, orient="row")
    order = {model: n for n, model in enumerate(ranking(table))}
    return table.sort(pl.col("model").replace_strict(order, return_dtype=pl.Int32), maintain_order=True)


def by_score(table: pl.DataFrame, model: str) -> dict[str, float]:
    """``score -> value`` of one model."""
    return dict(table.filter(pl.col("model") == model).select("score", "value").iter_rows())


def ranking(table: pl.DataFrame) -> list[str]:
    """Models, the least loss first; of equals the steadier one."""
    wide = table.filter(pl.col("score").is_in(["loss", "nsr"])).pivot("score", index="model", values="value")
    by = [c for c in ("loss", "nsr") if c in wide.columns]
    return wide.sort(by, nulls_last=True)["model"].to_list()


def _loss(scores: Mapping[str, tuple[int, float]]) -> tuple[int, float]:
    for name in ("tau", "turns", "auroc"):
        if name in scores:
            n, value = scores[name]
            return n, 1.0 - value
    return scores.get("nsr", scores["mar"])


def _scores(spec: Watch, mine: pl.DataFrame) -> Iterator[Score]:
    level = "score" if spec.kind == "scorecard" else "index"
    if spec.kind == "scorecard":
        yield from _ranks(mine)
    whole = mine.filter(pl.col("level") == level)
    yield from _revisions(spec, whole)
    if spec.turns is not None and spec.kind == "index":
        yield from _turns(spec.turns, whole)
    elif spec.turns is not None:
        yield from _auroc(spec.turns, mine)
    lights = _ends(mine.filter(pl.col("level") == "light", pl.col("name") == ""))
    if lights.height:
        yield "lights", lights.height, float((lights["first"] == lights["last"]).mean())  # type: ignore[arg-type]


def _ends(readings: pl.DataFrame) -> pl.DataFrame:
    """``unit period name first last``: the first and the last reading of each period that was read at two origins."""
    ordered = readings.sort("origin")
    ends = ordered.group_by(_CELL, maintain_order=True).agg(
        pl.col("value").first().alias("first"), pl.col("value").last().alias("last"), pl.len().alias("times")
    )
    return ends.filter(pl.col("times") > 1).sort(_CELL)


def _revisions(spec: Watch, readings: pl.DataFrame) -> Iterator[Score]:
    moves = _ends(_changes(readings))
    ends = moves if spec.kind == "index" else _ends(readings)  # an index is rebased as its history grows
    if ends.height < 2:
        return
    first, last = ends["first"].to_numpy(), ends["last"].to_numpy()
    centred = ends.select(pl.col("last") - pl.col("last").mean().over("unit", "name"))["last"].to_numpy()
    signal = float(np.sqrt(np.mean(centred**2)))
    if signal > 0:
        yield "nsr", ends.height, float(np.std(last - first)) / signal
    yield "mar", ends.height, float(np.mean(np.abs(last - first)))
    moves = moves.filter((pl.col("first") != 0) & (pl.col("last") != 0))
    if moves.height:
        same = np.sign(moves["first"].to_numpy()) == np.sign(moves["last"].to_numpy())
        yield "direction", moves.height, float(same.mean())


def _changes(readings: pl.DataFrame) -> pl.DataFrame:
    """Readings with, as value, the change from the period before, as read at the same origin."""
    change = pl.col("value") - pl.col("value").shift(1).over("origin", "unit", "name")
    return readings.sort("origin", "unit", "name", "period").with_columns(value=change).drop_nulls("value")


def _turns(turns: Turns, readings: pl.DataFrame) -> Iterator[Score]:
    """The turns of what was last read. Changes are summed, so that an index that was rebased in between has no jump."""
    whole = readings.filter(pl.col("name") == "")
    last = _changes(whole).sort("origin").group_by("unit", "period", maintain_order=True).last()
    pairs, targeted, extra, own, leads = 0, 0, 0, 0, []
    for _, part in last.sort("unit", "period").group_by("unit", maintain_order=True):
        months = np.array([Period.parse(p).ordinal for p in part["period"]])
        if (np.diff(months) != 1).any():
            continue  # nobody read the months between two far origins
        path = part["value"].to_numpy().cumsum()
        found = match(_chronology(turns, int(months[0]), len(path)), dating.date(path, dating.Bbq()))
        pairs, targeted, extra = pairs + len(found.pairs), targeted + found.targeted, extra + len(found.extra)
        own += len(found.pairs) + len(found.extra) + len(found.open)
        leads += found.leads.tolist()
    if targeted:
        yield "hits", targeted, pairs / targeted
    if own:
        yield "extra", own, extra / own
    if targeted and own:
        recall, precision = pairs / targeted, 1.0 - extra / own
        yield "turns", targeted, 2 * recall * precision / (recall + precision) if recall + precision > 0 else 0.0
    if leads:
        yield "lead", len(leads), float(np.median(leads))


def _auroc(turns: Turns, mine: pl.DataFrame) -> Iterator[Score]:
    """What was first read of each month, against whether the month lies between a peak and its trough."""
    first = mine.filter(pl.col("level") == "index").sort("origin").group_by(_CELL, maintain_order=True).first()
    months = np.array([Period.parse(p).ordinal for p in first["period"]])
    down = np.zeros(len(months))
    for peak, trough in turns.downturns:
        down[(months > peak.ordinal) & (months <= trough.ordinal)] = 1.0
    worse = -1.0 if (mine["level"] == "light").any() else 1.0  # cold lights are low, a probable downturn is high
    if 0 < down.sum() < len(down):
        score = worse * first["value"].to_numpy()
        yield "auroc", len(down), auroc(score, down)
        if first["unit"].n_unique() == 1 and len(down) > BLOCK:
            order = np.argsort(months, kind="stable")
            yield "auroc_low", len(down), auroc_interval(score[order], down[order], BLOCK).low


def _chronology(turns: Turns, first: int, length: int) -> dating.Turns:
    """The declared turns that lie in the ``length`` months from the ordinal ``first`` on, as rows."""
    both = ((dating.Kind.PEAK, turns.peaks), (dating.Kind.TROUGH, turns.troughs))
    rows = [dating.Turn(Period.parse(m).ordinal - first, kind) for kind, months in both for m in months]
    return dating.Turns(tuple(sorted(t for t in rows if 0 <= t.row < length)), 0, length - 1)


def _ranks(mine: pl.DataFrame) -> Iterator[Score]:
    ends = _ends(mine.filter(pl.col("level") == "score", pl.col("name") == ""))
    taus = [
        float(kendalltau(part["first"].to_numpy(), part["last"].to_numpy()).statistic)
        for _, part in ends.group_by("period", maintain_order=True)
        if part.height > 2
    ]
    taus = [t for t in taus if np.isfinite(t)]
    if taus:
        yield "tau", len(taus), float(np.mean(taus))
