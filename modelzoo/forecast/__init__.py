"""Forecasts: a published figure carried on from its own past, or from that of many series."""

import os

os.environ.setdefault("NIXTLA_NUMBA_CACHE", "1")  # statsforecast then compiles once, not in every process
