-- What waited for a budget or a key waits as any other job.
UPDATE tidings.jobs SET status = 'pending', blocked_reason = NULL WHERE status = 'blocked';
UPDATE tidings.jobs SET run_at = tidings.now() WHERE run_at = 'infinity';

DROP FUNCTION tidings.unblock_jobs_v1();
DROP FUNCTION tidings.job_lane_v1(integer);
DROP FUNCTION tidings.weigh_lane_v1(uuid, integer);
DROP FUNCTION tidings.settle_lanes_v1(uuid[]);
DROP FUNCTION tidings.rescue_keys_v1();
DROP FUNCTION tidings.oldest_claim_v1(timestamptz);
DROP FUNCTION tidings.rescue_jobs_v2(integer, timestamptz);
DROP FUNCTION tidings.heartbeat_jobs_v2(uuid[], uuid[], uuid[], interval);
DROP FUNCTION tidings.release_jobs_v2(uuid[], uuid[], uuid[]);
DROP FUNCTION tidings.block_job_v1(uuid, uuid, uuid, text, timestamptz);
DROP FUNCTION tidings.finish_jobs_v2(uuid[], uuid[], uuid[], jsonb[]);
DROP FUNCTION tidings.claim_jobs_v2(text[], integer, interval, text, boolean, uuid, integer, interval);
DROP FUNCTION tidings.enqueue_alike_v1(uuid[], text[], text, timestamptz, integer, integer, interval);
DROP FUNCTION tidings.enqueue_many_v2(uuid[], text[], jsonb[], timestamptz[], integer[], text[], text[], integer[], integer[], interval[]);
DROP FUNCTION tidings.enqueue_v2(uuid, text, jsonb, uuid, timestamptz, integer, text, text, integer, integer, interval);
DROP FUNCTION tidings.require_kind(text);
DROP FUNCTION tidings.ripen_jobs(timestamptz, timestamptz, integer);
DROP FUNCTION tidings.admit_keys(uuid[], text[]);
DROP FUNCTION tidings.rank_job(timestamptz, integer, timestamptz);
DROP FUNCTION tidings.enter_lane(uuid);

CREATE OR REPLACE FUNCTION tidings.close_job(
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

CREATE OR REPLACE FUNCTION tidings.return_job(
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

CREATE OR REPLACE FUNCTION tidings.claim_jobs_v1(
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
ALTER FUNCTION tidings.claim_jobs_v1(text[], integer, interval, text, boolean) SET enable_seqscan = off;
ALTER FUNCTION tidings.claim_jobs_v1(text[], integer, interval, text, boolean) SET enable_bitmapscan = off;
ALTER FUNCTION tidings.claim_jobs_v1(text[], integer, interval, text, boolean) SET plan_cache_mode = force_generic_plan;

CREATE OR REPLACE FUNCTION tidings.start_run_v1(
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

CREATE OR REPLACE FUNCTION tidings.finish_job_v1(organization uuid, job uuid, token uuid, outcome jsonb)
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

CREATE OR REPLACE FUNCTION tidings.finish_jobs_v1(organizations uuid[], ids uuid[], tokens uuid[], outcomes jsonb[])
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

CREATE OR REPLACE FUNCTION tidings.fail_job_v1(
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

CREATE OR REPLACE FUNCTION tidings.release_jobs_v1(ids uuid[], tokens uuid[]) RETURNS TABLE (id uuid, status text)
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

CREATE OR REPLACE FUNCTION tidings.rescue_jobs_v1(most integer)
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

CREATE OR REPLACE FUNCTION tidings.cancel_job_v1(job uuid) RETURNS text
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

CREATE OR REPLACE FUNCTION tidings.cancel_run_v1(run uuid) RETURNS text
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

CREATE OR REPLACE FUNCTION tidings.retry_job_v1(job uuid) RETURNS void
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

CREATE OR REPLACE FUNCTION tidings.queue_state_v1()
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

CREATE OR REPLACE FUNCTION tidings.enqueue_v1(
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

CREATE OR REPLACE FUNCTION tidings.enqueue_many_v1(
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

DROP TRIGGER organizations_open_lane ON tidings.organizations;
DROP TABLE tidings.queue_marks;
DROP TABLE tidings.queue_lanes;
DROP FUNCTION tidings.open_lane();
DROP FUNCTION tidings.close_lane();

DROP INDEX tidings.jobs_claim, tidings.jobs_later, tidings.jobs_blocked_until, tidings.jobs_key_busy, tidings.jobs_key_waiting,
    tidings.jobs_running;
ALTER TABLE tidings.jobs
    DROP COLUMN rank, DROP COLUMN is_due, DROP COLUMN blocked_reason, DROP COLUMN concurrency_limit,
    ADD CONSTRAINT jobs_kind_check CHECK (kind ~ '^[a-z][a-z0-9_.]{0,62}$'),
    ADD CONSTRAINT jobs_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES tidings.organizations (id) ON DELETE CASCADE;
ALTER TABLE tidings.finished_jobs
    DROP COLUMN concurrency_limit,
    ADD CONSTRAINT finished_jobs_organization_id_fkey FOREIGN KEY (organization_id)
        REFERENCES tidings.organizations (id) ON DELETE CASCADE;
CREATE INDEX jobs_claim ON tidings.jobs (priority DESC, run_at, id) WHERE status = 'pending';
CREATE INDEX jobs_running ON tidings.jobs (id) WHERE status = 'running';
COMMENT ON COLUMN tidings.jobs.status IS
    'pending -> running -> (leaves), running -> pending (retry, release, rescue); blocked is reserved.';
COMMENT ON COLUMN tidings.jobs.priority IS 'Higher runs first.';
COMMENT ON COLUMN tidings.jobs.concurrency_key IS 'Jobs that share it will share a limit; stored only, for now.';
