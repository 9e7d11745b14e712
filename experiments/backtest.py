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

import polars as pl

from engine.calendar import Period, end_of
from engine.errors import NotEnoughData, NotReady
from engine.indicator import Series
from experiments import proof
from experiments.proof import Proof
from experiments.replay import Horizons, Newest, Replayed, Task, replay
from experiments.spec import Spec, Watch
from featurestore.panel import Cube
from featurestore.store import Store
from featurestore.surveys import Waves
from modelzoo import telling
from modelzoo.bundle import Bundle, Fit


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a run of nowcasts found, before it is judged.

    series: the target. records: ``replay.RECORDS`` of all models. truth: ``period``, ``outcome``, as known on the day
    of truth. bundles: by label, with a fit at each real origin (where there is none, at the last pseudo one).
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
    return Backtest(spec, target.series[0], records, _truth(target, spec), bundles, proofs)


def watch(spec: Watch, store: Store, workers: int | None = None) -> Watched:
    """The same for readings. Raises as :func:`run`."""
    records, bundles, proofs = _replayed(spec, store, workers)
    return Watched(spec, records.sort("model", "origin", "unit", "period", "level", "name"), bundles, proofs)


def plan(spec: Spec | Watch, label: str, store: Store) -> list[Task]:
    """The tasks of one model: every ``refit`` pseudo origins share a fit, each real origin has its own."""
    model = spec.make(label)
    asks = Newest(spec.periods) if isinstance(spec, Watch) else Horizons(spec.horizons)
    vintage = end_of(spec.pseudo.vintage if spec.pseudo else spec.real[-1])
    origins = [end_of(day) for day in spec.pseudo.days] if spec.pseudo else []
    starts = range(0, len(origins), spec.refit)
    days = [*origins, *(end_of(day) for day in spec.real)]
    # its own inputs only, so that the panels equal those that serving will build
    cube = Waves(store, days) if telling.reads_answers(model) else Cube(store, model.inputs)
    tasks = [Task(label, model, cube, "pseudo", vintage, tuple(origins[i : i + spec.refit]), asks) for i in starts]
    return tasks + [Task(label, model, cube, "real", vintage, (end_of(day),), asks) for day in spec.real]


def _replayed(
    spec: Spec | Watch, store: Store, workers: int | None
) -> tuple[pl.DataFrame, dict[str, Bundle], tuple[Proof, ...]]:
    tasks: list[Task] = []
    for label in spec.models:
        tasks += plan(spec, label, store)
    witnesses = [i for label in spec.models for i in _witnesses(tasks, label)]
    shadows = [proof.altered(store, tasks[i]) for i in witnesses]
    if any(isinstance(task.cube, Waves) for task in tasks):
        workers = 1  # to send a survey of millions of answers to another process takes longer than to read it here
    done = _all([*tasks, *(task for task, _ in shadows)], workers or len(os.sched_getaffinity(0)), spec.name)
    honest = done[: len(tasks)]
    proofs = tuple(
        proof.compare(honest[i], shadow, count)
        for i, shadow, (_, count) in zip(witnesses, done[len(tasks) :], shadows, strict=True)
    )
    bundles = {label: _bundle(spec, [r for r in honest if r.task.label == label]) for label in spec.models}
    return pl.concat([r.records for r in honest]), bundles, proofs


def _witnesses(tasks: Sequence[Task], label: str) -> list[int]:
    """The tasks to prove: the middle pseudo one and the first real one, which has the most that came later."""
    mine = [i for i, t in enumerate(tasks) if t.label == label]
    pseudo = [i for i in mine if tasks[i].timing == "pseudo"]
    real = [i for i in mine if tasks[i].timing == "real"]
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


def _truth(target: Cube, spec: Spec) -> pl.DataFrame:
    """``period``, ``outcome``: the analysed values of the target as known on the day of truth."""
    panel = target.panel(end_of(spec.truth))
    filled = panel.frame.drop_nulls()
    if filled.is_empty():
        raise NotEnoughData(f"no outcome of {spec.target} is known as of {spec.truth}")
    freq = panel.series[0].freq
    months = [Period(type(freq).M, m).to(freq) for m in filled["month"].to_list()]
    return pl.DataFrame({"period": [str(p) for p in months], "outcome": filled[spec.target]})


def _bundle(spec: Spec | Watch, mine: Sequence[Replayed]) -> Bundle:
    """A bundle of one model's fits at the real origins."""
    kept = [r for r in mine if r.task.timing == "real"] or [mine[-1]]
    task = kept[0].task
    series = task.cube.series if isinstance(task.cube, Cube) else ()
    fits = tuple(Fit(r.task.origins[0], r.task.timing, task.model.restore(r.state), r.panel) for r in kept)
    return Bundle(spec.models[task.label].model, task.model, fits, series)
