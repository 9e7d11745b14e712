"""TOPSIS of 337 units on 60 indicators under 10,000 draws of weights: closeness beside pymcdm, full tables of ranks beside numpy.

Ours is timed on all draws, the peers, which take one draw after the other, on every twentieth; their time counts twentyfold. Both
sides start from the raw matrix and its directions; results are compared on the peers' draws before anything is timed. pymcdm
runs without its validation of the input. The numpy loop is what one writes: a TOPSIS and a ranking for each draw; a second line
gives the same loop with the normalisation taken out of it.
"""

import sys
import time
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import peers  # isort: skip
import numpy as np
import polars as pl
from pymcdm.methods import TOPSIS

from engine.board import ranks
from modelzoo.scorecard.alternatives import Alternatives, steps
from modelzoo.scorecard.choices import Normalisation
from modelzoo.scorecard.draws import rank_table, topsis
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.preparation import prepare
from modelzoo.scorecard.uncertainty import sensitivity, uncertainty

GOLDEN = Path(__file__).parents[1] / "golden" / "coinr"
UNITS, INDICATORS, DRAWS, EVERY = 337, 60, 10_000, 20


def normalised(x, direction):
    low, high = x.min(0), x.max(0)
    return np.where(direction > 0, x - low, high - x) / (high - low)


def one(r, w):
    v = r * w
    best, worst = v.max(0), v.min(0)
    to_best = np.sqrt(((v - best) ** 2).sum(1))
    to_worst = np.sqrt(((v - worst) ** 2).sum(1))
    return to_worst / (to_best + to_worst)


def asem() -> None:
    """COINr's example with the choices of its vignette; COINr 1.1.14 took 4.7 s for 50 draws on a like machine (not run here)."""
    framework = Framework.read(GOLDEN / "asem.toml")
    table = pl.read_csv(GOLDEN / "ASEM_iData.csv", null_values="NA")
    raw = steps(
        table.select(framework.indicators).cast(pl.Float64).to_numpy(),
        tuple(table["uCode"]),
        denominators={d: table[d].cast(pl.Float64).to_numpy() for d in ("Area", "Energy", "GDP", "Population")},
        groups=tuple(table["EurAsia_group"]),
    )
    choices = Alternatives(
        normalisation=(Normalisation("minmax", 1, 100), Normalisation("z", mean=10, sd=2)),
        aggregation=(("arithmetic",), ("geometric",)),
        points=(1, 2, 3, 4, 5),
        noise=(0.25, 0.25, 0.0),
    )
    uncertainty(framework, raw, choices, draws=100)
    start = time.perf_counter()
    uncertainty(framework, raw, choices, draws=10_000)
    middle = time.perf_counter()
    sensitivity(framework, raw, choices, draws=10_000)
    end = time.perf_counter()
    print(
        f"  ASEM from raw values: 10,000 draws {middle - start:.2f} s, Sobol indices of 60,000 scorecards {end - middle:.2f} s"
    )


def main() -> None:
    rng = np.random.default_rng(0)
    x = rng.lognormal(size=(UNITS, INDICATORS))
    direction = np.where(rng.uniform(size=INDICATORS) < 0.3, -1.0, 1.0)
    weights = rng.dirichlet(np.ones(INDICATORS), DRAWS)
    some = weights[::EVERY]
    peer = TOPSIS()

    def closeness():
        return topsis(prepare(x, direction, "minmax")[0], weights)

    def table():
        return rank_table(closeness())

    def pymcdm():
        return np.array([peer(x, w, direction, validation=False) for w in some])

    def loop():
        return np.array([ranks(one(normalised(x, direction), w)) for w in some])

    def lean_loop():
        r = normalised(x, direction)
        return np.array([ranks(one(r, w)) for w in some])

    np.testing.assert_allclose(closeness()[::EVERY], pymcdm(), rtol=0, atol=1e-12)
    assert np.array_equal(table()[::EVERY], loop())
    assert np.array_equal(table()[::EVERY], lean_loop())

    def raced(ours, theirs, pairs):
        seconds, their_seconds, ratio = peers.race(ours, theirs, pairs, 3)
        return seconds, EVERY * their_seconds, EVERY * ratio

    asem()
    peers.report("scorecard.ranks_lean", raced(table, lean_loop, 5), f"numpy-{np.__version__}")
    peers.report("scorecard.ranks", raced(table, loop, 5), f"numpy-{np.__version__}")
    result = raced(closeness, pymcdm, 5)
    peers.report("scorecard.topsis", result, "pymcdm")
    peers.report("scorecard", result, "pymcdm")


if __name__ == "__main__":
    print(f"  pymcdm {version('pymcdm')}, every {EVERY}th draw of {DRAWS} for the peers")
    main()
