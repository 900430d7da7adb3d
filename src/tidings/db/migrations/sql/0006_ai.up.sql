CREATE TABLE tidings.token_usage (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    run_id uuid,
    operation text NOT NULL CHECK (operation ~ '^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$' AND char_length(operation) <= 100),
    engine text NOT NULL CHECK (engine = provider || ':' || model AND char_length(engine) <= 200),
    provider text NOT NULL CHECK (provider ~ '^[a-z]+$'),
    model text NOT NULL CHECK (model <> ''),
    prompt_version text NOT NULL CHECK (prompt_version ~ '^[0-9a-f]{12}$'),
    prompt_tokens bigint NOT NULL CHECK (prompt_tokens >= 0),
    completion_tokens bigint NOT NULL CHECK (completion_tokens >= 0),
    cached_tokens bigint NOT NULL CHECK (cached_tokens BETWEEN 0 AND prompt_tokens),
    estimated boolean NOT NULL,
    cost numeric(14, 6) NOT NULL CHECK (cost >= 0),
    latency_ms integer NOT NULL CHECK (latency_ms >= 0),
    status text NOT NULL CHECK (status IN ('ok', 'error', 'invalid')),
    error text CHECK (char_length(error) BETWEEN 1 AND 500),
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, id),
    CHECK ((status = 'ok') = (error IS NULL))
);
CREATE INDEX token_usage_by_time ON tidings.token_usage (organization_id, created_at DESC, id DESC);
CREATE INDEX token_usage_by_run ON tidings.token_usage (organization_id, run_id) WHERE run_id IS NOT NULL;
SELECT tidings.protect('tidings.token_usage');
CREATE POLICY tenant_select ON tidings.token_usage FOR SELECT TO tidings_app, tidings_readonly
    USING (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY service_insert ON tidings.token_usage FOR INSERT TO tidings_app
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.is_service()));
GRANT SELECT, INSERT ON tidings.token_usage TO tidings_app;
GRANT SELECT ON tidings.token_usage TO tidings_readonly;
COMMENT ON TABLE tidings.token_usage IS
    'One row for each call to an AI provider, failed ones too; members read, the gateway appends, nobody changes. The local engine makes no row: nothing leaves and nothing is paid. Retention: kept for accounting, goes with its organization.';
COMMENT ON COLUMN tidings.token_usage.run_id IS 'The run that the call served; runs age out sooner, so it is not a reference.';
COMMENT ON COLUMN tidings.token_usage.engine IS 'provider:model, as organizations.engine spells it.';
COMMENT ON COLUMN tidings.token_usage.prompt_version IS 'Hash of the prompt, the answer''s schema and the fence around the source.';
COMMENT ON COLUMN tidings.token_usage.prompt_tokens IS 'All input tokens, cached ones included.';
COMMENT ON COLUMN tidings.token_usage.estimated IS 'The provider told no usage (it did not answer, or leaves it out): tokens are counted from the text.';
COMMENT ON COLUMN tidings.token_usage.cost IS 'USD, rounded up to the sixth place.';
COMMENT ON COLUMN tidings.token_usage.status IS 'ok; error: no answer; invalid: an answer that could not be used, paid for all the same.';
COMMENT ON COLUMN tidings.token_usage.error IS 'What went wrong, in short; never a key, a prompt or the source.';
