"""One EM iteration: 118 monthly series × 780 months, 4 factors, AR(1) idiosyncratics, one quarterly series."""

import sys
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import peers  # isort: skip
import numpy as np
import statsmodels.api as sm

from engine import factor, factor_em


def main() -> None:
    monthly, quarterly = peers.simulate(780, 118, 4)
    model = sm.tsa.DynamicFactorMQ(
        monthly, endog_quarterly=quarterly, factors=1, factor_multiplicities=4, factor_orders=1, idiosyncratic_ar1=True
    )
    start = model.start_params
    model.update(start)
    p, data, places = peers.translate(model, ["gdp"])
    free, x_free = np.ones(p.loadings.shape, bool), np.ones(p.x_loadings.shape, bool)
    blocks = np.zeros(4, int)
    ours, theirs = factor.smooth(p, data), model.ssm.smooth()
    gap = abs(ours.loglik / theirs.llf - 1)
    apart = np.abs(peers.factor_lags(ours, p) - theirs.smoothed_state.T[:, places]).max()
    assert gap < 1e-8, gap
    assert apart < 1e-8, apart
    print(f"  at equal parameters: log-likelihood apart {gap:.0e} (relative), states {apart:.0e}")
    result = peers.race(
        lambda: factor_em.em_step(p, data, free, x_free, blocks),
        lambda: model._em_iteration(start, mstep_method="missing"),
        5,
    )
    peers.report("dfm_em", result, f"statsmodels-{version('statsmodels')}")


if __name__ == "__main__":
    main()
