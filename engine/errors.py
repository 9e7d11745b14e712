"""Everything jingqi raises on purpose: one tree. Catching the root catches all of ours and nothing else.

JingqiError                 the command prints it as one line and exits with 1
├── BadInput                a file, a mapping, a spec or an argument that cannot be used; names the place
├── Unknown                 an indicator, model, run or period that does not exist
├── NotEnoughData           a model refuses data that cannot identify it
├── NotConverged            an estimation did not reach its tolerance
├── LookAhead               a value newer than the information date was about to be used
├── NotReady                a server, a champion or a migration that is needed is not there yet
│   └── NoChampion          nobody was promoted for that target; the registry itself answers
├── Held                    a load that brings what somebody must look at first; names the findings and how to accept them
├── Refused                 a figure that must not be derived from another; says why, and what may be done instead
└── GateClosed              a challenger did not earn the place of the champion
"""


class JingqiError(Exception):
    """Root of all errors raised on purpose. The message says what, where, and what to do."""


class BadInput(JingqiError):
    """Input that cannot be used. ``BadInput("not a number: 'n.a.'", file="gdp.csv", row=7, column="value")``."""

    def __init__(
        self, problem: str, *, file: str | None = None, row: int | None = None, column: str | None = None
    ) -> None:
        self.problem, self.file, self.row, self.column = problem, file, row, column
        place = [file] if file else []
        place += [f"row {row}"] if row is not None else []
        place += [f"column {column}"] if column is not None else []
        super().__init__(f"{', '.join(place)}: {problem}" if place else problem)


class Unknown(JingqiError):
    """Something asked for by name that does not exist."""


class NotEnoughData(JingqiError):
    """The data known at the information date cannot identify the model."""


class NotConverged(JingqiError):
    """An iterative estimation stopped before its tolerance was reached."""


class LookAhead(JingqiError):
    """A number newer than the information date. Never caught: a result that used tomorrow is a lie."""


class NotReady(JingqiError):
    """A service that is needed is absent or of the wrong version. The message says which command mends it."""


class NoChampion(NotReady):
    """Nobody was promoted to speak about that target. Unlike a registry out of reach, a default may stand in for it."""


class Held(JingqiError):
    """A load waits for review, and nothing of it was stored. The message says what was found, and how to accept it."""


class Refused(JingqiError):
    """A derivation that would give a number nobody should use. The message says why, and what may be done instead."""


class GateClosed(JingqiError):
    """The challenger does not beat the champion by the gate's rules."""
