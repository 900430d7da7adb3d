-- name: record_token_use
-- Appends one provider call to the ledger, on the day that its money was set aside; a repeat of the same row changes nothing.
INSERT INTO tidings.token_usage (
    organization_id, id, run_id, operation, engine, provider, model, prompt_version,
    prompt_tokens, completion_tokens, cached_tokens, estimated, cost, latency_ms, status, error, created_at)
VALUES (
    tidings.current_organization(), %(id)s, %(run_id)s, %(operation)s, %(engine)s, %(provider)s, %(model)s, %(prompt_version)s,
    %(prompt_tokens)s, %(completion_tokens)s, %(cached_tokens)s, %(estimated)s, %(cost)s, %(latency_ms)s, %(status)s, %(error)s,
    coalesce((SELECT r.created_at FROM tidings.ai_reservations AS r
        WHERE r.organization_id = tidings.current_organization() AND r.id = %(id)s), %(created_at)s))
ON CONFLICT (organization_id, id) DO NOTHING;

-- name: run_token_uses
-- The provider calls of one run, oldest first.
SELECT id, run_id, operation, engine, provider, model, prompt_version, prompt_tokens, completion_tokens,
       cached_tokens, estimated, cost, latency_ms, status, error, created_at
FROM tidings.token_usage
WHERE organization_id = tidings.current_organization() AND run_id = %(run_id)s::uuid
ORDER BY created_at, id;

-- name: ai_policy
-- What the organization allows and prefers: its ai_mode, its engine, and whether texts are masked.
SELECT ai_mode, engine, ai_redaction AS redaction FROM tidings.organizations WHERE id = tidings.current_organization();

-- name: provider_secret
-- The sealed key of a provider, to services alone.
SELECT sealed, key_id FROM tidings.read_secret_v1(%(name)s);

-- name: set_ai_policy
-- Changes what the organization allows and prefers; only for admins.
UPDATE tidings.organizations
SET ai_mode = coalesce(%(ai_mode)s::text, ai_mode),
    engine = CASE WHEN %(sets_engine)s::boolean THEN %(engine)s::text ELSE engine END,
    ai_redaction = coalesce(%(redaction)s::boolean, ai_redaction)
WHERE id = tidings.current_organization() AND tidings.may_administer()
RETURNING ai_mode, engine, ai_redaction AS redaction;

-- name: reserve
-- Sets money aside for one call; a row when a budget refuses it.
SELECT refused_by, left_over, resets_at, resets_in
FROM tidings.reserve_ai_v1(
    %(id)s, %(run_id)s, %(operation)s, %(engine)s, %(prompt_version)s, %(amount)s,
    make_interval(secs => %(lease)s));

-- name: send
-- Says that a reserved call is about to leave, and records what leaves.
SELECT tidings.send_ai_v1(
    %(id)s, %(destination)s, %(bytes)s, %(sha256)s, %(redacted)s, make_interval(secs => %(lease)s));

-- name: settle
-- Ends a call that was sent with what it cost.
SELECT tidings.settle_ai_v1(%(id)s, %(cost)s);

-- name: release
-- Gives back what was set aside for a call that never left.
SELECT tidings.release_ai_v1(%(id)s);

-- name: settle_orphans
-- Ends reservations whose lease has passed, those of one organization; 0 when there is none.
SELECT tidings.settle_orphans_v1(%(most)s);

-- name: sweep_ai
-- Deletes what is past its age of the gateway's tables.
SELECT tidings.sweep_ai_v1(%(reservation_age)s, %(egress_age)s, %(day_age)s, %(most)s);

-- name: list_budgets
-- The organization's budgets with what is spent and reserved in the windows that are open now.
SELECT p.period, b.amount, coalesce(s.settled, 0)::numeric(14, 6) AS settled,
       coalesce(s.reserved, 0)::numeric(14, 6) AS reserved,
       (date_trunc(p.period, tidings.now() AT TIME ZONE o.time_zone)
            + ('1 ' || p.period)::interval) AT TIME ZONE o.time_zone AS resets_at
FROM tidings.organizations AS o
CROSS JOIN (VALUES ('day'), ('month')) AS p (period)
LEFT JOIN tidings.ai_budgets AS b ON b.organization_id = o.id AND b.period = p.period
CROSS JOIN LATERAL (
    SELECT sum(s.settled) AS settled, sum(s.reserved) AS reserved FROM tidings.ai_spending AS s
    WHERE s.organization_id = o.id AND s.period = p.period AND s.ends_at > tidings.now()
        AND s.starts_at BETWEEN tidings.now() - interval '33 days' AND tidings.now()
) AS s
WHERE o.id = tidings.current_organization()
ORDER BY p.period;

-- name: set_budget
-- Sets or changes a budget; only for admins.
INSERT INTO tidings.ai_budgets (organization_id, period, amount)
VALUES (tidings.current_organization(), %(period)s, %(amount)s)
ON CONFLICT (organization_id, period) DO UPDATE SET amount = EXCLUDED.amount, updated_at = tidings.now();

-- name: delete_budget
-- Removes a budget, so that nothing bounds the period.
DELETE FROM tidings.ai_budgets
WHERE organization_id = tidings.current_organization() AND period = %(period)s;

-- name: list_usage
-- Calls to providers, newest first.
SELECT id, run_id, operation, engine, provider, model, prompt_version, prompt_tokens, completion_tokens,
       cached_tokens, estimated, cost, latency_ms, status, error, created_at
FROM tidings.token_usage
WHERE organization_id = tidings.current_organization()
    AND (%(before)s::timestamptz IS NULL OR (created_at, id) < (%(before)s::timestamptz, %(before_id)s::uuid))
ORDER BY created_at DESC, id DESC
LIMIT %(most)s;

-- name: usage_span
-- The days that are summed, in the organization's time zone.
SELECT coalesce(%(since)s::date, u.until - (%(days)s::integer - 1)) AS since, u.until
FROM tidings.organizations AS o
CROSS JOIN LATERAL (SELECT coalesce(%(until)s::date, (tidings.now() AT TIME ZONE o.time_zone)::date) AS until) AS u
WHERE o.id = tidings.current_organization();

-- name: usage_totals
-- Calls, tokens and cost in a span of days: in all, by day, by operation and by engine, the dearest first.
SELECT CASE WHEN grouping(c.day) = 0 THEN 'day' WHEN grouping(c.operation) = 0 THEN 'operation'
            WHEN grouping(c.engine) = 0 THEN 'engine' ELSE 'total' END AS dimension,
       coalesce(to_char(c.day, 'YYYY-MM-DD'), c.operation, c.engine, '') AS key,
       count(*) AS calls, count(*) FILTER (WHERE c.status <> 'ok') AS failed,
       coalesce(sum(c.prompt_tokens), 0)::bigint AS prompt_tokens,
       coalesce(sum(c.completion_tokens), 0)::bigint AS completion_tokens,
       coalesce(sum(c.cached_tokens), 0)::bigint AS cached_tokens,
       coalesce(sum(c.cost), 0)::numeric(20, 6) AS cost
FROM (
    SELECT (t.created_at AT TIME ZONE o.time_zone)::date AS day, t.operation, t.engine, t.status,
           t.prompt_tokens, t.completion_tokens, t.cached_tokens, t.cost
    FROM tidings.organizations AS o
    CROSS JOIN LATERAL (SELECT coalesce(%(until)s::date, (tidings.now() AT TIME ZONE o.time_zone)::date) AS until) AS u
    CROSS JOIN LATERAL (SELECT greatest(coalesce(%(since)s::date, u.until - (%(days)s::integer - 1)), u.until - %(most)s::integer) AS since) AS s
    JOIN tidings.token_usage AS t ON t.organization_id = o.id
        AND t.created_at >= s.since::timestamp AT TIME ZONE o.time_zone
        AND t.created_at < (u.until + 1)::timestamp AT TIME ZONE o.time_zone
    WHERE o.id = tidings.current_organization()
) AS c
GROUP BY GROUPING SETS ((c.day), (c.operation), (c.engine), ())
ORDER BY cost DESC, calls DESC, key;

-- name: list_egress
-- What left for providers, newest first.
SELECT id, run_id, operation, engine, destination, bytes, sha256, redacted, sent_at
FROM tidings.ai_egress
WHERE organization_id = tidings.current_organization()
    AND (%(before)s::uuid IS NULL OR id < %(before)s::uuid)
ORDER BY id DESC
LIMIT %(most)s;

-- name: take_response
-- A stored answer, or the lease to make it, or neither while somebody else makes it.
SELECT answer, is_mine, expires_in
FROM tidings.take_response_v1(%(store)s, %(key)s, %(maker)s, make_interval(secs => %(lease)s));

-- name: extend_response
-- Lengthens the lease of who makes an answer.
UPDATE tidings.ai_responses SET expires_at = tidings.now() + make_interval(secs => %(lease)s)
WHERE organization_id = tidings.current_organization() AND store = %(store)s AND key = %(key)s
    AND holder = %(maker)s;

-- name: keep_response
-- Stores an answer, if who made it still has the lease.
UPDATE tidings.ai_responses
SET answer = %(answer)s, holder = NULL, expires_at = tidings.now() + make_interval(secs => %(ttl)s)
WHERE organization_id = tidings.current_organization() AND store = %(store)s AND key = %(key)s
    AND holder = %(maker)s;

-- name: free_response
-- Gives the lease of an answer back that could not be made.
DELETE FROM tidings.ai_responses
WHERE organization_id = tidings.current_organization() AND store = %(store)s AND key = %(key)s
    AND holder = %(maker)s;
