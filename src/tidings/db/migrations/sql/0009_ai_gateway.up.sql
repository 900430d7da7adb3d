ALTER TABLE tidings.organizations ADD COLUMN ai_redaction boolean NOT NULL DEFAULT false;
GRANT UPDATE (ai_redaction) ON tidings.organizations TO tidings_app;
COMMENT ON COLUMN tidings.organizations.ai_redaction IS
    'Whether addresses, phone and card numbers are masked before a text leaves, and restored in the answer.';

-- Budgets ----------------------------------------------------------------------------------------

CREATE TABLE tidings.ai_budgets (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    period text NOT NULL CHECK (period IN ('day', 'month')),
    amount numeric(14, 6) NOT NULL CHECK (amount >= 0),
    updated_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, period)
);
SELECT tidings.protect('tidings.ai_budgets');
CREATE POLICY tenant_select ON tidings.ai_budgets FOR SELECT TO tidings_app, tidings_readonly
    USING (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY admin_insert ON tidings.ai_budgets FOR INSERT TO tidings_app
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()));
CREATE POLICY admin_update ON tidings.ai_budgets FOR UPDATE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()))
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()));
CREATE POLICY admin_delete ON tidings.ai_budgets FOR DELETE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_administer()));
CREATE POLICY system_select ON tidings.ai_budgets FOR SELECT TO tidings_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.ai_budgets TO tidings_app;
GRANT SELECT ON tidings.ai_budgets TO tidings_readonly, tidings_system;
COMMENT ON TABLE tidings.ai_budgets IS
    'What an organization may spend on AI in a period; no row: no limit. Members read, admins change. Retention: kept until it is removed.';
COMMENT ON COLUMN tidings.ai_budgets.period IS 'day or month, in the organization''s time zone.';
COMMENT ON COLUMN tidings.ai_budgets.amount IS 'USD; reaching it exactly is allowed, passing it is not.';

CREATE TABLE tidings.ai_spending (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    period text NOT NULL CHECK (period IN ('day', 'month')),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    settled numeric(14, 6) NOT NULL DEFAULT 0 CHECK (settled >= 0),
    reserved numeric(14, 6) NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    PRIMARY KEY (organization_id, period, starts_at),
    CHECK (ends_at > starts_at)
) WITH (fillfactor = 50);
SELECT tidings.protect('tidings.ai_spending');
CREATE POLICY tenant_select ON tidings.ai_spending FOR SELECT TO tidings_app, tidings_readonly
    USING (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY system_all ON tidings.ai_spending TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT ON tidings.ai_spending TO tidings_app, tidings_readonly;
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.ai_spending TO tidings_system;
COMMENT ON TABLE tidings.ai_spending IS
    'What an organization spent and reserved in each day and month, with a budget or without; rows are locked day first, then month, older first. Retention: days for 100 days, months for 800 after their end.';
COMMENT ON COLUMN tidings.ai_spending.settled IS 'USD of calls that ended: the sum of their rows in token_usage.';
COMMENT ON COLUMN tidings.ai_spending.reserved IS 'USD of calls under way: the sum of their reservations.';

CREATE TABLE tidings.ai_reservations (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    run_id uuid,
    operation text NOT NULL CHECK (char_length(operation) BETWEEN 1 AND 100),
    engine text NOT NULL CHECK (char_length(engine) BETWEEN 3 AND 200 AND engine ~ '^[a-z]+:.'),
    prompt_version text NOT NULL CHECK (prompt_version ~ '^[0-9a-f]{12}$'),
    day_start timestamptz NOT NULL,
    month_start timestamptz NOT NULL,
    amount numeric(14, 6) NOT NULL CHECK (amount >= 0),
    cost numeric(14, 6) CHECK (cost >= 0),
    state text NOT NULL DEFAULT 'reserved' CHECK (state IN ('reserved', 'sent', 'settled', 'released')),
    lease_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, id),
    CHECK ((state = 'settled') = (cost IS NOT NULL))
);
CREATE INDEX ai_reservations_leased ON tidings.ai_reservations (lease_until) WHERE state IN ('reserved', 'sent');
CREATE INDEX ai_reservations_ended ON tidings.ai_reservations (created_at) WHERE state IN ('settled', 'released');
SELECT tidings.protect('tidings.ai_reservations');
CREATE POLICY tenant_select ON tidings.ai_reservations FOR SELECT TO tidings_app, tidings_readonly
    USING (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY system_all ON tidings.ai_reservations TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT ON tidings.ai_reservations TO tidings_app, tidings_readonly;
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.ai_reservations TO tidings_system;
COMMENT ON TABLE tidings.ai_reservations IS
    'Money set aside for one call to a provider, under the id that its row in token_usage gets. Retention: deleted 7 days after it was made, once it has ended.';
COMMENT ON COLUMN tidings.ai_reservations.state IS
    'reserved (nothing has left) -> sent (it may have left) -> settled; reserved -> released.';
COMMENT ON COLUMN tidings.ai_reservations.amount IS 'USD that the call can cost at most.';
COMMENT ON COLUMN tidings.ai_reservations.cost IS 'USD that it was settled with.';
COMMENT ON COLUMN tidings.ai_reservations.lease_until IS
    'After it nobody is waited for: what may have left is settled in full, the rest released.';

CREATE TABLE tidings.ai_egress (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    run_id uuid,
    operation text NOT NULL,
    engine text NOT NULL,
    destination text NOT NULL CHECK (char_length(destination) BETWEEN 1 AND 300),
    bytes bigint NOT NULL CHECK (bytes >= 0),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    redacted jsonb NOT NULL CHECK (jsonb_typeof(redacted) = 'object'),
    sent_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX ai_egress_sent_at ON tidings.ai_egress (sent_at);
SELECT tidings.protect('tidings.ai_egress');
CREATE POLICY tenant_select ON tidings.ai_egress FOR SELECT TO tidings_app, tidings_readonly
    USING (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY system_all ON tidings.ai_egress TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT ON tidings.ai_egress TO tidings_app, tidings_readonly;
GRANT SELECT, INSERT, DELETE ON tidings.ai_egress TO tidings_system;
COMMENT ON TABLE tidings.ai_egress IS
    'What left for a provider, when and to whom: written before it leaves, never the text itself. Retention: deleted after 365 days.';
COMMENT ON COLUMN tidings.ai_egress.id IS 'That of the call''s reservation and of its row in token_usage.';
COMMENT ON COLUMN tidings.ai_egress.destination IS 'Host and port that it was sent to.';
COMMENT ON COLUMN tidings.ai_egress.sha256 IS 'Hash of all text that the call told the provider.';
COMMENT ON COLUMN tidings.ai_egress.redacted IS 'How many values were masked, by kind.';

CREATE POLICY system_insert ON tidings.token_usage FOR INSERT TO tidings_system WITH CHECK (true);
GRANT INSERT ON tidings.token_usage TO tidings_system;

-- Reserve, send, settle, release -----------------------------------------------------------------

CREATE FUNCTION tidings.move_ai_spending(
    organization uuid, day_starts timestamptz, month_starts timestamptz, add_reserved numeric, add_settled numeric
) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE tidings.ai_spending AS s SET reserved = s.reserved + add_reserved, settled = s.settled + add_settled
    WHERE s.organization_id = organization AND s.period = 'day' AND s.starts_at = day_starts;
    UPDATE tidings.ai_spending AS s SET reserved = s.reserved + add_reserved, settled = s.settled + add_settled
    WHERE s.organization_id = organization AND s.period = 'month' AND s.starts_at = month_starts;
END
$$;
COMMENT ON FUNCTION tidings.move_ai_spending(uuid, timestamptz, timestamptz, numeric, numeric) IS
    'Adds to what a day and its month have reserved and settled, in the order in which all lock them.';
GRANT EXECUTE ON FUNCTION tidings.move_ai_spending(uuid, timestamptz, timestamptz, numeric, numeric) TO tidings_system;

CREATE FUNCTION tidings.reserve_ai_v1(
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
COMMENT ON FUNCTION tidings.reserve_ai_v1(uuid, uuid, text, text, text, numeric, interval) IS
    'Sets money aside for one call; returns nothing, or the budget that refuses and when it resets.';
SELECT tidings.run_as_system('tidings.reserve_ai_v1(uuid, uuid, text, text, text, numeric, interval)');

CREATE FUNCTION tidings.send_ai_v1(
    call uuid, sent_to text, sent_bytes bigint, digest text, masked jsonb, lease interval
) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
    organization uuid := tidings.current_organization();
    moment timestamptz := tidings.now();
BEGIN
    IF NOT tidings.is_service() THEN
        RAISE EXCEPTION 'Budgets are spent by services alone.' USING ERRCODE = 'TD403';
    END IF;
    WITH leaving AS (
        UPDATE tidings.ai_reservations AS r SET state = 'sent', lease_until = moment + lease
        WHERE r.organization_id = organization AND r.id = call AND r.state = 'reserved'
        RETURNING r.run_id, r.operation, r.engine
    )
    INSERT INTO tidings.ai_egress (
        organization_id, id, run_id, operation, engine, destination, bytes, sha256, redacted, sent_at)
    SELECT organization, call, l.run_id, l.operation, l.engine, sent_to, sent_bytes, digest, masked, moment
    FROM leaving AS l;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION tidings.send_ai_v1(uuid, text, bigint, text, jsonb, interval) IS
    'Says that a reserved call is about to leave, and records what; false when its reservation has lapsed.';
SELECT tidings.run_as_system('tidings.send_ai_v1(uuid, text, bigint, text, jsonb, interval)');

CREATE FUNCTION tidings.settle_ai_v1(call uuid, actual numeric) RETURNS boolean
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
COMMENT ON FUNCTION tidings.settle_ai_v1(uuid, numeric) IS
    'Ends a call that was sent with what it cost, on the day of its reservation; false when it has ended already.';
SELECT tidings.run_as_system('tidings.settle_ai_v1(uuid, numeric)');

CREATE FUNCTION tidings.release_ai_v1(call uuid) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
    organization uuid := tidings.current_organization();
    held tidings.ai_reservations;
BEGIN
    IF NOT tidings.is_service() THEN
        RAISE EXCEPTION 'Budgets are spent by services alone.' USING ERRCODE = 'TD403';
    END IF;
    UPDATE tidings.ai_reservations AS r SET state = 'released'
    WHERE r.organization_id = organization AND r.id = call AND r.state = 'reserved'
    RETURNING r.* INTO held;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM tidings.move_ai_spending(organization, held.day_start, held.month_start, -held.amount, 0);
    RETURN true;
END
$$;
COMMENT ON FUNCTION tidings.release_ai_v1(uuid) IS
    'Gives back what was set aside for a call that never left; false when it may have left or has ended.';
SELECT tidings.run_as_system('tidings.release_ai_v1(uuid)');

CREATE FUNCTION tidings.settle_orphans_v1(max_rows integer) RETURNS bigint
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
COMMENT ON FUNCTION tidings.settle_orphans_v1(integer) IS
    'Ends reservations of one organization whose lease has passed: in full and recorded where the call may have left, else released. 0 when there is none.';
SELECT tidings.run_as_system('tidings.settle_orphans_v1(integer)');

-- Responses --------------------------------------------------------------------------------------

CREATE TABLE tidings.ai_responses (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    store text NOT NULL CHECK (store ~ '^[a-z][a-z0-9_]{0,62}$'),
    key text COLLATE "C" NOT NULL CHECK (key ~ '^[0-9a-f]{64}$'),
    answer text CHECK (char_length(answer) <= 1000000),
    expires_at timestamptz NOT NULL,
    holder uuid,
    PRIMARY KEY (organization_id, store, key),
    CHECK (answer IS NULL OR holder IS NULL)
);
CREATE INDEX ai_responses_expired ON tidings.ai_responses (expires_at);
SELECT tidings.protect('tidings.ai_responses');
CREATE POLICY service_all ON tidings.ai_responses TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.is_service()))
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.is_service()));
CREATE POLICY system_all ON tidings.ai_responses TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.ai_responses TO tidings_app;
GRANT SELECT, UPDATE, DELETE ON tidings.ai_responses TO tidings_system;
COMMENT ON TABLE tidings.ai_responses IS
    'Answers of providers that may be given again, and leases of those being made; to services alone. Retention: deleted once expired.';
COMMENT ON COLUMN tidings.ai_responses.key IS
    'Hash over operation, engine, prompt version and input, so that an entry never goes stale.';
COMMENT ON COLUMN tidings.ai_responses.expires_at IS 'When the answer is forgotten, or when its maker''s lease ends.';
COMMENT ON COLUMN tidings.ai_responses.holder IS 'Who makes the answer now; the others wait.';

CREATE FUNCTION tidings.take_response_v1(wanted_store text, wanted_key text, maker uuid, lease interval)
RETURNS TABLE (answer text, is_mine boolean, expires_in double precision)
LANGUAGE plpgsql
AS $$
DECLARE
    organization uuid := tidings.current_organization();
    moment timestamptz := tidings.now();
BEGIN
    RETURN QUERY
    SELECT r.answer, false, extract(epoch FROM r.expires_at - moment)::double precision
    FROM tidings.ai_responses AS r
    WHERE r.organization_id = organization AND r.store = wanted_store AND r.key = wanted_key
        AND r.expires_at > moment;
    IF FOUND THEN
        RETURN;
    END IF;
    INSERT INTO tidings.ai_responses AS r (organization_id, store, key, expires_at, holder)
    VALUES (organization, wanted_store, wanted_key, moment + lease, maker)
    ON CONFLICT (organization_id, store, key) DO UPDATE
    SET answer = NULL, expires_at = EXCLUDED.expires_at, holder = EXCLUDED.holder
    WHERE r.expires_at <= moment;
    RETURN QUERY SELECT NULL::text, FOUND, NULL::double precision;
END
$$;
COMMENT ON FUNCTION tidings.take_response_v1(text, text, uuid, interval) IS
    'A stored answer, or the lease to make it, or neither while somebody else makes it.';
GRANT EXECUTE ON FUNCTION tidings.take_response_v1(text, text, uuid, interval) TO tidings_app;

-- Sweep ------------------------------------------------------------------------------------------

CREATE FUNCTION tidings.sweep_ai_v1(
    reservation_age interval, egress_age interval, day_age interval, max_rows integer
) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    moment timestamptz := tidings.now();
    removed bigint;
    total bigint := 0;
BEGIN
    DELETE FROM tidings.ai_responses WHERE ctid = ANY (ARRAY(
        SELECT r.ctid FROM tidings.ai_responses AS r WHERE r.expires_at <= moment
        ORDER BY r.expires_at LIMIT max_rows FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    total := total + removed;
    DELETE FROM tidings.ai_reservations WHERE ctid = ANY (ARRAY(
        SELECT r.ctid FROM tidings.ai_reservations AS r
        WHERE r.state IN ('settled', 'released') AND r.created_at <= moment - reservation_age
        ORDER BY r.created_at LIMIT max_rows FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    total := total + removed;
    DELETE FROM tidings.ai_egress WHERE ctid = ANY (ARRAY(
        SELECT e.ctid FROM tidings.ai_egress AS e WHERE e.sent_at <= moment - egress_age
        ORDER BY e.sent_at LIMIT max_rows));
    GET DIAGNOSTICS removed = ROW_COUNT;
    total := total + removed;
    DELETE FROM tidings.ai_spending WHERE ctid = ANY (ARRAY(
        SELECT s.ctid FROM tidings.ai_spending AS s
        WHERE s.reserved = 0
            AND s.ends_at <= moment - day_age * CASE s.period WHEN 'day' THEN 1 ELSE 8 END
        LIMIT max_rows FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN total + removed;
END
$$;
COMMENT ON FUNCTION tidings.sweep_ai_v1(interval, interval, interval, integer) IS
    'Deletes what is past its age of the gateway''s tables, up to max_rows of each; returns how many rows.';
SELECT tidings.run_as_system('tidings.sweep_ai_v1(interval, interval, interval, integer)');
