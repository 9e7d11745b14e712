"""The environment, read in one place.

JINGQI_HOME           folder for the embedded database, the tracking file, artifacts and reports
JINGQI_DATABASE_URL   a PostgreSQL or TimescaleDB server; without it the embedded one is started
JINGQI_API_KEYS       comma-separated keys that the service accepts; without it the service is open
MLFLOW_TRACKING_URI   an MLflow server; without it a SQLite file under JINGQI_HOME
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    home: Path
    database_url: str | None
    api_keys: tuple[str, ...]
    tracking_uri: str


def _default_home() -> Path:
    # The embedded PostgreSQL refuses to run as root and is then run by another user, who must be able to reach the folder:
    # a home of root is closed to others, and opening it up is not ours to do.
    if os.geteuid() == 0:
        return Path("/var/lib/jingqi")
    from platformdirs import user_data_path

    return user_data_path("jingqi")


def settings() -> Settings:
    """Read the environment now. Creates nothing."""
    home = Path(os.environ["JINGQI_HOME"]).expanduser().resolve() if os.environ.get("JINGQI_HOME") else _default_home()
    return Settings(
        home=home,
        database_url=os.environ.get("JINGQI_DATABASE_URL") or None,
        api_keys=tuple(k.strip() for k in os.environ.get("JINGQI_API_KEYS", "").split(",") if k.strip()),
        tracking_uri=os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home / 'mlflow.db'}",
    )
