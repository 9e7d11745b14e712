"""One EM iteration: 118 monthly series × 780 months, 4 or 8 factors, AR(1) idiosyncratics, one quarterly series; 105 monthly and
20 quarterly series × 480 months, 4 factors, complete and with one in fifty monthly cells missing.
"""

import sys
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import peers  # isort: skip
import boxed
import numpy as np
import statsmodels.api as sm

from engine import factor, factor_em


def one(name: str, monthly: object, quarterly: object, factors: int, pairs: int) -> None:
    model = sm.tsa.DynamicFactorMQ(
        monthly, endog_quarterly=quarterly, factors=1, factor_multiplicities=factors, factor_orders=1, idiosyncratic_ar1=True
    )  # fmt: skip
    start = model.start_params
    model.update(start)
    p, data, places = peers.translate(model, list(quarterly.columns))
    free, x_free = np.ones(p.loadings.shape, bool), np.ones(p.x_loadings.shape, bool)
    blocks = np.zeros(factors, int)
    ours, theirs = factor.smooth(p, data), model.ssm.smooth()
    gap = abs(ours.loglik / theirs.llf - 1)
    apart = np.abs(peers.factor_lags(ours, p) - theirs.smoothed_state.T[:, places]).max()
    assert gap < 1e-8, gap
    assert apart < 1e-8, apart
    box = boxed.iteration(*boxed.boxed(p, data, free, x_free, blocks))
    off = abs(box() / ours.loglik - 1)
    assert off < 1e-3, off
    print(
        f"  {name} at equal parameters: log-likelihood apart {gap:.0e} (relative), states {apart:.0e}; nowcastbox {off:.0e}"
    )
    result = peers.race(
        lambda: factor_em.em_step(p, data, free, x_free, blocks),
        lambda: model._em_iteration(start, mstep_method="missing"), pairs,
    )  # fmt: skip
    peers.report(name, result, f"statsmodels-{version('statsmodels')}")
    result = peers.race(lambda: factor_em.em_step(p, data, free, x_free, blocks), box, 5)
    peers.report(name, result, f"nowcastbox-{version('nowcastbox')}")


def main() -> None:
    one("dfm_em", *peers.simulate(780, 118, 4), 4, 5)
    one("dfm_em.r8", *peers.simulate(780, 118, 8), 8, 3)
    one("dfm_em.mixed", *peers.mixed(480, 105, 20, 4), 4, 3)
    one("dfm_em.mixed_gaps", *peers.mixed(480, 105, 20, 4, gaps=0.02), 4, 3)


if __name__ == "__main__":
    main()
