"""One EM iteration on the New York Fed's panel of 2016-06-29: 23 monthly and 2 quarterly series, four blocks, from 1985."""

import sys
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import peers  # isort: skip
import boxed
import numpy as np
import nyfed

from engine import factor, factor_em


def main() -> None:
    model, start = peers.nyfed_model(nyfed.panels()[0], nyfed.blocks())
    model.update(start)
    quarterly = list(model.endog_names[model.k_endog_M :])
    p, data, places = peers.translate(model, quarterly)
    ours, theirs = factor.smooth(p, data), model.ssm.smooth()
    gap = abs(ours.loglik / theirs.llf - 1)
    apart = np.abs(peers.factor_lags(ours, p) - theirs.smoothed_state.T[:, places]).max()
    assert gap < 1e-8, gap
    assert apart < 1e-8, apart
    print(f"  at equal parameters: log-likelihood apart {gap:.0e} (relative), states {apart:.0e}")
    free, x_free = p.loadings != 0, p.x_loadings != 0
    box = boxed.iteration(*boxed.boxed(p, data, free, x_free, np.arange(4)))
    off = abs(box() / ours.loglik - 1)
    assert off < 1e-3, off
    result = peers.race(
        lambda: factor_em.em_step(p, data, free, x_free, np.arange(4)),
        lambda: model._em_iteration(start, mstep_method="missing"), 15, 20,
    )  # fmt: skip
    peers.report("dfm_nyfed", result, f"statsmodels-{version('statsmodels')}")
    result = peers.race(lambda: factor_em.em_step(p, data, free, x_free, np.arange(4)), box, 15, 20)
    peers.report("dfm_nyfed", result, f"nowcastbox-{version('nowcastbox')}")


if __name__ == "__main__":
    main()
