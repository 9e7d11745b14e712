"""The growth cycle of 1,000 series of 400 months: AR of 12 changes, 12 months ahead, two filters; against a loop of statsmodels."""

import sys
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import peers  # isort: skip
import numpy as np
from statsmodels.tsa.ar_model import AutoReg
from statsmodels.tsa.filters.api import hpfilter

from engine.comovement import chance
from engine.cycle import growth_cycle
from engine.filters import smoothing
from engine.typing import Floats

SOME = 50  # statsmodels is timed on so many series and its time multiplied


def theirs(y: Floats) -> Floats:
    forecast = AutoReg(np.diff(y), 12).fit().forecast(12)
    slow = hpfilter(np.append(y, y[-1] + np.cumsum(forecast)), smoothing(120))[0]
    return np.asarray(hpfilter(slow, smoothing(12))[1][: len(y)])


def main() -> None:
    y = np.cumsum(np.random.default_rng(0).normal(size=(400, 1000)), axis=0)
    found = growth_cycle(y[:, :3], order=12).cycle
    np.testing.assert_allclose(found, np.column_stack([theirs(y[:, i]) for i in range(3)]), atol=1e-7)
    ours, other, ratio = peers.race(
        lambda: growth_cycle(y, order=12), lambda: [theirs(y[:, i]) for i in range(SOME)], 5, 2
    )
    scale = y.shape[1] / SOME
    peers.report("cycle.growth", (ours, other * scale, ratio * scale), f"statsmodels-{version('statsmodels')}")
    drawn = peers.race(lambda: chance(y[:, 0], y[:, 1]), lambda: None, 3, 10)[0]
    print(f"  significance of one series over 34 leads, 199 draws of 400 months: {drawn * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
