"""A bundle as MLflow's generic model: ``mlflow.pyfunc.load_model("models:/nowcast-gdpc1-US@champion").predict(...)``.

MLflow finds this module by its name in the MLmodel file and calls ``_load_pyfunc``; nothing here imports mlflow. The
package ``jingqi`` must be installed where the model is loaded.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from engine.calendar import Period, parse_asof
from engine.errors import BadInput, Refused
from engine.panel import AXIS, Panel, empty_known
from engine.reading import Tells
from modelzoo import bundle, telling

if TYPE_CHECKING:
    import pandas as pd

MONTH = "month"
"""Column of the input that names the month: ``2016-06``."""


def _load_pyfunc(path: str) -> Predictor:
    return Predictor(bundle.load(Path(path)))


class Predictor:
    """What MLflow wraps. Equal to the bundle's own estimate, to the last bit."""

    def __init__(self, kept: bundle.Bundle) -> None:
        self.kept = kept

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """The estimate in its tidy form, by the newest fit that was possible at ``asof``.

        model_input: column ``month`` (``2016-06``; a quarterly value stands in the last month of its quarter) and one
        column of analysed values per input series, NaN where not known at ``asof`` (the caller answers for that).
        params: ``asof`` (``2016-07-29``) and ``periods`` (``2016-Q2,2016-Q3``). Raises BadInput, NotReady; Refused for a
        model that reads what firms answered, which is no table of months.

        Of a model that tells more than an estimate, READINGS (``engine.reading``).
        """
        if telling.reads_answers(self.kept.model):
            raise Refused(f"{self.kept.name} reads what single firms answered: ask it through jingqi monitor")
        asked = params or {}
        if missing := [p for p in ("asof", "periods") if not asked.get(p)]:
            raise BadInput(f"params lack {', '.join(missing)}: {{'asof': '2016-07-29', 'periods': '2016-Q2,2016-Q3'}}")
        panel = self._panel(model_input, str(asked["asof"]))
        periods = [Period.parse(p) for p in str(asked["periods"]).split(",")]
        fitted = self.kept.fit_for(panel.asof).fitted
        if isinstance(fitted, Tells):
            return fitted.tell(panel, periods).to_pandas()
        return fitted.estimate(panel, periods).to_frame().to_pandas()

    def _panel(self, given: pd.DataFrame, asof: str) -> Panel:
        ids = self.kept.model.inputs
        if missing := [c for c in (MONTH, *ids) if c not in given.columns]:
            raise BadInput(f"the input lacks the columns {', '.join(missing)}")
        months = [Period.parse(str(m)).last_month.ordinal for m in given[MONTH]]
        columns = {i: pl.Series(np.asarray(given[i], float)).fill_nan(None) for i in ids}
        frame = pl.DataFrame({AXIS: pl.Series(months, dtype=pl.Int32), **columns})
        return Panel.of_frames(parse_asof(asof), self.kept.series, frame, empty_known(frame, parse_asof(asof)))
