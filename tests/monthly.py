"""Monthly series for the tests and benchmarks of seasonal adjustment: the classical one, simulated ones, golden files."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from engine.calendar import Period
from engine.festival import regressor
from engine.typing import Floats

GOLDEN = Path(__file__).parents[1].parent / "shared" / "golden" / "x13"
ABSENT = "" if GOLDEN.is_dir() else "needs ../shared/golden/x13 (data of a GPL package, not copied)"
PASSENGERS = np.fromstring(
    """
    112 118 132 129 121 135 148 148 136 119 104 118 115 126 141 135 125 149 170 170 158 133 114 140
    145 150 178 163 172 178 199 199 184 162 146 166 171 180 193 181 183 218 230 242 209 191 172 194
    196 196 236 235 229 243 264 272 237 211 180 201 204 188 235 227 234 264 302 293 259 229 203 229
    242 233 267 269 270 315 364 347 312 274 237 278 284 277 317 313 318 374 413 405 355 306 271 306
    315 301 356 348 355 422 465 467 404 347 305 336 340 318 362 348 363 435 491 505 404 359 310 337
    360 342 406 396 420 472 548 559 463 407 362 405 417 391 419 461 472 535 622 606 508 461 390 432
    """,
    sep=" ",
)  # international airline passengers 1949-1960, thousands: Box & Jenkins (1970), series G
SINCE = Period.parse("1949-01")
Y1995 = Period.parse("1995-01")


def read(name: str) -> tuple[Period, Floats]:
    """A golden file: the first period and ``(T, columns)``."""
    with (GOLDEN / name).open() as file:
        rows = list(csv.reader(file))[1:]
    return Period.parse(rows[0][0]), np.array([[float(cell) for cell in row[1:]] for row in rows])


def festive(months: int, effect: float, seed: int) -> Floats:
    """An airline series in logarithms (θ = 0.6, Θ = 0.6, σ = 2 %) and what the week of Spring Festival does to it."""
    g = np.random.default_rng(seed)
    e = g.normal(scale=0.02, size=months + 13)
    w = e[13:] - 0.6 * e[12:-1] - 0.6 * e[1:-12] + 0.36 * e[:-13]
    y = np.zeros(months + 13)
    y[:13] = 4 + 0.1 * np.sin(np.arange(13))
    for t in range(13, months + 13):
        y[t] = y[t - 1] + y[t - 12] - y[t - 13] + w[t - 13]
    return np.exp(y[13:] + effect * regressor(Y1995, months, (0, 6)))
