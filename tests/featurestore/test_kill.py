"""Nothing lost: processes are really killed, at random moments, and what is left is whole.

A waiting process that has everything imported forks a child for each attempt, so that the kills fall into the ingest itself
and not into the start of Python.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psycopg

from featurestore import embedded, ingest
from featurestore.postgres import PostgresStore

INGEST = """
import os, sys
from featurestore.connect import connect
from featurestore.ingest import ingest, read
from featurestore.sources import nyfed
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        loads = read("nyfed")
        with connect() as store:
            print(os.getpid(), flush=True)
            ingest(store, loads)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    print("ended", status, flush=True)
"""
KILLS = 16


class Child:
    """Starts one ingest after the other."""

    def __init__(self, orders: IO[str], answers: IO[str]) -> None:
        self._orders, self._answers = orders, answers

    def start(self) -> int:
        """Begin an ingest; the number of its process, which is connected and about to write."""
        self._orders.write("go\n")
        self._orders.flush()
        return int(self._answers.readline())

    def end(self) -> int:
        """Wait for it; the signal that killed it, or 0."""
        return int(self._answers.readline().split()[1]) & 0x7F


@contextmanager
def ingesting(home: Path) -> Iterator[Child]:
    with subprocess.Popen(
        [sys.executable, "-c", INGEST], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, env={**os.environ, "JINGQI_HOME": str(home)},
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stdout
        try:
            yield Child(process.stdin, process.stdout)
        finally:
            process.stdin.close()


def test_a_killed_ingest_is_whole_or_not_at_all_and_repeats_to_the_same_store(
    home: Path, empty: Callable[[], PostgresStore], content: Callable[..., Any]
) -> None:
    loads = ingest.read("nyfed")
    whole = [(empty(), content())[1]]  # nothing, or both releases
    ingest.ingest(empty(), loads)
    whole.append(content())
    with ingesting(home) as child:
        empty()
        child.start()
        began = time.monotonic()
        assert child.end() == 0
        took = time.monotonic() - began
        assert content() == whole[1]
        moments = random.Random(20160729)
        killed, found = 0, []
        for attempt in range(4 * KILLS):
            store = empty()
            pid = child.start()
            time.sleep((attempt % KILLS + moments.random()) / KILLS * took)
            with suppress(ProcessLookupError):  # it was faster this time
                os.kill(pid, signal.SIGKILL)
            killed += child.end() == signal.SIGKILL
            left = content()
            assert left in whole
            found.append(whole.index(left))
            ingest.ingest(store, loads)
            assert content() == whole[1]
            if killed == KILLS:
                break
    assert killed == KILLS
    assert found.count(0) >= 3, "too few kills came before the end of the transaction: the moments are wrong"


def test_a_killed_server_comes_back_with_whole_ingests(fresh_home: Path, content: Callable[..., Any]) -> None:
    """SIGKILL to PostgreSQL itself, in the middle of an ingest; its stale pid file does not block the next start."""
    loads = ingest.read("nyfed")
    conninfo = embedded.start(fresh_home)
    pid_file = fresh_home / "postgres" / "postmaster.pid"
    with ingesting(fresh_home) as child:
        child.start()
        assert child.end() == 0
        clean = content(conninfo)
        for delay in (0.02, 0.1):
            with psycopg.connect(conninfo, autocommit=True) as c:
                c.execute(
                    "TRUNCATE fs.coverage, fs.obs, fs.meaning, fs.series, fs.release, fs.news, fs.score, "
                    "fs.reading, fs.score_run"
                )
            pid = child.start()
            time.sleep(delay)
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
            with suppress(ProcessLookupError):  # the ingest would wait a while for the server to come back
                os.kill(pid, signal.SIGKILL)
            child.end()
            assert embedded.start(fresh_home) == conninfo
            left = content(conninfo)
            assert len(left[0]) in (0, 2)
            assert {r[3] for r in left[0]} == {x.release.content for x in loads[: len(left[0])]}
            child.start()
            assert child.end() == 0
            assert content(conninfo) == clean
