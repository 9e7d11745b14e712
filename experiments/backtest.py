"""Replay history: on each day, only what was known, with proof.

Every record keeps its origin, the digest of the panel and when the newest value in it became known; a newer one is a
LookAhead. For every model, one pseudo and one real origin are replayed once more with all later values altered.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Literal

import polars as pl

from engine.calendar import end_of
from engine.errors import NotReady
from engine.indicator import Series
from experiments import pooled, proof
from experiments.proof import Proof
from experiments.replay import Horizons, Newest, Replayed, Task, replay
from experiments.spec import Spec, Watch
from experiments.truth import outcomes
from featurestore.panel import Cube
from featurestore.store import Store
from featurestore.surveys import Waves
from modelzoo import telling
from modelzoo.bundle import Bundle, Fit
from modelzoo.nowcast.pool import Pool

TOGETHER = 12
"""So many real origins of one model are replayed by one process, which is sent the data once."""

KEPT = 12
"""Of so many of the newest real origins the fits go into the bundle; for earlier days a service learns anew."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a run of nowcasts found, before it is judged.

    series: the target. records: ``replay.RECORDS`` of all models. truth: ``truth.SCHEMA``. bundles: by label, with the fits at the
    newest KEPT real origins (where there is none, at the last pseudo one).
    """

    spec: Spec
    series: Series
    records: pl.DataFrame
    truth: pl.DataFrame
    bundles: Mapping[str, Bundle]
    proofs: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class Watched:
    """What a run of readings found. records: ``replay.READ`` of all models; bundles as in a Backtest."""

    spec: Watch
    records: pl.DataFrame
    bundles: Mapping[str, Bundle]
    proofs: tuple[Proof, ...]


def run(spec: Spec, store: Store, workers: int | None = None) -> Backtest:
    """Replay every model of the spec over all origins, in as many processes as CPUs, or ``workers`` (1: in this one).

    Raises LookAhead if a proof fails, Unknown if the store does not hold a series, and what the models raise.
    """
    records, bundles, proofs = _replayed(spec, store, workers)
    target = Cube(store, (spec.target,))
    records = records.sort("model", "origin", "period")
    return Backtest(spec, target.series[0], records, _truth(target, spec, store), bundles, proofs)


def watch(spec: Watch, store: Store, workers: int | None = None) -> Watched:
    """The same for readings. Raises as :func:`run`."""
    records, bundles, proofs = _replayed(spec, store, workers)
    return Watched(spec, records.sort("model", "origin", "unit", "period", "level", "name"), bundles, proofs)


def plan(spec: Spec | Watch, label: str, store: Store) -> list[Task]:
    """The tasks of one model: every ``refit`` pseudo origins share a fit, at each real origin it learns anew."""
    model = spec.make(label)
    asks = Newest(spec.periods) if isinstance(spec, Watch) else Horizons(spec.horizons)
    vintage = end_of(spec.pseudo.vintage if spec.pseudo else spec.real[-1])
    pseudo = [end_of(day) for day in spec.pseudo.days] if spec.pseudo else []
    real = [end_of(day) for day in spec.real]
    # its own inputs only, so that the panels equal those that serving will build
    cube = Waves(store, [*pseudo, *real]) if telling.reads_answers(model) else Cube(store, model.inputs)
    starts = range(0, len(pseudo), spec.refit)
    keep = real[-KEPT:][0] if real else pseudo[starts[-1]]
    shared = (
        Task(label, model, cube, "pseudo", vintage, tuple(pseudo[i : i + spec.refit]), asks, keep=keep) for i in starts
    )
    anew = (
        Task(label, model, cube, "real", vintage, tuple(real[i : i + TOGETHER]), asks, True, spec.warm, keep)
        for i in range(0, len(real), TOGETHER)
    )
    return [*shared, *anew]


def _replayed(
    spec: Spec | Watch, store: Store, workers: int | None
) -> tuple[pl.DataFrame, dict[str, Bundle], tuple[Proof, ...]]:
    alone = [label for label in spec.models if label not in spec.pools]
    tasks = [task for label in alone for task in plan(spec, label, store)]
    witnesses = [i for label in alone for i in _witnesses([t.label == label and t.timing for t in tasks])]
    shadows = [proof.altered(store, tasks[i]) for i in witnesses]
    if any(isinstance(task.cube, Waves) for task in tasks):
        workers = 1  # to send a survey of millions of answers to another process takes longer than to read it here
    done = _all([*tasks, *(task for task, _ in shadows)], workers or len(os.sched_getaffinity(0)), spec.name)
    honest = done[: len(tasks)]
    proofs = [
        proof.compare(honest[i], shadow, count)
        for i, shadow, (_, count) in zip(witnesses, done[len(tasks) :], shadows, strict=True)
    ]
    if isinstance(spec, Spec):
        for label in spec.pools:
            more, proved = _pooled(spec, label, store, honest)
            honest, proofs = honest + more, proofs + proved
    bundles = {label: _bundle(spec, [r for r in honest if r.task.label == label]) for label in spec.models}
    return pl.concat([r.records for r in honest]), bundles, tuple(proofs)


def _pooled(spec: Spec, label: str, store: Store, honest: Sequence[Replayed]) -> tuple[list[Replayed], list[Proof]]:
    """A pool over the origins of its members, and a proof for each timing at the middle one of its fits."""
    pool = spec.make(label)
    assert isinstance(pool, Pool)
    target = Cube(store, (spec.target,))
    truth = _truth(target, spec, store)
    done: list[Replayed] = []
    proofs: list[Proof] = []
    records = pl.concat([r.records for r in honest if r.task.label in pool.members])
    for timing in ("pseudo", "real"):
        whole = pooled.ledger(records, truth, tuple(pool.members), target.series[0], timing)
        proved: list[Proof] = []
        for task in (t for t in plan(spec, label, store) if t.timing == timing):
            theirs = {r.task.label: r for r in honest if r.task.label in pool.members and r.task.origins == task.origins
                      and r.task.timing == timing}  # fmt: skip
            replayed, told = pooled.replayed(pool, task, theirs, whole)
            done.append(replayed)
            proved += told
        proofs += proved[len(proved) // 2 :][:1]
    return done, proofs


def _witnesses(timings: Sequence[str | Literal[False]]) -> list[int]:
    """The tasks to prove, by their timing, False where they are another model's: the middle pseudo one and the first real one,
    which has the most that came later."""
    pseudo = [i for i, t in enumerate(timings) if t == "pseudo"]
    real = [i for i, t in enumerate(timings) if t == "real"]
    return [*pseudo[len(pseudo) // 2 :][:1], *real[:1]]


def _all(tasks: Sequence[Task], workers: int, name: str) -> list[Replayed]:
    """The results in the order of the tasks, with a progress bar on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    done: dict[int, Replayed] = {}
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        line = bar.add_task(name, total=len(tasks))
        if workers == 1:
            for i, task in enumerate(tasks):
                done[i] = replay(task)
                bar.advance(line)
        else:
            # spawn: a forked child would inherit locks of threads that it does not have
            with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
                # models with the most inputs take longest: first, so that none is left running alone
                order = sorted(range(len(tasks)), key=lambda i: -len(tasks[i].model.inputs))
                running = {pool.submit(replay, tasks[i]): i for i in order}
                try:
                    for future in as_completed(running):
                        done[running[future]] = future.result()
                        bar.advance(line)
                except BrokenProcessPool:
                    raise NotReady(
                        "a process of the back-test was ended from outside: out of memory, or a script without "
                        "if __name__ == '__main__'; run it with workers=1"
                    ) from None
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
    return [done[i] for i in range(len(tasks))]


def _truth(target: Cube, spec: Spec, store: Store) -> pl.DataFrame:
    said_on = store.history([spec.target])["known_at"].unique().to_list()
    return outcomes(target, said_on, spec.truth)


def _bundle(spec: Spec | Watch, mine: Sequence[Replayed]) -> Bundle:
    """A bundle of one model's newest fits at real origins; without any, of the last one at a pseudo origin."""
    kept = [r for r in mine if r.task.timing == "real"] or [mine[-1]]
    task = kept[0].task
    series = task.cube.series if isinstance(task.cube, Cube) else ()
    fits = tuple(
        Fit(learned.asof, r.task.timing, task.model.restore(learned.state), learned.panel)
        for r in kept for learned in r.fits if learned.state is not None
    )  # fmt: skip
    return Bundle(spec.models[task.label].model, task.model, fits, series)
