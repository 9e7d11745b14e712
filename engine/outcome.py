"""What a period was said to be when it first came out, and when later ones did."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np

from engine.align import own
from engine.calendar import Period
from engine.panel import Panel


def in_turn(panels: Iterable[Panel], ahead: int) -> list[tuple[Period, float, datetime]]:
    """The value of each period on the day on which the one ``ahead`` of it first appeared, and that day.

    panels: of one series, one for each day on which something was said of it, in order. The earliest brings history whole, so that
    nobody can tell what was first in it.
    """
    out: list[tuple[Period, float, datetime]] = []
    seen: set[Period] = set()
    for panel in panels:
        first, values = own(panel, panel.ids[0])
        known = {first + i: float(v) for i, v in enumerate(values) if not np.isnan(v)}
        fresh = known.keys() - seen
        if seen:
            out += [(p + -ahead, known[p + -ahead], panel.asof) for p in sorted(fresh) if p + -ahead in known]
        seen |= fresh
    return out
