"""A panel with the seasonal factors of an earlier day: between it and the real one lies what new factors moved, no more."""

from __future__ import annotations

from datetime import date

import numpy as np
import provincial

from engine.calendar import Period, end_of
from featurestore.held import held_panel
from featurestore.panel import build_panel
from modelzoo.changes import changes
from modelzoo.prosperity.diffusion import Diffusion

RAW, SA = "export_value@SYN-33", "export_value.sa@SYN-33"
OLD, NEW = end_of(date(2022, 3, 15)), end_of(date(2022, 6, 30))


def test_factors_are_held_and_projected() -> None:
    """A figure that was not revised keeps its adjusted value to the bit; a new month has the factor of a year before."""
    store = provincial.store()
    ids = (RAW, SA)
    held = held_panel(store, ids, NEW, OLD)
    assert held is not None
    old, new = (build_panel(store, ids, d) for d in (OLD, NEW))
    start = max(old.first, new.first)
    a, b, c = (p.over(start, new.last).matrix(ids)[start - p.first :][: new.last - start + 1] for p in (old, held, new))
    same = (a[:, 0] == c[:, 0]) & ~np.isnan(a[:, 1])
    assert same.sum() > 100
    assert np.allclose(b[same, 1], a[same, 1], rtol=1e-12)
    assert np.abs(c[same, 1] - a[same, 1]).max() > 1e-6  # the factors did move
    may = Period.parse("2022-05") - start
    factor = a[may - 12, 0] / a[may - 12, 1]
    assert b[may, 1] == np.float64(c[may, 0] / factor) or np.isclose(b[may, 1], c[may, 0] / factor, rtol=1e-12)
    assert np.array_equal(b[:, 0], c[:, 0], equal_nan=True)
    assert held_panel(store, (RAW,), NEW, OLD) is None


def test_a_bridge_names_the_factors_and_adds_up() -> None:
    store = provincial.store()
    model = Diffusion("coincident@SYN-33", ("export_value.mom@SYN-33", "ind_va_yoy@SYN-33"), form="cumulative")
    old, new = (build_panel(store, model.inputs, d) for d in (OLD, NEW))
    before, after = model.fit(old), model.fit(new)
    held = held_panel(store, model.inputs, NEW, OLD)
    moved = 0.0
    for back in range(0, 36, 4):
        month = before.newest(old) + -back
        told = changes((before, old), (after, new), month, held)
        assert abs(sum(told.by_step().values()) - (told.after - told.before)) < 1e-9
        assert told.before == before.estimate(old, [month]).mean[0]
        assert told.after == after.estimate(new, [month]).mean[0]
        moved += abs(told.by_step()["seasonal factors"])
    assert moved > 0
