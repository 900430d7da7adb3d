"""What handlers ask for by the names `access` and `services`."""

from litestar.di import NamedDependency

from tidings.tenancy.access import Access
from tidings.web.services import Services

GivenAccess = NamedDependency[Access]
"""Who asks, from `auth.provide_access`."""

GivenServices = NamedDependency[Services]
"""The parts of this process, from `auth.provide_services`."""
