"""The methods for single series by their short names; none is imported before it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Literal, get_args

Member = Literal["seasonal_naive", "ces", "theta", "ets", "arima", "arima_pmdarima", "structural", "trend"]


def _loader(name: str) -> Callable[[], Any]:
    return lambda: import_module(f"modelzoo.forecast.{name}").MODEL


MEMBERS: Mapping[str, Callable[[], Any]] = {name: _loader(name) for name in get_args(Member)}
"""By name, what gives the class of the model."""
