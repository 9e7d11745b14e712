"""For all tests: an example of hypothesis may take as long as a busy machine takes. Speed is measured in benchmarks."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("jingqi", deadline=None)
settings.load_profile("jingqi")
