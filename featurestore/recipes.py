"""Recipes: how a comparable column is made of published series, as a short chain of named operations.

>>> chain = parse("month | split(days) | sa | pch")
>>> [o.name for o in chain], outcome(chain, ["level_ytd"], Freq.M)
(['month', 'split', 'sa', 'pch'], ('share', <Freq.M: 'M'>))

What each operation takes and gives is checked here, before there is any value; :mod:`featurestore.harmonise` computes it. The
table in ``docs/catalogue.md`` says what each means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.calendar import Freq
from engine.errors import BadInput, Refused

if TYPE_CHECKING:  # the catalogue checks recipes without numpy
    from engine.figures import Kind

VERSION = 1
"""Of all operations together: raise it when the same recipe would give another number. It is part of every column's hash."""

_WORD = re.compile(r"([a-z_]+)(?:\(([^()|]+)\))?")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a recipe and what stands in its parentheses."""

    name: str
    argument: str = ""

    def __str__(self) -> str:
        return f"{self.name}({self.argument})" if self.argument else self.name


Recipe = tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Word:
    """What an operation takes and gives, by form: ``level`` and ``yoy`` stand for those of a month or a quarter.

    arguments: what may stand in its parentheses; ``None`` for any text, () for nothing. other: the form that the further sources
    of the recipe must have, by the form of the first; ``many``: they may be several.
    """

    takes: Mapping[str, str]
    arguments: tuple[str, ...] | None = ()
    other: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    many: bool = False


VOCABULARY: Mapping[str, Word] = {
    "month": Word({"level_ytd": "level"}),
    "split": Word({"level": "level"}, ("days", "half")),
    "nominal_yoy": Word({"level": "yoy", "level_ytd": "yoy_ytd", "level_eop": "yoy"}),
    "month_yoy": Word({"yoy_ytd": "yoy"}, None, {"yoy_ytd": ("level_ytd",)}),
    "two_year": Word({"yoy": "two_year_average", "yoy_ytd": "two_year_average"}),
    "rate": Word({"index_yoy": "yoy", "index_yoy_ytd": "yoy_ytd", "index_mom": "mom"}),
    "chain": Word({"index_mom": "level_eop"}),
    "deflate": Word({"yoy": "yoy", "yoy_ytd": "yoy_ytd"}, (), {"yoy": ("index_yoy",), "yoy_ytd": ("index_yoy_ytd",)}),
    "year_change": Word({"share": "share"}),
    "monthly": Word(
        {"level_ytd": "level"}, ("fernandez", "chow_lin", "denton"), {"level_ytd": ("level_ytd", "level")}, many=True
    ),
    "sa": Word({"level": "level", "level_eop": "level_eop", "share": "share"}),
    "pch": Word({"level": "share", "level_eop": "share"}),
}


def parse(text: str) -> Recipe:
    """``month | split(days) | sa | pch``. Raises BadInput for an operation or an argument that there is not."""
    chain: list[Operation] = []
    for part in text.split("|"):
        hit = _WORD.fullmatch(part.strip())
        word = VOCABULARY.get(hit[1]) if hit else None
        if not hit or word is None:
            raise BadInput(f"no operation {part.strip()!r}: there are {', '.join(VOCABULARY)}")
        argument = (hit[2] or "").strip()
        if word.arguments is None and not argument:
            raise BadInput(
                f"{hit[1]}(…): say the scope and prices that growth and level share, as in {hit[1]}(current prices)"
            )
        if word.arguments is not None and argument not in (word.arguments or ("",)):
            may = ", ".join(f"{hit[1]}({a})" for a in word.arguments) or f"{hit[1]} alone"
            raise BadInput(f"{part.strip()!r} is not {may}")
        chain.append(Operation(hit[1], argument))
    for name in ("sa", "deflate", "month_yoy", "monthly"):
        if sum(o.name == name for o in chain) > 1:
            raise BadInput(f"{name} stands in a recipe once")
    return tuple(chain)


def text(sources: Sequence[str], recipe: Recipe) -> str:
    """A recipe with its sources: ``retail_yoy + cpi_yoy | deflate``."""
    return " | ".join([" + ".join(sources), *map(str, recipe)])


def outcome(recipe: Recipe, kinds: Sequence[Kind], freq: Freq, others: Sequence[Freq] = ()) -> tuple[Kind, Freq]:
    """The kind and frequency that a recipe gives for sources of these kinds, the first of frequency ``freq``.

    others: the frequencies of the further ones. Raises Refused with the reason where an operation does not apply, BadInput where
    the number or the frequency of the further sources does not fit.
    """
    form, more = form_of(kinds[0]), list(kinds[1:])
    used, before = False, set[str]()
    for o in recipe:
        word = VOCABULARY[o.name]
        if form not in word.takes:
            raise Refused(f"{o.name} of {_kind(form, freq)}: {_why(o.name, form, word)}")
        if word.other:
            used = True
            need = word.other[form]
            if not more or (len(more) > 1 and not word.many):
                raise BadInput(
                    f"{o.name} needs {'further sources' if word.many else 'one further source'} of kind {need[0]}"
                )
            if strange := [k for k in more if form_of(k) not in need]:
                raise BadInput(f"{o.name} needs further sources of kind {' or '.join(need)}, not {strange[0]}")
            fits = {"month_yoy": [freq], "deflate": [Freq.M, freq], "monthly": [Freq.M]}[o.name]
            if o.name == "monthly" and freq is not Freq.Q:
                raise Refused("monthly of a monthly figure: it has its months already, take month")
            if any(f not in fits for f in others):
                raise BadInput(f"{o.name}: a further source must have the frequency {fits[0].value}")
            freq = Freq.M if o.name == "monthly" else freq
        if o.name == "sa" and form == "level" and freq is Freq.M and not {"split", "monthly"} & before:
            raise BadInput("split(days) or split(half) stands before sa: January and February may be one observation")
        before.add(o.name)
        if o.name == "split" and freq is Freq.Q:
            raise Refused("split of a quarterly figure: a quarter holds January and February both")
        form = word.takes[form]
    if more and not used:
        raise BadInput("no operation of the recipe reads the further sources")
    return _kind(form, freq), freq


def form_of(kind: Kind) -> str:
    """``level`` for level_month and level_quarter, ``yoy`` for yoy_month and yoy_quarter; all others by their name."""
    return {"level_month": "level", "level_quarter": "level", "yoy_month": "yoy", "yoy_quarter": "yoy"}.get(kind, kind)


def _kind(form: str, freq: Freq) -> Kind:
    single = "month" if freq is Freq.M else "quarter"
    return f"{form}_{single}" if form in ("level", "yoy") else form  # type: ignore[return-value]


def _why(name: str, form: str, word: Word) -> str:
    """Why an operation does not apply, in the words of the reporting algebra where it is one of its derivations."""
    to: Kind | None = {"month": "level_month", "two_year": "two_year_average", "month_yoy": "yoy_month"}.get(name)  # type: ignore[assignment]
    if name == "month" and form in ("yoy_ytd", "index_yoy_ytd"):
        return "rates do not add up or subtract; take month_yoy with levels since January of the same scope and prices"
    if name == "nominal_yoy" and form in ("yoy", "yoy_ytd"):
        return "it is a growth rate already"
    if name == "sa" and form in ("yoy", "yoy_ytd", "two_year_average"):
        return "growth on the same period of last year has no season to adjust"
    if name == "sa" and form == "level_ytd":
        return "a sum since January grows by its season within each year; take month first"
    if to:
        import numpy as np

        from engine.algebra import derive
        from engine.calendar import Period
        from engine.figures import published

        try:
            derive(published(_kind(form, Freq.M), Period.parse("2020-01"), np.full(1, np.nan)), to)
        except Refused as e:
            return str(e).partition(": ")[2]
    return f"it takes {' or '.join(word.takes)}"
