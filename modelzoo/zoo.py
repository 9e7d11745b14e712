"""The zoo: a model by its name. A file's path is its name ("nowcast.dfm"); its one dataclass is exported as ``MODEL``.

Names and first lines are read from the files, so that listing the zoo imports no model.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from engine.errors import BadInput, Unknown
from engine.model import Model

_ROOT = Path(__file__).parent
_EXPORT = re.compile(r"^MODEL\b", re.MULTILINE)  # helpers of a model may lie beside it; they export none


@dataclass(frozen=True, slots=True)
class Option:
    """One hyper-parameter: its type as written, its default (None where ``required``), its line of the docstring."""

    name: str
    type: str
    default: Any
    required: bool
    doc: str


@cache
def names() -> tuple[str, ...]:
    """All models, sorted: the files of the sub-packages that export ``MODEL``. Imports none of them."""
    files = sorted(f for f in _ROOT.glob("*/*.py") if _EXPORT.search(f.read_text(encoding="utf-8")))
    return tuple(f"{f.parent.name}.{f.stem}" for f in files)


def summary(name: str) -> str:
    """The first line of the file's docstring. Raises Unknown."""
    _require(name)
    source = _ROOT.joinpath(*name.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def options(name: str) -> tuple[Option, ...]:
    """The hyper-parameters of a model, in order, each with its line of the class docstring: ``name: what it does``."""
    kind = _kind(name)
    said = _said(kind.__doc__ or "")
    return tuple(
        Option(
            f.name,
            f.type if isinstance(f.type, str) else getattr(f.type, "__name__", str(f.type)),
            f.default
            if f.default is not MISSING
            else f.default_factory()
            if f.default_factory is not MISSING
            else None,
            f.default is MISSING and f.default_factory is MISSING,
            said.get(f.name, ""),
        )
        for f in fields(kind)
    )


def make(name: str, given: Mapping[str, Any]) -> Model:
    """A model from its name and options, as a spec or a bundle gives them.

    Raises Unknown for a name; BadInput, naming the option, for one that is missing, not known or of another type.
    """
    from pydantic import TypeAdapter, ValidationError

    kind = _kind(name)
    known = [f.name for f in fields(kind)]
    if extra := sorted(set(given) - set(known)):
        raise BadInput(f"{name} has no option {', '.join(extra)}; it has {', '.join(known)}")
    try:
        model: Model = TypeAdapter(kind).validate_python(dict(given))
    except ValidationError as wrong:
        raise BadInput("; ".join(f"{name}: option {_path(e['loc'])}: {e['msg']}" for e in wrong.errors())) from None
    return model


def about(name: str, target: str, given: Mapping[str, Any]) -> Model:
    """A model that speaks about that target. Raises as :func:`make`, and BadInput if it then speaks about something else."""
    model = make(name, {"target": target, **given})
    if model.targets[0] != target:
        raise BadInput(f"{name} speaks about {model.targets[0]}, not about {target}")
    return model


def given_options(model: Model) -> dict[str, Any]:
    """The options of a model as JSON holds them: ``make(name, given_options(m)) == m``."""
    from pydantic import TypeAdapter

    dumped: dict[str, Any] = TypeAdapter(type(model)).dump_python(model, mode="json")
    return dumped


def _require(name: str) -> None:
    if name not in names():
        raise Unknown(f"no model {name!r}; the zoo has {', '.join(names())}")


def _kind(name: str) -> Any:
    _require(name)
    return import_module(f"modelzoo.{name}").MODEL


def _path(loc: tuple[int | str, ...]) -> str:
    return ".".join(map(str, loc)) or "(all)"


def _said(docstring: str) -> dict[str, str]:
    """``{"lags": "most lags tried"}`` from ``lags: most lags tried``; a blank line or the next name ends an entry."""
    said: dict[str, str] = {}
    open_name = ""
    for line in map(str.strip, docstring.splitlines()):
        if hit := re.match(r"(\w+): +(.+)", line):
            open_name, said[hit[1]] = hit[1], hit[2]
        elif line and open_name:
            said[open_name] += f" {line}"
        else:
            open_name = ""
    return said
