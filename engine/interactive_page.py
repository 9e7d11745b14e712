"""The frame of a page that is complete in itself, and its tables. Nothing is loaded from elsewhere; no script comes from data."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from pathlib import Path

from engine.charts import Language
from engine.interactive_svg import Say, both, number

PAGES = Path(__file__).with_name("pages")

_MADE_UP = (
    "Synthetic data: a made-up place. Nothing here is an official figure.",
    "合成数据：虚构地区，并非官方统计。",
)
_TABLE = ("Numbers", "数据表")


def heading(said: Say) -> str:
    return f"<h2>{both(said)}</h2>"


def exact(value: float | None, digits: int = 2) -> str:
    """A rounded number that carries the exact one."""
    if value is None or value != value:  # NaN: no band there
        return ""
    return f'<data value="{float(value)!r}">{number(value, digits)}</data>'


def table(heads: Sequence[Say], rows: Sequence[Sequence[str]], unfolded: bool = False) -> str:
    """Folded unless said otherwise; cells are HTML already, the first of a row is its head."""
    top = "".join(f'<th scope="col">{both(h)}</th>' for h in heads)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>' + "".join(f"<td>{c}</td>" for c in row[1:]) + "</tr>" for row in rows
    )
    inner = f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    return f'<details class="data"{" open" if unfolded else ""}><summary>{both(_TABLE)}</summary>{inner}</details>'


def document(title: Say, when: str, sections: Sequence[str], synthetic: bool, language: Language = "en") -> bytes:
    """The whole page in UTF-8. The reader may change ``language``."""
    style, script = ((PAGES / f"reading.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    policy = f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:"
    chosen = {code: " checked" if code == language else "" for code in ("en", "zh")}
    note = f'<p class="note" role="note">{both(_MADE_UP)}</p>' if synthetic else ""
    return (
        f'<!doctype html>\n<html lang="{"zh-Hans" if language == "zh" else "en"}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title[language == 'zh'])} · jingqi 景气</title><style>{style}</style></head><body>"
        f'<input type="radio" name="language" id="en"{chosen["en"]}><input type="radio" name="language" id="zh"{chosen["zh"]}>'
        '<div class="switch"><label for="en" lang="en">English</label><label for="zh" lang="zh-Hans">简体中文</label></div>'
        f'<main><h1>{both(title)}</h1><p class="soft">{escape(when)}</p>{note}{"".join(sections)}</main>'
        f'<div id="tip" role="status" hidden></div><script>{script}</script></body></html>\n'
    ).encode()


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
