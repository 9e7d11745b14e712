"""Eleven cities that add up: each has a share of the province, month by month, and the shares sum to one exactly.

The shares of GDP begin with those of the eleven cities of 2013 (8,343.52 for the largest, 930.85 for the smallest, of
37,477); from there each drifts, follows the cycle more or less than the others, and has a wobble of its own.
"""

from __future__ import annotations

import numpy as np

from engine.typing import Floats
from featurestore.sources.province.latent import MONTHS, Latent, ar2
from featurestore.sources.province.levels import Level

SIZES = {
    "杭州": ("Hangzhou", 8343.52), "宁波": ("Ningbo", 7128.87), "温州": ("Wenzhou", 4003.86),
    "嘉兴": ("Jiaxing", 3147.60), "湖州": ("Huzhou", 1803.35), "绍兴": ("Shaoxing", 3967.29),
    "金华": ("Jinhua", 2958.78), "衢州": ("Quzhou", 1056.57), "舟山": ("Zhoushan", 930.85),
    "台州": ("Taizhou", 3153.34), "丽水": ("Lishui", 983.08),
}  # fmt: skip
"""GDP of 2013 in 100 million yuan, in the order of the codes SYN-3301 … SYN-3311."""

NAMES = ("gdp", "ind_va", "fai", "retail", "fiscal", "power")
"""What is measured in the cities too."""


def cities(truth: dict[str, Level], state: Latent, rng: np.random.Generator) -> dict[str, tuple[Level, ...]]:
    """By name, the truth of the eleven cities, which sums to that of the province in every month."""
    n = len(SIZES)
    size = np.log([gdp for _, gdp in SIZES.values()])
    drift, cycle = 0.006 * rng.standard_normal(n), 0.008 * rng.standard_normal(n)
    years = (np.arange(MONTHS) - 78) / 12  # from the middle of 2013
    common = size + np.outer(years, drift) + np.outer(state.activity, cycle)
    found: dict[str, tuple[Level, ...]] = {}
    for name in NAMES:
        tilt = 0.0 if name == "gdp" else 0.12 * rng.standard_normal(n)
        wobble = np.column_stack([ar2(rng, MONTHS, (0.9, 0.05), 0.012) for _ in range(n)])
        shares = _shares(common + tilt + wobble)
        whole = truth[name]
        found[name] = tuple(Level(whole.level * shares[:, c], whole.basis * shares[:, c]) for c in range(n))
    return found


def _shares(log: Floats) -> Floats:
    raw = np.exp(log)
    shares: Floats = raw / raw.sum(axis=1, keepdims=True)
    return shares
