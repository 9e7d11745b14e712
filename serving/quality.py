"""What is wrong with the figures known on a day, and how each department delivered: the check of the store, answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from engine.errors import Unknown
from featurestore import quality
from featurestore.store import Store
from serving.answer import asof_text, described
from serving.schemas import DeliveryRow, Departments, Finding, Quality, Severity


def findings(
    store: Store,
    asof: datetime,
    series: Sequence[str] = (),
    department: str | None = None,
    severity: Severity | None = None,
) -> Quality:
    """Findings on what was known at ``asof``: errors first, newest period first. Raises Unknown for a series or department.

    All series are checked, whatever is asked for: parts are held against their whole, and growth against levels.
    """
    for one in series:
        described(store, one)
    if department is not None:
        _known(store, department)
    found = quality.check(store, asof)
    if series:
        found = found.filter(pl.col("series").is_in(list(series)))
    if department is not None:
        found = found.filter((pl.col("agency") == department) | (pl.col("agency_zh") == department))
    if severity is not None:
        found = found.filter(pl.col("severity") == severity)
    return Quality(asof=asof_text(asof), findings=tuple(Finding(**row) for row in found.iter_rows(named=True)))


def departments(store: Store, asof: datetime) -> Departments:
    """How each department delivered, by name."""
    rows = quality.departments(store, asof).iter_rows(named=True)
    return Departments(asof=asof_text(asof), departments=tuple(DeliveryRow(**row) for row in rows))


def _known(store: Store, department: str) -> None:
    about = [s.indicator for s in store.series().values()]
    if not any(department in (i.agency, i.agency_zh) for i in about):
        there = "; ".join(sorted({i.agency_zh or i.agency for i in about}))
        raise Unknown(f"no department {department!r} delivers here; there are {there}")
