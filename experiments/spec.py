"""A run as data: which models, on which days, against which truth, and what a champion must show. Read from TOML."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from engine.calendar import Freq, Period
from engine.errors import BadInput, JingqiError, Unknown
from engine.indicator import split_id
from engine.model import Model
from modelzoo import zoo

SHIPPED = Path(__file__).parent / "specs"
_STRICT = ConfigDict(extra="forbid")
_Share = Annotated[float, Field(ge=0, le=1)]
_Ratio = Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class Pseudo:
    """Month-ends ``first`` … ``last``, every ``months``-th, at which history is replayed in pseudo real time.

    vintage: the day whose values are cut by the usual publication delays.
    """

    first: date
    last: date
    vintage: date
    months: Annotated[int, Field(ge=1)] = 1
    __pydantic_config__ = _STRICT

    @property
    def days(self) -> tuple[date, ...]:
        month, end = Period.of(self.first, Freq.M), Period.of(self.last, Freq.M)
        return tuple((month + k).end for k in range(0, end - month + 1, self.months))


@dataclass(frozen=True)
class Candidate:
    """A model of the zoo with options; the target is that of the run."""

    model: str
    options: dict[str, Any] = field(default_factory=dict)
    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Rules:
    """What a challenger must show, on pseudo real-time origins, to take the place of the champion.

    fewest: outcomes. rmse, crps: at most this share of the benchmark's. champion: RMSE and CRPS at most this share of
    the champion's over the same origins. coverage: share of outcomes that the 50, 80, 95 % bands hold, from … to.
    """

    fewest: Annotated[int, Field(ge=1)]
    rmse: _Ratio
    crps: _Ratio
    champion: _Ratio
    coverage: dict[int, tuple[_Share, _Share]]
    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Spec:
    """One run.

    horizons: months from the end of the target period to the origin's month; negative before it ends. refit: fit at
    every so many pseudo origins; real origins always. truth: the day whose values count as the outcome. real:
    information dates with real vintages. benchmark: the label of the model that others are held against.
    """

    name: str
    title_en: str
    title_zh: str
    target: str
    horizons: tuple[int, ...]
    refit: Annotated[int, Field(ge=1)]
    truth: date
    benchmark: str
    pseudo: Pseudo
    gate: Rules
    models: dict[str, Candidate]
    real: tuple[date, ...] = ()
    __pydantic_config__ = _STRICT

    def make(self, label: str) -> Model:
        """The candidate of that label. Raises Unknown, BadInput as the zoo does."""
        if label not in self.models:
            raise Unknown(f"the run {self.name} has no model {label!r}; it has {', '.join(self.models)}")
        candidate = self.models[label]
        return zoo.make(candidate.model, {"target": self.target, **candidate.options})


def load(named: str) -> tuple[Spec, str]:
    """The spec and its text, from a path, or by the name of one that ships with jingqi (``us_gdp``).

    Raises Unknown if there is no such file, BadInput naming file and key if something in it cannot be used.
    """
    file = Path(named) if named.endswith(".toml") else SHIPPED / f"{named}.toml"
    if not file.is_file():
        shipped = ", ".join(sorted(p.stem for p in SHIPPED.glob("*.toml")))
        raise Unknown(f"no spec {named!r}: give a path to a .toml file, or one of {shipped}")
    text = file.read_text(encoding="utf-8")
    return parse(text, str(file)), text


def parse(text: str, file: str) -> Spec:
    """As :func:`load`, from the text itself."""
    try:
        spec = TypeAdapter(Spec).validate_python(tomllib.loads(text))
    except tomllib.TOMLDecodeError as wrong:
        raise BadInput(f"not TOML: {wrong}", file=file) from None
    except ValidationError as wrong:
        said = "; ".join(f"key {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in wrong.errors())
        raise BadInput(said, file=file) from None
    for key, problem in _problems(spec):
        raise BadInput(f"key {key}: {problem}", file=file)
    return spec


def _problems(spec: Spec) -> list[tuple[str, str]]:
    found = []
    if spec.pseudo.last < spec.pseudo.first:
        found.append(("pseudo.last", f"{spec.pseudo.last} lies before the first origin {spec.pseudo.first}"))
    if spec.pseudo.days and spec.pseudo.days[-1] > spec.pseudo.vintage:
        found.append(("pseudo.vintage", f"{spec.pseudo.vintage} is older than the last origin {spec.pseudo.days[-1]}"))
    if list(spec.real) != sorted(set(spec.real)):
        found.append(("real", "days must differ and follow each other"))
    if not spec.horizons or list(spec.horizons) != sorted(set(spec.horizons)):
        found.append(("horizons", "give at least one; they must differ and rise"))
    if spec.benchmark not in spec.models:
        found.append(("benchmark", f"{spec.benchmark!r} is none of the models {', '.join(spec.models)}"))
    for percent, (low, high) in spec.gate.coverage.items():
        if percent not in (50, 80, 95) or low > high:
            found.append((f"gate.coverage.{percent}", "bands are 50, 80 and 95, each from a share to a higher one"))
    try:
        split_id(spec.target)
    except BadInput as wrong:
        found.append(("target", str(wrong)))
    for label, candidate in spec.models.items():
        if "target" in candidate.options:
            found.append((f"models.{label}.options.target", "the target is that of the run"))
            continue
        try:
            spec.make(label)
        except JingqiError as wrong:
            found.append((f"models.{label}", str(wrong)))
    return found
