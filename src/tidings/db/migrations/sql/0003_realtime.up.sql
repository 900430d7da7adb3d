CREATE TABLE tidings.outbox (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT tidings.uuid7(),
    serial bigint GENERATED ALWAYS AS IDENTITY,
    topic text COLLATE "C" NOT NULL CHECK (octet_length(topic) BETWEEN 1 AND 512),
    event text COLLATE "C" NOT NULL CHECK (octet_length(event) BETWEEN 1 AND 100),
    payload jsonb NOT NULL CHECK (pg_column_size(payload) <= 4194304),
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    published_at timestamptz,
    position bigint CHECK (position > 0),
    PRIMARY KEY (organization_id, id),
    CHECK ((position IS NULL) = (published_at IS NULL))
);
CREATE INDEX outbox_unpublished ON tidings.outbox (serial) WHERE position IS NULL;
CREATE UNIQUE INDEX outbox_position ON tidings.outbox (position) WHERE position IS NOT NULL;
CREATE INDEX outbox_topic ON tidings.outbox (organization_id, topic, position) WHERE position IS NOT NULL;
SELECT tidings.protect('tidings.outbox');
CREATE POLICY tenant_select ON tidings.outbox FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY tenant_insert ON tidings.outbox FOR INSERT TO tidings_app
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_write()));
CREATE POLICY system_all ON tidings.outbox TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT (organization_id, id, topic, event, payload) ON tidings.outbox TO tidings_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.outbox TO tidings_system;
COMMENT ON TABLE tidings.outbox IS
    'Events, written in the transaction of what they tell of, numbered by the relay, read by subscribers. Retention: 24 hours after publishing.';
COMMENT ON COLUMN tidings.outbox.payload IS 'At most 256 KiB of JSON as sent, which the service checks; the constraint allows for the form it is kept in.';
COMMENT ON COLUMN tidings.outbox.serial IS
    'The order in which events were written. A lower one may be committed later, so it is never used to tell what is new.';
COMMENT ON COLUMN tidings.outbox.position IS
    'The place in publishing order, given by the relay; null until then. Who has seen N never later meets a new one below N.';

CREATE TABLE tidings.relay_lease (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    worker text CHECK (char_length(worker) BETWEEN 1 AND 200),
    until timestamptz,
    last_position bigint NOT NULL DEFAULT 0 CHECK (last_position >= 0),
    CHECK ((worker IS NULL) = (until IS NULL))
) WITH (fillfactor = 50);
INSERT INTO tidings.relay_lease DEFAULT VALUES;
SELECT tidings.protect('tidings.relay_lease');
CREATE POLICY system_all ON tidings.relay_lease TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE ON tidings.relay_lease TO tidings_system;
COMMENT ON TABLE tidings.relay_lease IS
    'One row: which worker relays, until when, and the last position given. Its lock is what makes positions visible in order. Retention: kept.';
COMMENT ON COLUMN tidings.relay_lease.worker IS 'Who polls for unpublished events; null when nobody does.';
COMMENT ON COLUMN tidings.relay_lease.last_position IS 'Only ever rises, and with the rows that got the positions, in one transaction.';

CREATE FUNCTION tidings.publish_v1(topic text, event text, payload jsonb) RETURNS void
LANGUAGE sql
AS $$
    INSERT INTO tidings.outbox (organization_id, topic, event, payload)
    VALUES (tidings.current_organization(), publish_v1.topic, publish_v1.event, publish_v1.payload)
$$;
COMMENT ON FUNCTION tidings.publish_v1(text, text, jsonb) IS
    'Adds an event of the current organization to this transaction.';
GRANT EXECUTE ON FUNCTION tidings.publish_v1(text, text, jsonb) TO tidings_app;

CREATE FUNCTION tidings.publish_for_v1(organization_id uuid, topic text, event text, payload jsonb) RETURNS void
LANGUAGE sql
AS $$
    INSERT INTO tidings.outbox (organization_id, topic, event, payload)
    VALUES (publish_for_v1.organization_id, publish_for_v1.topic, publish_for_v1.event, publish_for_v1.payload)
$$;
COMMENT ON FUNCTION tidings.publish_for_v1(uuid, text, text, jsonb) IS
    'Adds an event of any organization to this transaction; for functions of tidings_system alone.';
GRANT EXECUTE ON FUNCTION tidings.publish_for_v1(uuid, text, text, jsonb) TO tidings_system;

CREATE FUNCTION tidings.relay_v1(
    worker text, max integer, lease interval, hinted boolean DEFAULT false,
    OUT is_leader boolean, OUT published integer, OUT last_position bigint)
LANGUAGE plpgsql
AS $$
#variable_conflict use_variable
DECLARE
    holder tidings.relay_lease;
BEGIN
    is_leader := false;
    published := 0;
    -- Who finds the row locked meets another relay at work; waiting for it would only hold a connection.
    SELECT * INTO holder FROM tidings.relay_lease AS l FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    last_position := holder.last_position;
    is_leader := holder.worker IS NULL OR holder.worker = worker OR holder.until <= tidings.now();
    IF NOT is_leader AND NOT hinted THEN
        RETURN;
    END IF;
    -- This statement's snapshot is younger than the lock, so it sees all that the relay before committed.
    WITH due AS (
        SELECT o.organization_id, o.id, o.serial FROM tidings.outbox AS o
        WHERE o.position IS NULL ORDER BY o.serial LIMIT max FOR UPDATE SKIP LOCKED
    ), numbered AS (
        SELECT due.organization_id, due.id, row_number() OVER (ORDER BY due.serial) AS n FROM due
    )
    UPDATE tidings.outbox AS o SET position = holder.last_position + numbered.n, published_at = tidings.now()
    FROM numbered WHERE o.organization_id = numbered.organization_id AND o.id = numbered.id;
    GET DIAGNOSTICS published = ROW_COUNT;
    last_position := holder.last_position + published;
    IF is_leader OR published > 0 THEN
        UPDATE tidings.relay_lease AS l SET
            worker = CASE WHEN is_leader THEN relay_v1.worker ELSE l.worker END,
            until = CASE WHEN is_leader THEN tidings.now() + lease ELSE l.until END,
            last_position = relay_v1.last_position;
    END IF;
    IF published > 0 THEN
        PERFORM pg_catalog.pg_notify('tidings_events', last_position::text);
    END IF;
END
$$;
SELECT tidings.run_as_system('tidings.relay_v1(text, integer, interval, boolean)');
COMMENT ON FUNCTION tidings.relay_v1(text, integer, interval, boolean) IS
    'Takes or renews the relay''s lease and publishes up to max events: claims the unpublished, numbers them, wakes subscribers once. With hinted a worker without the lease publishes too, under the same lock. Answers is_leader false and published 0 while another relay is at work.';

CREATE FUNCTION tidings.relay_state_v1(OUT worker text, OUT is_held boolean, OUT waiting_seconds double precision)
LANGUAGE sql STABLE
AS $$
    SELECT l.worker, coalesce(l.until > tidings.now(), false),
        (SELECT extract(epoch FROM tidings.now() - o.created_at) FROM tidings.outbox AS o
            WHERE o.position IS NULL ORDER BY o.serial LIMIT 1)
    FROM tidings.relay_lease AS l
$$;
SELECT tidings.run_as_system('tidings.relay_state_v1()');
COMMENT ON FUNCTION tidings.relay_state_v1() IS
    'Who relays, whether the lease holds, and for how long the oldest unpublished event has waited; null when none does.';

CREATE FUNCTION tidings.release_relay_v1(worker text) RETURNS void
LANGUAGE sql
AS $$
    UPDATE tidings.relay_lease AS l SET worker = NULL, until = NULL WHERE l.worker = release_relay_v1.worker
$$;
SELECT tidings.run_as_system('tidings.release_relay_v1(text)');
COMMENT ON FUNCTION tidings.release_relay_v1(text) IS 'Gives the relay''s lease up, so that another worker need not wait for its end.';

CREATE FUNCTION tidings.outbox_bounds_v1(OUT resumable_from bigint, OUT last_position bigint)
LANGUAGE sql STABLE
AS $$
    SELECT coalesce((SELECT min(o.position) - 1 FROM tidings.outbox AS o WHERE o.position IS NOT NULL), l.last_position),
           l.last_position
    FROM tidings.relay_lease AS l
$$;
SELECT tidings.run_as_system('tidings.outbox_bounds_v1()');
COMMENT ON FUNCTION tidings.outbox_bounds_v1() IS
    'The lowest position after which every event is still here, and the last position given.';

CREATE FUNCTION tidings.events_after_v1(after bigint, max integer)
RETURNS TABLE (organization_id uuid, id uuid, topic text, event text, payload jsonb, created_at timestamptz, "position" bigint)
LANGUAGE sql STABLE
AS $$
    SELECT o.organization_id, o.id, o.topic, o.event, o.payload, o.created_at, o.position
    FROM tidings.outbox AS o WHERE o.position > after ORDER BY o.position LIMIT max
$$;
SELECT tidings.run_as_system('tidings.events_after_v1(bigint, integer)');
COMMENT ON FUNCTION tidings.events_after_v1(bigint, integer) IS
    'Up to max events of every organization after a position, in order, for the hub of a process to hand out.';

CREATE FUNCTION tidings.sweep_outbox_v1(max integer) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    gone integer;
BEGIN
    -- Only from the low end on, so that what is left is whole above its lowest position.
    WITH oldest AS (
        SELECT o.organization_id, o.id, o.position, o.published_at FROM tidings.outbox AS o
        WHERE o.position IS NOT NULL ORDER BY o.position LIMIT max
    ), young AS (
        SELECT min(oldest.position) AS first FROM oldest
        WHERE oldest.published_at >= tidings.now() - interval '24 hours'
    )
    DELETE FROM tidings.outbox AS o USING oldest, young
    WHERE o.organization_id = oldest.organization_id AND o.id = oldest.id
      AND (young.first IS NULL OR oldest.position < young.first);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;
SELECT tidings.run_as_system('tidings.sweep_outbox_v1(integer)');
COMMENT ON FUNCTION tidings.sweep_outbox_v1(integer) IS
    'Deletes events published more than 24 hours ago, looking at no more than max of the oldest; answers how many went.';
