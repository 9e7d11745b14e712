"""Where the series of a table are known: what a filter or a dating takes is a run without gaps."""

from __future__ import annotations

import numpy as np

from engine.errors import BadInput
from engine.typing import Floats


def runs(table: Floats, who: str) -> dict[tuple[int, int], list[int]]:
    """Which columns of ``(T, N)`` are known from row … to before row …. Raises BadInput with the place of a gap."""
    known = np.isfinite(table)
    if known.all():
        return {(0, len(table)): list(range(table.shape[1]))}
    runs: dict[tuple[int, int], list[int]] = {}
    for n in range(table.shape[1]):
        at = np.flatnonzero(known[:, n])
        lo, hi = (int(at[0]), int(at[-1]) + 1) if len(at) else (0, 0)
        if len(at) < hi - lo:
            gap = lo + int(np.argmin(known[lo:hi, n]))
            raise BadInput(f"{who} takes no gaps; fill it first", row=gap + 1, column=f"{n + 1}")
        runs.setdefault((lo, hi), []).append(n)
    return runs
