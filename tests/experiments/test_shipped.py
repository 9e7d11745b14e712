"""Every run that ships can be read, and speaks of what it says it does."""

from __future__ import annotations

import pytest

from experiments import spec as specs
from modelzoo.scorecard.composite import Composite


@pytest.mark.parametrize("name", sorted(f.stem for f in specs.SHIPPED.glob("*.toml")))
def test_a_shipped_run_is_read_by_its_name(name: str) -> None:
    read, text = specs.load(name)
    assert read.name == name
    assert f'name = "{name}"' in text
    assert all(read.make(label).targets for label in read.models)


def test_the_scorecards_of_the_province_are_of_its_eleven_cities() -> None:
    for name, template in (("province_quality", "quality"), ("province_targets", "annual_targets")):
        read, _ = specs.load(name)
        assert (read.kind, read.target) == ("scorecard", f"{template}@SYN-33")
        model = read.make("arithmetic")
        assert isinstance(model, Composite)
        assert len(model.units) == 11
        assert model.framework.id == template
