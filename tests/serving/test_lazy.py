"""What the service loads, and when: in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

SERVICE = """
import sys
from pathlib import Path
from fastapi.testclient import TestClient
from engine.settings import Settings
from serving.app import create_app
from tests.serving.shop import JUNE, JULY, FakeChampions, Shop

shop = Shop()
app = create_app(shop.store, FakeChampions(shop.champion(JUNE)), Settings(Path("/nowhere"), None, (), ""))
client = TestClient(app)
for url in ("/v1/nowcasts/gdpc1@US", "/v1/nowcasts/gdpc1@US/news", "/v1/models", "/v1/series/gdpc1@US", "/openapi.json"):
    assert client.get(url).status_code == 200, url
heavy = {"mlflow", "statsmodels", "pandas", "sklearn", "matplotlib", "psycopg", "experiments"}
print(sorted(heavy & {m.partition(".")[0] for m in sys.modules}))
"""

HELP = """
import sys
import serving.commands
heavy = {"numpy", "polars", "fastapi", "uvicorn", "mlflow", "pydantic", "rich", "psycopg"}
print(sorted(heavy & set(sys.modules)))
"""

BLAS = """
import engine, numpy, scipy.linalg
from threadpoolctl import threadpool_info
print({p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"})
"""


def said(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_no_request_loads_mlflow_or_statsmodels() -> None:
    assert said(SERVICE) == "[]"


def test_the_commands_cost_nothing_until_called() -> None:
    assert said(HELP) == "[]"


def test_blas_runs_on_one_thread() -> None:
    assert said(BLAS) == "{1}"
