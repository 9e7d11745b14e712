"""The parts of a page that is complete in itself: figures inside, no scripts, English and Chinese by a switch."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

_STYLE = """
:root { --ink: #1b1f24; --soft: #5b6470; --line: #dde2e8; --paper: #fff; --tint: #f4f7fa; --blue: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 2rem 1.5rem 4rem; color: var(--ink); background: var(--paper);
  font: 16px/1.55 system-ui, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: .2rem 0 .6rem; }
h2 { font-size: 1.15rem; margin: 2.6rem 0 .6rem; padding-top: .9rem; border-top: 1px solid var(--line); }
p { margin: .5rem 0; max-width: 48rem; }
.soft, figcaption { color: var(--soft); font-size: .9rem; }
.note { background: #fff6e5; border-left: 4px solid #e69f00; padding: .6rem .9rem; max-width: none; }
figure { margin: 1rem 0; overflow-x: auto; } img { width: 100%; min-width: 34rem; height: auto; }
figure.small img { width: 30rem; min-width: 0; } .prose { display: inline-block; max-width: 30rem; white-space: normal; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; margin: .6rem 0; min-width: 100%; }
th, td { padding: .32rem .55rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; } th.t, td.t { text-align: left; } tr.best td { background: #eaf4fb; font-weight: 600; }
.switch { float: right; font-size: .9rem; } .switch label { cursor: pointer; padding: .15rem .5rem; }
body:has(#en:checked) .zh, body:has(#zh:checked) .en { display: none; }
body:has(#en:checked) label[for=en], body:has(#zh:checked) label[for=zh] { background: var(--blue); color: #fff; }
.switch label { border-radius: 3px; }
input[name=language] { position: absolute; opacity: 0; }
@media print { .switch { display: none; } }
"""


def document(title: str, parts: Iterable[str]) -> bytes:
    """The page of these parts, each HTML."""
    switch = (
        "<div class=switch><input type=radio name=language id=en checked><label for=en>English</label>"
        "<input type=radio name=language id=zh><label for=zh>简体中文</label></div>"
    )
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>jingqi 景气 · {escape(title)}</title><style>{_STYLE}</style></head><body>"
    )
    return (head + switch + "\n".join(p for p in parts if p) + "</body></html>\n").encode()


def say(en: str, zh: str) -> str:
    return f'<span class="en" lang="en">{escape(en)}</span><span class="zh" lang="zh-Hans">{escape(zh)}</span>'


def heading(en: str, zh: str) -> str:
    return f"<h2>{say(en, zh)}</h2>"


def number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def grid(heads: Sequence[tuple[str, str]], rows: Sequence[tuple[Sequence[str], bool]], text: int) -> str:
    """``text`` columns on the left hold words; cells are HTML already."""
    place = [" class=t" if i < text else "" for i in range(len(heads))]
    top = "".join(f"<th{c}>{say(*h)}</th>" for c, h in zip(place, heads, strict=True))
    body = "".join(
        f"<tr{' class=best' if marked else ''}>"
        + "".join(f"<td{c}>{v}</td>" for c, v in zip(place, cells, strict=True))
        + "</tr>"
        for cells, marked in rows
    )
    return f"<div class=wide><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"


def figure(name: str, drawn: Mapping[str, Any], en: str, zh: str) -> str:
    english = drawn[f"figures/{name}-en.svg"]
    both = {"en": english, "zh": drawn.get(f"figures/{name}-zh.svg", english)}
    images = "".join(
        f'<img class="{language}" alt="{escape(said)}" src="data:image/svg+xml;base64,{base64.b64encode(svg).decode()}">'
        for (language, svg), said in zip(both.items(), (en, zh), strict=True)
    )
    small = ' class="small"' if name == "clock" else ""
    return f"<figure{small}>{images}<figcaption>{say(en, zh)}</figcaption></figure>"
