"""Lights of a province and 11 cities over 200 days, and Hamilton's switching model against statsmodels with as many starts."""

import sys
import time
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import peers  # isort: skip
import numpy as np
import warned
from statsmodels.tsa.regime_switching.markov_autoregression import MarkovAutoregression

from engine import switching
from modelzoo.warning.lights import CompositeLights

DAYS = 200


def lights() -> tuple[float, float]:
    """Seconds by the clock and of the processor: fit and lights of 12 regions of ten items, as of 200 month ends of 18 years."""
    regions = [warned.panel(warned.cycle(12 * 18, seed)) for seed in range(12)]
    model = CompositeLights("warning@X", warned.ITEMS)
    days = [regions[0].last + (k + 1 - DAYS) for k in range(DAYS)]
    panels = [warned.until(r, d) for d in days for r in regions]
    panels = [p for p in panels if p.months > 48]
    start, busy = time.perf_counter(), time.process_time()
    for p in panels:
        model.fit(p).lights(p)
    share = 12 * DAYS / len(panels)  # the earliest days have too few months to learn from
    return (time.perf_counter() - start) * share, (time.process_time() - busy) * share


def main() -> None:
    g = np.random.default_rng(1)
    y = g.normal(size=240) + np.where(np.arange(240) % 40 < 10, -2.0, 1.0)
    peer = f"statsmodels-{version('statsmodels')}"

    def theirs() -> object:
        np.random.seed(0)
        return MarkovAutoregression(y, 2, 2, switching_ar=False).fit(search_reps=20)

    peers.report("warning.switching", peers.race(lambda: switching.fit(y, 2, starts=20), theirs, 2, 2), peer)
    clock, busy = lights()
    print(f"warning.lights seconds={clock:.1f} processor={busy:.1f} regions=12 days={DAYS}")


if __name__ == "__main__":
    main()
