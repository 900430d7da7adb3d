"""Who may open a WebSocket: who may ask the API, from a page of ours when it is by cookie."""

from urllib.parse import urlsplit

from litestar import Request
from websockets.http11 import Request as Handshake

from tidings.base.errors import CsrfInvalid, RowMissing
from tidings.tenancy.access import Access
from tidings.web.auth import AnyRequest, credential_of
from tidings.web.services import Services

PATH = "/v1/realtime/ws"


async def admit(services: Services, handshake: Handshake) -> Access:
    """Resolve the credential of a handshake: one round trip, counted as a request.

    Raises `RowMissing` for another path, `CredentialMissing`, `CredentialInvalid`, `RateExceeded`,
    and `CsrfInvalid` for a cookie that a page of somebody else sent.
    """
    if urlsplit(handshake.path).path != PATH:
        raise RowMissing
    request = _as_request(handshake)
    credential = credential_of(request)
    if credential.kind == "session" and not _is_ours(request, services.settings.cors_origins):
        raise CsrfInvalid("A cookie counts only from a page of this server.")
    return await services.requests.open(credential)


def _is_ours(request: AnyRequest, others: list[str]) -> bool:
    # Browsers send a cookie with a socket that any page opens, and always say which page.
    origin = request.headers.get("origin", "")
    return origin in others or urlsplit(origin).netloc == request.headers.get("host", " ")


def _as_request(handshake: Handshake) -> AnyRequest:
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in handshake.headers.raw_items()
    ]
    return Request({"type": "http", "method": "GET", "headers": headers})  # type: ignore[arg-type]
