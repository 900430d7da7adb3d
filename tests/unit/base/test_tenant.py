import pytest

from tidings.base.ids import uuid7
from tidings.base.tenant import PERSON_ROLES, Tenant


@pytest.mark.parametrize(
    ("role", "is_admin", "may_write"),
    [
        ("owner", True, True),
        ("admin", True, True),
        ("member", False, True),
        ("viewer", False, False),
        ("service", False, True),
    ],
)
def test_a_role_says_what_may_be_done(role, is_admin: bool, may_write: bool) -> None:
    tenant = Tenant(uuid7(), uuid7(), role)
    assert (tenant.is_admin, tenant.may_write) == (is_admin, may_write)


def test_a_service_acts_for_the_same_person() -> None:
    person = Tenant(uuid7(), uuid7(), "viewer")
    service = person.as_service()
    assert (service.organization_id, service.user_id) == (person.organization_id, person.user_id)
    assert service.role == "service"
    assert "service" not in PERSON_ROLES
