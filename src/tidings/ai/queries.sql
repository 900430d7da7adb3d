-- name: record_token_use
-- Appends one provider call to the ledger; a repeat of the same row changes nothing.
INSERT INTO tidings.token_usage (
    organization_id, id, run_id, operation, engine, provider, model, prompt_version,
    prompt_tokens, completion_tokens, cached_tokens, estimated, cost, latency_ms, status, error, created_at)
VALUES (
    tidings.current_organization(), %(id)s, %(run_id)s, %(operation)s, %(engine)s, %(provider)s, %(model)s, %(prompt_version)s,
    %(prompt_tokens)s, %(completion_tokens)s, %(cached_tokens)s, %(estimated)s, %(cost)s, %(latency_ms)s, %(status)s, %(error)s,
    %(created_at)s)
ON CONFLICT (organization_id, id) DO NOTHING;

-- name: run_token_uses
-- The provider calls of one run, oldest first.
SELECT id, run_id, operation, engine, provider, model, prompt_version, prompt_tokens, completion_tokens,
       cached_tokens, estimated, cost, latency_ms, status, error, created_at
FROM tidings.token_usage
WHERE organization_id = tidings.current_organization() AND run_id = %(run_id)s::uuid
ORDER BY created_at, id;

-- name: ai_policy
-- What the organization allows and prefers: its ai_mode and its engine.
SELECT ai_mode, engine FROM tidings.organizations WHERE id = tidings.current_organization();

-- name: provider_secret
-- The sealed key of a provider, to services alone.
SELECT sealed, key_id FROM tidings.read_secret_v1(%(name)s);
