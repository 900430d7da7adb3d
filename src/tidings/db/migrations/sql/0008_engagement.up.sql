CREATE TABLE tidings.engagement_editions (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    domain text COLLATE "C" NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    lines jsonb NOT NULL CHECK (jsonb_typeof(lines) = 'array'),
    saved_by uuid REFERENCES tidings.users (id) ON DELETE SET NULL,
    saved_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, domain, version)
);
SELECT tidings.protect_tenant('tidings.engagement_editions');
GRANT SELECT, INSERT, DELETE ON tidings.engagement_editions TO tidings_app;
COMMENT ON TABLE tidings.engagement_editions IS
    'The organization''s own words for a company''s lines, one row a save; the record itself is never touched. Retention: the newest 50 of a company.';
COMMENT ON COLUMN tidings.engagement_editions.version IS 'Counts up by one; two who save over the same version collide here, and the second is told.';
COMMENT ON COLUMN tidings.engagement_editions.lines IS
    '[{list, original, text, hidden}]: applies wherever the record still has the original.';

CREATE FUNCTION tidings.wire_time(p_at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
COMMENT ON FUNCTION tidings.wire_time(timestamptz) IS 'A time as the API writes it: RFC 3339 in UTC.';
GRANT EXECUTE ON FUNCTION tidings.wire_time(timestamptz) TO tidings_app, tidings_system;

-- The record says `processing` exactly as long as its run is alive: whoever ends the run (the worker,
-- the rescuer after a kill, a person who cancels) ends the record in the same transaction.
CREATE FUNCTION tidings.engagement_record_follows_run() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    moment text := tidings.wire_time(tidings.now());
    change jsonb := jsonb_build_object(
        'updated_at', moment,
        'progress', jsonb_build_object('stage', coalesce(nullif(NEW.stage, ''), 'queued'), 'done', NEW.done, 'total', NEW.total));
BEGIN
    IF NEW.status IN ('error', 'cancelled') THEN
        change := change || jsonb_build_object('status', 'error', 'completed_at', moment,
            'error', coalesce(NEW.error, 'The run was cancelled.'));
    ELSIF OLD.status = 'error' THEN  -- a dead letter that a person retries
        change := change || jsonb_build_object('status', 'processing', 'completed_at', NULL, 'error', NULL);
    ELSIF NEW.started_at IS NOT NULL THEN
        change := change || jsonb_build_object('started_at', tidings.wire_time(NEW.started_at));
    END IF;
    UPDATE tidings.kv_store k
       SET value = k.value || change
     WHERE k.organization_id = NEW.organization_id
       AND k.key = 'engagement:' || NEW.subject || ':' || NEW.id::text
       AND (k.value ->> 'status' = 'processing' OR OLD.status = 'error');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION tidings.engagement_record_follows_run() IS
    'Carries a run''s progress and end over to its record in the KV store.';

SELECT tidings.run_as_system('tidings.engagement_record_follows_run()');

CREATE TRIGGER engagement_record_follows_run
    AFTER UPDATE ON tidings.runs
    FOR EACH ROW WHEN (NEW.kind = 'engagement' AND NEW.status <> 'complete')
    EXECUTE FUNCTION tidings.engagement_record_follows_run();

CREATE FUNCTION tidings.start_engagement_v1(
    p_run_id uuid, p_domain text, p_args jsonb, p_force boolean, p_record jsonb, p_deadline interval, p_retention interval
) RETURNS TABLE (run_id uuid, created boolean)
LANGUAGE plpgsql
AS $$
DECLARE
    started record;
BEGIN
    SELECT * INTO started
      FROM tidings.start_run_v1(p_run_id, 'engagement', p_domain, p_args, NOT p_force, p_deadline, 5);
    IF started.created THEN
        INSERT INTO tidings.kv_store (organization_id, key, value, expires_at)
        VALUES (tidings.current_organization(), 'engagement:' || p_domain || ':' || started.run_id::text,
                p_record, tidings.now() + p_retention);
    END IF;
    RETURN QUERY SELECT started.run_id, started.created;
END
$$;
COMMENT ON FUNCTION tidings.start_engagement_v1(uuid, text, jsonb, boolean, jsonb, interval, interval) IS
    'Run, job, event and record of a summary in one transaction; the run under way of the same domain unless forced.';
GRANT EXECUTE ON FUNCTION tidings.start_engagement_v1(uuid, text, jsonb, boolean, jsonb, interval, interval) TO tidings_app;

-- The newest complete record of a company never expires; the one it takes over from does.
CREATE FUNCTION tidings.complete_engagement_v1(
    p_domain text, p_run_id uuid, p_change jsonb, p_retention interval
) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
    prefix text COLLATE "C" := 'engagement:' || p_domain || ':';
    newest text COLLATE "C";
BEGIN
    UPDATE tidings.kv_store k
       SET value = k.value || p_change
     WHERE k.organization_id = tidings.current_organization() AND k.key = prefix || p_run_id::text
       AND k.value ->> 'status' = 'processing';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT max(k.key) INTO newest
      FROM tidings.kv_store k
     WHERE k.organization_id = tidings.current_organization()
       AND k.key >= prefix AND k.key < 'engagement:' || p_domain || ';'
       AND k.value ->> 'status' = 'complete';
    UPDATE tidings.kv_store k
       SET expires_at = CASE WHEN k.key = newest THEN NULL ELSE tidings.now() + p_retention END
     WHERE k.organization_id = tidings.current_organization()
       AND k.key >= prefix AND k.key < 'engagement:' || p_domain || ';'
       AND k.value ->> 'status' = 'complete'
       AND (k.expires_at IS NULL) <> (k.key = newest);
    RETURN true;
END
$$;
COMMENT ON FUNCTION tidings.complete_engagement_v1(text, uuid, jsonb, interval) IS
    'Ends a record as complete and lets the newest complete record of the company outlive the retention; false when the record is gone or ended already.';
GRANT EXECUTE ON FUNCTION tidings.complete_engagement_v1(text, uuid, jsonb, interval) TO tidings_app;
