"""``jingqi nowcast``, ``index``, ``warning``, ``scorecard``, ``monitor``, ``publish``, ``serve``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.calendar import Period, parse_asof

if TYPE_CHECKING:
    from serving.board_schemas import BoardChange, UnitPage
    from serving.champions import Registry


@click.command()
@click.argument("target")
@click.option("--asof", metavar="D", help="Known at the end of that day. Without it: the newest release in the store.")
@click.option("--news-since", metavar="D", help="Also why the estimate moved since that day.")
@click.option("--period", "asked", metavar="P", multiple=True, help="2016-Q3; may be repeated.")
@click.option(
    "--suppose",
    "supposed",
    metavar="S",
    multiple=True,
    help="What if: indpro@US:2016-07=0.4, in the unit in which news tells the series; may be repeated.",
)
@click.option("--published", is_flag=True, help="What is supposed is given as the office publishes it.")
@click.option("--coming", "with_coming", is_flag=True, help="Also which coming release would narrow the estimate most.")
@click.option("--chart", metavar="FILE", help="With --coming: also draw it, FILE.svg, English and 简体中文.")
@click.option("--uncertainty", is_flag=True, help="Also where the width of the band comes from.")
@click.option(
    "--later",
    type=click.IntRange(0, 12),
    metavar="N",
    default=0,
    help="With --uncertainty: the truth is the value when N later periods have come out; 0: the first release.",
)
@click.option("--json", "as_json", is_flag=True, help="Print for machines: the body of the HTTP answer.")
def nowcast(
    target: str,
    asof: str | None,
    news_since: str | None,
    asked: tuple[str, ...],
    supposed: tuple[str, ...],
    published: bool,
    with_coming: bool,
    chart: str | None,
    uncertainty: bool,
    later: int,
    as_json: bool,
) -> None:
    """What the champion for TARGET says, as of any day: jingqi nowcast gdpc1@US --asof 2016-07-29."""
    from featurestore.connect import connect
    from serving import answer, wire
    from serving.coming import coming_releases, write_charts
    from serving.uncertainty import where_from
    from serving.whatif import Release, what_if

    if (published and not supposed) or (chart and not with_coming) or (later and not uncertainty):
        raise click.UsageError("--published goes with --suppose, --chart with --coming, and --later with --uncertainty")
    releases = [Release.parse(text, "published" if published else "analysed") for text in supposed]

    periods = [Period.parse(p) for p in asked] or None
    since = answer.possible(parse_asof(news_since)) if news_since else None
    with connect() as store:
        champions = _champions()
        day = answer.possible(parse_asof(asof)) if asof else answer.newest_for(store, champions, target)
        said = answer.nowcast(store, champions, target, day, periods)
        shown = [Period.parse(row.period) for row in said.estimates]
        why = [answer.news(store, champions, target, since, day, p) for p in shown] if since else []
        # nothing moves what is published: unless asked for, only what is still an estimate is opened
        still = shown if periods else [Period.parse(r.period) for r in said.estimates if r.status == "estimated"]
        ifs = [what_if(store, champions, target, releases, day, p) for p in still] if releases else []
        awaited = [coming_releases(store, champions, target, day, p) for p in still] if with_coming else []
        width = [where_from(store, champions, target, day, p, later) for p in still] if uncertainty else []
    drawn = write_charts(awaited, Path(chart)) if chart else []
    if as_json:
        more: dict[str, object] = {"news": why} if since else {}
        more |= ({"what_if": ifs} if releases else {}) | ({"coming": awaited} if with_coming else {})
        more |= {"uncertainty": width} if uncertainty else {}
        click.echo(wire.encode({"nowcast": said, **more} if more else said), nl=False)
        return
    from serving import tables, tables_news

    out = tables.console()
    tables.show_nowcast(out, said)
    for moved in why:
        tables.show_news(out, moved)
    for one in ifs:
        tables_news.show_what_if(out, one)
    for few in awaited:
        tables_news.show_coming(out, few)
    for parts in width:
        tables_news.show_uncertainty(out, parts)
    for file in drawn:
        out.print(f"drawn: {file}", style="dim")


def _reader(kind: str, about: str, *more: Callable[[click.Command], click.Command]) -> click.Command:
    """The command that reads a champion of one kind; ``more``: options that only this kind has."""

    @click.command(kind, help=about)
    @click.argument("target", metavar="ID")
    @click.option(
        "--asof", metavar="D", help="Known at the end of that day. Without it: the newest release in the store."
    )
    @click.option("--region", metavar="R", help="One region, firm or cell alone.")
    @click.option(
        "--months", type=click.IntRange(0, 2400), metavar="N",
        help="The newest N periods, 0 for the whole history. Without it 36 of an index, 24 of lights, 12 waves.",
    )  # fmt: skip
    @click.option(
        "--chart",
        metavar="FILE",
        help="Also write a page to explore, FILE.html, in English and 简体中文, or a picture, FILE.png or FILE.zh.png.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print for machines: the body of the HTTP answer.")
    def read(
        target: str,
        asof: str | None,
        region: str | None,
        months: int | None,
        chart: str | None,
        as_json: bool,
        since: str | None = None,
        period: str | None = None,
        proof: bool = False,
        alarms: bool = False,
        leads: bool = False,
        statistic: tuple[str, ...] = (),
    ) -> None:
        from featurestore.connect import connect
        from serving import answer, changes, drawn, evidence, proofs, readings, wire
        from serving.schemas import Readings

        asked = [f"--{n}" for n, on in (("proof", proof), ("since", since), ("alarms", alarms), ("leads", leads)) if on]
        if asked and (chart or months is not None):
            raise click.UsageError(f"--chart and --months go with readings, not with {asked[0]}")
        if len(asked) > 1:
            raise click.UsageError(f"{' or '.join(asked)}, one at a time")
        if statistic and not leads:
            raise click.UsageError("--statistic goes with --leads")
        if period and not (proof or since):
            raise click.UsageError("--period goes with " + ("--proof or --since" if kind == "warning" else "--since"))
        month = Period.parse(period) if period else None
        earlier = answer.possible(parse_asof(since)) if since else None
        with connect() as store:
            champions = _champions()
            day = answer.possible(parse_asof(asof)) if asof else answer.newest_for(store, champions, target, kind)
            said: wire.Table
            if proof:
                said = proofs.proof(store, champions, target, day, region, month)
            elif alarms:
                said = evidence.alarms(store, champions, target, day, region)
            elif leads:
                said = evidence.leads(store, champions, target, day, statistic, region)
            elif earlier:
                said = changes.changes(store, champions, kind, target, earlier, day, region, month)
            else:
                said = readings.readings(store, champions, kind, target, day, region, months)
        if chart and isinstance(said, Readings):
            drawn.write(said, Path(chart))
        if as_json:
            click.echo(wire.encode(said), nl=False)
            return
        from serving import evidence_tables, opened_tables, tables
        from serving.schemas_evidence import Alarms, Leads

        if isinstance(said, Alarms):
            evidence_tables.show_alarms(tables.console(), said)
        elif isinstance(said, Leads):
            evidence_tables.show_leads(tables.console(), said)
        elif isinstance(said, Readings):
            tables.show_readings(tables.console(), said, 12 if months is None else months)
        else:
            opened_tables.show(tables.console(), said)

    for option in more:
        read = option(read)
    return read


_since = click.option(
    "--since", metavar="D", help="Why it changed since that day: revisions, new data, factors, weights."
)
_period = click.option("--period", metavar="P", help="The month to open, 2024-03. Without it the newest of each day.")
_alarms = click.option(
    "--alarms", is_flag=True, help="The rules of its regions instead: which ring, with hits and false alarms."
)
_leads = click.option("--leads", is_flag=True, help="Which cells lead which statistics instead, with how many firms.")
_statistic = click.option(
    "--statistic", multiple=True, metavar="ID", help="A monthly series to be led; may be repeated."
)
_proof = click.option("--proof", is_flag=True, help="Thresholds, scores, what would flip the light, the rules before.")

index = _reader(
    "index", "A prosperity index as of any day: jingqi index coincident@US --asof 2016-07-29.", _period, _since
)
warning = _reader(
    "warning",
    "The five lights of regions, or the probability of a downturn: jingqi warning lights@SYN-33.",
    _period,
    _since,
    _alarms,
    _proof,
)
monitor = _reader("monitor", "Indices from what firms answered: jingqi monitor firms@SYN-33.", _statistic, _leads)


@click.command()
@click.argument("target", metavar="ID")
@click.option("--asof", metavar="D", help="Known at the end of that day. Without it: the newest release in the store.")
@click.option("--region", metavar="R", help="One region alone.")
@click.option(
    "--page", is_flag=True, help="The page of --region: strengths, weaknesses, peers, what would gain a place."
)
@click.option("--since", metavar="D", help="Why places changed since what was known at the end of that day.")
@click.option("--since-period", metavar="P", help="Since that period: 2023. Of the same day without --since.")
@click.option("--since-version", metavar="V", help="Since that version of the model.")
@click.option("--period", metavar="P", help="Of a page or a change: that period, not the newest.")
@click.option(
    "--chart", metavar="FILE", help="Also write a page that can be explored, FILE.html, English and 简体中文."
)
@click.option("--json", "as_json", is_flag=True, help="Print for machines: the body of the HTTP answer.")
def scorecard(
    target: str,
    asof: str | None,
    region: str | None,
    page: bool,
    since: str | None,
    since_period: str | None,
    since_version: str | None,
    period: str | None,
    chart: str | None,
    as_json: bool,
) -> None:
    """Regions scored and ranked, with intervals: jingqi scorecard quality@SYN-33. Why places changed: --since 2024-09-30."""
    from featurestore.connect import connect
    from serving import answer, board_pages, board_tables, boards, drawn, readings, tables, wire
    from serving.schemas import Readings

    changed = any((since, since_period, since_version))
    if page and (changed or region is None):
        raise click.UsageError("--page is of one unit, named with --region, and not of a change")
    if period and not (page or changed):
        raise click.UsageError("--period goes with --page or with --since")
    of, before = (Period.parse(p) if p else None for p in (period, since_period))
    day_before = answer.possible(parse_asof(since)) if since else None
    with connect() as store:
        champions = _champions()
        day = answer.possible(parse_asof(asof)) if asof else answer.newest_for(store, champions, target, "scorecard")
        said: Readings | BoardChange | UnitPage
        if page and region is not None:
            said = boards.unit_page(store, champions, target, region, day, of)
        elif changed:
            which = boards.Asked(day_before, of, before, since_version, region)
            said = boards.changes(store, champions, target, day, which)
        else:
            said = readings.readings(store, champions, "scorecard", target, day, region)
    if chart and isinstance(said, Readings):
        drawn.write(said, Path(chart))
    elif chart and not isinstance(said, Readings):
        board_pages.write(said, Path(chart))
    if as_json:
        click.echo(wire.encode(said), nl=False)
    elif isinstance(said, Readings):
        tables.show_readings(tables.console(), said)
    else:
        board_tables.show(tables.console(), said)


@click.command()
@click.option("--asof", metavar="D", help="That day alone. Without it: every day of a release not yet published.")
def publish(asof: str | None) -> None:
    """Score the champions and write scores and news to the store. Twice changes nothing."""
    from featurestore.connect import connect
    from serving import answer, tables
    from serving.publish import publish as run

    day = answer.possible(parse_asof(asof)) if asof else None
    out = tables.console()
    with connect() as store, out.status("") as status:
        done = run(store, _champions(), day, progress=status.update)
    tables.show_published(out, done)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 to be reached from elsewhere.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
def serve(host: str, port: int) -> None:
    """The HTTP service and its dashboard, until interrupted."""
    import threading

    import uvicorn

    from engine.errors import NotReady
    from engine.settings import settings
    from featurestore.connect import connect
    from serving.app import create_app

    champions = _champions()

    def warm() -> None:  # loading MLflow takes a second or two that the first asker need not wait for
        try:
            champions.all()
        except NotReady as problem:
            click.echo(f"not ready yet: {problem}", err=True)

    with connect() as store:
        threading.Thread(target=warm, daemon=True).start()
        click.echo(f"jingqi 景气: http://{host}:{port}/  (API under /v1, described in /openapi.json)", err=True)
        uvicorn.run(create_app(store, champions, settings()), host=host, port=port, log_level="warning")


def _champions() -> Registry:
    from engine.settings import settings
    from serving.champions import Registry

    return Registry(settings().tracking_uri)
