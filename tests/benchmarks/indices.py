"""A province and 11 cities as of 200 months: eleven indices each, against the goal of 60 seconds on 2 cores.

Ten monthly components and a reference a region, 200 to 400 months; composites, Conference Board and diffusion indices for
three roles, the OECD's indicator and a common factor. Components, weights and error bands are learned anew every twelve months.
"""

import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import peers  # isort: skip
import indices
import numpy as np

from engine.errors import NotEnoughData
from engine.model import Fitted, Model
from engine.panel import Panel
from modelzoo.prosperity.cli import Cli
from modelzoo.prosperity.composite import Composite
from modelzoo.prosperity.conference import Conference
from modelzoo.prosperity.diffusion import Diffusion
from modelzoo.prosperity.factor import Factor

REGIONS, DAYS, GOAL = 12, 200, 60.0
IDS = tuple(f"x{n}@US" for n in range(10))
ROLES = ("leading", "coincident", "lagging")


def models() -> list[Model]:
    ref = "ref@US"
    return [
        *(kind(f"{role}@US", IDS, reference=ref) for kind in (Composite, Conference, Diffusion) for role in ROLES),
        Cli("leading@US", IDS, ref),
        Factor("coincident@US", IDS[3:7]),
    ]


def region(seed: int) -> Panel:
    """Three components lead the reference by 6 months, four go with it, three lag by 5."""
    g = np.random.default_rng(seed)
    cycle = np.zeros(440)
    for t in range(2, 440):  # an AR(2) with waves of about 50 months
        cycle[t] = 1.93 * cycle[t - 1] - 0.9457 * cycle[t - 2] + g.normal()
    cycle *= 0.05 / cycle.std()
    lead = [6] * 3 + [0] * 4 + [-5] * 3 + [0]
    level = np.column_stack([cycle[20 + k : 420 + k] for k in lead])
    level = level + 0.004 * np.arange(400)[:, None] + 0.004 * g.normal(size=level.shape)
    return indices.panel(
        "1985-01", 100.0 * np.exp(level), [indices.series(i.partition("@")[0]) for i in (*IDS, "ref@US")]
    )


def run(seed: int) -> tuple[int, int]:
    whole, said, refused = region(seed), 0, 0
    fitted: dict[int, Fitted] = {}
    for day in range(DAYS):
        panel = indices.panel("1985-01", whole.values[: 201 + day], whole.series)
        for n, model in enumerate(models()):
            try:
                if day % 12 == 0:
                    fitted.pop(n, None)
                    fitted[n] = model.fit(panel)
                if n in fitted:
                    fitted[n].estimate(panel, [panel.last + -1])
                    said += 1
            except NotEnoughData:
                refused += 1
    return said, refused


def main() -> None:
    run_one = region(0)
    for model in models():  # compile before the clock starts
        try:
            model.fit(run_one)
        except NotEnoughData:
            continue
    began = time.perf_counter()
    with ProcessPoolExecutor(2, get_context("fork")) as pool:
        done = list(pool.map(run, range(REGIONS)))
    took = time.perf_counter() - began
    said, refused = (sum(d[k] for d in done) for k in (0, 1))
    cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = (cpu.ru_utime + cpu.ru_stime) / 2  # a core, were both our own; what is measured where other programs run too
    print(
        f"indices: {said} readings ({refused} refused: no component of the role) in {took:.1f} s, {busy:.1f} s of each core"
    )
    print(f"indices ratio={GOAL / busy:.2f} peer=goal-60s")


if __name__ == "__main__":
    assert peers
    main()
