"""The survey of the synthetic province as a statistical office passes it on: a row an answer, known with the index of its wave."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl

from engine.calendar import Freq, Period
from featurestore.answers import ANSWERS
from featurestore.sources.province.meaning import SOURCE
from featurestore.sources.province.publication import WINDOWS, day_of, known
from featurestore.sources.province.survey import ENVIRONMENT, MONTHLY, QUARTERLY

_ASKED = {Freq.M: (*MONTHLY,), Freq.Q: (*MONTHLY, *QUARTERLY, *ENVIRONMENT, "capacity")}
_INDEX = {Freq.M: "pmi", Freq.Q: "boom"}
"""The release in which the index of a wave appears; both have a day of their own, without chance."""


def opinions(firms: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """ANSWERS rows of all waves: three steps, five for the environment, per cent for the use of capacity."""
    label = pl.format("SYN-F{}", pl.col("firm").cast(pl.String).str.zfill(5)).alias("firm")
    about = firms.sort("firm").select(label, "industry", "city", "size", "weight", "is_synthetic")  # row n is firm n
    asked: list[tuple[str, int, datetime, str, str]] = []
    who, what, counts = [], [], []
    for (freq, ordinal), wave in answers.filter("answered").group_by("freq", "period", maintain_order=True):
        period = Period(Freq(freq), ordinal)
        firm, known_at = wave["firm"].to_numpy(), _known(period)
        for question in (q for q in _ASKED[period.freq] if wave[q].null_count() < wave.height):
            scale = "percent" if question == "capacity" else "five" if question in ENVIRONMENT else "three"
            asked.append((period.freq.value, period.ordinal, known_at, question, scale))
            there = wave[question].is_not_null().to_numpy()
            who.append(firm[there])
            what.append(wave[question].drop_nulls().to_numpy())
            counts.append(len(what[-1]))
    names = ("freq", "wave", "known_at", "question", "scale")
    told = pl.DataFrame(asked, schema={name: ANSWERS[name] for name in names}, orient="row")
    wide = pl.concat([told[np.repeat(np.arange(len(asked)), counts)], about[np.concatenate(who)]], how="horizontal")
    wide = wide.with_columns(pl.lit(SOURCE).alias("source"), pl.Series("answer", np.concatenate(what)))
    return wide.select(ANSWERS.names())


def _known(wave: Period) -> datetime:
    group = _INDEX[wave.freq]
    return known(group, day_of(wave.last_month + 1, WINDOWS[group][0]))[0]
