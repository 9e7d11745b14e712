"""Readings as one HTML page that is complete in itself: charts that read out what is pointed at, in English and Chinese.

Nothing is loaded from elsewhere and no script comes from data: the page forbids both to its reader's browser. Values stand in
tables beneath the charts, exact in ``data`` elements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

import polars as pl

from engine import interactive_charts as drawing
from engine import interactive_page as html
from engine import reading_views as views
from engine.calendar import Period
from engine.charts import Language
from engine.errors import BadInput
from engine.interactive_charts import Bar
from engine.interactive_record import beside
from engine.interactive_svg import Say, both, pair
from engine.lights import Light

_INDEX = ("index", "指数")
_CHANCE = ("probability", "概率")
_FLOOR = ("base", "trend")
"""Parts of a level that would dwarf what moves it: in the table alone."""
_WHOLE = ("whole", "综合")
_PERIOD = ("period", "时期")
_CELLS = {"": ("Regions", "地区"), "industry": ("Industries", "行业"), "size": ("Sizes of firms", "企业规模")}


def page(
    readings: pl.DataFrame,
    title_en: str,
    title_zh: str,
    names: Mapping[str, Say],
    kind: str,
    downturns: Sequence[tuple[Period, Period]] = (),
    synthetic: bool = False,
    language: Language = "en",
) -> bytes:
    """The page of READINGS of one information date, in UTF-8. The reader may change ``language``.

    names: English and Chinese of units, items, components and nodes. kind: index, warning, scorecard or monitor. downturns:
    peak and trough of a chronology, shaded. Raises BadInput for another kind, or readings that hold nothing of theirs.
    """
    told = _Told(readings, (title_en, title_zh), names, tuple(downturns), synthetic)
    sections: dict[str, Callable[[], list[str]]] = {
        "index": told.indices, "warning": told.warnings, "scorecard": told.scorecard, "monitor": told.monitor,
    }  # fmt: skip
    if kind not in sections:
        raise BadInput(f"a page shows {', '.join(sections)}, not {kind!r}")
    periods = sorted(readings["period"].unique())
    when = periods[0] if len(periods) == 1 else f"{periods[0]} … {periods[-1]}"
    return html.document((title_en, title_zh), when, sections[kind](), synthetic, language)


class _Told:
    """The readings of a page, and its sections as HTML."""

    def __init__(self, readings: pl.DataFrame, title: Say, names: Mapping[str, Say],
                 downturns: tuple[tuple[Period, Period], ...], synthetic: bool) -> None:  # fmt: skip
        self.readings, self.title, self.names, self.synthetic = readings, title, names, synthetic
        self.downturns = downturns

    def name(self, code: str) -> Say:
        """What a code is called; itself where it has no name."""
        en, zh = self.names.get(code, ("", ""))
        return en or zh or code, zh or en or code

    def of(self, unit: str) -> pl.DataFrame:
        return self.readings.filter(pl.col("unit") == unit)

    def indices(self) -> list[str]:
        """Each unit's index, cycle clock and contributions, the first unfolded."""
        units = views.units(self.readings)
        return [self._unit(u, self._index(u), k == 0) for k, u in enumerate(units)]

    def warnings(self) -> list[str]:
        """Lights of all units; then each unit's items, index and contributions. Probabilities are shown as indices are."""
        if not (self.readings["level"] == "light").any():
            return self.indices()
        grid = views.lamps(self.readings)
        parts = []
        if len(grid.rows) > 1:
            said = ("Lights by region", "各地区灯号")
            names = [self.name(r) for r in grid.rows]
            index = _values(self.readings.filter(pl.col("name") == ""), "index", "unit", "period")
            parts = [html.heading(said), drawing.lamps(grid, names, said, index, True, self.synthetic)]
            parts.append(_lights_table(grid, names))
        for k, unit in enumerate(grid.rows):
            parts.append(self._unit(unit, [*self._items(unit), *self._index(unit)], k == 0))
        return [_legend(), *parts]

    def scorecard(self) -> list[str]:
        """The board, then each unit's nodes and what its indicators add."""
        rows = views.places(self.readings)
        names = [self.name(r.unit) for r in rows]
        said = ("Place; bar: 90 % of the places over all choices drawn", "位次；横线：各种方法选择下 90% 的位次")
        newest = self.readings.filter(pl.col("period") == self.readings["period"].max())
        nodes = newest.filter(pl.col("level") == "node")
        heads = [("unit", "单位"), ("place", "位次"), ("from", "最高"), ("to", "最低"), ("score", "得分")]
        order = nodes["name"].unique(maintain_order=True).to_list()
        value = _values(nodes, "node", "unit", "name")
        table = html.table(
            [*heads, *map(self.name, order)],
            [
                [both(n), html.exact(r.rank, 0), html.exact(r.low, 0), html.exact(r.high, 0), html.exact(r.score)]
                + [html.exact(value.get((r.unit, o))) for o in order]
                for n, r in zip(names, rows, strict=True)
            ],
        )
        parts = [html.heading(said), drawing.board(rows, names, said, self.synthetic), table]
        for k, row in enumerate(rows):
            bars = [
                Bar(self.name(o), value[row.unit, o], more=(pair(("place", "位次"), _place(value, row.unit, o)),))
                for o in order
                if (row.unit, o) in value
            ]
            charts = [drawing.bars(bars, ("Scores of the nodes", "各级指标得分"), self.synthetic, 1)] if bars else []
            parts.append(
                self._unit(row.unit, [*charts, *self._parts(newest.filter(pl.col("unit") == row.unit))], k == 0)
            )
        return parts

    def monitor(self) -> list[str]:
        """The indices of the whole through time, then the newest period by region, industry and size."""
        whole = views.units(self.readings)[0]
        parts = [html.heading(self.name(whole)), *self._index(whole)]
        newest = self.readings.filter(pl.col("period") == self.readings["period"].max(), pl.col("unit") != whole)
        for name in newest.filter(pl.col("level") == "index")["name"].unique(maintain_order=True):
            own = newest.filter(pl.col("name") == name)
            value = {level: _values(own, level, "unit") for level in ("index", "q100", "q900", "firms")}
            charts = []
            for group, said in _CELLS.items():
                cells = [u for u in views.units(own) if (u.partition(":")[0] if ":" in u else "") == group]
                bars = [
                    Bar(self.name(u), value["index"][key], value["q100"].get(key), value["q900"].get(key),
                        tuple(pair(("firms", "企业数"), f"{value[c][key]:.0f}") for c in ("firms",) if key in value[c]))
                    for u in cells if (key := (u,)) in value["index"]
                ]  # fmt: skip
                if bars:
                    charts += [f"<h3>{both(said)}</h3>", drawing.intervals(bars, said, self.synthetic)]
            parts.append(_folded(f"cells-{name}", self.name(name) if name else _INDEX, charts, len(parts) < 4))
        return parts

    def _unit(self, unit: str, parts: Sequence[str], unfolded: bool) -> str:
        return _folded(drawing.anchor(unit), self.name(unit), parts, unfolded)

    def _index(self, unit: str) -> list[str]:
        own, parts = self.of(unit), []
        if not (own["level"] == "index").any():
            return []
        light = _values(own.filter(pl.col("name") == ""), "light", "period")
        for course in views.courses(own):
            label = self.name(course.name) if course.name else _CHANCE if course.is_chance else _INDEX
            lit = [Light(int(light[p,])) if (p,) in light and not course.name else None for p in course.periods]
            parts += [f"<h3>{both(label)}</h3>", drawing.course(course, label, self.downturns, lit, self.synthetic)]
            parts.append(_index_table(course))
            if len(course.periods) >= 24 and not course.name and not light and not course.is_chance:
                said = ("Cycle clock", "周期时钟")
                parts += [f"<h3>{both(said)}</h3>", drawing.clock(course, said, self.synthetic)]
        return [*parts, *beside(own, unit), *self._parts(own)]

    def _items(self, unit: str) -> list[str]:
        grid, said = views.lamps(self.readings, unit), ("Lights by item", "各指标灯号")
        names = [self.name(r) if r else _WHOLE for r in grid.rows]
        whole = self.of(unit).filter(pl.col("name") == "")
        index: dict[tuple[str, ...], float] = {("", *k): v for k, v in _values(whole, "index", "period").items()}
        return [f"<h3>{both(said)}</h3>", drawing.lamps(grid, names, said, index, False, self.synthetic),
                _lights_table(grid, names)]  # fmt: skip

    def _parts(self, own: pl.DataFrame) -> list[str]:
        """What each component adds in the newest period that says so, the largest first."""
        parts = own.filter(pl.col("level") == "part")
        if parts.is_empty():
            return []
        last = parts.filter(pl.col("period") == parts["period"].max()).sort(pl.col("value").abs(), descending=True)
        bars = [Bar(self.name(n), v) for n, v in last.select("name", "value").iter_rows() if n not in _FLOOR]
        said = f"What adds up to it, {last['period'][0]}", f"构成（{last['period'][0]}）"
        table = html.table(
            [("component", "组成"), ("adds", "贡献")],
            [[both(self.name(n)), html.exact(v)] for n, v in last.select("name", "value").iter_rows()],
        )
        return [f"<h3>{both(said)}</h3>", drawing.bars(bars, said, self.synthetic), table]


def _values(own: pl.DataFrame, level: str, *keys: str) -> dict[tuple[str, ...], float]:
    """``keys -> value`` of one level."""
    wanted = own.filter(pl.col("level") == level).select(*keys, "value")
    return {tuple(row[:-1]): row[-1] for row in wanted.iter_rows()}


def _place(value: Mapping[tuple[str, ...], float], unit: str, node: str) -> str:
    """``3 / 11``: the place of a unit at a node."""
    all_units = [v for (_, n), v in value.items() if n == node]
    return f"{1 + sum(v > value[unit, node] for v in all_units)} / {len(all_units)}"


def _index_table(course: views.Course) -> str:
    turns = {t.row: t for t in course.turns.all}
    heads, columns = [_PERIOD, _INDEX], []
    for percent in sorted(course.bands):
        heads += [(f"{percent} %, from", f"{percent}%，下限"), ("to", "上限")]
        columns += list(course.bands[percent])
    rows = []
    for k, period in enumerate(course.periods):
        turn = turns.get(k)
        said = "" if turn is None else both(_joined(drawing.TURN[turn.kind], drawing.STATE[turn.confirmed]))
        rows.append([escape(period), html.exact(course.index[k]), *(html.exact(c[k]) for c in columns), said])
    return html.table([*heads, ("turn", "拐点")], rows[::-1])


def _lights_table(grid: views.Lamps, names: Sequence[Say]) -> str:
    rows = []
    for row, name in zip(grid.rows, names, strict=True):
        cells = []
        for period in grid.periods:
            light, said = grid.light.get((row, period)), grid.mark.get((row, period))
            words = [(f"{light.symbol} {light.en}", f"{light.symbol} {light.zh}")] if light else []
            words += [(said.en, said.zh)] if said else []
            cells.append(both(_joined(*words)) if words else "")
        rows.append([both(name), *cells])
    return html.table([("", ""), *((p, p) for p in grid.periods)], rows)


def _joined(*said: Say) -> Say:
    return ", ".join(s[0] for s in said), "，".join(s[1] for s in said)


def _legend() -> str:
    said = [(f"{v.symbol} {v.en}: {v.meaning_en}", f"{v.symbol} {v.zh}：{v.meaning_zh}") for v in reversed(Light)]
    said.append(("pale: carried or estimated, not the month's own figure", "浅色：沿用或估算，非当月实际数据"))
    return '<p class="soft">' + " · ".join(map(both, said)) + "</p>"


def _folded(anchor: str, said: Say, parts: Sequence[str], unfolded: bool) -> str:
    return f'<details id="{escape(anchor)}"{" open" if unfolded else ""}><summary>{both(said)}</summary>{"".join(parts)}</details>'
