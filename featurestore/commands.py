"""``jingqi data`` and ``jingqi db``."""

from __future__ import annotations

import getpass
import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.calendar import Freq, Period, known_day, parse_asof
from engine.errors import BadInput, Unknown

if TYPE_CHECKING:
    import polars as pl

    from engine.indicator import Series
    from featurestore.answers import Told
    from featurestore.store import Store

_NOTES, _RELEASES = 5, 30
"""More notes than that are counted; more releases are summed up by name."""

_JSON = click.option("--json", "as_json", is_flag=True, help="Print for machines.")
_ASOF = click.option("--asof", metavar="DATE", help="As known at the end of that day; without it, as known now.")


@click.group()
def data() -> None:
    """Ingest, show and trace what was published."""


@data.command()
@click.argument(
    "source",
    type=click.Choice(
        ["nyfed", "province", "csv", "xlsx", "office", "sdmx", "alfred", "answers", "vintages", "fredmd", "rtdsm"]
    ),
)
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    help="TOML file that says what stands where in PATH (docs/sources.md).",
)
@click.option("--seed", type=click.IntRange(0), help="Of the province: another economy.")
@click.option("--faults", is_flag=True, help="Of the province: with seven mistakes planted in what is published.")
@click.option("--accept", multiple=True, metavar="FINDING", help="Store in spite of this finding of the review.")
@click.option("--because", metavar="REASON", help="Why what --accept names is right; it is kept.")
@click.option("--by", metavar="WHO", help="Who accepts it; without it, who is logged in.")
@_JSON
def ingest(
    source: str,
    path: Path | None,
    mapping: Path | None,
    seed: int | None,
    faults: bool,
    accept: tuple[str, ...],
    because: str | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Bring the releases of SOURCE into the store: only new or changed values; the same file twice changes nothing.

    nyfed: two real vintages (2016-06-29, 2016-07-29) of 29 US series. province: a synthetic
    province and its 11 cities, 2008 to 2025, not real. Others read PATH by --mapping. csv, xlsx:
    a plain table; office: Excel as offices send it; sdmx: SDMX-CSV or SDMX-JSON messages;
    alfred: recorded answers of FRED and ALFRED with their vintages; vintages: a table of vintages in
    delta code, of any country; answers: CSV, what single firms answered in surveys (the province has
    its own). Without a mapping: fredmd, a folder of vintages of FRED-MD, and rtdsm, US real output by
    the Philadelphia Fed's vintages.

    A value a thousand or ten thousand times its own history, or a stock that jumps, stops the load before
    anything is stored, until somebody has looked: --accept FINDING --because REASON.
    """
    if bool(accept) != bool(because and because.strip()):
        raise click.UsageError("--accept and --because belong together: what is accepted, and why")
    from featurestore import display
    from featurestore.connect import connect
    from featurestore.ingest import NOTHING, Acceptance, read, survey
    from featurestore.ingest import ingest as append

    loads = read(source, path, mapping, faults=faults, seed=seed)
    answered = survey(source, path, mapping, faults=faults, seed=seed)
    options = {"--mapping": mapping, "--seed": seed, "--faults": "" if faults else None}
    again = ["jingqi data ingest", source, *([shlex.quote(str(path))] if path else [])]
    again += [f"{k} {shlex.quote(str(v)) if v != '' else ''}".strip() for k, v in options.items() if v is not None]
    accepted = Acceptance(accept, because or "", by or getpass.getuser()) if accept else NOTHING
    notes: list[str] = []
    with connect() as store, _busy(f"{len(loads):,} releases"):
        done = [
            {
                "release": f"{load.release.source} {load.release.code}",
                "known": known_day(load.release.known_at).isoformat(),
                "series": len(load.series),
                "rows": got.rows,
                "new": got.new,
                "revised": got.revised,
                "same": got.same,
                "repeated": got.repeated,
            }
            for load, got in append(
                store, loads, accepted, lambda d: notes.append(f"{d} ({d.explained})"), " ".join(again)
            )
        ]
        if answered is not None:
            done.append(_survey(answered, store.tell(answered)))
    for said in notes[:_NOTES]:
        click.echo(f"note: {said}", err=True)
    if len(notes) > _NOTES:
        click.echo(f"note: and {len(notes) - _NOTES} more", err=True)
    if as_json:
        click.echo(json.dumps(done))
    else:
        display.table(done if len(done) <= _RELEASES else _summed(done))


def _survey(answered: pl.DataFrame, told: Told) -> dict[str, Any]:
    """What came in of a survey, as if it were one release."""
    return {
        "release": f"{answered['source'][0]} answers",
        "known": known_day(answered["known_at"].max()).isoformat(),  # type: ignore[arg-type]
        "series": answered["question"].n_unique(),
        "rows": told.rows,
        "new": told.new,
        "revised": 0,
        "same": told.rows - told.new,
        "repeated": not told.new,
    }


def _summed(done: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line for all releases of a name."""
    found: dict[str, dict[str, Any]] = {}
    for one in done:
        line = found.setdefault(
            one["release"], {"release": one["release"], "releases": 0, "first": one["known"], "last": one["known"]}
        )
        line["releases"] += 1
        line["first"], line["last"] = min(line["first"], one["known"]), max(line["last"], one["known"])
        for count in ("rows", "new", "revised", "same", "repeated"):
            line[count] = line.get(count, 0) + int(one[count])
    return [found[name] for name in sorted(found)]


@contextmanager
def _busy(doing: str) -> Iterator[None]:
    """A sign of life on a terminal."""
    if sys.stderr.isatty():
        from rich.console import Console

        with Console(stderr=True).status(doing):
            yield
    else:
        yield


@data.command()
@click.argument("series_id", metavar="ID")
@_ASOF
@click.option(
    "--trace", "traced", metavar="PERIOD", help="Where the value of one period comes from, or why it is empty."
)
@_JSON
def show(series_id: str, asof: str | None, traced: str | None, as_json: bool) -> None:
    """The values of series ID as known on a day: published, analysed, and since when they are known.

    ID may be a feature, as in retail_total_ytd.yoy@SYN-33 (jingqi data catalogue --features).
    """
    if traced:
        _trace(series_id, traced, _instant(asof), as_json)
        return
    from featurestore import display
    from featurestore.connect import connect
    from featurestore.features import is_feature
    from featurestore.panel import own_values

    at = _instant(asof)
    if is_feature(series_id):
        _show_feature(series_id, at, as_json)
        return
    with connect() as store:
        series, frame = own_values(store, series_id, at)
    lines = [
        {"period": str(Period(series.freq, p)), "value": v, "analysed": a, "known": known_day(k).isoformat()}
        for p, v, a, k in frame.iter_rows()
    ]
    facts = {"id": series_id, "asof": known_day(at).isoformat(), **display.meaning(series)}
    if as_json:
        click.echo(json.dumps(facts | {"values": lines}, ensure_ascii=False))
    else:
        display.table(lines, display.title(series))


def _show_feature(feature_id: str, at: datetime, as_json: bool) -> None:
    from featurestore import display
    from featurestore.connect import connect
    from featurestore.panel import feature_values

    with connect() as store:
        series, frame = feature_values(store, feature_id, at)
    said = display.flags if as_json else display.flag_text
    lines = [
        {"period": str(Period(series.freq, p)), "value": v, "flags": said(f), "known": known_day(k).isoformat()}
        for p, v, f, k in frame.iter_rows()
    ]
    facts = {"id": feature_id, "asof": known_day(at).isoformat(), **display.meaning(series)}
    if as_json:
        click.echo(json.dumps(facts | {"values": lines}, ensure_ascii=False))
    else:
        display.table(lines, f"{display.title(series)}\n{display.made(series)}")


def _trace(series_id: str, text: str, at: datetime, as_json: bool) -> None:
    from featurestore import display
    from featurestore.connect import connect
    from featurestore.panel import plan_of
    from featurestore.trace import trace

    with connect() as store:
        found = trace(store, series_id, Period.parse(text), at)
        (series,) = plan_of(store, [series_id]).series
    lines = [
        row
        | {
            "known_at": known_day(row["known_at"]).isoformat(),
            "recorded_at": row["recorded_at"].isoformat(timespec="seconds"),
        }
        for row in found.sources.iter_rows(named=True)
    ]
    if as_json:
        facts = {"id": series_id, "period": text, "asof": known_day(at).isoformat(), "step": found.step}
        said = {"analysed": found.value, "reason": found.reason, "flags": display.flags(found.flags), "sources": lines}
        click.echo(json.dumps(facts | said | ({"note": found.note} if found.note else {}), ensure_ascii=False))
        return
    display.table(lines, display.title(series))
    value = f"empty: {found.reason}" if found.reason else f"{found.value:.10g}"
    careful = "; ".join(said for said in (display.flag_text(found.flags), found.note) if said)
    click.echo(f"{found.period}, {found.step}: {value}" + (f" ({careful})" if careful else ""))


@data.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@_ASOF
@click.option(
    "--departments", "by_department", is_flag=True, help="How each department delivered, instead of the findings."
)
@click.option("--overrides", "overridden", is_flag=True, help="What was stored in spite of a finding: who, when, why.")
@click.option("--score", "scored", is_flag=True, help="Precision and recall on the faults planted in the province.")
@_JSON
def check(
    ids: tuple[str, ...], asof: str | None, by_department: bool, overridden: bool, scored: bool, as_json: bool
) -> None:
    """What is wrong with the figures known on a day, or may be: errors first. Without ID: all series."""
    if by_department + overridden + scored > 1:
        raise click.UsageError("--departments, --overrides and --score are three questions: ask one")
    if scored:
        _score(asof, as_json)
        return
    if overridden:
        _overrides(ids, _instant(asof), as_json)
        return
    from featurestore import display, quality
    from featurestore.connect import connect

    at = _instant(asof)
    with connect() as store:
        frame = (quality.departments if by_department else quality.check)(store, at, ids or None)
    rows = frame.to_dicts()
    if as_json:
        click.echo(json.dumps({"asof": known_day(at).isoformat(), "rows": rows}, ensure_ascii=False))
        return
    if by_department:
        shares = ("delivered", "on_time", "corrected")
        rows = [
            {"department": r["agency"], "部门": r["agency_zh"], "series": r["series"], "expected": r["expected"]}
            | {k: None if r[k] is None else f"{r[k]:.1%}" for k in shares}
            | {"": display.marked("", r["is_synthetic"])}
            for r in rows
        ]
    else:
        rows = [
            {k: r[k] for k in ("severity", "rule", "series")}
            | {"name": display.marked(r["name_zh"], r["is_synthetic"])}
            | {k: r[k] for k in ("period", "says", "do")}
            for r in rows
        ]
    display.table(rows)
    if not rows:
        click.echo("nothing found")


def _score(asof: str | None, as_json: bool) -> None:
    from engine.indicator import is_synthetic
    from featurestore import display, quality
    from featurestore.connect import connect
    from featurestore.sources.province import score as of

    at = _instant(asof) if asof else of.ENDS
    with connect() as store:
        key = of.answer_key(store.releases(), at)
        found = quality.check(store, at, [i for i in store.series() if is_synthetic(i)])
    table, missed, wrong = of.score(found, key)
    missing = [row | {"known": row["known"].isoformat()} for row in missed.to_dicts()]
    if as_json:
        said = {"score": table.to_dicts(), "missed": missing, "wrong": wrong.to_dicts()}
        click.echo(json.dumps({"asof": known_day(at).isoformat(), **said}, ensure_ascii=False))
        return
    shares = ("recall", "precision")
    lines = [
        r | {k: "" if r[k] is None else f"{r[k]:.0%}" for k in shares} for r in table.drop("is_synthetic").to_dicts()
    ]
    display.table(lines, f"known at the end of {known_day(at)} {display.MARK}")
    for title, rows in (("missed", missing), ("flagged, though nobody planted it", wrong.to_dicts())):
        for row in rows:
            click.echo(f"{title}: {row.get('fault') or row['rule']} {row['series']} {row['period']}")


def _overrides(ids: tuple[str, ...], at: datetime, as_json: bool) -> None:
    from featurestore import display
    from featurestore.connect import connect

    with connect() as store:
        frame = store.overrides()
    rows = [
        row
        | {
            "accepted_at": row["accepted_at"].isoformat(timespec="seconds"),
            "known_at": known_day(row["known_at"]).isoformat(),
        }
        for row in frame.iter_rows(named=True)
        if row["known_at"] <= at and (not ids or row["finding"].split(":")[1] in ids)
    ]
    if as_json:
        click.echo(json.dumps({"asof": known_day(at).isoformat(), "rows": rows}, ensure_ascii=False))
        return
    lines = [
        {k: r[k] for k in ("finding", "value", "expected", "because", "accepted_by", "accepted_at")}
        | {"release": f"{r['release'] or ''} {r['source']} {r['code']}".strip(), "known": r["known_at"]}
        for r in rows
    ]
    display.table(lines)
    if not lines:
        click.echo("nothing was accepted")


@data.command()
@click.argument("series_id", metavar="ID")
@click.option("--period", "period_text", metavar="PERIOD", help="One period only, as in 2016-Q1.")
@_JSON
def revisions(series_id: str, period_text: str | None, as_json: bool) -> None:
    """How the values of series ID were revised: each release of each period, the first and the latest marked."""
    from featurestore import display
    from featurestore.connect import connect

    with connect() as store:
        history = store.history([series_id])
        series = store.series()[series_id]
    chosen = _period(period_text, series.freq) if period_text else None
    lines = _revisions(history, series, chosen)
    if chosen and not lines:
        raise Unknown(f"{series_id} has no value for {chosen}")
    if as_json:
        facts = {"id": series_id, **display.meaning(series)}
        click.echo(json.dumps(facts | {"releases": lines}, ensure_ascii=False))
    else:
        display.table(lines, display.title(series))


def _revisions(history: pl.DataFrame, series: Series, chosen: Period | None) -> list[dict[str, Any]]:
    """One line a release of a value; without a chosen period only of values that were revised."""
    import polars as pl

    of = pl.len().over("period")
    keep = (pl.col("period") == chosen.ordinal) if chosen else (of > 1)
    first = pl.col("value").first().over("period")
    columns = ["period", "nth", "of", "value", "status", "change", "known_at", "recorded_at"]
    rows = history.with_columns(of=of, change=pl.col("value") - first).filter(keep).select(columns)
    return [
        {
            "period": str(Period(series.freq, period)),
            "release": nth,
            "which": "first" if nth == 1 else "latest" if nth == of_ else "",
            "value": value,
            "status": status,
            "since first": change,
            "known": known_day(known).isoformat(),
            "recorded": recorded.isoformat(timespec="seconds"),
        }
        for period, nth, of_, value, status, change, known, recorded in rows.iter_rows()
    ]


@data.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@_ASOF
@click.option("--last", default=12, show_default=True, help="Months to print; 0 for all. --json always prints all.")
@_JSON
def panel(ids: tuple[str, ...], asof: str | None, last: int, as_json: bool) -> None:
    """Analysed values of many series, month by month, as known on a day. Without ID: all series that have a value.

    Features may stand among the IDs; each then tells its recipe, version and hash.
    """
    from engine.panel import AXIS
    from featurestore import display
    from featurestore.connect import connect
    from featurestore.panel import build_panel

    at = _instant(asof)
    with connect() as store:
        built = build_panel(store, ids or _monthly(store), at)
    months = [str(Period(Freq.M, m)) for m in built.frame[AXIS]]
    digest, newest = built.digest(), built.newest
    if as_json:
        facts = {"asof": built.day, "timing": built.timing, "digest": digest, "newest": newest and newest.isoformat()}
        values = {i: built.frame[i].to_list() for i in built.ids}
        made = {s.id: asdict(s.made) for s in built.series if s.made}
        flags = {i: [display.flags(int(f)) for f in built.flags_of([i])[:, 0]] for i in made}
        told: dict[str, object] = {"made": made, "flags": flags} if made else {}
        told["is_synthetic"] = {s.id: s.is_synthetic for s in built.series}
        click.echo(json.dumps({**facts, "months": months, "series": values, **told}, ensure_ascii=False))
        return
    tail = slice(-last, None) if last > 0 else slice(None)
    lines = [
        {"id": s.id, "name": display.name(s), "unit": s.indicator.unit_analysed}
        | dict(zip(months[tail], built.frame[s.id][tail].to_list(), strict=True))
        for s in built.series
    ]
    display.table(lines, f"known at the end of {built.day}; digest {digest[:12]}")
    if recipes := [
        {"id": s.id, "recipe": s.made.recipe, "version": s.made.version, "hash": s.made.hash[:12], "note": s.made.note}
        for s in built.series
        if s.made
    ]:
        click.echo()
        display.table(recipes)


def _monthly(store: Store) -> tuple[str, ...]:
    ids = tuple(i for i, s in store.series().items() if s.freq in (Freq.M, Freq.Q))
    if not ids:
        raise Unknown("the store is empty (jingqi data ingest nyfed)")
    return ids


@data.command()
@click.option("--module", help="Only this module: its English or Chinese name, or its number in the plan.")
@click.option(
    "--features", "made", is_flag=True, help="What is made of the indicators and how, instead of the indicators."
)
@_JSON
def catalogue(module: str | None, made: bool, as_json: bool) -> None:
    """What may be measured, where, and what it means, module by module. A series id is ID@REGION."""
    from featurestore import display
    from featurestore.catalogue import load, overview

    known = load()
    modules = [known.module(module)] if module is not None else list(known.modules.values())
    if as_json:
        facts = overview.features if made else overview.facts
        click.echo(json.dumps([line for m in modules for line in facts(known, m)], ensure_ascii=False))
        return
    for m in modules:
        if lines := (overview.features if made else overview.lines)(known, m):
            display.table(lines, overview.heading(m))
            click.echo()


@data.command()
@click.option("--xlsx", metavar="FILE", type=click.Path(path_type=Path), help="Write both lists to this Excel file.")
@_JSON
def interfaces(xlsx: Path | None, as_json: bool) -> None:
    """The lists of data needs and of data interfaces: what departments deliver, until when, and through what.

    Printed in Chinese; --json and --xlsx have them in Chinese and English.
    """
    from featurestore import display
    from featurestore.catalogue import lists, load

    both = {"needs": lists.needs(load()), "interfaces": lists.interfaces(load())}
    if xlsx:
        from featurestore.workbook import Sheet, write

        write(xlsx, [Sheet(lists.TITLES[name], lists.COLUMNS, lines) for name, lines in both.items()])
    if as_json:
        click.echo(json.dumps(both, ensure_ascii=False))
        return
    for name, lines in both.items():
        chinese = [{lists.COLUMNS[k]: v for k, v in line.items() if not k.endswith("_en")} for line in lines]
        display.table(chinese, f"{lists.TITLES[name]} ({len(lines)})")


@click.group()
def db() -> None:
    """The database: upgrade, status."""


@db.command()
def upgrade() -> None:
    """Apply the migrations that the database lacks."""
    from featurestore import connect, migrations

    conninfo, _ = connect.where()
    with connect.link(conninfo) as c:
        done = migrations.upgrade(c)
    click.echo(f"applied {', '.join(done)}" if done else "nothing to apply")


@db.command()
@_JSON
def status(as_json: bool) -> None:
    """Which server, which migrations, tables in chunks, roles, how much is stored."""
    from featurestore import connect
    from featurestore import status as of

    conninfo, embedded = connect.where()
    with connect.link(conninfo) as c:
        found = of.facts(c, "embedded" if embedded else "JINGQI_DATABASE_URL")
    click.echo(json.dumps(found) if as_json else of.text(found))


def _instant(asof: str | None) -> datetime:
    return parse_asof(asof) if asof else datetime.now(UTC)


def _period(text: str, freq: Freq) -> Period:
    period = Period.parse(text)
    if period.freq is not freq:
        raise BadInput(f"{text} is not a period of frequency {freq}")
    return period
