"""Which engine an organization may use, and with which key."""

from typing import Literal
from urllib.parse import urlsplit

import msgspec

from tidings.ai.engine_name import LOCAL, PROVIDERS, EngineName, parse_engine
from tidings.base.errors import AiForbidden, RoleForbidden, SourceUnconfigured
from tidings.base.settings import Settings
from tidings.base.tenant import Tenant
from tidings.db.queries import load_queries
from tidings.db.transaction import Database
from tidings.tenancy.audit import ActorKind, record
from tidings.tenancy.secret_keys import Sealed, SecretKeys

sql = load_queries("tidings.ai")

AiMode = Literal["off", "local", "provider"]


class Policy(msgspec.Struct, frozen=True):
    """What an organization allows (`ai_mode`) and prefers (`engine`, null: TIDINGS_ENGINE).

    `redaction`: addresses, phone and card numbers are masked before a text leaves.
    """

    ai_mode: AiMode
    engine: str | None
    redaction: bool = False

    def check(self, engine: EngineName) -> None:
        """Raise `AiForbidden` when the organization does not allow the engine."""
        if self.ai_mode == "off":
            raise AiForbidden("AI is turned off for this organization; an admin can allow it.")
        if self.ai_mode == "local" and not engine.is_local:
            raise AiForbidden(
                "This organization allows the local engine only; an admin can allow providers."
            )


class Access:
    """One organization's policy and keys, as read at one moment."""

    def __init__(
        self,
        tenant: Tenant,
        policy: Policy,
        sealed: dict[str, Sealed],
        keys: SecretKeys,
        settings: Settings,
    ) -> None:
        """`sealed` holds the organization's own keys by provider; made by `read_access`."""
        self._tenant = tenant
        self._policy = policy
        self.redaction = policy.redaction
        self._sealed = sealed
        self._keys = keys
        self._settings = settings

    def choose(self, asked: str | None) -> EngineName:
        """The engine asked for, else the organization's, else TIDINGS_ENGINE.

        An organization that allows the local engine only gets it by default, whatever engine is
        set. Raises `EngineUnknown`, and `AiForbidden` as `check` does.
        """
        if asked is not None:
            engine = parse_engine(asked)
        elif self._policy.ai_mode == "local":
            engine = EngineName(LOCAL)
        else:
            engine = parse_engine(self._policy.engine or self._settings.engine)
        self.check(engine)
        return engine

    def check(self, engine: EngineName) -> None:
        """Raise `AiForbidden` when the organization does not allow the engine."""
        self._policy.check(engine)

    def key(self, engine: EngineName) -> str | None:
        """The key for a provider: the organization's own, else the setting's.

        None where no key is needed. Raises `SourceUnconfigured`, `SecretUnreadable`.
        """
        if engine.is_local:
            return None
        sealed = self._sealed.get(engine.provider)
        if sealed is not None:
            name = secret_name(engine.provider)
            return self._keys.open(self._tenant.organization_id, name, sealed)
        settings = self._settings
        known = {
            "openai": settings.openai_api_key,
            "anthropic": settings.anthropic_api_key,
            "google": settings.google_api_key,
        }
        secret = known[engine.provider]
        if secret is not None and secret.get_secret_value().strip():
            return secret.get_secret_value().strip()
        if engine.provider == "openai" and is_other_server(settings.openai_base_url):
            return None
        raise SourceUnconfigured(f"{engine.provider.upper()}_API_KEY not configured")


async def read_access(db: Database, keys: SecretKeys, settings: Settings, tenant: Tenant) -> Access:
    """What the tenant's organization allows, in one round trip."""
    async with db.tenant_batch(tenant.as_service(), repeatable=True) as batch:
        policy = batch.add(sql.ai_policy, row=Policy)
        secrets = {
            provider: batch.add(sql.provider_secret, {"name": secret_name(provider)}, row=Sealed)
            for provider in PROVIDERS
        }
    sealed = {
        provider: found
        for provider, pending in secrets.items()
        if (found := pending.optional()) is not None
    }
    return Access(tenant, policy.one(), sealed, keys, settings)


async def read_policy(db: Database, tenant: Tenant) -> Policy:
    """What the tenant's organization allows and prefers."""
    async with db.tenant_batch(tenant, repeatable=True) as batch:
        found = batch.add(sql.ai_policy, row=Policy)
    return found.one()


async def set_policy(
    db: Database,
    tenant: Tenant,
    *,
    ai_mode: AiMode | None = None,
    engine: str | msgspec.UnsetType | None = msgspec.UNSET,
    redaction: bool | None = None,
    kind: ActorKind = "person",
) -> Policy:
    """Change what is given, of the tenant's organization; None as `engine` takes TIDINGS_ENGINE.

    Raises `EngineUnknown`, and `RoleForbidden` for who is no admin.
    """
    name = str(parse_engine(engine)) if isinstance(engine, str) else None
    async with db.tenant_transaction(tenant) as transaction:
        changed = await transaction.optional(
            sql.set_ai_policy,
            {
                "ai_mode": ai_mode,
                "sets_engine": engine is not msgspec.UNSET,
                "engine": name,
                "redaction": redaction,
            },
            row=Policy,
        )
        if changed is None:
            raise RoleForbidden("Only admins change what AI may do.")
        target = f"organization:{tenant.organization_id}"
        record(transaction, "ai.settings.change", target, msgspec.to_builtins(changed), kind=kind)
    return changed


def secret_name(provider: str) -> str:
    """Under what name an organization stores its own key for a provider."""
    return f"{provider}_api_key"


def is_other_server(base_url: str | None) -> bool:
    """Whether this is an OpenAI-compatible server that may work without a key."""
    return base_url is not None and urlsplit(base_url).hostname != "api.openai.com"
