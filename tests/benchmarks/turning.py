"""Turning points of 1,000 series of 400 months by each procedure, against its twin in plain Python on some of them."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import peers  # isort: skip
import numpy as np
import plain_turning as plain

from engine.turning import Bbq, BryBoschan, Oecd, marks, replay

SOME = 20  # the twin is timed on so many series and its time multiplied


def main() -> None:
    y = np.cumsum(np.random.default_rng(0).normal(size=(400, 1000)), axis=0)
    for name, dating, twin in (
        ("bry_boschan", BryBoschan(), lambda v: plain.bry_boschan(v, 5, 15, 6)),
        ("bbq", Bbq(), lambda v: plain.bbq(v, 5, 5, 15, 6)),
        ("oecd", Oecd(), lambda v: plain.oecd(v, 5, 5, 9, 24)),
    ):
        columns = [list(c) for c in y.T[:SOME]]
        ours, theirs, ratio = peers.race(
            lambda dating=dating: marks(y, dating), lambda twin=twin, columns=columns: [twin(c) for c in columns], 5, 3
        )
        print(f"  1,000 series × 400 months by {name}: {ours:.3f} s")
        scale = y.shape[1] / SOME
        peers.report(f"turning.{name}", (ours, theirs * scale, ratio * scale), "plain-python")
    start = time.perf_counter()
    replay(y[:, 0], BryBoschan(), 100)
    print(f"  replay of one series over 301 months: {time.perf_counter() - start:.3f} s")


if __name__ == "__main__":
    main()
