"""One wave of answers as arrays, weighted to the frame of firms, and its indices by cell with bootstrap draws.

Firms that did not answer leave their weight to those of their stratum (industry by size) that did: within a stratum,
answering is taken to say nothing about the answer. Draws resample firms within strata (Rao & Wu 1988, J. Am. Stat. Assoc. 83).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.errors import NotEnoughData
from engine.typing import Bools, Floats, Ints

REACH = {"three": 1.0, "five": 2.0}
"""The greatest answer of a scale of opinions."""


@dataclass(frozen=True, slots=True)
class Wave:
    """n firms by Q questions.

    answers: ``(n, Q)`` from -1 to 1, NaN where not answered. weight: ``(n,)``. stratum: ``(n,)`` numbers. cells: by name, the
    rows of the firms in it. carried: ``(n, Q)`` answers taken from the wave before.
    """

    firms: tuple[str, ...]
    answers: Floats
    carried: Bools
    weight: Floats
    stratum: Ints
    cells: Mapping[str, Ints]


def read(
    rows: pl.DataFrame,
    questions: Sequence[str],
    by: Sequence[str],
    before: pl.DataFrame | None = None,
    matched: bool = False,
) -> Wave:
    """A wave from its ANSWERS rows.

    before: rows of the wave before; a firm that answered a question then and not now is carried, one wave long. matched:
    only firms that answered in both waves, none carried. Raises NotEnoughData if nobody answered any of the questions.
    """
    now = _scores(rows, questions)
    if now.is_empty():
        raise NotEnoughData(f"no firm answered {', '.join(questions)} in this wave")
    if before is not None:
        then = _scores(before, questions)
        keys = ["firm", "question"]
        if matched:
            now = now.join(then.select("firm").unique(), on="firm", how="semi")
        else:
            lost = then.join(now, on=keys, how="anti").filter(
                pl.col("question").is_in(now["question"].unique().to_list())
            )
            now = pl.concat([now, lost.with_columns(carried=pl.lit(True))])
    if now.is_empty():
        raise NotEnoughData("no firm answered in both waves")
    about = now.sort("firm", "question").unique("firm", keep="first").sort("firm")
    place = {firm: i for i, firm in enumerate(about["firm"])}
    column = {question: j for j, question in enumerate(questions)}
    i = now["firm"].replace_strict(place, return_dtype=pl.Int64).to_numpy()
    j = now["question"].replace_strict(column, return_dtype=pl.Int64).to_numpy()
    answers = np.full((len(place), len(questions)), np.nan)
    carried = np.zeros(answers.shape, np.bool_)
    answers[i, j], carried[i, j] = now["score"].to_numpy(), now["carried"].to_numpy()
    cells = {
        name: np.flatnonzero((about[dimension] == value).to_numpy())
        for dimension in by
        for value in about[dimension].unique().sort()
        for name in (value if dimension == "city" else f"{dimension}:{value}",)
    }
    return Wave(tuple(about["firm"]), answers, carried, about["weight"].to_numpy().astype(float), strata(about), cells)


def strata(about: pl.DataFrame) -> Ints:
    """``(n,)`` a number for each firm's industry and size: the same number for the same words, on every day."""
    words = about.select(pl.format("{}|{}", "industry", "size").alias("w"))["w"]
    number = {w: int.from_bytes(hashlib.sha256(w.encode()).digest()[:7], "big") for w in words.unique()}
    return words.replace_strict(number, return_dtype=pl.Int64).to_numpy().astype(np.int64)


def frame(rows: pl.DataFrame) -> tuple[Ints, Floats]:
    """Strata ``(S,)``, ascending, and the weight ``(S,)`` of all firms in them that these rows know."""
    about = rows.sort("wave", maintain_order=True).unique("firm", keep="last").sort("firm")
    keys, inverse = np.unique(strata(about), return_inverse=True)
    return keys, np.bincount(inverse, about["weight"].to_numpy().astype(float), len(keys)).astype(np.float64)


def raised(wave: Wave, keys: Ints, totals: Floats) -> Floats:
    """``(n, Q)`` weights of the firms that answered each question, raised so that every stratum has its weight in the frame.

    A stratum that the frame does not know keeps the weight of those who answered.
    """
    known = ~np.isnan(wave.answers)
    names, inverse = np.unique(wave.stratum, return_inverse=True)
    at = np.searchsorted(keys, names)
    found = (
        (at < len(keys)) & (keys[np.minimum(at, len(keys) - 1)] == names) if len(keys) else np.zeros(len(names), bool)
    )
    out = np.where(known, wave.weight[:, None], 0.0)
    for j in range(out.shape[1]):
        told = np.bincount(inverse, out[:, j], len(names))
        wanted = np.where(found, totals[np.minimum(at, max(len(keys) - 1, 0))] if len(keys) else 0.0, told)
        factor = np.divide(wanted, told, out=np.ones_like(told), where=told > 0)
        out[:, j] *= factor[inverse]
    return out


def means(wave: Wave, weight: Floats, rows: Ints | None = None, times: Floats | None = None) -> Floats:
    """``(Q,)`` weighted mean answers of some firms, or ``(B, Q)`` over draws; NaN where nobody answered.

    times: ``(B, n)`` how often each firm is drawn.
    """
    pick = slice(None) if rows is None else rows
    x, w = np.nan_to_num(wave.answers[pick]), weight[pick]
    if times is None:
        top, total = (w * x).sum(0), w.sum(0)
    else:
        top, total = times[:, pick] @ (w * x), times[:, pick] @ w
    out: Floats = np.divide(top, total, out=np.full(np.shape(top), np.nan), where=total > 0)
    return out


def draws(wave: Wave, count: int, seed: int) -> Floats:
    """``(count, n)`` how often each firm is drawn: within each stratum as many as it has, with replacement."""
    rng = np.random.default_rng(seed)
    times = np.zeros((count, len(wave.weight)))
    for stratum in np.unique(wave.stratum):
        rows = np.flatnonzero(wave.stratum == stratum)
        times[:, rows] = rng.multinomial(len(rows), np.full(len(rows), 1.0 / len(rows)), count)
    return times


def _scores(rows: pl.DataFrame, questions: Sequence[str]) -> pl.DataFrame:
    """The opinions among the rows on one scale, -1 … 1, and whom they are from."""
    own = rows.filter(pl.col("question").is_in(list(questions)), pl.col("scale").is_in(list(REACH)))
    reach = pl.col("scale").replace_strict(REACH, return_dtype=pl.Float64)
    score = (pl.col("answer").cast(pl.Float64) / reach).alias("score")
    return own.select("firm", "question", score, "weight", "industry", "city", "size", pl.lit(False).alias("carried"))
