-- A queue that was analyzed while it was drained has pages and no rows in its statistics: the planner
-- then takes it for one row, however many came since, and begins a join with all of them. A claim of 8
-- beside 100,000 took half a second so. "= ANY (ARRAY[x])" is "= x" for an index, and no reason to read
-- an index from end to end, as an equality is that a merge join could use. The second column of a key
-- stays an equality: PostgreSQL 15 and 16 may read all that the first finds and look for an array after.

CREATE OR REPLACE FUNCTION tidings.claim_jobs_v2(
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
        WHERE j.organization_id = ANY (ARRAY[d.organization_id]) AND j.id = d.id
        RETURNING j.*, d.lane
    ), started AS (
        UPDATE tidings.runs AS r SET
            status = 'running', started_at = coalesce(r.started_at, moment), updated_at = moment
        FROM claimed AS c
        WHERE r.organization_id = ANY (ARRAY[c.organization_id]) AND r.id = c.run_id
            AND r.job_id = c.id
            AND r.status = 'queued'
    )
    SELECT c.organization_id, c.id, c.kind, c.args, c.user_id, c.run_id, c.attempt, c.max_attempts,
        c.lease_token, c.deadline_at,
        extract(epoch FROM c.deadline_at - moment)::double precision, c.lane
    FROM claimed AS c
    ORDER BY c.rank, c.id;
END
$$;
SELECT tidings.run_as_system('tidings.claim_jobs_v2(text[], integer, interval, text, boolean, uuid, integer, interval)');
ALTER FUNCTION tidings.claim_jobs_v2(text[], integer, interval, text, boolean, uuid, integer, interval) SET enable_seqscan = off;
ALTER FUNCTION tidings.claim_jobs_v2(text[], integer, interval, text, boolean, uuid, integer, interval) SET enable_bitmapscan = off;
ALTER FUNCTION tidings.claim_jobs_v2(text[], integer, interval, text, boolean, uuid, integer, interval) SET enable_hashjoin = off;
ALTER FUNCTION tidings.claim_jobs_v2(text[], integer, interval, text, boolean, uuid, integer, interval) SET enable_mergejoin = off;
ALTER FUNCTION tidings.claim_jobs_v2(text[], integer, interval, text, boolean, uuid, integer, interval) SET plan_cache_mode = force_generic_plan;

CREATE OR REPLACE FUNCTION tidings.finish_jobs_v2(organizations uuid[], ids uuid[], tokens uuid[], outcomes jsonb[])
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
        WHERE j.organization_id = ANY (ARRAY[d.organization_id]) AND j.id = d.id
            AND j.lease_token = d.token
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
        WHERE r.organization_id = ANY (ARRAY[k.organization_id]) AND r.id = k.run_id
            AND r.job_id = k.id
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
SELECT tidings.run_as_system('tidings.finish_jobs_v2(uuid[], uuid[], uuid[], jsonb[])');
ALTER FUNCTION tidings.finish_jobs_v2(uuid[], uuid[], uuid[], jsonb[]) SET enable_seqscan = off;
ALTER FUNCTION tidings.finish_jobs_v2(uuid[], uuid[], uuid[], jsonb[]) SET enable_hashjoin = off;
ALTER FUNCTION tidings.finish_jobs_v2(uuid[], uuid[], uuid[], jsonb[]) SET enable_mergejoin = off;
ALTER FUNCTION tidings.finish_jobs_v2(uuid[], uuid[], uuid[], jsonb[]) SET plan_cache_mode = force_generic_plan;

CREATE OR REPLACE FUNCTION tidings.release_jobs_v2(organizations uuid[], ids uuid[], tokens uuid[])
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
        JOIN tidings.jobs AS j ON j.organization_id = ANY (ARRAY[h.organization_id]) AND j.id = h.id
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
SELECT tidings.run_as_system('tidings.release_jobs_v2(uuid[], uuid[], uuid[])');
ALTER FUNCTION tidings.release_jobs_v2(uuid[], uuid[], uuid[]) SET enable_seqscan = off;
ALTER FUNCTION tidings.release_jobs_v2(uuid[], uuid[], uuid[]) SET enable_hashjoin = off;
ALTER FUNCTION tidings.release_jobs_v2(uuid[], uuid[], uuid[]) SET enable_mergejoin = off;
ALTER FUNCTION tidings.release_jobs_v2(uuid[], uuid[], uuid[]) SET plan_cache_mode = force_generic_plan;

CREATE OR REPLACE FUNCTION tidings.heartbeat_jobs_v2(organizations uuid[], ids uuid[], tokens uuid[], lease interval)
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
        JOIN tidings.jobs AS j ON j.organization_id = ANY (ARRAY[h.organization_id])
            AND j.id = h.id AND j.lease_token = h.token
    ), free AS MATERIALIZED (
        SELECT j.organization_id, j.id
        FROM tidings.jobs AS j
        JOIN held AS h ON j.organization_id = ANY (ARRAY[h.organization_id]) AND j.id = h.id
        FOR UPDATE OF j SKIP LOCKED
    ), extended AS (
        UPDATE tidings.jobs AS j SET lease_until = moment + lease
        FROM free AS f
        WHERE j.organization_id = ANY (ARRAY[f.organization_id]) AND j.id = f.id
            AND j.lease_token = ANY (tokens) -- only what runs has one
    )
    SELECT h.id, h.lease_token, h.cancel_requested FROM held AS h;
END
$$;
SELECT tidings.run_as_system('tidings.heartbeat_jobs_v2(uuid[], uuid[], uuid[], interval)');
ALTER FUNCTION tidings.heartbeat_jobs_v2(uuid[], uuid[], uuid[], interval) SET enable_seqscan = off;
ALTER FUNCTION tidings.heartbeat_jobs_v2(uuid[], uuid[], uuid[], interval) SET enable_hashjoin = off;
ALTER FUNCTION tidings.heartbeat_jobs_v2(uuid[], uuid[], uuid[], interval) SET enable_mergejoin = off;
ALTER FUNCTION tidings.heartbeat_jobs_v2(uuid[], uuid[], uuid[], interval) SET plan_cache_mode = force_generic_plan;
