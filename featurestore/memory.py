"""The store as a list: remembers every release whole and answers by sorting. The fake for tests, and the meaning."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from threading import Lock

import polars as pl

from engine import reading
from engine.errors import BadInput
from engine.indicator import Series
from featurestore import answers as firms
from featurestore import rows
from featurestore.answers import Told
from featurestore.sources import Load
from featurestore.store import HISTORY, OVERRIDES, PUBLISHED, RELEASES, SCORES, Override, Receipt, Release, ScoreRun


class MemoryStore:
    """Keeps the promise of :class:`featurestore.store.Store`; forgotten with the process."""

    def __init__(self) -> None:
        self._said = [pl.DataFrame(schema=HISTORY).drop("nth")]
        self._words: dict[tuple[str, int], list[tuple[datetime, int, float | None, str]]] = {}  # of each value, by time
        self._series: dict[str, Series] = {}
        self._releases: dict[tuple[str, str, datetime, bytes], Receipt] = {}
        self._events: list[dict[str, object]] = []
        self._runs: dict[ScoreRun, pl.DataFrame] = {}
        self._told: dict[ScoreRun, pl.DataFrame] = {}
        self._overrides: dict[tuple[str, str, str, datetime, bytes], tuple[Override, datetime]] = {}
        self._waves: dict[tuple[str, str, int], list[pl.DataFrame]] = {}
        self._clock = datetime(1970, 1, 1, tzinfo=UTC)
        self._one_writer = Lock()

    def _now(self) -> datetime:
        """The time, never twice the same."""
        self._clock = max(datetime.now(UTC), self._clock + timedelta(microseconds=1))
        return self._clock

    def append(self, release: Release, values: pl.DataFrame, series: Sequence[Series]) -> Receipt:
        return self.append_all([Load(release, values, tuple(series))])[0]

    def append_all(self, loads: Sequence[Load]) -> tuple[Receipt, ...]:
        if not loads:
            return ()
        place, arrived, values = rows.arrive(loads)
        parts = values.partition_by("load", include_key=False)
        with self._one_writer:
            known = dict(self._series)
            for s in (s for load in arrived for s in load.series):
                if known.setdefault(s.id, s).freq is not s.freq:
                    raise BadInput(f"{s.id} is stored with frequency {known[s.id].freq}, not {s.freq}")
            now = self._now()
            receipts = [self._append(x, part, now) for x, part in zip(arrived, parts, strict=True)]
        return tuple(receipts[i] for i in place)

    def _append(self, load: Load, values: pl.DataFrame, now: datetime) -> Receipt:
        self._series |= {s.id: s for s in load.series}
        release = load.release
        key = (release.source, release.code, release.known_at, release.content)
        if before := self._releases.get(key):
            return Receipt(before.release, before.rows, 0, 0, before.rows, repeated=True)
        number = len(self._releases) + 1
        new = revised = 0
        for series, period, value, status in values.iter_rows():
            words = self._words.setdefault((series, period), [])
            place = bisect_right(words, (release.known_at, number))
            new += place == 0
            revised += place > 0 and words[place - 1][2:] != (value, status)
            words.insert(place, (release.known_at, number, value, status))
        receipt = Receipt(number, values.height, new, revised, values.height - new - revised, repeated=False)
        stamps = {"known_at": release.known_at, "precision": release.precision, "release": number, "recorded_at": now}
        self._said.append(values.with_columns(pl.lit(v, dtype=HISTORY[c]).alias(c) for c, v in stamps.items()))
        event = stamps | {"source": release.source, "code": release.code, "uri": release.uri, "rows": values.height}
        self._events.append(event | {"new": new, "revised": revised})
        self._releases[key] = receipt
        return receipt

    def known(self, ids: Sequence[str], asof: datetime, recorded: datetime | None = None) -> pl.DataFrame:
        said = self._of(ids)
        if recorded is not None:
            said = said.filter(pl.col("recorded_at") <= recorded)
        return rows.at(rows.versions(said), asof)

    def history(self, ids: Sequence[str]) -> pl.DataFrame:
        return rows.versions(self._of(ids))

    def _of(self, ids: Sequence[str]) -> pl.DataFrame:
        if missing := [i for i in ids if i not in self._series]:
            raise rows.not_stored(missing)
        with self._one_writer:
            self._said = [said := pl.concat(self._said)]
        return said.filter(pl.col("series").is_in(list(ids)))

    def series(self) -> Mapping[str, Series]:
        return dict(sorted(self._series.items()))

    def releases(self) -> pl.DataFrame:
        return pl.DataFrame(self._events, schema=RELEASES)

    def publish(self, run: ScoreRun, scores: pl.DataFrame, news: pl.DataFrame | None = None) -> bool:
        scores, _ = rows.check_scores(run, scores, news)
        if any(rows.identity(run) == rows.identity(r) for r in self._runs):
            return False
        fields = asdict(run) | {"published_at": self._now()}
        self._runs[run] = scores.with_columns(pl.lit(v, dtype=SCORES[c]).alias(c) for c, v in fields.items())
        return True

    def scores(self, target: str, asof: datetime | None = None) -> pl.DataFrame:
        found = pl.concat([pl.DataFrame(schema=SCORES), *(f.select(SCORES.names()) for f in self._runs.values())])
        found = found.filter(pl.col("target") == target, pl.lit(True) if asof is None else pl.col("asof") <= asof)
        return found.sort("asof", "published_at", "period", descending=[True, True, False])

    def publish_readings(self, run: ScoreRun, said: pl.DataFrame) -> bool:
        told = reading.check(said, f"{run.target} as of {run.asof:%Y-%m-%d}")
        if any(rows.identity(run) == rows.identity(r) for r in (*self._runs, *self._told)):
            return False
        fields = asdict(run) | {"published_at": self._now()}
        self._told[run] = told.with_columns(pl.lit(v, dtype=PUBLISHED[c]).alias(c) for c, v in fields.items())
        return True

    def readings(self, target: str, asof: datetime | None = None) -> pl.DataFrame:
        mine = [f for run, f in self._told.items() if run.target == target and asof in (None, run.asof)]
        newest = max(
            mine, key=lambda f: f.select("asof", "published_at").row(0), default=pl.DataFrame(schema=PUBLISHED)
        )
        return newest.select(PUBLISHED.names()).sort("unit", "period", "level", "name")

    def override(self, accepted: Sequence[Override]) -> None:
        for one in accepted:
            self._overrides.setdefault(one.key(), (one, self._now()))

    def overrides(self) -> pl.DataFrame:
        found = []
        for (_, *of), (one, at) in self._overrides.items():
            receipt = self._releases.get(tuple(of))  # type: ignore[arg-type]
            told = (one.finding, one.value, one.expected, one.says, one.because, one.accepted_by, at, *of[:3])
            found.append((*told, receipt and receipt.release))
        return pl.DataFrame(found, schema=OVERRIDES, orient="row")

    def tell(self, answers: pl.DataFrame) -> Told:
        checked, said, new = firms.check(answers), 0, 0
        for wave in firms.waves(checked):
            part = checked[wave.start : wave.end].sort("question", "firm")
            there = self._waves.setdefault((wave.source, wave.freq, wave.wave), [])
            said += 1
            if not any(part.equals(before) for before in there):
                there.append(part)
                new += part.height
        return Told(said, checked.height, new)

    def answers(self, asof: datetime) -> pl.DataFrame:
        found = [pl.DataFrame(schema=firms.ANSWERS)]
        for _, said in sorted(self._waves.items()):
            known = [part for part in said if part["known_at"][0] <= asof]
            found += [max(reversed(known), key=lambda part: part["known_at"][0])] if known else []
        return pl.concat(found)
