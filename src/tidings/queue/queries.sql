-- name: enqueue
-- Enqueues one job; answers with its id, or that of the live job with the same key.
SELECT tidings.enqueue_v2(
    %(id)s, %(kind)s, %(args)s::jsonb, %(run_id)s::uuid, %(run_at)s::timestamptz, %(priority)s,
    %(unique_key)s, %(concurrency_key)s, %(concurrency_limit)s, %(max_attempts)s,
    %(deadline)s::interval) AS id

-- name: enqueue_many
-- Enqueues many jobs in one statement; answers with how many were new.
SELECT tidings.enqueue_many_v2(
    %(ids)b::uuid[], %(kinds)b::text[], %(args)b::text[]::jsonb[], %(run_ats)s::timestamptz[],
    %(priorities)s::integer[], %(unique_keys)b::text[], %(concurrency_keys)b::text[],
    %(concurrency_limits)s::integer[], %(max_attempts)s::integer[], %(deadlines)s::interval[]) AS made

-- name: enqueue_alike
-- Enqueues many jobs that differ in their arguments alone.
SELECT tidings.enqueue_alike_v1(
    %(ids)b::uuid[], %(args)b::text[], %(kind)s, %(run_at)s::timestamptz, %(priority)s,
    %(max_attempts)s, %(deadline)s::interval) AS made

-- name: start_run
-- Makes a run and its job, or finds the live one to reuse.
SELECT run_id, created
FROM tidings.start_run_v1(
    %(run_id)s, %(kind)s, %(subject)s, %(args)s::jsonb, %(reuse)s, %(deadline)s::interval,
    %(max_attempts)s)

-- name: get_run
-- One run of the organization.
SELECT id, kind, subject, status, stage, done, total, result, error, job_id, created_by, created_at,
    started_at, finished_at, updated_at
FROM tidings.runs
WHERE organization_id = (SELECT tidings.current_organization()) AND id = %(id)s

-- name: list_runs
-- Runs of the organization, newest first, from before a given one.
SELECT id, kind, subject, status, stage, done, total, result, error, job_id, created_by, created_at,
    started_at, finished_at, updated_at
FROM tidings.runs
WHERE organization_id = (SELECT tidings.current_organization())
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (%(families)s::text[] IS NULL OR split_part(kind, '.', 1) = ANY (%(families)s::text[]))
    AND (%(subject)s::text IS NULL OR subject = %(subject)s)
    AND (%(before)s::uuid IS NULL OR id < %(before)s)
ORDER BY id DESC
LIMIT %(limit)s

-- name: cancel_run
-- Cancels a queued run, or asks the worker of a running one; answers with its status, null where its kind is not of the families.
SELECT CASE WHEN %(families)s::text[] IS NULL OR split_part(kind, '.', 1) = ANY (%(families)s::text[])
    THEN tidings.cancel_run_v1(id) END AS status
FROM tidings.runs
WHERE organization_id = (SELECT tidings.current_organization()) AND id = %(id)s

-- name: claim_jobs
-- Leases due jobs to a worker.
SELECT organization_id, id, kind, args, user_id, run_id, attempt, max_attempts, lease_token,
    deadline_at, seconds_left, lane
FROM tidings.claim_jobs_v2(
    %(kinds)s::text[], %(most)s, %(lease)s::interval, %(worker)s, %(is_idle)s::boolean,
    %(after)s::uuid, %(spent)s, %(ripe_since)s::interval)

-- name: heartbeat_jobs
-- Extends leases; answers with the jobs still held.
SELECT id, lease_token, cancel_requested
FROM tidings.heartbeat_jobs_v2(
    %(organization_ids)b::uuid[], %(ids)b::uuid[], %(tokens)b::uuid[], %(lease)s::interval)

-- name: progress_job
-- Writes and publishes how far a held job is; answers whether its cancelling was asked for.
SELECT tidings.progress_job_v1(
    %(organization_id)s, %(id)s, %(token)s, %(stage)s, %(done)s, %(total)s) AS cancel_requested

-- name: finish_job
-- Completes a held job in the transaction of its effects.
SELECT tidings.finish_job_v1(%(organization_id)s, %(id)s, %(token)s, %(result)s::jsonb)

-- name: finish_jobs
-- Completes held jobs; answers with those that ended otherwise.
SELECT id, status
FROM tidings.finish_jobs_v2(
    %(organization_ids)b::uuid[], %(ids)b::uuid[], %(tokens)b::uuid[],
    %(results)b::text[]::jsonb[])

-- name: fail_job
-- Ends one try of a held job: pending again, failed, cancelled or lost.
SELECT tidings.fail_job_v1(
    %(organization_id)s, %(id)s, %(token)s, %(problem)s, %(may_retry)s, %(delay)s::interval) AS status

-- name: block_job
-- Puts a held job aside until a time: blocked, failed, cancelled or lost.
SELECT tidings.block_job_v1(
    %(organization_id)s, %(id)s, %(token)s, %(reason)s,
    tidings.now() + %(delay)s::interval) AS status

-- name: release_jobs
-- Gives held jobs back without using up an attempt.
SELECT id, status
FROM tidings.release_jobs_v2(%(organization_ids)b::uuid[], %(ids)b::uuid[], %(tokens)b::uuid[])

-- name: rescue_jobs
-- Takes back jobs of dead workers, of those claimed since a time, and ends those past their deadline.
SELECT organization_id, id, status FROM tidings.rescue_jobs_v2(%(most)s, %(since)s::timestamptz)

-- name: rescue_keys
-- Lets jobs go on that wait for a concurrency key which nobody holds.
SELECT tidings.rescue_keys_v1()

-- name: oldest_claim
-- Tells where the next rescue may begin to read.
SELECT tidings.oldest_claim_v1(%(since)s::timestamptz) AS since

-- name: settle_lanes
-- Moves lanes up to their first job.
SELECT tidings.settle_lanes_v1(%(organizations)s::uuid[])

-- name: weigh_lane
-- Sets the share of an organization.
SELECT tidings.weigh_lane_v1(%(organization_id)s, %(weight)s)

-- name: list_jobs
-- Jobs of the organization, live and finished, newest first, from before a given one.
(SELECT id, kind, status, args, user_id, run_id, priority, nullif(run_at, 'infinity') AS run_at, attempt,
    max_attempts, worker, progress, NULL::jsonb AS result, coalesce(blocked_reason, last_error) AS error,
    cancel_requested_at IS NOT NULL AS is_cancel_requested, created_at, claimed_at,
    NULL::timestamptz AS finished_at
FROM tidings.jobs
WHERE organization_id = (SELECT tidings.current_organization())
    AND (%(status)s::text IS NULL OR status = %(status)s)
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (%(before)s::uuid IS NULL OR id < %(before)s)
ORDER BY id DESC LIMIT %(limit)s)
UNION ALL
(SELECT id, kind, status, args, user_id, run_id, priority, run_at, attempt, max_attempts, worker,
    progress, result, error, false, created_at, claimed_at, finished_at
FROM tidings.finished_jobs
WHERE organization_id = (SELECT tidings.current_organization())
    AND (%(status)s::text IS NULL OR status = %(status)s)
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (%(before)s::uuid IS NULL OR id < %(before)s)
ORDER BY id DESC LIMIT %(limit)s)
ORDER BY id DESC LIMIT %(limit)s

-- name: get_job
-- One job of the organization, live or finished.
SELECT id, kind, status, args, user_id, run_id, priority, nullif(run_at, 'infinity') AS run_at, attempt,
    max_attempts, worker, progress, NULL::jsonb AS result, coalesce(blocked_reason, last_error) AS error,
    cancel_requested_at IS NOT NULL AS is_cancel_requested, created_at, claimed_at,
    NULL::timestamptz AS finished_at
FROM tidings.jobs
WHERE organization_id = (SELECT tidings.current_organization()) AND id = %(id)s
UNION ALL
SELECT id, kind, status, args, user_id, run_id, priority, run_at, attempt, max_attempts, worker,
    progress, result, error, false, created_at, claimed_at, finished_at
FROM tidings.finished_jobs
WHERE organization_id = (SELECT tidings.current_organization()) AND id = %(id)s

-- name: cancel_job
-- Cancels a job that waits, or asks the worker of one that runs; answers with its status.
SELECT tidings.cancel_job_v1(%(id)s) AS status

-- name: retry_job
-- Makes a dead letter pending again.
SELECT tidings.retry_job_v1(%(id)s)

-- name: unblock_jobs
-- Lets what a budget or a rate blocks try again.
SELECT tidings.unblock_jobs_v1() AS unblocked

-- name: fire_cron
-- Answers whether this worker won a tick.
SELECT tidings.fire_cron_v1(%(name)s, %(tick)s, %(lease)s::interval, %(worker)s) AS won

-- name: finish_cron
-- Marks a tick that this worker won as done.
SELECT tidings.finish_cron_v1(%(name)s, %(tick)s, %(worker)s, %(problem)s)

-- name: sweep_finished
-- Deletes finished jobs past their age; answers with how many.
SELECT tidings.sweep_finished_v1(%(most)s, %(done_age)s::interval, %(failed_age)s::interval) AS swept

-- name: sweep_runs
-- Deletes runs that finished long ago; answers with how many.
SELECT tidings.sweep_runs_v1(%(most)s, %(age)s::interval) AS swept

-- name: sweep_workers
-- Forgets workers long gone and ticks long past.
SELECT tidings.sweep_workers_v1()

-- name: queue_state
-- The queue of all organizations, for operators.
SELECT depth, due_since, worker_seen_at FROM tidings.queue_state_v1()

-- name: job_stats
-- Live jobs by kind and state, and what ended lately with how long it took.
WITH live AS (
    SELECT kind, status FROM tidings.jobs
    WHERE organization_id = (SELECT tidings.current_organization()) LIMIT %(most)s
), ended AS (
    SELECT kind, status,
        CASE WHEN status = 'completed' THEN extract(epoch FROM claimed_at - run_at) END AS wait,
        CASE WHEN status = 'completed' THEN extract(epoch FROM finished_at - claimed_at) END AS run
    FROM (
        SELECT kind, status, run_at, claimed_at, finished_at FROM tidings.finished_jobs
        WHERE organization_id = (SELECT tidings.current_organization())
        ORDER BY id DESC LIMIT %(most)s) AS newest
    WHERE finished_at > tidings.now() - %(window)s::interval
), counted AS (
    SELECT kind, count(*) FILTER (WHERE status = 'pending') AS pending,
        count(*) FILTER (WHERE status = 'running') AS running,
        count(*) FILTER (WHERE status = 'blocked') AS blocked
    FROM live GROUP BY kind
), timed AS (
    SELECT kind, count(*) FILTER (WHERE status = 'completed') AS completed,
        count(*) FILTER (WHERE status = 'failed') AS failed,
        count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY wait::double precision) AS waits,
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY run::double precision) AS runs
    FROM ended GROUP BY kind
)
SELECT coalesce(c.kind, t.kind) AS kind, coalesce(c.pending, 0) AS pending,
    coalesce(c.running, 0) AS running, coalesce(c.blocked, 0) AS blocked,
    coalesce(t.completed, 0) AS completed, coalesce(t.failed, 0) AS failed,
    coalesce(t.cancelled, 0) AS cancelled, t.waits[1] AS wait_p50, t.waits[2] AS wait_p95,
    t.runs[1] AS run_p50, t.runs[2] AS run_p95
FROM counted AS c FULL JOIN timed AS t ON t.kind = c.kind
ORDER BY 1

-- name: job_lane
-- Since when an organization's first due job waits, its dead letters, and its share.
SELECT due_since, dead_letters, weight FROM tidings.job_lane_v1(%(most)s)
