-- Claims that stay flat, and fair between organizations. Each organization has a lane: where its
-- claims begin to read (low), and how much it gets (weight). What may be claimed is in one partial
-- index, by organization and rank; what waits for a time, a budget or a key is out of it.
--
-- low never passes a job that may be claimed. Whoever makes a job claimable holds the lane's row
-- FOR KEY SHARE until it commits and gives it a rank of low at least (enter_lane); low is moved by
-- who gets the row FOR UPDATE, so when nobody is under way, and then looks (settle_lanes_v1). So a
-- claim skips what was claimed before, although a long transaction keeps its dead index entries.

-- Tables ------------------------------------------------------------------------------------------

CREATE TABLE tidings.queue_lanes (
    organization_id uuid NOT NULL PRIMARY KEY REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    weight smallint NOT NULL DEFAULT 1 CHECK (weight BETWEEN 1 AND 100),
    low timestamptz NOT NULL DEFAULT 'epoch'
) WITH (fillfactor = 20);
COMMENT ON TABLE tidings.queue_lanes IS
    'One row for each organization: its share of the workers, and where its claims begin to read. '
    'Retention: lives with its organization.';
COMMENT ON COLUMN tidings.queue_lanes.weight IS 'Jobs it gets for each one of an organization of weight 1, while both have some.';
COMMENT ON COLUMN tidings.queue_lanes.low IS 'No job of it that may be claimed has a lower rank.';

CREATE TABLE tidings.queue_marks (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(),
    PRIMARY KEY (organization_id, id)
);
COMMENT ON TABLE tidings.queue_marks IS
    'Organizations that may have jobs to claim: claims look at no others. Several may mark one at once, without waiting for each other. '
    'Retention: deleted within seconds after the last job was claimed.';

SELECT tidings.protect('tidings.queue_lanes');
SELECT tidings.protect('tidings.queue_marks');
CREATE POLICY system_all ON tidings.queue_lanes TO tidings_system USING (true) WITH CHECK (true);
CREATE POLICY system_all ON tidings.queue_marks TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.queue_lanes, tidings.queue_marks TO tidings_system;

ALTER TABLE tidings.jobs
    ADD COLUMN rank timestamptz NOT NULL DEFAULT tidings.now(),
    ADD COLUMN is_due boolean NOT NULL DEFAULT true,
    ADD COLUMN blocked_reason text,
    ADD COLUMN concurrency_limit smallint NOT NULL DEFAULT 1;
UPDATE tidings.jobs SET
    rank = run_at - priority * interval '1 minute',
    is_due = status = 'running' OR (run_at <= tidings.now() AND concurrency_key IS NULL);
ALTER TABLE tidings.jobs
    ADD CONSTRAINT jobs_blocked CHECK ((status = 'blocked') = (blocked_reason IS NOT NULL)),
    ADD CONSTRAINT jobs_due CHECK (is_due = (status = 'running') OR status = 'pending'),
    ADD CONSTRAINT jobs_limit CHECK (concurrency_limit >= 1),
    -- Both cost each bulk enqueue as much as all its indexes. The kind is checked once a statement
    -- by the functions, the only way in; that the organization lives is what enter_lane locks, and
    -- its jobs go with its lane.
    DROP CONSTRAINT jobs_kind_check,
    DROP CONSTRAINT jobs_organization_id_fkey;
ALTER TABLE tidings.finished_jobs
    ADD COLUMN concurrency_limit smallint NOT NULL DEFAULT 1,
    DROP CONSTRAINT finished_jobs_organization_id_fkey;
COMMENT ON COLUMN tidings.jobs.status IS
    'pending -> running -> (leaves); running -> pending (retry, release, rescue); running -> blocked -> pending (budget, rate); pending <-> blocked (concurrency key).';
COMMENT ON COLUMN tidings.jobs.priority IS 'Each point counts as a minute of waiting.';
COMMENT ON COLUMN tidings.jobs.rank IS
    'The order of claims within an organization: when it was due, less a minute for each point of priority.';
COMMENT ON COLUMN tidings.jobs.is_due IS
    'Whether claims may take it, or have: its time has come and its concurrency key has room.';
COMMENT ON COLUMN tidings.jobs.blocked_reason IS
    'Why it waits; until run_at, which is infinity for a concurrency key: then the end of another job lets it go on.';
COMMENT ON COLUMN tidings.jobs.concurrency_key IS 'Of the jobs of an organization that share it, concurrency_limit run at once.';
COMMENT ON COLUMN tidings.jobs.concurrency_limit IS 'It starts only while fewer jobs with its key than this run.';

DROP INDEX tidings.jobs_claim;
CREATE INDEX jobs_claim ON tidings.jobs (organization_id, rank, id) WHERE status = 'pending' AND is_due;
CREATE INDEX jobs_later ON tidings.jobs (run_at) WHERE NOT is_due;
CREATE INDEX jobs_blocked_until ON tidings.jobs (organization_id, run_at) WHERE status = 'blocked';
CREATE INDEX jobs_key_busy ON tidings.jobs (organization_id, concurrency_key)
    WHERE concurrency_key IS NOT NULL AND is_due;
CREATE INDEX jobs_key_waiting ON tidings.jobs (organization_id, concurrency_key, rank, id)
    WHERE concurrency_key IS NOT NULL AND status = 'blocked';

INSERT INTO tidings.queue_lanes (organization_id) SELECT id FROM tidings.organizations;
INSERT INTO tidings.queue_marks (organization_id) SELECT id FROM tidings.organizations;

CREATE FUNCTION tidings.open_lane() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO tidings.queue_lanes (organization_id) VALUES (NEW.id);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION tidings.open_lane() IS 'Gives a new organization its lane.';
SELECT tidings.run_as_system('tidings.open_lane()');
REVOKE EXECUTE ON FUNCTION tidings.open_lane() FROM tidings_app;
CREATE TRIGGER organizations_open_lane AFTER INSERT ON tidings.organizations FOR EACH ROW
    EXECUTE FUNCTION tidings.open_lane();

CREATE FUNCTION tidings.close_lane() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM tidings.jobs AS j WHERE j.organization_id = OLD.organization_id;
    DELETE FROM tidings.finished_jobs AS f WHERE f.organization_id = OLD.organization_id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION tidings.close_lane() IS
    'The jobs of an organization go with its lane, as a foreign key would have them go.';
SELECT tidings.run_as_system('tidings.close_lane()');
REVOKE EXECUTE ON FUNCTION tidings.close_lane() FROM tidings_app;
CREATE TRIGGER queue_lanes_close AFTER DELETE ON tidings.queue_lanes FOR EACH ROW
    EXECUTE FUNCTION tidings.close_lane();

-- What the functions share; only tidings_system may call it ---------------------------------------

CREATE FUNCTION tidings.enter_lane(organization uuid) RETURNS timestamptz
LANGUAGE plpgsql
AS $$
DECLARE
    bound timestamptz;
BEGIN
    SELECT l.low INTO bound FROM tidings.queue_lanes AS l
    WHERE l.organization_id = organization FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such organization.' USING ERRCODE = 'TD404';
    END IF;
    IF NOT EXISTS (SELECT FROM tidings.queue_marks AS m WHERE m.organization_id = organization) THEN
        INSERT INTO tidings.queue_marks (organization_id) VALUES (organization);
    END IF;
    RETURN bound;
END
$$;
COMMENT ON FUNCTION tidings.enter_lane(uuid) IS
    'To be called before a job becomes claimable: returns the least rank it may get, and keeps that from moving until the transaction ends.';

CREATE FUNCTION tidings.rank_job(due_at timestamptz, urgency integer, bound timestamptz)
RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN due_at - urgency * interval '1 minute' >= bound + interval '1 millisecond'
    THEN due_at - urgency * interval '1 minute'
    -- Within the millisecond: a place for each small priority, larger ones share theirs with the like.
    ELSE bound + (500 - sign(urgency) * round(30 * ln(1 + abs(urgency::double precision)))) * interval '1 microsecond'
END;
COMMENT ON FUNCTION tidings.rank_job(timestamptz, integer, timestamptz) IS
    'Where a job stands in its lane: each point of priority counts as a minute of waiting, so the low ones age and get their turn. Nothing goes before the bound; what would keeps its order behind it.';

CREATE FUNCTION tidings.admit_keys(organizations uuid[], keys text[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    keyed record;
    bound timestamptz;
    busy integer;
    first record;
BEGIN
    -- One at a time for each key, in one order; held until the commit, so that of an end and a
    -- start at once the second sees the first.
    FOR keyed IN
        SELECT DISTINCT k.organization_id, k.key FROM unnest(organizations, keys) AS k (organization_id, key)
        WHERE k.key IS NOT NULL ORDER BY k.organization_id, k.key
    LOOP
        PERFORM pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(
            pg_catalog.concat_ws('/', 'job key', keyed.organization_id, keyed.key), 0));
        SELECT count(*) INTO busy FROM tidings.jobs AS j
        WHERE j.organization_id = keyed.organization_id AND j.concurrency_key = keyed.key AND j.is_due;
        LOOP
            SELECT j.id, j.concurrency_limit INTO first FROM tidings.jobs AS j
            WHERE j.organization_id = keyed.organization_id AND j.concurrency_key = keyed.key
                AND j.status = 'blocked' AND j.run_at = 'infinity'
            ORDER BY j.rank, j.id LIMIT 1 FOR UPDATE SKIP LOCKED;
            EXIT WHEN NOT FOUND OR first.concurrency_limit <= busy;
            bound := tidings.enter_lane(keyed.organization_id);
            UPDATE tidings.jobs AS j SET
                status = 'pending', blocked_reason = NULL, is_due = true, run_at = tidings.now(),
                rank = greatest(j.rank, bound)
            WHERE j.organization_id = keyed.organization_id AND j.id = first.id;
            busy := busy + 1;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tidings.admit_keys(uuid[], text[]) IS
    'Makes as many jobs claimable of those that wait for these concurrency keys as there is room for; called whenever one starts to wait or ends.';

CREATE FUNCTION tidings.ripen_jobs(since timestamptz, moment timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    organizations uuid[];
    ids uuid[];
    keys text[];
    organization uuid;
    bound timestamptz;
BEGIN
    SELECT array_agg(r.organization_id), array_agg(r.id), array_agg(r.concurrency_key)
    INTO organizations, ids, keys
    FROM (
        SELECT j.organization_id, j.id, j.concurrency_key FROM tidings.jobs AS j
        WHERE NOT j.is_due AND j.run_at >= since AND j.run_at <= moment
        ORDER BY j.run_at LIMIT most
        FOR UPDATE SKIP LOCKED
    ) AS r
    -- Never waits for a key: a claim of everybody's jobs must not stand behind one organization's
    -- transaction, and of two workers none may wait for the other. The next look comes soon.
    WHERE r.concurrency_key IS NULL OR pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended(
        pg_catalog.concat_ws('/', 'job key', r.organization_id, r.concurrency_key), 0));
    IF ids IS NULL THEN
        RETURN 0;
    END IF;
    FOR organization IN SELECT DISTINCT o.id FROM unnest(organizations) AS o (id) LOOP
        bound := tidings.enter_lane(organization);
        UPDATE tidings.jobs AS j SET
            status = CASE WHEN j.concurrency_key IS NULL THEN 'pending' ELSE 'blocked' END,
            blocked_reason = CASE WHEN j.concurrency_key IS NOT NULL
                THEN 'It waits for another job with its concurrency key.' END,
            is_due = j.concurrency_key IS NULL,
            run_at = CASE WHEN j.concurrency_key IS NULL THEN j.run_at ELSE 'infinity' END,
            rank = tidings.rank_job(j.run_at, j.priority, bound)
        WHERE j.organization_id = organization AND j.id = ANY (ids);
    END LOOP;
    PERFORM tidings.admit_keys(organizations, keys);
    RETURN cardinality(ids);
END
$$;
COMMENT ON FUNCTION tidings.ripen_jobs(timestamptz, timestamptz, integer) IS
    'Makes jobs claimable whose time came in this span; those with a concurrency key wait for room first. Returns how many it moved.';

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
        max_attempts, worker, claimed_at, unique_key, concurrency_key, concurrency_limit,
        deadline_at, progress, result, error, created_at, finished_at)
    SELECT
        g.organization_id, g.id, g.kind, g.args, g.user_id, g.run_id, final, g.priority, g.run_at,
        g.attempt, g.max_attempts, g.worker, g.claimed_at, g.unique_key, g.concurrency_key,
        g.concurrency_limit, g.deadline_at, g.progress, outcome, problem, g.created_at, moment
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
    is_now boolean := again <= tidings.now() AND job.concurrency_key IS NULL;
    is_next boolean := again <= tidings.now() AND job.concurrency_key IS NOT NULL;
    bound timestamptz;
BEGIN
    IF job.cancel_requested_at IS NOT NULL THEN
        PERFORM tidings.close_job(job.organization_id, job.id, 'cancelled', NULL, NULL);
        RETURN 'cancelled';
    ELSIF NOT may_retry OR exhausted OR coalesce(job.deadline_at <= again, false) THEN
        PERFORM tidings.close_job(job.organization_id, job.id, 'failed', NULL, problem);
        RETURN 'failed';
    END IF;
    IF is_now THEN
        bound := tidings.enter_lane(job.organization_id);
    END IF;
    UPDATE tidings.jobs AS j SET
        status = CASE WHEN is_next THEN 'blocked' ELSE 'pending' END,
        blocked_reason = CASE WHEN is_next THEN 'It waits for another job with its concurrency key.' END,
        run_at = CASE WHEN is_next THEN 'infinity' ELSE again END,
        lease_token = NULL, lease_until = NULL, worker = NULL, claimed_at = NULL, last_error = coalesce(problem, j.last_error), is_due = is_now,
        rank = greatest(j.rank, bound),
        attempt = j.attempt - CASE WHEN refund THEN 1 ELSE 0 END
    WHERE j.organization_id = job.organization_id AND j.id = job.id;
    UPDATE tidings.runs AS r SET status = 'queued', updated_at = tidings.now()
    WHERE r.organization_id = job.organization_id AND r.id = job.run_id AND r.job_id = job.id
        AND r.status = 'running';
    RETURN 'pending';
END
$$;
COMMENT ON FUNCTION tidings.return_job(tidings.jobs, boolean, timestamptz, text, boolean) IS
    'Decides what becomes of a locked running job that did not complete: cancelled, failed or pending again, at its old place when it is due now. The caller admits the next with its key.';

GRANT EXECUTE ON FUNCTION
    tidings.enter_lane(uuid), tidings.rank_job(timestamptz, integer, timestamptz),
    tidings.admit_keys(uuid[], text[]), tidings.ripen_jobs(timestamptz, timestamptz, integer)
TO tidings_system;

-- Enqueue: under the tenant, in the caller's transaction ------------------------------------------

CREATE FUNCTION tidings.enqueue_v2(
    job uuid, job_kind text, job_args jsonb, run uuid, due_at timestamptz, urgency integer,
    job_key text, shared_key text, shared_limit integer, attempts integer, deadline interval
) RETURNS uuid
LANGUAGE plpgsql
AS $$
DECLARE
    organization uuid := tidings.current_organization();
    moment timestamptz := tidings.now();
    due timestamptz := coalesce(due_at, moment);
    bound timestamptz;
    live uuid;
BEGIN
    PERFORM tidings.require_writer();
    PERFORM tidings.require_kind(job_kind);
    bound := tidings.enter_lane(organization);
    LOOP
        INSERT INTO tidings.jobs AS j (
            organization_id, id, kind, args, user_id, run_id, priority, run_at, rank, is_due,
            max_attempts, unique_key, concurrency_key, concurrency_limit, deadline_at, created_at)
        VALUES (
            organization, job, job_kind, job_args, tidings.acting_user(), run, urgency,
            CASE WHEN shared_key IS NULL THEN due ELSE greatest(due, moment) END,
            tidings.rank_job(due, urgency, bound), due <= moment AND shared_key IS NULL, attempts,
            job_key, shared_key, shared_limit, moment + deadline, moment)
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
COMMENT ON FUNCTION tidings.enqueue_v2(uuid, text, jsonb, uuid, timestamptz, integer, text, text, integer, integer, interval) IS
    'Enqueues one job for the current tenant, in its transaction; returns its id, or that of the live job with the same key.';

CREATE FUNCTION tidings.require_kind(job_kind text) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    IF job_kind !~ '^[a-z][a-z0-9_.]{0,62}$' THEN
        RAISE EXCEPTION 'A kind of job is lower case letters, digits, dots and underscores, 63 at most.'
            USING ERRCODE = 'TD400';
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.require_kind(text) IS 'Refuses what cannot be the kind of a job.';
GRANT EXECUTE ON FUNCTION tidings.require_kind(text) TO tidings_system;
SELECT tidings.run_as_system('tidings.enqueue_v2(uuid, text, jsonb, uuid, timestamptz, integer, text, text, integer, integer, interval)');

CREATE OR REPLACE FUNCTION tidings.enqueue_v1(
    job uuid, job_kind text, job_args jsonb, run uuid, due_at timestamptz, urgency integer,
    job_key text, shared_key text, attempts integer, deadline interval
) RETURNS uuid
LANGUAGE sql
AS $$
    SELECT tidings.enqueue_v2(job, job_kind, job_args, run, due_at, urgency, job_key, NULL, 1, attempts, deadline)
$$;
SELECT tidings.run_as_system('tidings.enqueue_v1(uuid, text, jsonb, uuid, timestamptz, integer, text, text, integer, interval)');

CREATE FUNCTION tidings.enqueue_many_v2(
    ids uuid[], kinds text[], job_args jsonb[], due_ats timestamptz[], urgencies integer[],
    job_keys text[], shared_keys text[], shared_limits integer[], attempts integer[],
    deadlines interval[]
) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    organization uuid := tidings.current_organization();
    moment timestamptz := tidings.now();
    bound timestamptz;
    made integer;
BEGIN
    PERFORM tidings.require_writer();
    PERFORM tidings.require_kind(k.kind) FROM (SELECT DISTINCT u.kind FROM unnest(kinds) AS u (kind)) AS k;
    bound := tidings.enter_lane(organization);
    INSERT INTO tidings.jobs (
        organization_id, id, kind, args, user_id, priority, run_at, rank, is_due, max_attempts,
        unique_key, concurrency_key, concurrency_limit, deadline_at, created_at)
    SELECT
        organization, n.id, n.kind, n.args, tidings.acting_user(), n.priority,
        CASE WHEN n.concurrency_key IS NULL THEN coalesce(n.run_at, moment)
             ELSE greatest(n.run_at, moment) END,
        -- Each after the one before it, also for claims that begin to read at a rank.
        tidings.rank_job(coalesce(n.run_at, moment), n.priority, bound) + n.nth * interval '1 microsecond',
        coalesce(n.run_at <= moment, true) AND n.concurrency_key IS NULL,
        n.max_attempts, n.unique_key, n.concurrency_key, n.concurrency_limit, moment + n.deadline,
        moment
    FROM unnest(ids, kinds, job_args, due_ats, urgencies, job_keys, shared_keys, shared_limits, attempts, deadlines)
        WITH ORDINALITY
        AS n (id, kind, args, run_at, priority, unique_key, concurrency_key, concurrency_limit, max_attempts, deadline, nth)
    ON CONFLICT (organization_id, kind, unique_key) WHERE unique_key IS NOT NULL DO NOTHING;
    GET DIAGNOSTICS made = ROW_COUNT;
    PERFORM tidings.hint_workers();
    RETURN made;
END
$$;
COMMENT ON FUNCTION tidings.enqueue_many_v2(uuid[], text[], jsonb[], timestamptz[], integer[], text[], text[], integer[], integer[], interval[]) IS
    'Enqueues many jobs in one statement; those whose key is live are left out. Returns how many it made.';
SELECT tidings.run_as_system('tidings.enqueue_many_v2(uuid[], text[], jsonb[], timestamptz[], integer[], text[], text[], integer[], integer[], interval[])');

CREATE OR REPLACE FUNCTION tidings.enqueue_many_v1(
    ids uuid[], kinds text[], job_args jsonb[], due_ats timestamptz[], urgencies integer[],
    job_keys text[], shared_keys text[], attempts integer[], deadlines interval[]
) RETURNS integer
LANGUAGE sql
AS $$
    SELECT tidings.enqueue_many_v2(
        ids, kinds, job_args, due_ats, urgencies, job_keys,
        pg_catalog.array_fill(NULL::text, ARRAY[cardinality(ids)]),
        pg_catalog.array_fill(1, ARRAY[cardinality(ids)]), attempts, deadlines)
$$;
SELECT tidings.run_as_system('tidings.enqueue_many_v1(uuid[], text[], jsonb[], timestamptz[], integer[], text[], text[], integer[], interval[])');

CREATE FUNCTION tidings.enqueue_alike_v1(
    ids uuid[], job_args text[], job_kind text, due_at timestamptz, urgency integer,
    attempts integer, deadline interval
) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    organization uuid := tidings.current_organization();
    moment timestamptz := tidings.now();
    due timestamptz := coalesce(due_at, moment);
    place timestamptz;
BEGIN
    PERFORM tidings.require_writer();
    PERFORM tidings.require_kind(job_kind);
    place := tidings.rank_job(due, urgency, tidings.enter_lane(organization));
    INSERT INTO tidings.jobs (
        organization_id, id, kind, args, user_id, priority, run_at, rank, is_due, max_attempts,
        deadline_at, created_at)
    SELECT
        organization, n.id, job_kind, n.args::jsonb, tidings.acting_user(), urgency, due,
        place + n.nth * interval '1 microsecond', due <= moment, attempts, moment + deadline, moment
    FROM unnest(ids, job_args) WITH ORDINALITY AS n (id, args, nth);
    PERFORM tidings.hint_workers();
    RETURN cardinality(ids);
END
$$;
COMMENT ON FUNCTION tidings.enqueue_alike_v1(uuid[], text[], text, timestamptz, integer, integer, interval) IS
    'Enqueues many jobs that differ in their arguments alone and have no keys. Returns how many.';
SELECT tidings.run_as_system('tidings.enqueue_alike_v1(uuid[], text[], text, timestamptz, integer, integer, interval)');

-- Claim, finish, return: the worker, across tenants -----------------------------------------------

CREATE FUNCTION tidings.claim_jobs_v2(
    kinds text[], most integer, lease interval, worker_name text, is_idle boolean, after uuid,
    spent integer, ripe_since interval
) RETURNS TABLE (
    organization_id uuid, id uuid, kind text, args jsonb, user_id uuid, run_id uuid,
    attempt smallint, max_attempts smallint, lease_token uuid, deadline_at timestamptz,
    seconds_left double precision, lane integer
)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    moment timestamptz := tidings.now();
    token uuid := pg_catalog.gen_random_uuid();
    lanes uuid[];
    weights smallint[];
    lows timestamptz[];
    shares integer[];
BEGIN
    IF is_idle IS NOT NULL THEN
        INSERT INTO tidings.queue_listeners (worker, idle, seen_at) VALUES (worker_name, is_idle, moment)
        ON CONFLICT (worker) DO UPDATE SET idle = excluded.idle, seen_at = excluded.seen_at;
    END IF;
    IF ripe_since IS NOT NULL AND EXISTS (
        SELECT FROM tidings.jobs AS j
        WHERE NOT j.is_due AND j.run_at >= moment - ripe_since AND j.run_at <= moment
    ) THEN
        PERFORM tidings.ripen_jobs(moment - ripe_since, moment, 200);
    END IF;

    SELECT array_agg(l.organization_id), array_agg(l.weight), array_agg(l.low)
    INTO lanes, weights, lows
    FROM (
        SELECT l.organization_id, l.weight, l.low
        FROM (
            SELECT l.organization_id, l.weight, l.low
            FROM (SELECT DISTINCT m.organization_id FROM tidings.queue_marks AS m) AS m
            JOIN tidings.queue_lanes AS l ON l.organization_id = m.organization_id
            -- From the one served last, if its turn is not over, on.
            ORDER BY CASE WHEN l.organization_id = after THEN spent >= l.weight ELSE l.organization_id < after END,
                l.organization_id
        ) AS l
        -- Lateral, so that each lane is asked for one job and no more.
        CROSS JOIN LATERAL (
            SELECT FROM tidings.jobs AS j
            WHERE j.organization_id = l.organization_id AND j.status = 'pending' AND j.is_due
                AND j.rank >= l.low AND j.kind = ANY (kinds)
                AND (j.deadline_at IS NULL OR j.deadline_at > moment)
            LIMIT 1
        ) AS one
        LIMIT 32
    ) AS l;
    IF lanes IS NULL THEN
        RETURN;
    ELSIF cardinality(lanes) = 1 THEN
        shares := ARRAY[most];
    ELSE
        -- Deficit round-robin over what waits: a lane gets its weight a turn, and who was in its turn
        -- at the claim before goes on with the rest of it.
        SELECT array_agg(s.share ORDER BY s.lane) INTO shares
        FROM (
            SELECT l.lane, count(turn.lane)::integer AS share
            FROM generate_series(1, cardinality(lanes)) AS l (lane)
            LEFT JOIN (
                SELECT w.lane
                FROM (
                    SELECT n.lane,
                        (row_number() OVER (PARTITION BY n.lane) - 1
                            + CASE WHEN lanes[n.lane] = after AND spent < weights[n.lane] THEN spent ELSE 0 END
                        ) / weights[n.lane] AS turn
                    FROM generate_series(1, cardinality(lanes)) AS n (lane)
                    CROSS JOIN LATERAL (
                        SELECT FROM tidings.jobs AS j
                        WHERE j.organization_id = lanes[n.lane] AND j.status = 'pending' AND j.is_due
                            AND j.rank >= lows[n.lane] AND j.kind = ANY (kinds)
                            AND (j.deadline_at IS NULL OR j.deadline_at > moment)
                        LIMIT most
                    ) AS waiting
                ) AS w
                ORDER BY w.turn, w.lane
                LIMIT most
            ) AS turn ON turn.lane = l.lane
            GROUP BY l.lane
        ) AS s;
    END IF;

    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT j.organization_id, j.id, l.lane::integer AS lane
        FROM unnest(lanes, lows, shares) WITH ORDINALITY AS l (organization_id, low, share, lane)
        CROSS JOIN LATERAL (
            SELECT j.organization_id, j.id
            FROM tidings.jobs AS j
            WHERE j.organization_id = l.organization_id AND j.status = 'pending' AND j.is_due
                AND j.rank >= l.low AND j.kind = ANY (kinds)
                AND (j.deadline_at IS NULL OR j.deadline_at > moment)
            ORDER BY j.rank, j.id
            LIMIT l.share
            FOR UPDATE SKIP LOCKED
        ) AS j
    ), claimed AS (
        UPDATE tidings.jobs AS j SET
            status = 'running', attempt = j.attempt + 1, lease_token = token,
            lease_until = moment + lease, worker = worker_name, claimed_at = moment
        FROM due AS d
        WHERE j.organization_id = d.organization_id AND j.id = d.id
        RETURNING j.*, d.lane
    ), started AS (
        UPDATE tidings.runs AS r SET
            status = 'running', started_at = coalesce(r.started_at, moment), updated_at = moment
        FROM claimed AS c
        WHERE r.organization_id = c.organization_id AND r.id = c.run_id AND r.job_id = c.id
            AND r.status = 'queued'
    )
    SELECT c.organization_id, c.id, c.kind, c.args, c.user_id, c.run_id, c.attempt, c.max_attempts,
        c.lease_token, c.deadline_at,
        extract(epoch FROM c.deadline_at - moment)::double precision, c.lane
    FROM claimed AS c
    ORDER BY c.rank, c.id;
END
$$;
COMMENT ON FUNCTION tidings.claim_jobs_v2(text[], integer, interval, text, boolean, uuid, integer, interval) IS
    'Leases up to most due jobs of these kinds to a worker: in turns between organizations by their weight, on from the given, which has had spent of its turn, and within one by rank. lane is the place of the organization in these turns. is_idle, unless null, says whether an enqueue should send a hint; ripe_since, unless null, how far back to look for jobs whose time has come.';
SELECT tidings.run_as_system('tidings.claim_jobs_v2(text[], integer, interval, text, boolean, uuid, integer, interval)');
-- Statistics of a table that fills and drains within seconds are always stale.
ALTER FUNCTION tidings.claim_jobs_v2(text[], integer, interval, text, boolean, uuid, integer, interval) SET enable_seqscan = off;
ALTER FUNCTION tidings.claim_jobs_v2(text[], integer, interval, text, boolean, uuid, integer, interval) SET enable_bitmapscan = off;
ALTER FUNCTION tidings.claim_jobs_v2(text[], integer, interval, text, boolean, uuid, integer, interval) SET enable_hashjoin = off;
ALTER FUNCTION tidings.claim_jobs_v2(text[], integer, interval, text, boolean, uuid, integer, interval) SET enable_mergejoin = off;
ALTER FUNCTION tidings.claim_jobs_v2(text[], integer, interval, text, boolean, uuid, integer, interval) SET plan_cache_mode = force_generic_plan;

-- Workers of the version before claim and finish by these; they keep within the new rules.
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
            status = 'running', is_due = true, attempt = j.attempt + 1, lease_token = token,
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
    bound timestamptz;
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
    PERFORM tidings.require_kind(run_kind);
    bound := tidings.enter_lane(organization);
    INSERT INTO tidings.jobs (
        organization_id, id, kind, args, user_id, run_id, run_at, rank, max_attempts, deadline_at,
        created_at)
    VALUES (
        organization, job, run_kind, job_args, tidings.acting_user(), run, moment,
        tidings.rank_job(moment, 0, bound), attempts, moment + deadline, moment);
    PERFORM tidings.hint_workers();
    RETURN QUERY SELECT run, true;
END
$$;
SELECT tidings.run_as_system('tidings.start_run_v1(uuid, text, text, jsonb, boolean, interval, integer)');

CREATE OR REPLACE FUNCTION tidings.finish_job_v1(organization uuid, job uuid, token uuid, outcome jsonb)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    asked boolean;
    key text;
BEGIN
    IF organization <> tidings.current_organization() THEN
        RAISE EXCEPTION 'The job is another organization''s.' USING ERRCODE = 'TD403';
    END IF;
    SELECT j.cancel_requested_at IS NOT NULL, j.concurrency_key INTO asked, key FROM tidings.jobs AS j
    WHERE j.organization_id = organization AND j.id = job AND j.lease_token = token
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'Another worker has this job now.' USING ERRCODE = 'TD499';
    ELSIF asked THEN
        RAISE EXCEPTION 'The job was cancelled before it was done.' USING ERRCODE = 'TD499';
    END IF;
    PERFORM tidings.close_job(organization, job, 'completed', outcome, NULL);
    PERFORM tidings.admit_keys(ARRAY[organization], ARRAY[key]);
END
$$;
SELECT tidings.run_as_system('tidings.finish_job_v1(uuid, uuid, uuid, jsonb)');

CREATE FUNCTION tidings.finish_jobs_v2(organizations uuid[], ids uuid[], tokens uuid[], outcomes jsonb[])
RETURNS TABLE (id uuid, status text)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    moment timestamptz := tidings.now();
    ended uuid[];
    cancelled uuid[];
    keyed_in uuid[];
    keys text[];
BEGIN
    WITH gone AS (
        DELETE FROM tidings.jobs AS j
        USING unnest(organizations, ids, tokens, outcomes) AS d (organization_id, id, token, outcome)
        WHERE j.organization_id = d.organization_id AND j.id = d.id AND j.lease_token = d.token
        RETURNING j.*, d.outcome
    ), kept AS (
        INSERT INTO tidings.finished_jobs AS f (
            organization_id, id, kind, args, user_id, run_id, status, priority, run_at, attempt,
            max_attempts, worker, claimed_at, unique_key, concurrency_key, concurrency_limit,
            deadline_at, progress, result, created_at, finished_at)
        SELECT
            g.organization_id, g.id, g.kind, g.args, g.user_id, g.run_id,
            CASE WHEN g.cancel_requested_at IS NULL THEN 'completed' ELSE 'cancelled' END, g.priority,
            g.run_at, g.attempt, g.max_attempts, g.worker, g.claimed_at, g.unique_key,
            g.concurrency_key, g.concurrency_limit, g.deadline_at, g.progress,
            CASE WHEN g.cancel_requested_at IS NULL THEN g.outcome END, g.created_at, moment
        FROM gone AS g
        RETURNING f.organization_id, f.id, f.run_id, f.status, f.result, f.concurrency_key
    ), followed AS (
        UPDATE tidings.runs AS r SET
            status = CASE k.status WHEN 'completed' THEN 'complete' ELSE 'cancelled' END,
            result = k.result, finished_at = moment, updated_at = moment
        FROM kept AS k
        WHERE r.organization_id = k.organization_id AND r.id = k.run_id AND r.job_id = k.id
            AND r.status IN ('queued', 'running')
    )
    SELECT array_agg(k.id), array_agg(k.id) FILTER (WHERE k.status = 'cancelled'),
        array_agg(k.organization_id) FILTER (WHERE k.concurrency_key IS NOT NULL),
        array_agg(k.concurrency_key) FILTER (WHERE k.concurrency_key IS NOT NULL)
    INTO ended, cancelled, keyed_in, keys
    FROM kept AS k;
    IF keys IS NOT NULL THEN
        PERFORM tidings.admit_keys(keyed_in, keys);
    END IF;
    RETURN QUERY SELECT c.id, 'cancelled' FROM unnest(cancelled) AS c (id);
    IF coalesce(cardinality(ended), 0) < cardinality(ids) THEN
        RETURN QUERY SELECT d.id, 'lost' FROM unnest(ids) AS d (id)
        WHERE ended IS NULL OR d.id <> ALL (ended);
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.finish_jobs_v2(uuid[], uuid[], uuid[], jsonb[]) IS
    'Completes held jobs in one statement; returns only those that ended otherwise: cancelled, because that was asked for, or lost to another worker.';
SELECT tidings.run_as_system('tidings.finish_jobs_v2(uuid[], uuid[], uuid[], jsonb[])');
ALTER FUNCTION tidings.finish_jobs_v2(uuid[], uuid[], uuid[], jsonb[]) SET enable_seqscan = off;
ALTER FUNCTION tidings.finish_jobs_v2(uuid[], uuid[], uuid[], jsonb[]) SET enable_hashjoin = off;
ALTER FUNCTION tidings.finish_jobs_v2(uuid[], uuid[], uuid[], jsonb[]) SET enable_mergejoin = off;
ALTER FUNCTION tidings.finish_jobs_v2(uuid[], uuid[], uuid[], jsonb[]) SET plan_cache_mode = force_generic_plan;

CREATE OR REPLACE FUNCTION tidings.finish_jobs_v1(organizations uuid[], ids uuid[], tokens uuid[], outcomes jsonb[])
RETURNS TABLE (id uuid, status text)
LANGUAGE plpgsql
AS $$
BEGIN
    RETURN QUERY
    SELECT d.id, coalesce(o.status, 'completed')
    FROM unnest(ids) AS d (id)
    LEFT JOIN tidings.finish_jobs_v2(organizations, ids, tokens, outcomes) AS o ON o.id = d.id
    WHERE o.status IS DISTINCT FROM 'lost';
END
$$;
SELECT tidings.run_as_system('tidings.finish_jobs_v1(uuid[], uuid[], uuid[], jsonb[])');

CREATE OR REPLACE FUNCTION tidings.fail_job_v1(
    organization uuid, job uuid, token uuid, problem text, may_retry boolean, delay interval
) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    held tidings.jobs;
    final text;
BEGIN
    SELECT j.* INTO held FROM tidings.jobs AS j
    WHERE j.organization_id = organization AND j.id = job AND j.lease_token = token
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'lost';
    END IF;
    final := tidings.return_job(held, may_retry, tidings.now() + delay, problem, false);
    PERFORM tidings.admit_keys(ARRAY[organization], ARRAY[held.concurrency_key]);
    RETURN final;
END
$$;
SELECT tidings.run_as_system('tidings.fail_job_v1(uuid, uuid, uuid, text, boolean, interval)');

CREATE FUNCTION tidings.block_job_v1(
    organization uuid, job uuid, token uuid, reason text, until timestamptz
) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    held tidings.jobs;
    final text;
BEGIN
    SELECT j.* INTO held FROM tidings.jobs AS j
    WHERE j.organization_id = organization AND j.id = job AND j.lease_token = token
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'lost';
    END IF;
    final := tidings.return_job(held, true, until, reason, true);
    IF final = 'pending' THEN
        UPDATE tidings.jobs AS j SET status = 'blocked', blocked_reason = reason, is_due = false
        WHERE j.organization_id = organization AND j.id = job;
        final := 'blocked';
    END IF;
    PERFORM tidings.admit_keys(ARRAY[organization], ARRAY[held.concurrency_key]);
    RETURN final;
END
$$;
COMMENT ON FUNCTION tidings.block_job_v1(uuid, uuid, uuid, text, timestamptz) IS
    'Puts a held job aside, without using up an attempt, until a budget or a rate allows it; one whose deadline comes first fails with the reason.';
SELECT tidings.run_as_system('tidings.block_job_v1(uuid, uuid, uuid, text, timestamptz)');

CREATE FUNCTION tidings.release_jobs_v2(organizations uuid[], ids uuid[], tokens uuid[])
RETURNS TABLE (id uuid, status text)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    held tidings.jobs;
    keyed_in uuid[];
    keys text[];
BEGIN
    FOR held IN
        SELECT j.* FROM unnest(organizations, ids, tokens) AS h (organization_id, id, token)
        JOIN tidings.jobs AS j ON j.organization_id = h.organization_id AND j.id = h.id
            AND j.lease_token = h.token
        ORDER BY j.id
        FOR UPDATE OF j
    LOOP
        keyed_in := keyed_in || held.organization_id;
        keys := keys || held.concurrency_key;
        RETURN QUERY SELECT held.id, tidings.return_job(
            held, true, tidings.now(), 'The worker was stopped before it was done.', true);
    END LOOP;
    IF FOUND THEN
        PERFORM tidings.admit_keys(keyed_in, keys);
        PERFORM tidings.hint_workers();
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.release_jobs_v2(uuid[], uuid[], uuid[]) IS
    'Gives held jobs back at a graceful shutdown, without using up an attempt.';
SELECT tidings.run_as_system('tidings.release_jobs_v2(uuid[], uuid[], uuid[])');

CREATE OR REPLACE FUNCTION tidings.release_jobs_v1(ids uuid[], tokens uuid[]) RETURNS TABLE (id uuid, status text)
LANGUAGE plpgsql
AS $$
BEGIN
    RETURN QUERY
    SELECT r.id, r.status
    FROM (
        SELECT array_agg(j.organization_id) AS organizations, array_agg(j.id) AS ids, array_agg(h.token) AS tokens
        FROM unnest(release_jobs_v1.ids, release_jobs_v1.tokens) AS h (id, token)
        JOIN tidings.jobs AS j ON j.id = h.id AND j.status = 'running' AND j.lease_token = h.token
    ) AS h, tidings.release_jobs_v2(h.organizations, h.ids, h.tokens) AS r;
END
$$;
SELECT tidings.run_as_system('tidings.release_jobs_v1(uuid[], uuid[])');

CREATE FUNCTION tidings.heartbeat_jobs_v2(organizations uuid[], ids uuid[], tokens uuid[], lease interval)
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
        FROM unnest(organizations, ids, tokens) AS h (organization_id, id, token)
        JOIN tidings.jobs AS j ON j.organization_id = h.organization_id AND j.id = h.id
            AND j.lease_token = h.token
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
COMMENT ON FUNCTION tidings.heartbeat_jobs_v2(uuid[], uuid[], uuid[], interval) IS
    'Extends the leases that these tokens still hold and returns those jobs; a job not returned is lost.';
SELECT tidings.run_as_system('tidings.heartbeat_jobs_v2(uuid[], uuid[], uuid[], interval)');

DROP INDEX tidings.jobs_running;
CREATE INDEX jobs_running ON tidings.jobs (claimed_at) WHERE status = 'running';

CREATE FUNCTION tidings.rescue_jobs_v2(most integer, since timestamptz)
RETURNS TABLE (organization_id uuid, id uuid, status text)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    moment timestamptz := tidings.now();
    late CONSTANT text := 'It did not finish before its deadline; start it again.';
    stray tidings.jobs;
    keyed_in uuid[];
    keys text[];
BEGIN
    -- A worker stops a job at its deadline itself; half a minute later it is taken from it.
    FOR stray IN
        SELECT j.* FROM tidings.jobs AS j
        WHERE j.status = 'running' AND j.claimed_at >= since
            AND (j.lease_until < moment OR j.deadline_at < moment - interval '30 seconds')
        ORDER BY j.claimed_at LIMIT most
        FOR UPDATE SKIP LOCKED
    LOOP
        keyed_in := keyed_in || stray.organization_id;
        keys := keys || stray.concurrency_key;
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
        keyed_in := keyed_in || stray.organization_id;
        keys := keys || stray.concurrency_key;
        RETURN QUERY SELECT stray.organization_id, stray.id, tidings.return_job(
            stray, false, moment, coalesce(stray.last_error, late), false);
    END LOOP;
    PERFORM tidings.admit_keys(keyed_in, keys);
END
$$;
COMMENT ON FUNCTION tidings.rescue_jobs_v2(integer, timestamptz) IS
    'Takes back jobs whose lease ended, of those claimed since a time, and ends those past their deadline: pending again, failed or cancelled.';
SELECT tidings.run_as_system('tidings.rescue_jobs_v2(integer, timestamptz)');
ALTER FUNCTION tidings.rescue_jobs_v2(integer, timestamptz) SET enable_seqscan = off;
ALTER FUNCTION tidings.rescue_jobs_v2(integer, timestamptz) SET enable_bitmapscan = off;

CREATE FUNCTION tidings.rescue_keys_v1() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    keyed_in uuid[];
    keys text[];
BEGIN
    -- Who should have let them in may have been rolled back behind somebody who then passed them by.
    WITH RECURSIVE waits AS (
        (SELECT j.organization_id, j.concurrency_key FROM tidings.jobs AS j
         WHERE j.status = 'blocked' AND j.concurrency_key IS NOT NULL
         ORDER BY j.organization_id, j.concurrency_key LIMIT 1)
        UNION ALL
        SELECT n.organization_id, n.concurrency_key FROM waits AS w CROSS JOIN LATERAL (
            SELECT j.organization_id, j.concurrency_key FROM tidings.jobs AS j
            WHERE j.status = 'blocked' AND j.concurrency_key IS NOT NULL
                AND (j.organization_id, j.concurrency_key) > (w.organization_id, w.concurrency_key)
            ORDER BY j.organization_id, j.concurrency_key LIMIT 1) AS n
    )
    SELECT array_agg(f.organization_id), array_agg(f.concurrency_key) INTO keyed_in, keys
    FROM (SELECT w.organization_id, w.concurrency_key FROM waits AS w
          WHERE NOT EXISTS (
              SELECT FROM tidings.jobs AS j
              WHERE j.organization_id = w.organization_id AND j.concurrency_key = w.concurrency_key AND j.is_due)
          LIMIT 100) AS f;
    PERFORM tidings.admit_keys(keyed_in, keys);
END
$$;
COMMENT ON FUNCTION tidings.rescue_keys_v1() IS
    'Lets jobs go on that wait for a concurrency key which nobody holds: up to a hundred keys. A net, to be called now and then.';
SELECT tidings.run_as_system('tidings.rescue_keys_v1()');
ALTER FUNCTION tidings.rescue_keys_v1() SET enable_seqscan = off;
ALTER FUNCTION tidings.rescue_keys_v1() SET enable_bitmapscan = off;

CREATE OR REPLACE FUNCTION tidings.rescue_jobs_v1(most integer)
RETURNS TABLE (organization_id uuid, id uuid, status text)
LANGUAGE sql
AS $$
    SELECT r.organization_id, r.id, r.status FROM tidings.rescue_jobs_v2(most, '-infinity') AS r
$$;
SELECT tidings.run_as_system('tidings.rescue_jobs_v1(integer)');

CREATE FUNCTION tidings.oldest_claim_v1(since timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE
AS $$
    -- A claim commits within its statement timeout; ten minutes is far beyond that.
    SELECT least(
        tidings.now() - interval '10 minutes',
        (SELECT j.claimed_at FROM tidings.jobs AS j
         WHERE j.status = 'running' AND j.claimed_at >= since
         ORDER BY j.claimed_at LIMIT 1))
$$;
COMMENT ON FUNCTION tidings.oldest_claim_v1(timestamptz) IS
    'No running job was claimed before this time: where the next rescue may begin to read, given where the last one did.';
SELECT tidings.run_as_system('tidings.oldest_claim_v1(timestamptz)');
ALTER FUNCTION tidings.oldest_claim_v1(timestamptz) SET enable_seqscan = off;
ALTER FUNCTION tidings.oldest_claim_v1(timestamptz) SET enable_bitmapscan = off;

CREATE FUNCTION tidings.settle_lanes_v1(organizations uuid[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    lane record;
    front timestamptz;
BEGIN
    -- A lane that somebody is about to put a job into is left for the next time.
    FOR lane IN
        SELECT l.organization_id, l.low FROM tidings.queue_lanes AS l
        WHERE l.organization_id IN (
            SELECT m.organization_id FROM tidings.queue_marks AS m
            WHERE organizations IS NULL OR m.organization_id = ANY (organizations))
        -- Their enqueues wait until this commits: not too many at once, and others each time.
        ORDER BY pg_catalog.random() LIMIT 100
        FOR UPDATE SKIP LOCKED
    LOOP
        SELECT j.rank INTO front FROM tidings.jobs AS j
        WHERE j.organization_id = lane.organization_id AND j.status = 'pending' AND j.is_due
            AND j.rank >= lane.low
        ORDER BY j.rank LIMIT 1;
        IF FOUND THEN
            -- A little before it: what comes now and is more urgent goes in front (rank_job).
            UPDATE tidings.queue_lanes AS l SET low = front - interval '1 millisecond'
            WHERE l.organization_id = lane.organization_id AND l.low < front - interval '1 millisecond';
        ELSE
            UPDATE tidings.queue_lanes AS l SET low = tidings.now()
            WHERE l.organization_id = lane.organization_id AND l.low < tidings.now();
            DELETE FROM tidings.queue_marks AS m WHERE m.organization_id = lane.organization_id;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tidings.settle_lanes_v1(uuid[]) IS
    'Moves the lanes of these organizations (null: of any hundred that are marked) up to their first job, and unmarks those that have none.';
SELECT tidings.run_as_system('tidings.settle_lanes_v1(uuid[])');
ALTER FUNCTION tidings.settle_lanes_v1(uuid[]) SET enable_seqscan = off;
ALTER FUNCTION tidings.settle_lanes_v1(uuid[]) SET enable_bitmapscan = off;

CREATE FUNCTION tidings.weigh_lane_v1(organization uuid, share integer) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE tidings.queue_lanes AS l SET weight = share WHERE l.organization_id = organization;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such organization.' USING ERRCODE = 'TD404';
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.weigh_lane_v1(uuid, integer) IS
    'For operators: sets how many jobs an organization gets for each one of an organization of weight 1.';
SELECT tidings.run_as_system('tidings.weigh_lane_v1(uuid, integer)');

-- Cancel and retry: a person, in their own organization -------------------------------------------

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
        final := tidings.request_cancel(live);
        PERFORM tidings.admit_keys(ARRAY[organization], ARRAY[live.concurrency_key]);
        RETURN final;
    END IF;
    SELECT f.status INTO final FROM tidings.finished_jobs AS f
    WHERE f.organization_id = organization AND f.id = job;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such job here.' USING ERRCODE = 'TD404';
    END IF;
    RETURN final;
END
$$;
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
        PERFORM tidings.admit_keys(ARRAY[organization], ARRAY[live.concurrency_key]);
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
SELECT tidings.run_as_system('tidings.cancel_run_v1(uuid)');

CREATE OR REPLACE FUNCTION tidings.retry_job_v1(job uuid) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    organization uuid := tidings.current_organization();
    moment timestamptz := tidings.now();
    dead tidings.finished_jobs;
    bound timestamptz;
BEGIN
    PERFORM tidings.require_writer();
    SELECT f.* INTO dead FROM tidings.finished_jobs AS f
    WHERE f.organization_id = organization AND f.id = job FOR UPDATE;
    IF NOT FOUND THEN
        -- One that waits for a time or a budget is tried now; for a key it has to wait.
        UPDATE tidings.jobs AS j SET run_at = moment
        WHERE j.organization_id = organization AND j.id = job AND NOT j.is_due AND j.run_at < 'infinity';
        IF FOUND THEN
            PERFORM tidings.hint_workers();
            RETURN;
        ELSIF EXISTS (SELECT FROM tidings.jobs AS j WHERE j.organization_id = organization AND j.id = job) THEN
            RAISE EXCEPTION 'The job has not ended yet.' USING ERRCODE = 'TD409';
        END IF;
        RAISE EXCEPTION 'There is no such job here.' USING ERRCODE = 'TD404';
    ELSIF dead.status <> 'failed' THEN
        RAISE EXCEPTION 'The job is %; only a failed one can be retried.', dead.status USING ERRCODE = 'TD409';
    END IF;
    bound := tidings.enter_lane(organization);
    INSERT INTO tidings.jobs (
        organization_id, id, kind, args, user_id, run_id, priority, run_at, rank, is_due,
        max_attempts, unique_key, concurrency_key, concurrency_limit, deadline_at, last_error,
        created_at)
    VALUES (
        dead.organization_id, dead.id, dead.kind, dead.args, dead.user_id, dead.run_id, dead.priority,
        moment, tidings.rank_job(moment, dead.priority, bound), dead.concurrency_key IS NULL,
        dead.max_attempts, dead.unique_key, dead.concurrency_key, dead.concurrency_limit,
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
SELECT tidings.run_as_system('tidings.retry_job_v1(uuid)');

COMMENT ON FUNCTION tidings.retry_job_v1(uuid) IS
    'Makes a dead letter of the current tenant pending again, with all its attempts and its whole time, its run queued again; one that waits for a time or a budget is tried now.';

CREATE OR REPLACE FUNCTION tidings.queue_state_v1()
RETURNS TABLE (depth bigint, due_since timestamptz, worker_seen_at timestamptz)
LANGUAGE sql STABLE
AS $$
    SELECT (SELECT count(*) FROM tidings.jobs),
           (SELECT min(f.run_at)
            FROM (SELECT DISTINCT m.organization_id FROM tidings.queue_marks AS m) AS m
            JOIN tidings.queue_lanes AS l ON l.organization_id = m.organization_id
            CROSS JOIN LATERAL (
                SELECT j.run_at FROM tidings.jobs AS j
                WHERE j.organization_id = l.organization_id AND j.status = 'pending' AND j.is_due
                    AND j.rank >= l.low
                ORDER BY j.rank LIMIT 1) AS f
            WHERE f.run_at <= tidings.now()),
           greatest((SELECT max(l.seen_at) FROM tidings.queue_listeners AS l),
                    (SELECT max(t.fired_at) FROM tidings.cron_ticks AS t),
                    (SELECT max(j.claimed_at) FROM tidings.jobs AS j WHERE j.status = 'running'))
$$;
SELECT tidings.run_as_system('tidings.queue_state_v1()');

CREATE FUNCTION tidings.job_lane_v1(most integer)
RETURNS TABLE (due_since timestamptz, dead_letters bigint, weight smallint)
LANGUAGE sql STABLE
AS $$
    SELECT (SELECT j.run_at FROM tidings.jobs AS j
            WHERE j.organization_id = l.organization_id AND j.status = 'pending' AND j.is_due
                AND j.rank >= l.low
            ORDER BY j.rank, j.id LIMIT 1),
           (SELECT count(*) FROM (
                SELECT FROM tidings.finished_jobs AS f
                WHERE f.organization_id = l.organization_id AND f.status = 'failed' LIMIT most) AS d),
           l.weight
    FROM tidings.queue_lanes AS l
    WHERE l.organization_id = tidings.current_organization()
$$;
COMMENT ON FUNCTION tidings.job_lane_v1(integer) IS
    'Of the current tenant: since when its first due job waits, how many dead letters there are (most at most), and its share.';
SELECT tidings.run_as_system('tidings.job_lane_v1(integer)');

CREATE FUNCTION tidings.unblock_jobs_v1() RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    unblocked integer;
BEGIN
    PERFORM tidings.require_writer();
    -- One that a worker is blocking just now meets the new limit by itself, or waits for its time.
    UPDATE tidings.jobs AS j SET run_at = tidings.now()
    FROM (
        SELECT b.id FROM tidings.jobs AS b
        WHERE b.organization_id = tidings.current_organization() AND b.status = 'blocked'
            AND b.run_at < 'infinity'
        ORDER BY b.id FOR UPDATE SKIP LOCKED
    ) AS waiting
    WHERE j.organization_id = tidings.current_organization() AND j.id = waiting.id;
    GET DIAGNOSTICS unblocked = ROW_COUNT;
    IF unblocked > 0 THEN
        PERFORM tidings.hint_workers();
    END IF;
    RETURN unblocked;
END
$$;
COMMENT ON FUNCTION tidings.unblock_jobs_v1() IS
    'Lets the jobs of the current tenant that a budget or a rate blocks try again now, because a limit changed. Returns how many.';
SELECT tidings.run_as_system('tidings.unblock_jobs_v1()');
