"""A fitted model as a folder: what experiments hands to serving. Arrays and JSON only, no pickles.

::

    model.json              format, model name, options, series with their meaning, fits, digest of all this
    fits/2016-06-29.npz     what was learned from the panel of that day

A bundle may hold fits of several days, so that an answer as of an earlier day never uses parameters learned later. A
saved bundle does not change: the digest covers every number in it and is checked at loading.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from engine.calendar import Freq, known_day
from engine.errors import BadInput, NotReady
from engine.indicator import Indicator, Made, Region, Series, split_id
from engine.model import Fitted, Model, Refits, State
from engine.panel import Panel, Timing
from modelzoo import zoo

FORMAT = 1
MODEL_FILE = "model.json"


@dataclass(frozen=True, slots=True)
class Fit:
    """Parameters learned at one information date, from the panel with that digest."""

    asof: datetime
    timing: Timing
    fitted: Fitted
    panel_digest: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model of the zoo, what it learned and when, and what its input series mean.

    fits: oldest first, at most one a day. series: one for each of ``model.inputs``, in that order.
    """

    name: str
    model: Model
    fits: tuple[Fit, ...]
    series: tuple[Series, ...]

    def __post_init__(self) -> None:
        days = [known_day(f.asof) for f in self.fits]
        if not days or any(a >= b for a, b in pairwise(days)):
            raise BadInput(f"{self.name}: a bundle needs fits of different days, oldest first")
        if tuple(s.id for s in self.series) != tuple(self.model.inputs):
            raise BadInput(f"{self.name}: a bundle tells the meaning of each input: {', '.join(self.model.inputs)}")

    def fit_for(self, asof: datetime) -> Fit:
        """The newest fit that was possible at ``asof``. Raises NotReady if all were learned later."""
        for fit in reversed(self.fits):
            if fit.asof <= asof:
                return fit
        raise NotReady(
            f"{self.name} was first fitted as of {known_day(self.fits[0].asof)}, after {known_day(asof)}: "
            "fit it to the panel of that day"
        )


def fit(model: Model, panel: Panel, before: Fit | None = None) -> Fit:
    """Fit to the model's own inputs and remember to which panel: the digest of ``panel.select(model.inputs)``.

    before: an earlier fit to begin from, where the model can.
    """
    seen = panel.select(model.inputs)
    fitted = model.refit(seen, before.fitted) if before and isinstance(model, Refits) else model.fit(seen)
    return Fit(panel.asof, panel.timing, fitted, seen.digest())


def registry_name(kind: str, target: str) -> str:
    """Name in the MLflow registry: ``registry_name("nowcast", "gdpc1@US")`` is ``nowcast-gdpc1-US``."""
    return "-".join((kind, *split_id(target)))


def digest(state: State) -> str:
    """sha256 of names, types, shapes and bits of the arrays."""
    h = hashlib.sha256()
    for name in sorted(state):
        array = np.ascontiguousarray(state[name])
        h.update(f"{name} {array.dtype.str} {array.shape};".encode())
        h.update(array.tobytes())
    return h.hexdigest()


def save(folder: Path, bundle: Bundle) -> None:
    """Write the folder, whole or not at all. Raises BadInput if it is there already: a bundle does not change."""
    if folder.exists():
        raise BadInput("a bundle is there already, and bundles do not change", file=str(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        (draft / "fits").mkdir()
        fits = []
        for one in bundle.fits:
            day, state = known_day(one.asof).isoformat(), dict(one.fitted.state())
            if alien := [k for k, v in state.items() if v.dtype not in (np.float64, np.int64)]:
                raise BadInput(
                    f"{bundle.name}: the state holds arrays other than float64 and int64: {', '.join(alien)}"
                )
            np.savez(draft / "fits" / f"{day}.npz", **state)  # type: ignore[arg-type]
            fits.append(
                {
                    "asof": one.asof.isoformat(),
                    "timing": one.timing,
                    "panel": one.panel_digest,
                    "file": f"fits/{day}.npz",
                    "state": digest(state),
                }
            )
        content = {
            "format": FORMAT,
            "model": bundle.name,
            "options": zoo.given_options(bundle.model),
            "targets": list(bundle.model.targets),
            "series": [_said(s) for s in bundle.series],
            "fits": fits,
        }
        text = json.dumps(content | {"digest": _digest(content)}, indent=1, ensure_ascii=False)
        (draft / MODEL_FILE).write_text(text + "\n", encoding="utf-8")
        draft.chmod(0o755)  # mkdtemp closes it to others, and a service may run as another user
        os.rename(draft, folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def load(folder: Path) -> Bundle:
    """Read a bundle; equal to the one saved, to the last bit.

    Raises BadInput naming the file if something is missing, was changed, or is of a later format.
    """
    file = folder / MODEL_FILE
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if (version := content["format"]) != FORMAT:
            raise BadInput(f"format {version} of a bundle; this jingqi reads format {FORMAT}", file=str(file))
        if content.pop("digest") != _digest(content):
            raise BadInput("changed after it was saved: its digest does not fit", file=str(file))
        model = zoo.make(content["model"], content["options"])
        series = tuple(_series(s) for s in content["series"])
        fits = tuple(_fit(folder, model, f) for f in content["fits"])
        return Bundle(content["model"], model, fits, series)
    except OSError as missing:
        raise BadInput(f"cannot be read: {missing.strerror}", file=str(missing.filename or file)) from None
    except (KeyError, TypeError, ValueError) as wrong:
        raise BadInput(f"not a bundle: {type(wrong).__name__} {wrong}", file=str(file)) from None


def _fit(folder: Path, model: Model, said: dict[str, Any]) -> Fit:
    fitted = model.restore(_state(folder / said["file"], said["state"]))
    return Fit(datetime.fromisoformat(said["asof"]), said["timing"], fitted, said["panel"])


def _state(file: Path, expected: str) -> State:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            state = {name: arrays[name] for name in arrays.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as wrong:
        raise BadInput(f"not the arrays of a fit: {wrong}", file=str(file)) from None
    if digest(state) != expected:
        raise BadInput("changed after it was saved: its digest does not fit", file=str(file))
    return state


def _said(series: Series) -> dict[str, Any]:
    """A series as JSON; ``made`` stands there only for a column that was computed."""
    return {k: v for k, v in asdict(series).items() if v is not None}


def _series(said: dict[str, Any]) -> Series:
    indicator, made = said["indicator"], said.get("made")
    freq = Freq(indicator["freq"])
    return Series(Indicator(**{**indicator, "freq": freq}), Region(**said["region"]), Made(**made) if made else None)


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
