"""Time zones by name."""

import pytest

from tidings.base.errors import InputInvalid
from tidings.base.zones import is_zone, zone_of


def test_a_zone_is_found_by_its_name():
    assert zone_of("Europe/Oslo").key == "Europe/Oslo"


@pytest.mark.parametrize(
    "name",
    ["", "Mars/Olympus", "Europe", "../etc/passwd", "a\0b", "\ud800", "x" * 65],
)
def test_what_is_none(name):
    assert not is_zone(name)
    with pytest.raises(InputInvalid) as refused:
        zone_of(name, "time_zone")
    assert [problem.field for problem in refused.value.errors] == ["time_zone"]
