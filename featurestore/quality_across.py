"""Rules that hold several series against each other: growth against levels, parts against the whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from engine.calendar import Freq
from featurestore.findings import Finding, Line

POINTS, UNUSUAL = 5.0, 8.0
"""Growth is contradicted beyond so many points, and beyond so many times the usual distance from the levels' growth."""

CLOSURE = 0.005
"""Parts may miss the whole by this share: offices round, and publish by their own revisions."""


def _stem(indicator: str) -> str:
    """``elec_total_ytd`` and ``elec_total_yoy`` are two figures of ``elec_total``."""
    for end in ("_yoy_ytd", "_yoy", "_ytd", "_balance"):
        indicator = indicator.removesuffix(end)
    return indicator


def contradictions(lines: Sequence[Line], known: set[tuple[str, str]]) -> Iterator[Finding]:
    """Growth beside the growth of the levels. The two differ by scope and base; what is judged is how far from usual."""
    levels = {
        (_stem(x.series.indicator.id), x.series.region.code, x.kind.rsplit("_", 1)[-1]): x
        for x in lines
        if x.kind.startswith(("level_", "count_"))
    }
    for line in lines:
        if not line.kind.startswith("yoy_") or line.series.freq not in (Freq.M, Freq.Q):
            continue
        level = levels.get((_stem(line.series.indicator.id), line.series.region.code, line.kind.rsplit("_", 1)[-1]))
        if level is None or level.series.freq is not line.series.freq:
            continue
        year, shift = line.series.freq.per_year, line.first - level.first
        at = np.arange(len(line.values)) + shift
        ok = (at >= year) & (at < len(level.values))
        gap = np.full(len(line.values), np.nan)
        gap[ok] = line.values[ok] - 100 * (level.values[at[ok]] / level.values[at[ok] - year] - 1)
        for t in np.flatnonzero(
            ok
        ):  # a level that is found wrong already says nothing of growth, in its year or the next
            if {(level.series.id, str(line.period(int(t)) + back)) for back in (0, -year)} & known:
                gap[t] = np.nan
        usual = np.nanmedian(gap) if np.isfinite(gap).sum() >= 2 * year else np.nan
        spread = 1.4826 * np.nanmedian(np.abs(gap - usual)) if np.isfinite(usual) else np.nan
        for t in np.flatnonzero(np.abs(gap - usual) > max(POINTS, UNUSUAL * spread)) if np.isfinite(spread) else ():
            near = [gap[s] for s in (t - 1, t + 1) if 0 <= s < len(gap) and np.isfinite(gap[s])]
            if near and all(abs(g - usual) < 0.5 * abs(gap[t] - usual) for g in near):
                yield line.say(
                    "error", "contradiction", int(t),
                    f"{line.values[t]:.1f} %, where the levels say {line.values[t] - gap[t]:.1f} %; "
                    f"{usual:+.1f} points are usual between them",
                    "compare both with the original table",
                )  # fmt: skip


def parts(lines: Sequence[Line]) -> Iterator[Finding]:
    """Sums of the parts of a region, where all of them are known."""
    groups: dict[tuple[str, str], list[Line]] = defaultdict(list)
    whole = {(x.series.indicator.id, x.series.region.code): x for x in lines}
    for x in lines:
        if x.series.region.within and x.kind in ("level_ytd", "level_month", "level_eop", "count_ytd", "count_eop"):
            groups[x.series.indicator.id, x.series.region.within].append(x)
    for key, parts in groups.items():
        total = whole.get(key)
        if total is None or len(parts) < 2:
            continue
        last = min((p.first + (len(p.values) - 1) for p in parts), default=total.first)
        for t in range(len(total.values)):
            period = total.period(t)
            if period > last or np.isnan(total.values[t]) or any(period < p.first for p in parts):
                continue
            added = sum(float(p.values[period - p.first]) for p in parts)
            if abs(added - total.values[t]) > CLOSURE * abs(total.values[t]):
                yield total.say(
                    "error", "parts", t, f"its {len(parts)} parts add up to {added:,.10g}, it is {total.values[t]:,.10g}",
                    "look for the part that is off, and ask for it",
                )  # fmt: skip
