"""One model for each of several regions: the lights of a province and its cities, learned and read together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

import polars as pl

from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData, NotReady
from engine.estimate import Estimate
from engine.indicator import split_id
from engine.model import Fitted, Model, State
from engine.panel import Panel
from modelzoo import telling, zoo

HERE = "{region}"
_MARK = "|"  # between a region and the name of one of its arrays


@dataclass(frozen=True)
class Each:
    """A model of the zoo, once for every region. A region with too little data is left out, and learned when it has enough.

    target: what is read, ``lights@SYN-33``; its region is one of the regions
    regions: codes of the regions
    model: name in the zoo of the model that reads one region
    options: options of that model; ``{region}`` in a text stands for the region
    own: options that differ, by the code of a region or a pattern of codes: SYN-33??
    """

    target: str
    regions: tuple[str, ...]
    model: str
    options: dict[str, Any] = field(default_factory=dict)
    own: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if split_id(self.target)[1] not in self.regions:
            raise BadInput(f"regions: {self.target} needs its own region among {', '.join(self.regions) or 'none'}")
        if len(set(self.regions)) != len(self.regions):
            raise BadInput("regions: each of them once")
        if idle := [p for p in self.own if not any(fnmatchcase(r, p) for r in self.regions)]:
            raise BadInput(f"own: none of the regions is {', '.join(idle)}")
        _ = self.models

    @cached_property
    def models(self) -> dict[str, Model]:
        """The model of each region."""
        what, _ = split_id(self.target)
        return {
            region: zoo.about(self.model, f"{what}@{region}", _for(self._options(region), region))
            for region in self.regions
        }

    def _options(self, region: str) -> dict[str, Any]:
        given = dict(self.options)
        for pattern, differing in self.own.items():
            if fnmatchcase(region, pattern):
                given |= differing
        return given

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(i for model in self.models.values() for i in model.inputs))

    @property
    def names(self) -> Mapping[str, tuple[str, str]]:
        """What the models themselves name, in English and Chinese."""
        return {k: v for model in self.models.values() for k, v in getattr(model, "names", {}).items()}

    def fit(self, panel: Panel) -> FittedEach:
        """Raises NotEnoughData if no region has enough."""
        fitted: dict[str, Fitted] = {}
        problems = []
        for region, model in self.models.items():
            try:
                fitted[region] = model.fit(panel.select(model.inputs))
            except NotEnoughData as problem:
                problems.append(f"{region}: {problem}")
        if not fitted:
            raise NotEnoughData("; ".join(problems))
        return FittedEach(self, fitted)

    def restore(self, state: State) -> FittedEach:
        held: dict[str, dict[str, Any]] = {}
        for name, value in state.items():
            region, _, own = name.partition(_MARK)
            held.setdefault(region, {})[own] = value
        return FittedEach(self, {r: model.restore(held[r]) for r, model in self.models.items() if r in held})


@dataclass(frozen=True)
class FittedEach:
    """What was learned for each region that had enough data."""

    model: Each
    fitted: Mapping[str, Fitted]

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """Of the target's own region. Raises NotReady if that one had too little data."""
        region = split_id(self.model.target)[1]
        if region not in self.fitted:
            raise NotReady(f"{self.model.target}: too little was known of {region} when the others were learned")
        return self.fitted[region].estimate(self._panel(panel, region), periods)

    def tell(self, panel: Panel, periods: Sequence[Period]) -> pl.DataFrame:
        """READINGS of all regions; one for which too little is known has no rows. Raises NotEnoughData for all."""
        told, problems = [], []
        for region, fitted in self.fitted.items():
            try:
                told.append(telling.tell(fitted, self._panel(panel, region), periods))
            except NotEnoughData as problem:
                problems.append(f"{region}: {problem}")
        if not told:
            raise NotEnoughData("; ".join(problems))
        return pl.concat(told)

    def newest(self, panel: Panel) -> Period:
        """The newest period of which every region can be read."""
        return min(telling.newest(f, self._panel(panel, r), 1)[0] for r, f in self.fitted.items())

    def each(self, panel: Panel) -> Iterator[tuple[str, Fitted, Panel]]:
        """Region by region: its code, its model, and what that one reads of the panel."""
        for region, fitted in self.fitted.items():
            yield region, fitted, self._panel(panel, region)

    def oldest(self, panel: Panel) -> Period:
        """The first period of which every region can be read."""
        return max(telling.oldest(f, p) for _, f, p in self.each(panel))

    def state(self) -> State:
        return {f"{r}{_MARK}{name}": value for r, f in self.fitted.items() for name, value in f.state().items()}

    def _panel(self, panel: Panel, region: str) -> Panel:
        return panel.select(self.model.models[region].inputs)


def _for(options: Any, region: str) -> Any:
    """The options with ``{region}`` filled in, wherever it stands."""
    if isinstance(options, str):
        return options.replace(HERE, region)
    if isinstance(options, Mapping):
        return {_for(k, region): _for(v, region) for k, v in options.items()}
    if isinstance(options, list | tuple):
        return type(options)(_for(v, region) for v in options)
    return options


MODEL = Each
