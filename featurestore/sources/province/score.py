"""How well the check finds what was planted in the synthetic province: precision and recall, by severity."""

from __future__ import annotations

import re
from datetime import datetime

import polars as pl

from engine.calendar import end_of
from engine.errors import BadInput, Unknown
from featurestore.sources.province import economy
from featurestore.sources.province.latent import FIRST, MONTHS
from featurestore.sources.province.releases import VERSION

ENDS = end_of((FIRST + MONTHS).end)
"""The last day on which the province is as alive as any other: nothing of the month after its last is due yet."""

_URI = re.compile(r"synthetic:province/version-(\d+)/seed-(\d+)/.*/faults")

SCORE = pl.Schema(
    {"severity": pl.String(), "planted": pl.Int64(), "found": pl.Int64(), "recall": pl.Float64(), "flagged": pl.Int64(),
     "right": pl.Int64(), "precision": pl.Float64(), "is_synthetic": pl.Boolean()}
)  # fmt: skip
"""planted, found: faults, a fault being found where one of its values is; flagged, right: findings. A share of nothing is null."""


def answer_key(releases: pl.DataFrame, asof: datetime) -> pl.DataFrame:
    """``faults.KEY`` of the economy in a store (RELEASES), as far as it was public. Raises Unknown, BadInput."""
    found = {m.groups() for uri in releases["uri"] if (m := _URI.fullmatch(uri))}
    if not found:
        raise Unknown(
            "no answer key: there is no province with planted faults here (jingqi data ingest province --faults)"
        )
    if len(found) > 1:
        seeds = ", ".join(sorted(seed for _, seed in found))
        raise BadInput(f"there are economies of several seeds here ({seeds}): their faults cannot be told apart")
    ((version, seed),) = found
    if int(version) != VERSION:
        raise BadInput(
            f"the province here is of version {version} of its generator, and this jingqi makes version {VERSION}"
        )
    return economy(int(seed), faults=True).key.filter(pl.col("known") <= asof.date())


def score(findings: pl.DataFrame, key: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """SCORE; the rows of the key whose fault was missed; and the findings that nobody planted.

    A late release is a warning, all other faults are errors.
    """
    cells = key.select("fault", "series", "period", severity=_severity())
    hit = cells.join(findings, on=["series", "period", "severity"], how="semi")["fault"].unique()
    right = findings.join(cells, on=["series", "period"], how="semi")
    rows = []
    for severity in ("error", "warning"):
        planted = cells.filter(pl.col("severity") == severity)["fault"].unique()
        caught = int(planted.is_in(hit.to_list()).sum())
        flagged, true = (f.filter(pl.col("severity") == severity).height for f in (findings, right))
        rows.append(
            (severity, len(planted), caught, caught / len(planted) if len(planted) else None,
             flagged, true, true / flagged if flagged else None, True)
        )  # fmt: skip
    missed = key.filter(~pl.col("fault").is_in(hit.to_list()))
    wrong = findings.join(cells, on=["series", "period"], how="anti", maintain_order="left")
    return pl.DataFrame(rows, schema=SCORE, orient="row"), missed, wrong


def _severity() -> pl.Expr:
    return pl.when(pl.col("fault") == "late_release").then(pl.lit("warning")).otherwise(pl.lit("error"))
