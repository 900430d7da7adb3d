"""Settings: environment variables `TIDINGS_…` and a `.env` file, typed and checked at start.

Every field is documented in docs/reference/settings.md; a contract test holds the two together.
"""

import ipaddress
import os
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from tidings.base.errors import FieldProblem, SettingInvalid


def default_home() -> Path:
    """Where Tidings keeps its own PostgreSQL: a system path as root, else under the user's data."""
    if os.geteuid() == 0:
        return Path("/var/lib/tidings/home")
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "tidings"


class Settings(BaseSettings):
    """All settings of one process. Build it with `load_settings()`."""

    model_config = SettingsConfigDict(
        env_prefix="TIDINGS_", env_file=".env", extra="ignore", frozen=True, populate_by_name=True
    )

    home: Path = Field(
        default_factory=default_home,
        description="Folder of the embedded PostgreSQL, its log and the generated secret key.",
    )
    database_url: str | None = Field(
        None,
        description="PostgreSQL 15+ to use instead of the embedded one, as the role tidings_app "
        "or a member of it; may be a pooler. Unset: the embedded PostgreSQL.",
    )
    owner_url: str | None = Field(
        None,
        description="The same database as a role that may migrate it (a member of tidings_owner); "
        "direct, not through a pooler. Needed by `tidings migrate`.",
    )
    listen_url: str | None = Field(
        None,
        description="The same database, direct, for LISTEN. Unset with TIDINGS_DATABASE_URL set: "
        "wake-ups are polled.",
    )
    analytics_url: str | None = Field(
        None, description="Read-only address for long reports; may be a replica."
    )
    database_prepare: bool = Field(
        True,
        description="Use prepared statements. Turn off behind a pooler that does not support them.",
    )
    pool_primary_min: int = Field(
        5, ge=0, le=200, description="Connections the primary pool keeps."
    )
    pool_primary_max: int = Field(20, ge=1, le=200, description="Most connections it opens.")
    pool_analytics_min: int = Field(
        0, ge=0, le=50, description="Connections the analytics pool keeps."
    )
    pool_analytics_max: int = Field(10, ge=1, le=50, description="Most connections it opens.")
    pool_timeout: float = Field(
        5.0, gt=0, description="Seconds to wait for a connection before answering 503."
    )
    pool_lifetime: float = Field(
        3600.0, gt=0, description="Seconds after which a connection is replaced."
    )
    statement_timeout: float = Field(
        30.0, gt=0, description="Seconds a statement of the primary pool may take."
    )
    analytics_timeout: float = Field(
        120.0, gt=0, description="Seconds a statement of the analytics pool may take."
    )
    backplane: SecretStr | None = Field(
        None,
        description="How processes tell each other of events: `nats://[user:password@]host[:port]"
        "[/prefix]`, or `tls://…`. Unset: PostgreSQL's NOTIFY.",
    )
    supabase_url: str | None = Field(
        None,
        description="A Supabase project's address, to forward events to its Realtime; unset: none.",
    )
    supabase_key: SecretStr | None = Field(
        None, description="The project's service key; needed with TIDINGS_SUPABASE_URL."
    )
    supabase_topics: str = Field(
        "room",
        description="Prefixes of the topics that are forwarded, separated by commas: `room,run`.",
    )
    host: str = Field("127.0.0.1", description="Address the web server listens on.")
    port: int = Field(
        8420, ge=0, le=65535, description="Port of the web server; 0 takes a free one."
    )
    base_url: str | None = Field(
        None, description="Public address, for links and cookies; unset: http://HOST:PORT."
    )
    cors_origins: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Origins, separated by commas, that browsers may call the API from.",
    )
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Addresses or networks, separated by commas, of proxies in front whose "
        "X-Forwarded-For is believed. Behind a proxy that is not named here, all who sign in "
        "count as one address.",
    )
    legacy_prefix: str | None = Field(
        None,
        description="Mount the two engagement routes also under this prefix, as older front ends "
        "call them (`/make-server`, say).",
    )
    rate_limit: int = Field(
        6000, ge=1, description="Requests a minute that one API key or session may make."
    )
    sign_in_limit: int = Field(
        10, ge=1, description="Failed sign-ins in 15 minutes before an address or account waits."
    )
    session_days: int = Field(14, ge=1, le=365, description="Days until a session ends unused.")
    secret_key: SecretStr | None = Field(
        None,
        description="32 bytes in base64 that seal stored secrets; several, separated by commas, "
        "while rotating (the first seals). Unset: generated once under TIDINGS_HOME.",
    )
    log_format: str = Field("text", pattern="^(text|json)$", description="`text` or `json`.")
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="Least severe level logged."
    )
    recall_entries: int = Field(
        1000,
        ge=1,
        description="Entries that a web process remembers; large ones, such as a meeting with its "
        "transcript, count as several.",
    )
    recall_ttl: float = Field(
        300.0, gt=0, description="Seconds after which a remembered entry is loaded again."
    )
    worker_concurrency: int = Field(
        8, ge=1, le=256, description="Jobs that one worker process runs at once."
    )
    job_lease: float = Field(
        15.0, ge=0.5, description="Seconds a claimed job belongs to a worker without a heartbeat."
    )
    job_heartbeat: float = Field(5.0, gt=0, description="Seconds between two heartbeats.")
    shutdown_grace: float = Field(
        8.0, ge=0, description="Seconds that running jobs and requests get at shutdown."
    )
    engine: str = Field(
        "local",
        description="AI engine unless an organization chose another: `local`, `openai:MODEL`, "
        "`anthropic:MODEL`, `google:MODEL`.",
    )
    openai_api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("TIDINGS_OPENAI_API_KEY", "OPENAI_API_KEY"),
        description="Key for `openai:…` engines unless the organization stored one.",
    )
    openai_base_url: str | None = Field(
        None,
        description="Base URL of an OpenAI-compatible endpoint (Ollama, vLLM, LiteLLM, …).",
    )
    anthropic_api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("TIDINGS_ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY"),
        description="Key for `anthropic:…` engines unless the organization stored one.",
    )
    anthropic_base_url: str | None = Field(
        None, description="Base URL of an Anthropic-compatible endpoint."
    )
    google_api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("TIDINGS_GOOGLE_API_KEY", "GOOGLE_API_KEY"),
        description="Key for `google:…` engines (Gemini API) unless the organization stored one.",
    )
    google_base_url: str | None = Field(
        None, description="Base URL of another endpoint for `google:…` engines, OpenAI-compatible."
    )
    model_prices: str | None = Field(
        None,
        description="Prices of models that the price list does not know, as JSON: "
        '{"openai:my-model": {"input": "0.15", "output": "0.60"}} in USD per million tokens.',
    )
    ai_timeout: float = Field(60.0, gt=0, description="Seconds one provider call may take.")
    ai_tries: int = Field(
        3, ge=1, le=5, description="Calls made for one answer, repairs of a bad one included."
    )
    ai_concurrency: int = Field(
        8, ge=1, description="Calls that one process makes at once to one provider."
    )
    ai_fallback: str | None = Field(
        None,
        description="Engines to ask when one fails, in order, by operation or `*`, as JSON: "
        '{"*": ["anthropic:claude-haiku-4-5", "local"]}. For callers that record who answered.',
    )
    fathom_api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("TIDINGS_FATHOM_API_KEY", "FATHOM_API_KEY"),
        description="Key for Fathom unless the organization stored one.",
    )
    fathom_base_url: str = Field(
        "https://api.fathom.ai/external/v1", description="Base URL of Fathom's external API."
    )
    fathom_sync_age: float = Field(
        600.0, ge=0, description="Seconds after which a domain is synced again before a summary."
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="Where email is handed in: `smtp://[user[:password]@]host[:port]` (STARTTLS; "
        "`?starttls=never` on a network of your own) or `smtps://…`. An organization's stored "
        "`smtp_password` comes before the one in here. Unset: no email leaves.",
    )
    smtp_from: str | None = Field(
        None, description="Who email is from: an address, or `Name <address>`."
    )
    gateway_private: bool = Field(
        False,
        description="Let gateways for outgoing messages, and mailboxes that mail is fetched from, "
        "be on private networks, or without TLS.",
    )
    engagement_retention: float = Field(
        604_800.0,
        gt=0,
        description="Seconds after which a summary's record expires; the newest complete one of "
        "each company stays.",
    )
    engagement_deadline: float = Field(
        600.0, gt=0, description="Seconds after which an unfinished run ends with an error."
    )

    @field_validator("cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, value: list[str]) -> list[str]:
        for network in value:
            try:
                ipaddress.ip_network(network)
            except ValueError:
                raise ValueError("must be IP addresses or networks such as 10.0.0.0/8") from None
        return value

    @field_validator("backplane")
    @classmethod
    def _check_backplane(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("nats://", "tls://")):
            raise ValueError("must start with nats:// or tls://")
        return value

    @field_validator("legacy_prefix")
    @classmethod
    def _check_prefix(cls, value: str | None) -> str | None:
        if not value or value == "/":
            return None
        if not value.startswith("/") or value.startswith("/v1"):
            raise ValueError("must start with / and not be below /v1")
        return value.rstrip("/")

    @property
    def is_embedded(self) -> bool:
        """Whether Tidings runs its own PostgreSQL."""
        return self.database_url is None


def load_settings(**changes: object) -> Settings:
    """The settings of this process; `changes` win over the environment.

    Raises `SettingInvalid` that names every bad setting, never its value.
    """
    try:
        return Settings(**changes)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = [
            FieldProblem(_variable(str(item["loc"][0])), str(item["msg"]))
            for item in error.errors(include_input=False, include_url=False)
        ]
        listing = "; ".join(f"{p.field}: {p.message}" for p in problems)
        raise SettingInvalid(f"Settings are not valid. {listing}.", errors=problems) from None


def _variable(location: str) -> str:
    return location if location.isupper() else f"TIDINGS_{location.upper()}"
