"""What the service says of the width of a nowcast's band: how much of it comes from where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from engine.estimate import Phase
from serving.schemas import Label, PeriodText, Quantiles

Source = Literal["states", "parameters", "errors", "revisions", "target"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertaintyPart:
    """One source. Without ``sd`` it is not known, or not told apart, and ``note_en`` says why."""

    source: Annotated[
        Source,
        Field(
            description="states: states and shocks, given the parameters; errors: past errors, which hold states and parameters "
            "together; revisions: of the data that are known; target: from its first release to the later value."
        ),
    ]
    name_en: Annotated[str, Field(examples=["states and shocks"])]
    name_zh: Annotated[str, Field(examples=["状态与冲击"])]
    sd: Annotated[float | None, Field(description="Standard deviation, in the unit of the target.", examples=[1.02])]
    share: Annotated[float | None, Field(description="Of the variance of all that is known.", examples=[0.81])]
    in_band: Annotated[bool, Field(description="The band of the nowcast holds it.")]
    note_en: str
    note_zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty(Label):
    """Where the width of a band comes from. Variances of the parts add up to ``sd`` squared; a recalibrated band holds revisions
    already, and theirs is then told beside it."""

    name_en: Annotated[str, Field(examples=["Real gross domestic product"])]
    name_zh: Annotated[str, Field(examples=["实际国内生产总值"])]
    period: PeriodText
    phase: Phase
    later: Annotated[
        int,
        Field(description="The truth is the value when so many later periods have come out; 0: the first release."),
    ]
    mean: Annotated[float, Field(examples=[2.2])]
    quantiles: Quantiles
    band_sd: Annotated[float, Field(description="Of the band that these quantiles are.")]
    sd: Annotated[float, Field(description="Of all that is known.")]
    lower: Annotated[float, Field(description="Lower end of the 80 % band that holds all that is known.")]
    upper: float
    complete: Annotated[bool, Field(description="No source is unknown, and of no series the revisions.")]
    unrecorded: Annotated[
        tuple[str, ...], Field(description="Series of which no past revisions are on record; theirs are left out.")
    ]
    parts: tuple[UncertaintyPart, ...]
