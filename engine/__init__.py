"""The language and the numerics of jingqi. Knows no database, no MLflow, no HTTP.

BLAS is held to one thread here, before numpy is first imported: on a busy machine two threads make mid-size products
up to 200 times slower, because they spin while they wait. jingqi runs in parallel over series, models and origins.
"""

import os
import sys

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # nothing is sent out; MLflow reads it when it is imported
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # MLflow's own 7 take four minutes to say "no server"

_KNOBS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
for _knob in _KNOBS:
    os.environ[_knob] = "1"

if "numpy" in sys.modules:  # too late for the environment: ask the loaded libraries themselves
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")
