"""A run as data: which models, on which days, against which truth, and what a champion must show. Read from TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from engine.calendar import Freq, Period
from engine.errors import BadInput, JingqiError, Unknown
from engine.indicator import split_id
from engine.model import Model
from engine.panel import Timing
from modelzoo import zoo

SHIPPED = Path(__file__).parent / "specs"
_STRICT = ConfigDict(extra="forbid")
_Share = Annotated[float, Field(ge=0, le=1)]
_Ratio = Annotated[float, Field(gt=0)]

Kind = Literal["nowcast", "forecast", "index", "warning", "scorecard", "monitor"]
"""What a run is about: a figure that will be published, soon or later, or a reading that never is. First word in the registry."""


@dataclass(frozen=True)
class MonthEnds:
    """Month-ends ``first`` … ``last``, every ``months``-th."""

    first: date
    last: date
    months: Annotated[int, Field(ge=1)] = 1
    __pydantic_config__ = _STRICT

    @property
    def days(self) -> tuple[date, ...]:
        month, end = Period.of(self.first, Freq.M), Period.of(self.last, Freq.M)
        return tuple((month + k).end for k in range(0, end - month + 1, self.months))


@dataclass(frozen=True, kw_only=True)
class Pseudo(MonthEnds):
    """Month-ends at which history is replayed in pseudo real time.

    vintage: the day whose values are cut by the usual publication delays.
    """

    vintage: date
    __pydantic_config__ = _STRICT


def _days(said: Any) -> Any:
    """``{first, last, months}`` as the days that it means; days stay."""
    return TypeAdapter(MonthEnds).validate_python(said).days if isinstance(said, dict) else said


Truth = date | Literal["first", "next"]
"""What counts as the outcome: the value in the vintage of a day, the first release, or the value when the period after it is first
published."""


@dataclass(frozen=True)
class Candidate:
    """A model of the zoo with options; the target is that of the run."""

    model: str
    options: dict[str, Any] = field(default_factory=dict)
    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Rules:
    """What a challenger must show to take the place of the champion, on the origins that are evidence (``Run.evidence``).

    fewest: outcomes. rmse, crps: at most this share of the benchmark's. champion: RMSE and CRPS at most this share of
    the champion's over the same origins. coverage: share of outcomes that the 50, 80, 95 % bands hold, from … to.
    """

    fewest: Annotated[int, Field(ge=1)]
    rmse: _Ratio
    crps: _Ratio
    champion: _Ratio
    coverage: dict[int, tuple[_Share, _Share]]
    __pydantic_config__ = _STRICT


def _names_others(candidate: Candidate) -> bool:
    """Whether it pools other models of its run, which its members name by their labels."""
    return candidate.model == "nowcast.pool" and isinstance(candidate.options.get("members"), list)


def _names_another(candidate: Candidate) -> bool:
    """Whether it is another model of its run, named by its label, learned without some months."""
    return candidate.model == "nowcast.without" and isinstance(candidate.options.get("member"), str)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What runs of every kind say. refit: fit at every so many pseudo origins; real origins always. real: information dates with
    real vintages, or ``{first, last, months}`` for the month-ends between them. warm: at a real origin a fit begins where the
    one before it ended, in chains of a year. lists: names for long lists in options, where ``$name`` stands for what it holds."""

    name: str
    title_en: str
    title_zh: str
    target: str
    refit: Annotated[int, Field(ge=1)]
    models: dict[str, Candidate]
    pseudo: Pseudo | None = None
    real: Annotated[tuple[date, ...], BeforeValidator(_days)] = ()
    warm: bool = False
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    kind: Kind
    __pydantic_config__ = _STRICT

    def make(self, label: str) -> Model:
        """The candidate of that label. Raises Unknown, BadInput as the zoo does."""
        if label not in self.models:
            raise Unknown(f"the run {self.name} has no model {label!r}; it has {', '.join(self.models)}")
        candidate = self.models[label]
        return zoo.about(candidate.model, self.target, self._options(candidate))

    @property
    def pools(self) -> tuple[str, ...]:
        """The labels of models that pool others of the run."""
        return tuple(label for label, c in self.models.items() if _names_others(c))

    @property
    def evidence(self) -> Timing:
        """Timing of the origins that models are judged by: a few real vintages beside many pseudo ones are too few."""
        return "pseudo" if self.pseudo else "real"

    def _options(self, candidate: Candidate) -> dict[str, Any]:
        """The options with lists filled in, and in which ``members`` and ``member`` name other models of the run."""
        options: dict[str, Any] = self._filled(candidate.options)
        if _names_others(candidate):
            return options | {"members": {m: self._named(m, "members", self.pools) for m in options["members"]}}
        if _names_another(candidate):
            of_others = [label for label, c in self.models.items() if _names_others(c) or _names_another(c)]
            return options | {"member": self._named(options["member"], "member", of_others)}
        return options

    def _named(self, label: Any, key: str, never: Sequence[str]) -> dict[str, Any]:
        """Model and options of the label. Raises Unknown for one that the run lacks or that may not stand there."""
        free = [other for other in self.models if other not in never]
        if label not in free:
            kind = "is no pool" if key == "members" else "stands by itself"
            raise Unknown(f"{key}: the run has no model {label} that {kind}; it has {', '.join(free)}")
        return {"model": self.models[label].model, "options": self._options(self.models[label])}

    def _filled(self, said: Any) -> Any:
        """The same with ``$name`` replaced by what the list holds; among other items it is spliced in."""
        if isinstance(said, str) and said.startswith("$"):
            if said[1:] not in self.lists:
                raise Unknown(f"no list {said[1:]!r}; the run has {', '.join(self.lists) or 'none'}")
            return list(self.lists[said[1:]])
        if isinstance(said, dict):
            return {k: self._filled(v) for k, v in said.items()}
        if isinstance(said, list):
            out = []
            for one in said:
                filled = self._filled(one)
                out += filled if isinstance(one, str) and isinstance(filled, list) else [filled]
            return out
        return said


@dataclass(frozen=True, kw_only=True)
class Spec(Run):
    """A run of nowcasts or forecasts, held against what was published later.

    horizons: months from the end of the target period to the origin's month; negative before it ends. truth: which value counts as
    the outcome. benchmark: the label of the model that others are held against.
    """

    horizons: tuple[int, ...]
    truth: Truth
    benchmark: str
    gate: Rules
    kind: Literal["nowcast", "forecast"] = "nowcast"


@dataclass(frozen=True)
class Turns:
    """A chronology to hold turning points and warnings against, months as ``2007-12``. source: who says so."""

    peaks: tuple[str, ...]
    troughs: tuple[str, ...]
    source: str
    __pydantic_config__ = _STRICT

    @property
    def downturns(self) -> list[tuple[Period, Period]]:
        """Peak and the trough after it; one that has not ended is left out."""
        troughs = sorted(Period.parse(t) for t in self.troughs)
        pairs = ((Period.parse(p), next((t for t in troughs if t > Period.parse(p)), None)) for p in sorted(self.peaks))
        return [(p, t) for p, t in pairs if t is not None]


@dataclass(frozen=True, kw_only=True)
class Watch(Run):
    """A run of an index, of lights, of a board or of a monitor: read at each origin, held against what it said later.

    periods: how many of the newest periods are read at each origin. turns: the chronology that indices and warnings are
    held against; empty without one. gate: for a score its least and its most (see ``experiments.watched.SCORES``).
    """

    periods: Annotated[int, Field(ge=1)]
    gate: dict[str, tuple[float, float]]
    turns: Turns | None = None
    kind: Literal["index", "warning", "scorecard", "monitor"]


def load(named: str) -> tuple[Spec | Watch, str]:
    """The spec and its text, from a path, or by the name of one that ships with jingqi (``us_gdp``).

    Raises Unknown if there is no such file, BadInput naming file and key if something in it cannot be used.
    """
    file = Path(named) if named.endswith(".toml") else SHIPPED / f"{named}.toml"
    if not file.is_file():
        shipped = ", ".join(sorted(p.stem for p in SHIPPED.glob("*.toml")))
        raise Unknown(f"no spec {named!r}: give a path to a .toml file, or one of {shipped}")
    text = file.read_text(encoding="utf-8")
    return parse(text, str(file)), text


def parse(text: str, file: str) -> Spec | Watch:
    """As :func:`load`, from the text itself."""
    try:
        said = tomllib.loads(text)
        kind: type[Spec | Watch] = Spec if said.get("kind", "nowcast") in ("nowcast", "forecast") else Watch
        spec = TypeAdapter(kind).validate_python(said)
    except tomllib.TOMLDecodeError as wrong:
        raise BadInput(f"not TOML: {wrong}", file=file) from None
    except ValidationError as wrong:
        problems = "; ".join(f"key {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in wrong.errors())
        raise BadInput(problems, file=file) from None
    for key, problem in [*_common(spec), *(_nowcast(spec) if isinstance(spec, Spec) else _watch(spec))]:
        raise BadInput(f"key {key}: {problem}", file=file)
    return spec


def _nowcast(spec: Spec) -> list[tuple[str, str]]:
    found = []
    if not spec.horizons or list(spec.horizons) != sorted(set(spec.horizons)):
        found.append(("horizons", "give at least one; they must differ and rise"))
    if spec.benchmark not in spec.models:
        found.append(("benchmark", f"{spec.benchmark!r} is none of the models {', '.join(spec.models)}"))
    for percent, (low, high) in spec.gate.coverage.items():
        if percent not in (50, 80, 95) or low > high:
            found.append((f"gate.coverage.{percent}", "bands are 50, 80 and 95, each from a share to a higher one"))
    return found


def _watch(spec: Watch) -> list[tuple[str, str]]:
    found = []
    for score, (least, most) in spec.gate.items():
        if least > most:
            found.append((f"gate.{score}", f"from {least:g} to {most:g}: the least comes first"))
    for key in ("peaks", "troughs"):
        for month in getattr(spec.turns, key, ()):
            try:
                at = Period.parse(month)
            except JingqiError as wrong:
                found.append((f"turns.{key}", str(wrong)))
                continue
            if at.freq is not Freq.M:
                found.append((f"turns.{key}", f"{month} is not a month"))
    return found


def _common(spec: Spec | Watch) -> list[tuple[str, str]]:
    found = []
    pseudo = spec.pseudo
    if pseudo is None and not spec.real:
        found.append(("real", "a run needs origins: days with real vintages, or [pseudo]"))
    if pseudo and pseudo.last < pseudo.first:
        found.append(("pseudo.last", f"{pseudo.last} lies before the first origin {pseudo.first}"))
    if pseudo and pseudo.days and pseudo.days[-1] > pseudo.vintage:
        found.append(("pseudo.vintage", f"{pseudo.vintage} is older than the last origin {pseudo.days[-1]}"))
    if list(spec.real) != sorted(set(spec.real)):
        found.append(("real", "days must differ and follow each other"))
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
