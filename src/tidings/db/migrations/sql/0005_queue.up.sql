-- Every change of a job or a run goes through the functions below, which run as tidings_system:
-- tidings_app only reads. Locks are taken in one order everywhere: job, run, what hangs on the run.

-- Tables ------------------------------------------------------------------------------------------

CREATE TABLE tidings.runs (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_.]{0,62}$'),
    subject text NOT NULL,
    status text NOT NULL DEFAULT 'queued'
        CHECK (status IN ('queued', 'running', 'complete', 'error', 'cancelled')),
    stage text,
    done integer NOT NULL DEFAULT 0 CHECK (done >= 0),
    total integer NOT NULL DEFAULT 0 CHECK (total >= 0),
    result jsonb,
    error text CHECK (error <> ''),
    job_id uuid NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    started_at timestamptz,
    finished_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, id),
    CONSTRAINT runs_finished CHECK (
        (status IN ('complete', 'error', 'cancelled')) = (finished_at IS NOT NULL)),
    CONSTRAINT runs_started CHECK (status NOT IN ('running', 'complete') OR started_at IS NOT NULL),
    CONSTRAINT runs_error CHECK ((status = 'error') = (error IS NOT NULL)),
    CONSTRAINT runs_result CHECK (result IS NULL OR status = 'complete')
) WITH (fillfactor = 80);
-- Progress touches no indexed column, so that it stays a HOT update.
CREATE INDEX runs_live ON tidings.runs (organization_id, kind, subject, id)
    WHERE status IN ('queued', 'running');
CREATE INDEX runs_kind ON tidings.runs (organization_id, kind, id);
CREATE INDEX runs_finished_at ON tidings.runs (finished_at) WHERE finished_at IS NOT NULL;
COMMENT ON TABLE tidings.runs IS
    'What a person waits for: one tracked piece of work, served by a job whose state it follows. '
    'Retention: deleted 90 days after it finished.';
COMMENT ON COLUMN tidings.runs.subject IS 'What the run is about, such as a domain.';
COMMENT ON COLUMN tidings.runs.total IS 'Steps of this stage; 0 while not known.';
COMMENT ON COLUMN tidings.runs.job_id IS
    'The job that serves the run now, in jobs or finished_jobs; a stage that enqueues the next one moves it on.';

CREATE TABLE tidings.jobs (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_.]{0,62}$'),
    args jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(args) = 'object'),
    user_id uuid NOT NULL,
    run_id uuid,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'blocked')),
    priority smallint NOT NULL DEFAULT 0,
    run_at timestamptz NOT NULL DEFAULT tidings.now(),
    attempt smallint NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    max_attempts smallint NOT NULL DEFAULT 5 CHECK (max_attempts >= 1),
    lease_token uuid,
    lease_until timestamptz,
    worker text,
    claimed_at timestamptz,
    unique_key text,
    concurrency_key text,
    deadline_at timestamptz,
    progress jsonb,
    cancel_requested_at timestamptz,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, run_id) REFERENCES tidings.runs (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT jobs_leased CHECK (
        num_nonnulls(lease_token, lease_until, worker, claimed_at)
        = CASE WHEN status = 'running' THEN 4 ELSE 0 END),
    CONSTRAINT jobs_attempts CHECK (attempt <= max_attempts AND (status <> 'running' OR attempt >= 1)),
    CONSTRAINT jobs_cancel CHECK (cancel_requested_at IS NULL OR status = 'running')
) WITH (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500,
    autovacuum_analyze_scale_factor = 0.05
);
CREATE INDEX jobs_claim ON tidings.jobs (priority DESC, run_at, id) WHERE status = 'pending';
-- Without lease_until, so that a heartbeat stays a HOT update; few rows run at any time.
CREATE INDEX jobs_running ON tidings.jobs (id) WHERE status = 'running';
CREATE INDEX jobs_deadline ON tidings.jobs (deadline_at)
    WHERE status <> 'running' AND deadline_at IS NOT NULL;
CREATE UNIQUE INDEX jobs_unique_key ON tidings.jobs (organization_id, kind, unique_key)
    WHERE unique_key IS NOT NULL;
CREATE INDEX jobs_run ON tidings.jobs (organization_id, run_id) WHERE run_id IS NOT NULL;
COMMENT ON TABLE tidings.jobs IS
    'Work to do or being done. Hot: a job leaves for finished_jobs in the statement that ends it. '
    'Retention: none of its own, every row leaves when it ends.';
COMMENT ON COLUMN tidings.jobs.user_id IS 'Who enqueued it; the job runs as a service for this user.';
COMMENT ON COLUMN tidings.jobs.status IS
    'pending -> running -> (leaves), running -> pending (retry, release, rescue); blocked is reserved.';
COMMENT ON COLUMN tidings.jobs.priority IS 'Higher runs first.';
COMMENT ON COLUMN tidings.jobs.attempt IS 'How often it was claimed; a graceful release gives one back.';
COMMENT ON COLUMN tidings.jobs.lease_token IS 'Made by each claim; who cannot show it has lost the job.';
COMMENT ON COLUMN tidings.jobs.unique_key IS 'At most one job of an organization and kind lives with this key.';
COMMENT ON COLUMN tidings.jobs.concurrency_key IS 'Jobs that share it will share a limit; stored only, for now.';
COMMENT ON COLUMN tidings.jobs.deadline_at IS 'Unfinished by then, it fails, whatever its attempts.';
COMMENT ON COLUMN tidings.jobs.cancel_requested_at IS
    'Set while running; from then on the job can only end as cancelled.';

CREATE TABLE tidings.finished_jobs (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    kind text NOT NULL,
    args jsonb NOT NULL,
    user_id uuid NOT NULL,
    run_id uuid,
    status text NOT NULL CHECK (status IN ('completed', 'failed', 'cancelled')),
    priority smallint NOT NULL,
    run_at timestamptz NOT NULL,
    attempt smallint NOT NULL,
    max_attempts smallint NOT NULL,
    worker text,
    claimed_at timestamptz,
    unique_key text,
    concurrency_key text,
    deadline_at timestamptz,
    progress jsonb,
    result jsonb,
    error text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, run_id) REFERENCES tidings.runs (organization_id, id)
        ON DELETE SET NULL (run_id),
    CONSTRAINT finished_jobs_error CHECK ((status = 'failed') = (error IS NOT NULL)),
    CONSTRAINT finished_jobs_result CHECK (result IS NULL OR status = 'completed')
);
CREATE INDEX finished_jobs_done_at ON tidings.finished_jobs (finished_at) WHERE status <> 'failed';
CREATE INDEX finished_jobs_failed_at ON tidings.finished_jobs (finished_at) WHERE status = 'failed';
CREATE INDEX finished_jobs_failed ON tidings.finished_jobs (organization_id, id) WHERE status = 'failed';
CREATE INDEX finished_jobs_run ON tidings.finished_jobs (organization_id, run_id) WHERE run_id IS NOT NULL;
COMMENT ON TABLE tidings.finished_jobs IS
    'Jobs that ended; the failed ones are the dead letters, which may be retried. '
    'Retention: deleted 7 days after the end, failed ones after 30.';

CREATE TABLE tidings.cron_ticks (
    name text NOT NULL,
    tick_at timestamptz NOT NULL,
    worker text NOT NULL,
    lease_until timestamptz NOT NULL,
    fired_at timestamptz NOT NULL DEFAULT tidings.now(),
    finished_at timestamptz,
    error text,
    PRIMARY KEY (name, tick_at),
    CONSTRAINT cron_ticks_error CHECK (error IS NULL OR finished_at IS NOT NULL)
);
COMMENT ON TABLE tidings.cron_ticks IS
    'One row for each tick of a schedule that a worker won; of the whole installation, not of a tenant. '
    'Retention: deleted after 30 days, the newest of each schedule excepted.';

CREATE TABLE tidings.queue_listeners (
    worker text NOT NULL PRIMARY KEY,
    idle boolean NOT NULL,
    seen_at timestamptz NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE tidings.queue_listeners IS
    'Workers that LISTEN, and whether they wait for jobs: only then does an enqueue send a hint. '
    'Retention: deleted a day after the worker was last seen.';

SELECT tidings.protect('tidings.runs');
SELECT tidings.protect('tidings.jobs');
SELECT tidings.protect('tidings.finished_jobs');
SELECT tidings.protect('tidings.cron_ticks');
SELECT tidings.protect('tidings.queue_listeners');

CREATE POLICY tenant_select ON tidings.runs FOR SELECT TO tidings_app, tidings_readonly
    USING (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY tenant_select ON tidings.jobs FOR SELECT TO tidings_app, tidings_readonly
    USING (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY tenant_select ON tidings.finished_jobs FOR SELECT TO tidings_app, tidings_readonly
    USING (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY system_all ON tidings.runs TO tidings_system USING (true) WITH CHECK (true);
CREATE POLICY system_all ON tidings.jobs TO tidings_system USING (true) WITH CHECK (true);
CREATE POLICY system_all ON tidings.finished_jobs TO tidings_system USING (true) WITH CHECK (true);
CREATE POLICY system_all ON tidings.cron_ticks TO tidings_system USING (true) WITH CHECK (true);
CREATE POLICY system_all ON tidings.queue_listeners TO tidings_system USING (true) WITH CHECK (true);

GRANT SELECT ON tidings.runs, tidings.jobs, tidings.finished_jobs TO tidings_app, tidings_readonly;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    tidings.runs, tidings.jobs, tidings.finished_jobs, tidings.cron_ticks, tidings.queue_listeners
TO tidings_system;

-- What the functions share; only tidings_system may call it ---------------------------------------

CREATE FUNCTION tidings.publish_run() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM tidings.publish_for_v1(
        NEW.organization_id,
        'run:' || NEW.id,
        CASE WHEN NEW.status IN ('queued', 'running') THEN 'progress' ELSE NEW.status END,
        jsonb_build_object(
            'id', NEW.id, 'kind', NEW.kind, 'subject', NEW.subject, 'status', NEW.status,
            'progress', jsonb_build_object('stage', NEW.stage, 'done', NEW.done, 'total', NEW.total),
            'error', NEW.error, 'result', NEW.result));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION tidings.publish_run() IS
    'Publishes every change of a run to the topic run:{id}: progress, complete, error or cancelled.';
SELECT tidings.run_as_system('tidings.publish_run()');
REVOKE EXECUTE ON FUNCTION tidings.publish_run() FROM tidings_app;
CREATE TRIGGER runs_publish AFTER UPDATE ON tidings.runs FOR EACH ROW
    WHEN ((OLD.status, OLD.stage, OLD.done, OLD.total) IS DISTINCT FROM
          (NEW.status, NEW.stage, NEW.done, NEW.total))
    EXECUTE FUNCTION tidings.publish_run();

CREATE FUNCTION tidings.hint_workers() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    -- NOTIFY serialises commits, so it is sent only while somebody waits for it.
    IF EXISTS (
        SELECT FROM tidings.queue_listeners AS l
        WHERE l.idle AND l.seen_at > tidings.now() - interval '1 minute'
    ) THEN
        PERFORM pg_catalog.pg_notify('tidings_jobs', 'enqueued');
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.hint_workers() IS
    'Wakes the claim loops that are known to wait. A hint that gets lost costs a poll, never a job.';

CREATE FUNCTION tidings.require_writer() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT tidings.may_write() THEN
        RAISE EXCEPTION 'Your role does not allow this.' USING ERRCODE = 'TD403';
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.require_writer() IS 'Refuses viewers.';

CREATE FUNCTION tidings.close_job(
    organization uuid, job uuid, final text, outcome jsonb, problem text
) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    moment timestamptz := tidings.now();
    run uuid;
BEGIN
    WITH gone AS (
        DELETE FROM tidings.jobs AS j
        WHERE j.organization_id = organization AND j.id = job
        RETURNING j.*
    )
    INSERT INTO tidings.finished_jobs AS f (
        organization_id, id, kind, args, user_id, run_id, status, priority, run_at, attempt,
        max_attempts, worker, claimed_at, unique_key, concurrency_key, deadline_at, progress,
        result, error, created_at, finished_at)
    SELECT
        g.organization_id, g.id, g.kind, g.args, g.user_id, g.run_id, final, g.priority, g.run_at,
        g.attempt, g.max_attempts, g.worker, g.claimed_at, g.unique_key, g.concurrency_key,
        g.deadline_at, g.progress, outcome, problem, g.created_at, moment
    FROM gone AS g
    RETURNING f.run_id INTO run;
    IF run IS NOT NULL THEN
        UPDATE tidings.runs AS r SET
            status = CASE final WHEN 'completed' THEN 'complete' WHEN 'failed' THEN 'error'
                     ELSE 'cancelled' END,
            result = outcome, error = problem, finished_at = moment, updated_at = moment
        WHERE r.organization_id = organization AND r.id = run AND r.job_id = job
            AND r.status IN ('queued', 'running');
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.close_job(uuid, uuid, text, jsonb, text) IS
    'Moves a job that the caller has locked to finished_jobs; its run, if it still serves one, ends alike.';

CREATE FUNCTION tidings.return_job(
    job tidings.jobs, may_retry boolean, again timestamptz, problem text, refund boolean
) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    exhausted boolean := job.attempt >= job.max_attempts AND NOT refund;
BEGIN
    IF job.cancel_requested_at IS NOT NULL THEN
        PERFORM tidings.close_job(job.organization_id, job.id, 'cancelled', NULL, NULL);
        RETURN 'cancelled';
    ELSIF NOT may_retry OR exhausted OR coalesce(job.deadline_at <= again, false) THEN
        PERFORM tidings.close_job(job.organization_id, job.id, 'failed', NULL, problem);
        RETURN 'failed';
    END IF;
    UPDATE tidings.jobs AS j SET
        status = 'pending', run_at = again, lease_token = NULL, lease_until = NULL, worker = NULL,
        claimed_at = NULL, last_error = coalesce(problem, j.last_error),
        attempt = j.attempt - CASE WHEN refund THEN 1 ELSE 0 END
    WHERE j.organization_id = job.organization_id AND j.id = job.id;
    UPDATE tidings.runs AS r SET status = 'queued', updated_at = tidings.now()
    WHERE r.organization_id = job.organization_id AND r.id = job.run_id AND r.job_id = job.id
        AND r.status = 'running';
    RETURN 'pending';
END
$$;
COMMENT ON FUNCTION tidings.return_job(tidings.jobs, boolean, timestamptz, text, boolean) IS
    'Decides what becomes of a locked running job that did not complete: cancelled, failed or pending again.';

CREATE FUNCTION tidings.request_cancel(job tidings.jobs) RETURNS text
LANGUAGE plpgsql
AS $$
BEGIN
    IF job.status <> 'running' THEN
        PERFORM tidings.close_job(job.organization_id, job.id, 'cancelled', NULL, NULL);
        RETURN 'cancelled';
    END IF;
    UPDATE tidings.jobs AS j SET cancel_requested_at = coalesce(j.cancel_requested_at, tidings.now())
    WHERE j.organization_id = job.organization_id AND j.id = job.id;
    PERFORM pg_catalog.pg_notify('tidings_jobs', 'cancel');
    RETURN 'running';
END
$$;
COMMENT ON FUNCTION tidings.request_cancel(tidings.jobs) IS
    'Cancels a locked job that waits at once, and asks the worker of one that runs.';

GRANT EXECUTE ON FUNCTION
    tidings.hint_workers(), tidings.require_writer(),
    tidings.close_job(uuid, uuid, text, jsonb, text),
    tidings.return_job(tidings.jobs, boolean, timestamptz, text, boolean),
    tidings.request_cancel(tidings.jobs)
TO tidings_system;

-- Enqueue: under the tenant, in the caller's transaction ------------------------------------------

CREATE FUNCTION tidings.enqueue_v1(
    job uuid, job_kind text, job_args jsonb, run uuid, due_at timestamptz, urgency integer,
    job_key text, shared_key text, attempts integer, deadline interval
) RETURNS uuid
LANGUAGE plpgsql
AS $$
DECLARE
    organization uuid := tidings.current_organization();
    moment timestamptz := tidings.now();
    live uuid;
BEGIN
    PERFORM tidings.require_writer();
    LOOP
        INSERT INTO tidings.jobs AS j (
            organization_id, id, kind, args, user_id, run_id, priority, run_at, max_attempts,
            unique_key, concurrency_key, deadline_at, created_at)
        VALUES (
            organization, job, job_kind, job_args, tidings.acting_user(), run, urgency,
            coalesce(due_at, moment), attempts, job_key, shared_key, moment + deadline, moment)
        ON CONFLICT (organization_id, kind, unique_key) WHERE unique_key IS NOT NULL DO NOTHING
        RETURNING j.id INTO live;
        EXIT WHEN live IS NOT NULL;
        SELECT j.id INTO live FROM tidings.jobs AS j
        WHERE j.organization_id = organization AND j.kind = job_kind AND j.unique_key = job_key;
        -- Not found: it ended in between, so the key is free again.
        IF live IS NOT NULL THEN
            RETURN live;
        END IF;
    END LOOP;
    IF run IS NOT NULL THEN
        UPDATE tidings.runs AS r SET job_id = live, updated_at = moment
        WHERE r.organization_id = organization AND r.id = run;
    END IF;
    PERFORM tidings.hint_workers();
    RETURN live;
END
$$;
COMMENT ON FUNCTION tidings.enqueue_v1(uuid, text, jsonb, uuid, timestamptz, integer, text, text, integer, interval) IS
    'Enqueues one job for the current tenant, in its transaction; returns its id, or that of the live job with the same key.';
SELECT tidings.run_as_system('tidings.enqueue_v1(uuid, text, jsonb, uuid, timestamptz, integer, text, text, integer, interval)');

CREATE FUNCTION tidings.enqueue_many_v1(
    ids uuid[], kinds text[], job_args jsonb[], due_ats timestamptz[], urgencies integer[],
    job_keys text[], shared_keys text[], attempts integer[], deadlines interval[]
) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    organization uuid := tidings.current_organization();
    moment timestamptz := tidings.now();
    made integer;
BEGIN
    PERFORM tidings.require_writer();
    INSERT INTO tidings.jobs (
        organization_id, id, kind, args, user_id, priority, run_at, max_attempts, unique_key,
        concurrency_key, deadline_at, created_at)
    SELECT
        organization, n.id, n.kind, n.args, tidings.acting_user(), n.priority,
        coalesce(n.run_at, moment), n.max_attempts, n.unique_key, n.concurrency_key,
        moment + n.deadline, moment
    FROM unnest(ids, kinds, job_args, due_ats, urgencies, job_keys, shared_keys, attempts, deadlines)
        AS n (id, kind, args, run_at, priority, unique_key, concurrency_key, max_attempts, deadline)
    ON CONFLICT (organization_id, kind, unique_key) WHERE unique_key IS NOT NULL DO NOTHING;
    GET DIAGNOSTICS made = ROW_COUNT;
    PERFORM tidings.hint_workers();
    RETURN made;
END
$$;
COMMENT ON FUNCTION tidings.enqueue_many_v1(uuid[], text[], jsonb[], timestamptz[], integer[], text[], text[], integer[], interval[]) IS
    'Enqueues many jobs in one statement; those whose key is live are left out. Returns how many it made.';
SELECT tidings.run_as_system('tidings.enqueue_many_v1(uuid[], text[], jsonb[], timestamptz[], integer[], text[], text[], integer[], interval[])');

CREATE FUNCTION tidings.start_run_v1(
    run uuid, run_kind text, run_subject text, job_args jsonb, reuse boolean, deadline interval,
    attempts integer
) RETURNS TABLE (run_id uuid, created boolean)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    organization uuid := tidings.current_organization();
    moment timestamptz := tidings.now();
    job uuid := tidings.uuid7();
    live uuid;
BEGIN
    PERFORM tidings.require_writer();
    IF reuse THEN
        -- Two at once: the second waits for the first to commit, then finds its run.
        PERFORM pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(
            pg_catalog.concat_ws('/', 'run', organization, run_kind, run_subject), 0));
        SELECT r.id INTO live FROM tidings.runs AS r
        WHERE r.organization_id = organization AND r.kind = run_kind AND r.subject = run_subject
            AND r.status IN ('queued', 'running')
            AND NOT EXISTS (
                SELECT FROM tidings.jobs AS j
                WHERE j.organization_id = organization AND j.id = r.job_id
                    AND j.cancel_requested_at IS NOT NULL)
        ORDER BY r.id DESC LIMIT 1;
        IF live IS NOT NULL THEN
            RETURN QUERY SELECT live, false;
            RETURN;
        END IF;
    END IF;
    INSERT INTO tidings.runs (organization_id, id, kind, subject, job_id, created_by, created_at, updated_at)
    VALUES (organization, run, run_kind, run_subject, job, tidings.acting_user(), moment, moment);
    INSERT INTO tidings.jobs (
        organization_id, id, kind, args, user_id, run_id, run_at, max_attempts, deadline_at, created_at)
    VALUES (
        organization, job, run_kind, job_args, tidings.acting_user(), run, moment, attempts,
        moment + deadline, moment);
    PERFORM tidings.hint_workers();
    RETURN QUERY SELECT run, true;
END
$$;
COMMENT ON FUNCTION tidings.start_run_v1(uuid, text, text, jsonb, boolean, interval, integer) IS
    'Makes a run and its job for the current tenant; with reuse, a live run of the same kind and subject is returned instead, also to callers at the same moment.';
SELECT tidings.run_as_system('tidings.start_run_v1(uuid, text, text, jsonb, boolean, interval, integer)');

-- Claim, heartbeat, end: the worker, across tenants -----------------------------------------------

CREATE FUNCTION tidings.claim_jobs_v1(
    kinds text[], most integer, lease interval, worker_name text, hears_hints boolean
) RETURNS TABLE (
    organization_id uuid, id uuid, kind text, args jsonb, user_id uuid, run_id uuid,
    attempt smallint, max_attempts smallint, lease_token uuid, deadline_at timestamptz,
    seconds_left double precision
)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    moment timestamptz := tidings.now();
    token uuid := pg_catalog.gen_random_uuid();
    taken integer;
BEGIN
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT j.organization_id, j.id
        FROM tidings.jobs AS j
        WHERE j.status = 'pending' AND j.run_at <= moment AND j.kind = ANY (kinds)
            AND (j.deadline_at IS NULL OR j.deadline_at > moment)
        ORDER BY j.priority DESC, j.run_at, j.id
        LIMIT most
        FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE tidings.jobs AS j SET
            status = 'running', attempt = j.attempt + 1, lease_token = token,
            lease_until = moment + lease, worker = worker_name, claimed_at = moment
        FROM due AS d
        WHERE j.organization_id = d.organization_id AND j.id = d.id
        RETURNING j.*
    ), started AS (
        UPDATE tidings.runs AS r SET
            status = 'running', started_at = coalesce(r.started_at, moment), updated_at = moment
        FROM claimed AS c
        WHERE r.organization_id = c.organization_id AND r.id = c.run_id AND r.job_id = c.id
            AND r.status = 'queued'
    )
    SELECT c.organization_id, c.id, c.kind, c.args, c.user_id, c.run_id, c.attempt, c.max_attempts,
        c.lease_token, c.deadline_at,
        extract(epoch FROM c.deadline_at - moment)::double precision
    FROM claimed AS c
    ORDER BY c.priority DESC, c.run_at, c.id;
    GET DIAGNOSTICS taken = ROW_COUNT;

    IF hears_hints AND NOT EXISTS (
        SELECT FROM tidings.queue_listeners AS l
        WHERE l.worker = worker_name AND l.idle = (taken < most)
            AND l.seen_at > moment - interval '20 seconds'
    ) THEN
        INSERT INTO tidings.queue_listeners (worker, idle, seen_at)
        VALUES (worker_name, taken < most, moment)
        ON CONFLICT (worker) DO UPDATE SET idle = excluded.idle, seen_at = excluded.seen_at;
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.claim_jobs_v1(text[], integer, interval, text, boolean) IS
    'Leases up to most due jobs of these kinds to a worker, highest priority and oldest first. A worker that hears hints is idle when it got fewer than it asked for.';
SELECT tidings.run_as_system('tidings.claim_jobs_v1(text[], integer, interval, text, boolean)');
-- Statistics of a table that fills and drains within seconds are always stale.
ALTER FUNCTION tidings.claim_jobs_v1(text[], integer, interval, text, boolean) SET enable_seqscan = off;
ALTER FUNCTION tidings.claim_jobs_v1(text[], integer, interval, text, boolean) SET enable_bitmapscan = off;
ALTER FUNCTION tidings.claim_jobs_v1(text[], integer, interval, text, boolean) SET plan_cache_mode = force_generic_plan;

CREATE FUNCTION tidings.heartbeat_jobs_v1(ids uuid[], tokens uuid[], lease interval)
RETURNS TABLE (id uuid, lease_token uuid, cancel_requested boolean)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    moment timestamptz := tidings.now();
BEGIN
    -- A row that its own handler is finishing is locked, for as long as that transaction takes:
    -- it is skipped, so that the other leases do not wait behind it, and it still counts as held.
    RETURN QUERY
    WITH held AS MATERIALIZED (
        SELECT j.organization_id, j.id, j.lease_token,
            j.cancel_requested_at IS NOT NULL AS cancel_requested
        FROM unnest(ids, tokens) AS h (id, token)
        JOIN tidings.jobs AS j ON j.id = h.id AND j.status = 'running' AND j.lease_token = h.token
    ), free AS MATERIALIZED (
        SELECT j.organization_id, j.id
        FROM tidings.jobs AS j JOIN held AS h ON j.organization_id = h.organization_id AND j.id = h.id
        FOR UPDATE OF j SKIP LOCKED
    ), extended AS (
        UPDATE tidings.jobs AS j SET lease_until = moment + lease
        FROM free AS f
        WHERE j.organization_id = f.organization_id AND j.id = f.id
            AND j.status = 'running' AND j.lease_token = ANY (tokens)
    )
    SELECT h.id, h.lease_token, h.cancel_requested FROM held AS h;
END
$$;
COMMENT ON FUNCTION tidings.heartbeat_jobs_v1(uuid[], uuid[], interval) IS
    'Extends the leases that these tokens still hold and returns those jobs; a job not returned is lost.';
SELECT tidings.run_as_system('tidings.heartbeat_jobs_v1(uuid[], uuid[], interval)');

CREATE FUNCTION tidings.progress_job_v1(
    organization uuid, job uuid, token uuid, at_stage text, steps_done integer, steps integer
) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
    run uuid;
    asked boolean;
BEGIN
    UPDATE tidings.jobs AS j SET progress = jsonb_build_object(
        'stage', at_stage, 'done', steps_done, 'total', steps)
    WHERE j.organization_id = organization AND j.id = job AND j.lease_token = token
    RETURNING j.run_id, j.cancel_requested_at IS NOT NULL INTO run, asked;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'Another worker has this job now.' USING ERRCODE = 'TD499';
    END IF;
    UPDATE tidings.runs AS r SET
        stage = at_stage, done = steps_done, total = steps, updated_at = tidings.now()
    WHERE r.organization_id = organization AND r.id = run AND r.job_id = job AND r.status = 'running';
    RETURN asked;
END
$$;
COMMENT ON FUNCTION tidings.progress_job_v1(uuid, uuid, uuid, text, integer, integer) IS
    'Writes and publishes the progress of a held job; returns whether its cancelling was asked for.';
SELECT tidings.run_as_system('tidings.progress_job_v1(uuid, uuid, uuid, text, integer, integer)');

CREATE FUNCTION tidings.finish_job_v1(organization uuid, job uuid, token uuid, outcome jsonb)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    asked boolean;
BEGIN
    IF organization <> tidings.current_organization() THEN
        RAISE EXCEPTION 'The job is another organization''s.' USING ERRCODE = 'TD403';
    END IF;
    SELECT j.cancel_requested_at IS NOT NULL INTO asked FROM tidings.jobs AS j
    WHERE j.organization_id = organization AND j.id = job AND j.lease_token = token
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'Another worker has this job now.' USING ERRCODE = 'TD499';
    ELSIF asked THEN
        RAISE EXCEPTION 'The job was cancelled before it was done.' USING ERRCODE = 'TD499';
    END IF;
    PERFORM tidings.close_job(organization, job, 'completed', outcome, NULL);
END
$$;
COMMENT ON FUNCTION tidings.finish_job_v1(uuid, uuid, uuid, jsonb) IS
    'Completes a held job inside the tenant''s own transaction, together with its effects; without the lease, or once its cancelling was asked for, nothing of that transaction stays.';
SELECT tidings.run_as_system('tidings.finish_job_v1(uuid, uuid, uuid, jsonb)');

CREATE FUNCTION tidings.finish_jobs_v1(organizations uuid[], ids uuid[], tokens uuid[], outcomes jsonb[])
RETURNS TABLE (id uuid, status text)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    moment timestamptz := tidings.now();
BEGIN
    RETURN QUERY
    WITH held AS MATERIALIZED (
        SELECT j.organization_id, j.id, d.outcome,
            CASE WHEN j.cancel_requested_at IS NULL THEN 'completed' ELSE 'cancelled' END AS final
        FROM unnest(organizations, ids, tokens, outcomes) AS d (organization_id, id, token, outcome)
        JOIN tidings.jobs AS j ON j.organization_id = d.organization_id AND j.id = d.id
        WHERE j.lease_token = d.token
        ORDER BY j.id
        FOR UPDATE OF j
    ), gone AS (
        DELETE FROM tidings.jobs AS j USING held AS h
        WHERE j.organization_id = h.organization_id AND j.id = h.id
        RETURNING j.*, h.final, CASE WHEN h.final = 'completed' THEN h.outcome END AS outcome
    ), kept AS (
        INSERT INTO tidings.finished_jobs AS f (
            organization_id, id, kind, args, user_id, run_id, status, priority, run_at, attempt,
            max_attempts, worker, claimed_at, unique_key, concurrency_key, deadline_at, progress,
            result, created_at, finished_at)
        SELECT
            g.organization_id, g.id, g.kind, g.args, g.user_id, g.run_id, g.final, g.priority,
            g.run_at, g.attempt, g.max_attempts, g.worker, g.claimed_at, g.unique_key,
            g.concurrency_key, g.deadline_at, g.progress, g.outcome, g.created_at, moment
        FROM gone AS g
        RETURNING f.organization_id, f.id, f.run_id, f.status, f.result
    ), followed AS (
        UPDATE tidings.runs AS r SET
            status = CASE k.status WHEN 'completed' THEN 'complete' ELSE 'cancelled' END,
            result = k.result, finished_at = moment, updated_at = moment
        FROM kept AS k
        WHERE r.organization_id = k.organization_id AND r.id = k.run_id AND r.job_id = k.id
            AND r.status IN ('queued', 'running')
    )
    SELECT k.id, k.status FROM kept AS k;
END
$$;
COMMENT ON FUNCTION tidings.finish_jobs_v1(uuid[], uuid[], uuid[], jsonb[]) IS
    'Completes held jobs in one statement; those whose cancelling was asked for end as cancelled, a job not returned was lost.';
SELECT tidings.run_as_system('tidings.finish_jobs_v1(uuid[], uuid[], uuid[], jsonb[])');

CREATE FUNCTION tidings.fail_job_v1(
    organization uuid, job uuid, token uuid, problem text, may_retry boolean, delay interval
) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    held tidings.jobs;
BEGIN
    SELECT j.* INTO held FROM tidings.jobs AS j
    WHERE j.organization_id = organization AND j.id = job AND j.lease_token = token
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'lost';
    END IF;
    RETURN tidings.return_job(held, may_retry, tidings.now() + delay, problem, false);
END
$$;
COMMENT ON FUNCTION tidings.fail_job_v1(uuid, uuid, uuid, text, boolean, interval) IS
    'Ends one try of a held job: pending again after delay, failed (a dead letter), cancelled, or lost.';
SELECT tidings.run_as_system('tidings.fail_job_v1(uuid, uuid, uuid, text, boolean, interval)');

CREATE FUNCTION tidings.release_jobs_v1(ids uuid[], tokens uuid[]) RETURNS TABLE (id uuid, status text)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    held tidings.jobs;
BEGIN
    FOR held IN
        SELECT j.* FROM unnest(ids, tokens) AS h (id, token)
        JOIN tidings.jobs AS j ON j.id = h.id AND j.status = 'running' AND j.lease_token = h.token
        ORDER BY j.id
        FOR UPDATE OF j
    LOOP
        RETURN QUERY SELECT held.id, tidings.return_job(
            held, true, tidings.now(), 'The worker was stopped before it was done.', true);
    END LOOP;
    IF FOUND THEN
        PERFORM tidings.hint_workers();
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.release_jobs_v1(uuid[], uuid[]) IS
    'Gives held jobs back at a graceful shutdown, without using up an attempt.';
SELECT tidings.run_as_system('tidings.release_jobs_v1(uuid[], uuid[])');

CREATE FUNCTION tidings.rescue_jobs_v1(most integer)
RETURNS TABLE (organization_id uuid, id uuid, status text)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    moment timestamptz := tidings.now();
    late CONSTANT text := 'It did not finish before its deadline; start it again.';
    stray tidings.jobs;
BEGIN
    -- A worker stops a job at its deadline itself; half a minute later it is taken from it.
    FOR stray IN
        SELECT j.* FROM tidings.jobs AS j
        WHERE j.status = 'running'
            AND (j.lease_until < moment OR j.deadline_at < moment - interval '30 seconds')
        ORDER BY j.id LIMIT most
        FOR UPDATE SKIP LOCKED
    LOOP
        RETURN QUERY SELECT stray.organization_id, stray.id, tidings.return_job(
            stray, true, moment,
            CASE WHEN stray.deadline_at <= moment THEN late
                 WHEN stray.attempt >= stray.max_attempts THEN
                    format('The worker stopped while it ran this, %s times; it is not tried again.', stray.attempt)
                 ELSE 'The worker stopped while it ran this.' END,
            false);
    END LOOP;
    FOR stray IN
        SELECT j.* FROM tidings.jobs AS j
        WHERE j.status <> 'running' AND j.deadline_at <= moment
        ORDER BY j.deadline_at LIMIT most
        FOR UPDATE SKIP LOCKED
    LOOP
        RETURN QUERY SELECT stray.organization_id, stray.id, tidings.return_job(
            stray, false, moment, coalesce(stray.last_error, late), false);
    END LOOP;
END
$$;
COMMENT ON FUNCTION tidings.rescue_jobs_v1(integer) IS
    'Takes back jobs whose lease ended and ends those past their deadline: pending again, failed or cancelled.';
SELECT tidings.run_as_system('tidings.rescue_jobs_v1(integer)');
ALTER FUNCTION tidings.rescue_jobs_v1(integer) SET enable_seqscan = off;
ALTER FUNCTION tidings.rescue_jobs_v1(integer) SET enable_bitmapscan = off;

-- Cancel and retry: a person, in their own organization -------------------------------------------

CREATE FUNCTION tidings.cancel_job_v1(job uuid) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    organization uuid := tidings.current_organization();
    live tidings.jobs;
    final text;
BEGIN
    PERFORM tidings.require_writer();
    SELECT j.* INTO live FROM tidings.jobs AS j
    WHERE j.organization_id = organization AND j.id = job FOR UPDATE;
    IF FOUND THEN
        RETURN tidings.request_cancel(live);
    END IF;
    SELECT f.status INTO final FROM tidings.finished_jobs AS f
    WHERE f.organization_id = organization AND f.id = job;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such job here.' USING ERRCODE = 'TD404';
    END IF;
    RETURN final;
END
$$;
COMMENT ON FUNCTION tidings.cancel_job_v1(uuid) IS
    'Cancels a job of the current tenant, or asks its worker to; returns the state it is in then. Safe to repeat.';
SELECT tidings.run_as_system('tidings.cancel_job_v1(uuid)');

CREATE FUNCTION tidings.cancel_run_v1(run uuid) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    organization uuid := tidings.current_organization();
    live tidings.jobs;
    state text;
BEGIN
    PERFORM tidings.require_writer();
    -- A stage may hand the run on to its next job meanwhile: then that one is cancelled.
    LOOP
        SELECT j.* INTO live
        FROM tidings.runs AS r
        JOIN tidings.jobs AS j ON j.organization_id = r.organization_id AND j.id = r.job_id
        WHERE r.organization_id = organization AND r.id = run
        FOR UPDATE OF j;
        EXIT WHEN NOT FOUND;
        PERFORM tidings.request_cancel(live);
        EXIT WHEN EXISTS (
            SELECT FROM tidings.runs AS r
            WHERE r.organization_id = organization AND r.id = run AND r.job_id = live.id);
    END LOOP;
    SELECT r.status INTO state FROM tidings.runs AS r
    WHERE r.organization_id = organization AND r.id = run;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such run here.' USING ERRCODE = 'TD404';
    END IF;
    RETURN state;
END
$$;
COMMENT ON FUNCTION tidings.cancel_run_v1(uuid) IS
    'Cancels a queued run at once and asks the worker of a running one; returns its status. Safe to repeat.';
SELECT tidings.run_as_system('tidings.cancel_run_v1(uuid)');

CREATE FUNCTION tidings.retry_job_v1(job uuid) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    organization uuid := tidings.current_organization();
    moment timestamptz := tidings.now();
    dead tidings.finished_jobs;
BEGIN
    PERFORM tidings.require_writer();
    SELECT f.* INTO dead FROM tidings.finished_jobs AS f
    WHERE f.organization_id = organization AND f.id = job FOR UPDATE;
    IF NOT FOUND THEN
        IF EXISTS (SELECT FROM tidings.jobs AS j WHERE j.organization_id = organization AND j.id = job) THEN
            RAISE EXCEPTION 'The job has not ended yet.' USING ERRCODE = 'TD409';
        END IF;
        RAISE EXCEPTION 'There is no such job here.' USING ERRCODE = 'TD404';
    ELSIF dead.status <> 'failed' THEN
        RAISE EXCEPTION 'The job is %; only a failed one can be retried.', dead.status USING ERRCODE = 'TD409';
    END IF;
    INSERT INTO tidings.jobs (
        organization_id, id, kind, args, user_id, run_id, priority, run_at, max_attempts, unique_key,
        concurrency_key, deadline_at, last_error, created_at)
    VALUES (
        dead.organization_id, dead.id, dead.kind, dead.args, dead.user_id, dead.run_id, dead.priority,
        moment, dead.max_attempts, dead.unique_key, dead.concurrency_key,
        moment + (dead.deadline_at - dead.created_at), dead.error, moment)
    ON CONFLICT (organization_id, kind, unique_key) WHERE unique_key IS NOT NULL DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'Another job with the same key is waiting or running.' USING ERRCODE = 'TD409';
    END IF;
    DELETE FROM tidings.finished_jobs AS f WHERE f.organization_id = organization AND f.id = job;
    UPDATE tidings.runs AS r SET
        status = 'queued', error = NULL, finished_at = NULL, updated_at = moment
    WHERE r.organization_id = organization AND r.id = dead.run_id AND r.job_id = job
        AND r.status = 'error';
    PERFORM tidings.hint_workers();
END
$$;
COMMENT ON FUNCTION tidings.retry_job_v1(uuid) IS
    'Makes a dead letter of the current tenant pending again, with all its attempts and its whole time; its run is queued again.';
SELECT tidings.run_as_system('tidings.retry_job_v1(uuid)');

-- Cron and sweeps ---------------------------------------------------------------------------------

CREATE FUNCTION tidings.fire_cron_v1(cron_name text, tick timestamptz, lease interval, worker_name text)
RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
    moment timestamptz := tidings.now();
BEGIN
    -- Every worker asks at every look; only the first look at a tick may write.
    IF EXISTS (
        SELECT FROM tidings.cron_ticks AS t
        WHERE t.name = cron_name AND t.tick_at = tick
            AND (t.finished_at IS NOT NULL OR t.lease_until >= moment)
    ) THEN
        RETURN false;
    END IF;
    INSERT INTO tidings.cron_ticks AS t (name, tick_at, worker, lease_until, fired_at)
    VALUES (cron_name, tick, worker_name, moment + lease, moment)
    ON CONFLICT (name, tick_at) DO UPDATE SET
        worker = excluded.worker, lease_until = excluded.lease_until, fired_at = excluded.fired_at
    WHERE t.finished_at IS NULL AND t.lease_until < moment;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION tidings.fire_cron_v1(text, timestamptz, interval, text) IS
    'Whether this worker won the tick: one does, for any number of workers; another may once its lease ended unfinished.';
SELECT tidings.run_as_system('tidings.fire_cron_v1(text, timestamptz, interval, text)');

CREATE FUNCTION tidings.finish_cron_v1(cron_name text, tick timestamptz, worker_name text, problem text)
RETURNS void
LANGUAGE sql
AS $$
    UPDATE tidings.cron_ticks AS t SET finished_at = tidings.now(), error = problem
    WHERE t.name = cron_name AND t.tick_at = tick AND t.worker = worker_name AND t.finished_at IS NULL
$$;
COMMENT ON FUNCTION tidings.finish_cron_v1(text, timestamptz, text, text) IS
    'Marks a tick that this worker won as done, with what went wrong if it did.';
SELECT tidings.run_as_system('tidings.finish_cron_v1(text, timestamptz, text, text)');

CREATE FUNCTION tidings.sweep_finished_v1(most integer, done_age interval, failed_age interval)
RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    moment timestamptz := tidings.now();
    swept integer;
BEGIN
    DELETE FROM tidings.finished_jobs AS f USING (
        (SELECT o.organization_id, o.id FROM tidings.finished_jobs AS o
         WHERE o.status <> 'failed' AND o.finished_at < moment - done_age
         ORDER BY o.finished_at LIMIT most)
        UNION ALL
        (SELECT o.organization_id, o.id FROM tidings.finished_jobs AS o
         WHERE o.status = 'failed' AND o.finished_at < moment - failed_age
         ORDER BY o.finished_at LIMIT most)
    ) AS old
    WHERE f.organization_id = old.organization_id AND f.id = old.id
        -- Again, because it may have been retried and have failed anew meanwhile.
        AND f.finished_at < moment - least(done_age, failed_age);
    GET DIAGNOSTICS swept = ROW_COUNT;
    RETURN swept;
END
$$;
COMMENT ON FUNCTION tidings.sweep_finished_v1(integer, interval, interval) IS
    'Deletes up to most finished and most failed jobs older than these ages; returns how many.';
SELECT tidings.run_as_system('tidings.sweep_finished_v1(integer, interval, interval)');

CREATE FUNCTION tidings.sweep_runs_v1(most integer, age interval) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    swept integer;
BEGIN
    DELETE FROM tidings.runs AS r USING (
        SELECT o.organization_id, o.id FROM tidings.runs AS o
        WHERE o.finished_at < tidings.now() - age
        ORDER BY o.finished_at LIMIT most
    ) AS old
    WHERE r.organization_id = old.organization_id AND r.id = old.id AND r.finished_at IS NOT NULL;
    GET DIAGNOSTICS swept = ROW_COUNT;
    RETURN swept;
END
$$;
COMMENT ON FUNCTION tidings.sweep_runs_v1(integer, interval) IS
    'Deletes up to most runs that finished longer ago than age; returns how many.';
SELECT tidings.run_as_system('tidings.sweep_runs_v1(integer, interval)');

CREATE FUNCTION tidings.sweep_workers_v1() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM tidings.queue_listeners AS l WHERE l.seen_at < tidings.now() - interval '1 day';
    DELETE FROM tidings.cron_ticks AS t
    WHERE t.tick_at < tidings.now() - interval '30 days'
        AND EXISTS (SELECT FROM tidings.cron_ticks AS n WHERE n.name = t.name AND n.tick_at > t.tick_at);
END
$$;
COMMENT ON FUNCTION tidings.sweep_workers_v1() IS 'Forgets workers long gone and ticks long past.';
SELECT tidings.run_as_system('tidings.sweep_workers_v1()');

CREATE FUNCTION tidings.queue_state_v1()
RETURNS TABLE (depth bigint, due_since timestamptz, worker_seen_at timestamptz)
LANGUAGE sql STABLE
AS $$
    SELECT (SELECT count(*) FROM tidings.jobs),
           (SELECT min(j.run_at) FROM tidings.jobs AS j
             WHERE j.status = 'pending' AND j.run_at <= tidings.now()),
           greatest((SELECT max(l.seen_at) FROM tidings.queue_listeners AS l),
                    (SELECT max(t.fired_at) FROM tidings.cron_ticks AS t),
                    (SELECT max(j.claimed_at) FROM tidings.jobs AS j))
$$;
COMMENT ON FUNCTION tidings.queue_state_v1() IS
    'For operators, over all organizations: how many jobs wait or run, since when the oldest due one waits, and when a worker left its last trace.';
SELECT tidings.run_as_system('tidings.queue_state_v1()');
