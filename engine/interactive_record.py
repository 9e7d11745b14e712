"""The record of an index as a part of a page: a table beside its last months, unfolded, and what it rests on."""

from __future__ import annotations

from html import escape

import polars as pl

from engine.interactive_svg import both, number
from engine.record import HEADS, record, words


def beside(readings: pl.DataFrame, unit: str) -> list[str]:
    """HTML of the record of a unit; nothing where there is none."""
    told = record(readings, unit)
    if told is None:
        return []
    parts = [f"<h3>{both(('How far the last months may be believed', '近月读数的可信度'))}</h3>"]
    if told.months:
        top = "".join(f'<th scope="col">{both(h)}</th>' for h in (("period", "时期"), *HEADS))
        rows = []
        for period, m in reversed(told.months.items()):
            band = f"{_exact(m.low)} … {_exact(m.high)}"
            shares = [f'<data value="{s!r}">{100 * s:.0f} %</data>' for s in (m.sign, m.direction)]
            cells = [_exact(m.cycle), band, _exact(m.noise), *shares]
            rows.append(
                f'<tr><th scope="row">{escape(period)}</th>' + "".join(f"<td>{c}</td>" for c in cells) + "</tr>"
            )
        parts.append(
            f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
        )
    return [*parts, *(f'<p class="soft">{both(said)}</p>' for said in words(told))]


def _exact(value: float) -> str:
    return f'<data value="{value!r}">{number(value)}</data>'
