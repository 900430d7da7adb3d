"""The closed set of errors. Each is `<Noun><Problem>`; its docstring is the default message.

`web/problems.py` maps them to HTTP and `cli/main.py` to exit codes; nothing else does.
"""

from datetime import datetime
from typing import ClassVar, Self

import msgspec


class FieldProblem(msgspec.Struct, frozen=True):
    """One field of the input, and what is wrong with it."""

    field: str
    message: str


class TidingsError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "internal_error"

    def __init__(
        self,
        message: str | None = None,
        *,
        errors: list[FieldProblem] | None = None,
        retry_after: float | None = None,
    ) -> None:
        """`message` is a sentence a person can act on; `retry_after` is in seconds."""
        self.message = message or self.sentence()
        self.errors = errors or []
        self.retry_after = retry_after
        super().__init__(self.message)

    @classmethod
    def sentence(cls) -> str:
        """What is said where nothing else is."""
        return (cls.__doc__ or "").strip().splitlines()[0]


class InputInvalid(TidingsError):
    """The request is not valid; see errors."""

    code = "input_invalid"

    @classmethod
    def of(cls, field: str, problem: str) -> Self:
        """One field, and what is wrong with it as the sentence goes on: `"name", "is empty"`."""
        return cls(f"{field} {problem}.", errors=[FieldProblem(field, problem)])


class CursorInvalid(TidingsError):
    """The cursor is not one that this list handed out; start again without it."""

    code = "cursor_invalid"


class DomainInvalid(InputInvalid):
    """The domain is not one that a company could have; send something like acmecorp.com."""

    code = "domain_invalid"


class CredentialMissing(TidingsError):
    """Send an API key as `Authorization: Bearer tk_…`, or sign in."""

    code = "credential_missing"


class CredentialInvalid(TidingsError):
    """The credential is unknown, expired or revoked."""

    code = "credential_invalid"


class SignatureInvalid(TidingsError):
    """The webhook's signature does not match, or its time is more than 5 minutes off."""

    code = "signature_invalid"


class RoleForbidden(TidingsError):
    """Your role or your key's scopes do not allow this."""

    code = "role_forbidden"


class CsrfInvalid(TidingsError):
    """The form has expired; reload the page and send it again."""

    code = "csrf_invalid"


class RowMissing(TidingsError):
    """There is no such thing here."""

    code = "not_found"


class MethodForbidden(TidingsError):
    """This address does not answer that method."""

    code = "method_not_allowed"


class StateConflict(TidingsError):
    """It is not in a state that allows this."""

    code = "state_conflict"


class VersionStale(TidingsError):
    """It changed since you read it; read it again and repeat your change."""

    code = "version_stale"


class BodyTooLarge(TidingsError):
    """The body is larger than this address takes."""

    code = "body_too_large"


class MediaUnsupported(TidingsError):
    """The body is not of a type that this address takes."""

    code = "media_unsupported"


class IdempotencyMismatch(TidingsError):
    """This Idempotency-Key was used with another request; use a new key."""

    code = "idempotency_mismatch"


class IdempotencyBusy(TidingsError):
    """The first request with this Idempotency-Key is still being answered; try again shortly."""

    code = "idempotency_busy"


class RateExceeded(TidingsError):
    """Too many requests; wait as long as Retry-After says."""

    code = "rate_exceeded"


class DatabaseBusy(TidingsError):
    """All database connections are in use; try again shortly."""

    code = "database_busy"


class DatabaseUnavailable(TidingsError):
    """The database cannot be reached; try again shortly."""

    code = "database_unavailable"


class TenantMissing(TidingsError):
    """No organization is set for this transaction."""

    code = "tenant_missing"


class SettingInvalid(TidingsError):
    """A setting is missing or not valid."""

    code = "setting_invalid"


class MigrationBroken(TidingsError):
    """The database schema is not at the version that this program needs."""

    code = "migration_broken"


class SecretUnreadable(TidingsError):
    """A stored secret cannot be opened with the current TIDINGS_SECRET_KEY."""

    code = "secret_unreadable"


class LeaseLost(TidingsError):
    """Another worker has this job now."""

    code = "lease_lost"


class RunCancelled(TidingsError):
    """The run was cancelled."""

    code = "run_cancelled"


class FileInvalid(TidingsError):
    """The file cannot be read as a meeting."""

    code = "file_invalid"


class SourceUnavailable(TidingsError):
    """A system outside Tidings did not answer as agreed."""

    code = "source_unavailable"


class SourceRefused(SourceUnavailable):
    """A system outside Tidings refused the user or the password."""

    code = "source_refused"


class SourceUnconfigured(TidingsError):
    """A system outside Tidings was asked for but has no credential here."""

    code = "source_unconfigured"


class ProviderFailed(TidingsError):
    """The AI provider answered with an error."""

    code = "provider_failed"


class AnswerUnreadable(TidingsError):
    """Failed to parse AI response"""

    code = "answer_unreadable"


class PriceUnknown(TidingsError):
    """There is no price for this model; name a model that has one, or set its price."""

    code = "price_unknown"


class AiForbidden(TidingsError):
    """This organization's settings do not allow this engine."""

    code = "ai_forbidden"


class EngineUnknown(TidingsError):
    """There is no such engine; use local, openai:MODEL, anthropic:MODEL or google:MODEL."""

    code = "engine_unknown"


class ScoreUnsupported(TidingsError):
    """The local engine does not score ideas, it cannot judge them; choose a provider's engine."""

    code = "score_unsupported"


class BudgetExceeded(TidingsError):
    """The organization's AI budget does not allow this call; it resets as Retry-After says."""

    code = "budget_exceeded"

    def __init__(
        self,
        message: str | None = None,
        *,
        retry_after: float | None = None,
        retry_at: datetime | None = None,
    ) -> None:
        """`retry_at` is when the budget begins anew, aware; until then only a higher one helps."""
        super().__init__(message, retry_after=retry_after)
        self.retry_at = retry_at
