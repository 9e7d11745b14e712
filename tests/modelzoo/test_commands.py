"""``jingqi models``."""

import json

import pytest
from click.testing import CliRunner

from engine.errors import Unknown
from modelzoo import zoo
from modelzoo.commands import models


def test_the_zoo_is_listed_with_what_each_model_is() -> None:
    out = CliRunner().invoke(models, catch_exceptions=False).output
    assert all(n in out for n in zoo.names())
    rows = json.loads(CliRunner().invoke(models, ["--json"], catch_exceptions=False).output)
    assert [r["model"] for r in rows] == list(zoo.names())
    assert rows[0]["summary"] == zoo.summary(rows[0]["model"])


def test_a_model_tells_its_options() -> None:
    assert "(required)" in CliRunner().invoke(models, ["nowcast.naive"], catch_exceptions=False).output
    told = json.loads(CliRunner().invoke(models, ["nowcast.naive", "--json"], catch_exceptions=False).output)
    assert told["options"] == [
        {
            "option": "target",
            "type": "str",
            "default": None,
            "required": True,
            "doc": "series id, monthly or quarterly.",
        }
    ]
    with pytest.raises(Unknown, match=r"the zoo has .*nowcast\.naive"):
        CliRunner().invoke(models, ["nowcast.oracle"], catch_exceptions=False)
