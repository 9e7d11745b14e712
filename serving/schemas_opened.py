"""What the service says of a number that is opened: a light with its proof, and why a number changed between two days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from engine.panel import Timing
from serving.schemas import AsOf, Digest, MadeUp, PeriodText

Said = Annotated[int | None, Field(description="1 blue, 2 light blue, 3 green, 4 yellow, 5 red.", examples=[3])]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofItem:
    """One item of a light: what was scored, by which thresholds, and the smallest change of its value that flips the light."""

    item: Annotated[str, Field(examples=["retail_yoy@SYN-33"])]
    name_en: str
    name_zh: str
    unit: str
    unit_zh: str
    value: Annotated[float | None, Field(description="null where it is missing.")]
    cuts: Annotated[tuple[float, ...], Field(description="The four thresholds in force, ascending.")]
    hotter: Annotated[Literal["above", "below"], Field(description="On which side of a threshold it is hotter.")]
    score: Said
    weight: int
    adds: Annotated[float, Field(description="Points of the index; the items add up to it.")]
    mark_en: Annotated[str, Field(description="Where the value came from, if not the month's own figure.")]
    mark_zh: str
    needed: Annotated[float | None, Field(description="The value nearest to the present one that flips the light.")]
    change: Annotated[float | None, Field(description="needed less value; null where no value of the item alone does.")]
    flips_to: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRules:
    """The same light, on the same data, under rules that were in force before."""

    rules_en: Annotated[str, Field(examples=["thresholds before: quantiles 2008-01…2022-12"])]
    rules_zh: str
    differ: Annotated[tuple[str, ...], Field(description="In what: thresholds, weights, rules.")]
    index: float
    light: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstShown:
    """A month's light as it was first known, on the day that had it first, and as it is now."""

    period: PeriodText
    first_asof: AsOf
    first_index: float
    first_light: Said
    index: float
    light: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class LightProof:
    """A light, opened."""

    target: Annotated[str, Field(examples=["warning@SYN-33"])]
    title_en: str
    title_zh: str
    region: Annotated[str, Field(examples=["SYN-3301"])]
    region_en: str
    region_zh: str
    period: PeriodText
    asof: AsOf
    index: float
    light: Said
    band: Annotated[
        int, Field(description="The band in which the index lies; other than light until a change is confirmed.")
    ]
    bands: Annotated[tuple[float, ...], Field(description="The four bounds of the index between the lights.")]
    thresholds: Annotated[str, Field(description="Name of those in force.", examples=["quantiles 2008-01…2023-12"])]
    reason: Annotated[str, Field(description="Why they were set, where an office set them.")]
    items: tuple[ProofItem, ...]
    before: tuple[OtherRules, ...]
    history: Annotated[
        tuple[FirstShown, ...], Field(description="By month, from the vintages of each month's end; newest last.")
    ]
    model: str
    version: str
    run_id: str
    fitted_asof: AsOf
    timing: Timing
    panel: Digest
    is_synthetic: MadeUp


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeItem:
    """What one step changed, of one series where it is a series'. Impacts add up to the change."""

    step: Annotated[
        Literal["revisions", "new data", "seasonal factors", "thresholds", "weights", "rules", "new months"],
        Field(
            description="new data: figures that the month lacked on the earlier day; weights: of an index all that was learned "
            "anew; rules: all other options of a model; new months: from the earlier day's newest month to the later day's."
        ),
    ]
    step_zh: str
    item: Annotated[str, Field(description="Empty where the step is no series'.")]
    name_en: str
    name_zh: str
    cells: Annotated[int, Field(description="Figures that changed.")]
    impact: float
    light_before: Said
    light_after: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEnd:
    """One of the two days."""

    asof: AsOf
    period: PeriodText
    value: float
    light: Said
    version: str
    fitted_asof: AsOf
    timing: Timing
    panel: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Why a number changed between two days: the items add up to ``change`` = after.value - before.value, to rounding."""

    target: str
    kind: Annotated[str, Field(description="index or warning.")]
    title_en: str
    title_zh: str
    region: str
    region_en: str
    region_zh: str
    before: ChangeEnd
    after: ChangeEnd
    change: float
    sums: Annotated[dict[str, float], Field(description="Impacts by step, every step named.")]
    items: tuple[ChangeItem, ...]
    model: str
    run_id: str
    is_synthetic: MadeUp
