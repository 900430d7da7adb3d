"""Which connector a channel leaves by, with the organization's own secrets."""

import msgspec

from tidings.approvals.gateways import secret_name
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.connectors.outgoing import Connector
from tidings.connectors.smtp import Server, SmtpConnector, parse_smtp_url
from tidings.connectors.webhook import WebhookConnector
from tidings.db.transaction import Database
from tidings.tenancy.secret_keys import SecretKeys
from tidings.tenancy.secrets import open_secret

SMTP_PASSWORD = "smtp_password"  # noqa: S105 - the name of a secret, not one
"""Under which name an organization stores the password for the deployment's mail server."""


class Ways:
    """Finds the way out for a channel: a gateway where one is set, else SMTP for email."""

    def __init__(self, db: Database, keys: SecretKeys, settings: Settings) -> None:
        """Raises `SettingInvalid` for an address of a mail server that is none."""
        self._db = db
        self._keys = keys
        self._allow_private = settings.gateway_private
        self._sender = settings.smtp_from
        self._server: Server | None = None
        if settings.smtp_url is not None:
            self._server = parse_smtp_url(settings.smtp_url.get_secret_value())
        if self._server is not None and self._sender is not None:
            SmtpConnector(self._server, self._sender)  # its address is checked at start

    async def find(self, tenant: Tenant, channel: str, gateway: str | None) -> Connector | None:
        """The connector, or None where nothing is set up. For services: it opens secrets."""
        if gateway is not None:
            secret = await open_secret(self._db, self._keys, tenant, secret_name(channel))
            if secret is None:
                return None
            return WebhookConnector(gateway, secret, allow_private=self._allow_private)
        if channel != "email" or self._server is None or self._sender is None:
            return None
        stored = await open_secret(self._db, self._keys, tenant, SMTP_PASSWORD)
        server = self._server
        if stored is not None:
            server = msgspec.structs.replace(server, password=stored)
        return SmtpConnector(server, self._sender)
