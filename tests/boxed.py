"""nowcastbox beside us: the same parameters laid out as its model has them, and its EM iteration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from nowcastbox.models._em_steps import EMParameters, StateLayout, build_state_space, e_step, m_step

from engine import factor
from engine.typing import Bools, Floats, Ints

NOISE = 1e-6
"""The measurement variance that it needs and we do not: small enough for its likelihood to be ours to five digits."""


def boxed(p: factor.Parameters, d: factor.Data, free: Bools, x_free: Bools, blocks: Ints) -> tuple[Any, Any, Floats]:
    """Its layout, its parameters and its data ``(T, N + E)``: collapsed series first, then explicit ones."""
    N, E, R = len(p.rho), len(p.x_rho), len(p.Q)
    member = np.vstack([free, x_free])
    groups = [np.flatnonzero(blocks == b) for b in np.unique(blocks)]
    weights = [np.ones(1)] * N + [np.trim_zeros(w, "b") for w in d.weights]
    layout = StateLayout(
        [f"s{i}" for i in range(N + E)], [f"b{b}" for b in range(len(groups))], [len(f) for f in groups], p.lags,
        np.column_stack([member[:, f].any(1) for f in groups]), weights, "ar1",
    )  # fmt: skip
    loadings = np.zeros((N + E, layout.n_factor_states))
    for i, lam in enumerate(np.vstack([p.loadings, p.x_loadings])):
        for lag, w in enumerate(weights[i]):
            for b, f in enumerate(groups):
                if member[i, f].any():
                    loadings[i, layout.factor_index(b, lag)] = w * lam[f]
    past = [np.concatenate([f + lag * R for lag in range(p.lags)]) for f in groups]
    parameters = EMParameters(
        tuple(p.A[np.ix_(f, past[b])] for b, f in enumerate(groups)), tuple(p.Q[np.ix_(f, f)] for f in groups), loadings,
        np.r_[p.rho, p.x_rho], np.r_[p.sigma2, p.x_sigma2], np.full(N + E, NOISE),
    )  # fmt: skip
    return layout, parameters, np.hstack([d.Y, d.X])


def iteration(layout: Any, parameters: Any, data: Floats) -> Callable[[], float]:
    """One iteration as its ``run_em`` makes it, at its own choice of method; returns the log-likelihood."""

    def go() -> float:
        stats = e_step(build_state_space(parameters, layout, len(data)), data, method="auto")
        m_step(stats, layout, data, parameters)
        return float(stats.loglikelihood)

    return go
