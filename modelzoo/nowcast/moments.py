"""Least squares of many small equations at once, from their moments."""

from __future__ import annotations

import numpy as np

from engine.typing import Floats


def least_squares(gram: Floats, cross: Floats, square: Floats) -> Floats:
    """``(N, K)`` least squares from moments ``(N, K, K)`` and ``(N, K)``; of copies of a column the shortest solution."""
    scale = np.sqrt(np.maximum(np.einsum("nkk->nk", gram), 1e-300))
    inverse = np.linalg.pinv(gram / scale[:, :, None] / scale[:, None, :], rcond=1e-11, hermitian=True)
    out: Floats = np.einsum("njk,nk->nj", inverse, cross / scale) / scale
    return out
