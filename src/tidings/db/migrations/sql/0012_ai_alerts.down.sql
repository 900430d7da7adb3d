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
    day_row tidings.ai_spending;
    month_row tidings.ai_spending;
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
    LOOP
        SELECT s.* INTO day_row FROM tidings.ai_spending AS s
        WHERE s.organization_id = organization AND s.period = 'day' AND s.starts_at = day_starts FOR UPDATE;
        SELECT s.* INTO month_row FROM tidings.ai_spending AS s
        WHERE s.organization_id = organization AND s.period = 'month' AND s.starts_at = month_starts FOR UPDATE;
        EXIT WHEN day_row.period IS NOT NULL AND month_row.period IS NOT NULL;
        INSERT INTO tidings.ai_spending (organization_id, period, starts_at, ends_at)
        VALUES (organization, 'day', day_starts, (today + interval '1 day') AT TIME ZONE zone)
        ON CONFLICT DO NOTHING;
        INSERT INTO tidings.ai_spending (organization_id, period, starts_at, ends_at)
        VALUES (organization, 'month', month_starts, (this_month + interval '1 month') AT TIME ZONE zone)
        ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN QUERY
    SELECT b.period, greatest(b.amount - s.settled - s.reserved, 0), s.ends_at,
        extract(epoch FROM s.ends_at - moment)::double precision
    FROM (VALUES (day_row.period, day_row.settled, day_row.reserved, day_row.ends_at),
                 (month_row.period, month_row.settled, month_row.reserved, month_row.ends_at))
        AS s (period, settled, reserved, ends_at)
    JOIN tidings.ai_budgets AS b ON b.organization_id = organization AND b.period = s.period
    WHERE s.settled + s.reserved + most > b.amount
    ORDER BY s.ends_at DESC LIMIT 1;
    IF FOUND THEN
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
    UPDATE tidings.ai_reservations AS r SET state = 'settled', cost = actual
    WHERE r.organization_id = organization AND r.id = call AND r.state = 'sent'
    RETURNING r.* INTO held;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM tidings.move_ai_spending(organization, held.day_start, held.month_start, -held.amount, actual);
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

DROP FUNCTION tidings.alert_ai_spending(uuid, timestamptz, timestamptz, text);
ALTER TABLE tidings.ai_spending DROP COLUMN alerted, DROP COLUMN alerted_of;
ALTER TABLE tidings.ai_reservations DROP CONSTRAINT ai_reservations_operation_named;
