"""How long the command and the library take to start. Ratios of whole processes, in turn."""

import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path


def seconds(*command: str) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    jingqi = str(Path(sys.executable).parent / "jingqi")
    rounds = [
        (
            seconds(jingqi, "--help"),
            seconds(sys.executable, "-c", "import engine"),
            seconds(sys.executable, "-c", "import polars"),
        )
        for _ in range(9)
    ]
    shown, ours, theirs = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"  jingqi --help {shown:.2f} s; import engine {ours:.2f} s, import polars {theirs:.2f} s")
    print(f"startup ratio={theirs / ours:.2f} peer=polars-{version('polars')}")
    print(f"startup.help ratio={0.3 / shown:.2f} peer=0.3s")


if __name__ == "__main__":
    main()
