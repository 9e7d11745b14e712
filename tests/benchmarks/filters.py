"""1,000 series of 400 months at once, against statsmodels' filters series by series. Trend and cycle on both sides."""

import sys
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import peers  # isort: skip
import numpy as np
from statsmodels.tsa.filters.api import cffilter, hpfilter

from engine.filters import christiano_fitzgerald, hodrick_prescott


def main() -> None:
    y = np.cumsum(np.random.default_rng(0).normal(size=(400, 1000)), axis=0)
    peer = f"statsmodels-{version('statsmodels')}"

    def hp() -> object:
        return [hpfilter(y[:, i], 129_600) for i in range(y.shape[1])]

    def cf() -> object:
        return [cffilter(y[:, i], 18, 96) for i in range(y.shape[1])]

    peers.report("filters.hp", peers.race(lambda: hodrick_prescott(y, 129_600), hp, 7, 20), peer)
    peers.report("filters.cf", peers.race(lambda: christiano_fitzgerald(y, 18, 96), cf, 2, 20), peer)


if __name__ == "__main__":
    main()
