"""Time zones by their names in the IANA database."""

from zoneinfo import ZoneInfo

from tidings.base.errors import InputInvalid

LONGEST = 64
NO_ZONE = "is not a time zone such as Europe/Berlin"


def is_zone(name: str) -> bool:
    """Whether there is a zone of that name."""
    if not 1 <= len(name) <= LONGEST:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # none, a folder, or a path that leads out
        return False
    return True


def zone_of(name: str, field: str = "timezone") -> ZoneInfo:
    """The zone of a name. Raises `InputInvalid` of the field where there is none."""
    if not is_zone(name):
        raise InputInvalid.of(field, NO_ZONE)
    return ZoneInfo(name)
