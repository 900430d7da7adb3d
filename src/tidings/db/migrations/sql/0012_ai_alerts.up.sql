ALTER TABLE tidings.ai_reservations ADD CONSTRAINT ai_reservations_operation_named
    CHECK (operation ~ '^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$') NOT VALID;
ALTER TABLE tidings.ai_reservations VALIDATE CONSTRAINT ai_reservations_operation_named;

ALTER TABLE tidings.ai_spending
    ADD COLUMN alerted smallint[] NOT NULL DEFAULT '{}' CHECK (alerted <@ '{50,80,100}'::smallint[]),
    ADD COLUMN alerted_of numeric(14, 6);
COMMENT ON COLUMN tidings.ai_spending.alerted IS 'Percentages of the budget alerted_of that were told of in this window.';
COMMENT ON COLUMN tidings.ai_spending.alerted_of IS 'USD; with another budget each percentage is told of anew.';

CREATE FUNCTION tidings.alert_ai_spending(
    organization uuid, day_starts timestamptz, month_starts timestamptz, refused text
) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    spent record;
    threshold smallint;
    told smallint[];
    alert jsonb;
BEGIN
    FOR spent IN
        SELECT s.period, s.starts_at, s.ends_at, s.settled, s.reserved, b.amount,
            CASE WHEN s.alerted_of = b.amount THEN s.alerted ELSE '{}' END AS alerted
        FROM (VALUES ('day', day_starts), ('month', month_starts)) AS w (period, starts_at)
        JOIN tidings.ai_budgets AS b ON b.organization_id = organization AND b.period = w.period
        JOIN tidings.ai_spending AS s
            ON s.organization_id = organization AND s.period = w.period AND s.starts_at = w.starts_at
    LOOP
        told := ARRAY(
            SELECT t FROM unnest('{50,80,100}'::smallint[]) AS t
            WHERE t <> ALL (spent.alerted)
                AND ((spent.settled > 0 AND spent.settled >= spent.amount * t / 100)
                    OR (t = 100 AND spent.period = refused))
            ORDER BY t);
        CONTINUE WHEN told = '{}';
        UPDATE tidings.ai_spending AS s SET alerted = spent.alerted || told, alerted_of = spent.amount
        WHERE s.organization_id = organization AND s.period = spent.period AND s.starts_at = spent.starts_at;
        FOREACH threshold IN ARRAY told LOOP
            alert := jsonb_build_object(
                'period', spent.period, 'threshold', threshold, 'amount', spent.amount::text,
                'settled', spent.settled::text, 'reserved', spent.reserved::text,
                'is_refusing', spent.period IS NOT DISTINCT FROM refused,
                'starts_at', spent.starts_at, 'resets_at', spent.ends_at);
            PERFORM tidings.publish_for_v1(organization, 'ai', 'budget.alert', alert);
            INSERT INTO tidings.audit_log (organization_id, actor_kind, action, target, payload)
            VALUES (organization, 'service', 'ai.budget.alert', 'budget:' || spent.period, alert);
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tidings.alert_ai_spending(uuid, timestamptz, timestamptz, text) IS
    'Tells, by an event and in the audit log, once in each window, that 50, 80 or 100 % of a budget are settled, or (100) that it refuses a call. For whoever holds the window''s locks.';
GRANT EXECUTE ON FUNCTION tidings.alert_ai_spending(uuid, timestamptz, timestamptz, text) TO tidings_system;

CREATE OR REPLACE FUNCTION tidings.reserve_ai_v1(
    call uuid, run uuid, call_operation text, call_engine text, version text, most numeric, lease interval
) RETURNS TABLE (refused_by text, left_over numeric, resets_at timestamptz, resets_in double precision)
LANGUAGE plpgsql
AS $$
DECLARE
    organization uuid := tidings.current_organization();
    moment timestamptz := tidings.now();
    zone text;
    today timestamp;
    this_month timestamp;
    day_starts timestamptz;
    month_starts timestamptz;
    refusal record;
BEGIN
    IF NOT tidings.is_service() THEN
        RAISE EXCEPTION 'Budgets are spent by services alone.' USING ERRCODE = 'TD403';
    END IF;
    SELECT o.time_zone INTO STRICT zone FROM tidings.organizations AS o WHERE o.id = organization;
    today := date_trunc('day', moment AT TIME ZONE zone);
    this_month := date_trunc('month', moment AT TIME ZONE zone);
    day_starts := today AT TIME ZONE zone;
    month_starts := this_month AT TIME ZONE zone;
    -- Durable by the commit of send_ai_v1, before anything leaves: the lock is not held for the disk.
    PERFORM pg_catalog.set_config('synchronous_commit', 'off', true);
    -- Missing rows are made before any is locked: who holds the month and waits for the day locks others up.
    IF (SELECT count(*) < 2 FROM tidings.ai_spending AS s
        WHERE s.organization_id = organization
            AND (s.period, s.starts_at) IN (('day', day_starts), ('month', month_starts))) THEN
        INSERT INTO tidings.ai_spending (organization_id, period, starts_at, ends_at)
        VALUES (organization, 'day', day_starts, (today + interval '1 day') AT TIME ZONE zone)
        ON CONFLICT DO NOTHING;
        INSERT INTO tidings.ai_spending (organization_id, period, starts_at, ends_at)
        VALUES (organization, 'month', month_starts, (this_month + interval '1 month') AT TIME ZONE zone)
        ON CONFLICT DO NOTHING;
    END IF;
    -- After a change of the time zone two windows of a period are open: both count until they end.
    PERFORM FROM tidings.ai_spending AS s
    WHERE s.organization_id = organization AND s.period = 'day' AND s.ends_at > moment
        AND s.starts_at BETWEEN moment - interval '2 days' AND moment
    ORDER BY s.starts_at FOR UPDATE;
    PERFORM FROM tidings.ai_spending AS s
    WHERE s.organization_id = organization AND s.period = 'month' AND s.ends_at > moment
        AND s.starts_at BETWEEN moment - interval '33 days' AND moment
    ORDER BY s.starts_at FOR UPDATE;
    SELECT b.period, greatest(b.amount - s.spent, 0) AS left_over, s.ends_at INTO refusal
    FROM tidings.ai_budgets AS b
    CROSS JOIN LATERAL (
        SELECT sum(s.settled + s.reserved) AS spent, max(s.ends_at) AS ends_at FROM tidings.ai_spending AS s
        WHERE s.organization_id = organization AND s.period = b.period AND s.ends_at > moment
            AND s.starts_at BETWEEN moment - interval '33 days' AND moment
    ) AS s
    WHERE b.organization_id = organization AND s.spent + most > b.amount
    ORDER BY s.ends_at DESC LIMIT 1;
    IF FOUND THEN
        PERFORM tidings.alert_ai_spending(organization, day_starts, month_starts, refusal.period);
        RETURN QUERY SELECT refusal.period, refusal.left_over, refusal.ends_at,
            extract(epoch FROM refusal.ends_at - moment)::double precision;
        RETURN;
    END IF;
    PERFORM tidings.move_ai_spending(organization, day_starts, month_starts, most, 0);
    INSERT INTO tidings.ai_reservations (
        organization_id, id, run_id, operation, engine, prompt_version, day_start, month_start, amount,
        lease_until, created_at)
    VALUES (organization, call, run, call_operation, call_engine, version, day_starts, month_starts, most,
        moment + lease, moment);
END
$$;
SELECT tidings.run_as_system('tidings.reserve_ai_v1(uuid, uuid, text, text, text, numeric, interval)');

CREATE OR REPLACE FUNCTION tidings.settle_ai_v1(call uuid, actual numeric) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
    organization uuid := tidings.current_organization();
    held tidings.ai_reservations;
BEGIN
    IF NOT tidings.is_service() THEN
        RAISE EXCEPTION 'Budgets are spent by services alone.' USING ERRCODE = 'TD403';
    END IF;
    -- Durable by the next commit that waits, such as that of what is made of the answer. When the server dies before,
    -- the call is sent still, and settled in full.
    PERFORM pg_catalog.set_config('synchronous_commit', 'off', true);
    UPDATE tidings.ai_reservations AS r SET state = 'settled', cost = actual
    WHERE r.organization_id = organization AND r.id = call AND r.state = 'sent'
    RETURNING r.* INTO held;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM tidings.move_ai_spending(organization, held.day_start, held.month_start, -held.amount, actual);
    PERFORM tidings.alert_ai_spending(organization, held.day_start, held.month_start, NULL);
    RETURN true;
END
$$;
SELECT tidings.run_as_system('tidings.settle_ai_v1(uuid, numeric)');

CREATE OR REPLACE FUNCTION tidings.settle_orphans_v1(max_rows integer) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    moment timestamptz := tidings.now();
    organization uuid;
    held tidings.ai_reservations;
    total bigint := 0;
BEGIN
    -- One organization at a time, its rows of ai_spending locked in the common order first.
    SELECT r.organization_id INTO organization FROM tidings.ai_reservations AS r
    WHERE r.state IN ('reserved', 'sent') AND r.lease_until <= moment
    ORDER BY r.lease_until LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF organization IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM FROM tidings.ai_spending AS s
    WHERE s.organization_id = organization AND s.reserved > 0
    ORDER BY s.period, s.starts_at FOR UPDATE;
    FOR held IN
        SELECT r.* FROM tidings.ai_reservations AS r
        WHERE r.organization_id = organization AND r.state IN ('reserved', 'sent') AND r.lease_until <= moment
        ORDER BY r.lease_until LIMIT max_rows FOR UPDATE SKIP LOCKED
    LOOP
        total := total + 1;
        IF held.state = 'reserved' THEN
            UPDATE tidings.ai_reservations AS r SET state = 'released'
            WHERE r.organization_id = organization AND r.id = held.id;
            PERFORM tidings.move_ai_spending(organization, held.day_start, held.month_start, -held.amount, 0);
            CONTINUE;
        END IF;
        UPDATE tidings.ai_reservations AS r SET state = 'settled', cost = held.amount
        WHERE r.organization_id = organization AND r.id = held.id;
        PERFORM tidings.move_ai_spending(organization, held.day_start, held.month_start, -held.amount, held.amount);
        PERFORM tidings.alert_ai_spending(organization, held.day_start, held.month_start, NULL);
        INSERT INTO tidings.token_usage (
            organization_id, id, run_id, operation, engine, provider, model, prompt_version,
            prompt_tokens, completion_tokens, cached_tokens, estimated, cost, latency_ms, status, error, created_at)
        VALUES (
            organization, held.id, held.run_id, held.operation, held.engine, split_part(held.engine, ':', 1),
            substr(held.engine, strpos(held.engine, ':') + 1), held.prompt_version,
            0, 0, 0, true, held.amount, 0, 'error', 'the process ended during the call', held.created_at)
        ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN total;
END
$$;
SELECT tidings.run_as_system('tidings.settle_orphans_v1(integer)');
