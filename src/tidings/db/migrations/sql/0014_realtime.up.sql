-- Access ----------------------------------------------------------------------------------------

CREATE FUNCTION tidings.publish_access_v1(organization uuid, person uuid) RETURNS void
LANGUAGE sql
AS $$
    -- Nobody is told when the organization itself goes.
    SELECT tidings.publish_for_v1(o.id, 'access:' || person, 'changed', '{}')
    FROM tidings.organizations AS o WHERE o.id = organization
$$;
COMMENT ON FUNCTION tidings.publish_access_v1(uuid, uuid) IS
    'Adds an event to the topic of a person''s access, for the connections they hold open; for functions of tidings_system alone.';
GRANT EXECUTE ON FUNCTION tidings.publish_access_v1(uuid, uuid) TO tidings_system;

CREATE FUNCTION tidings.announce_access() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM tidings.publish_access_v1(OLD.organization_id, OLD.user_id);
    RETURN NULL;
END
$$;
SELECT tidings.run_as_system('tidings.announce_access()');
COMMENT ON FUNCTION tidings.announce_access() IS
    'After a membership, key or session changed or ended: has the person''s open connections check their rights again.';
CREATE TRIGGER announce_access AFTER UPDATE ON tidings.organization_members
    FOR EACH ROW WHEN (OLD.role <> NEW.role) EXECUTE FUNCTION tidings.announce_access();
CREATE TRIGGER announce_end AFTER DELETE ON tidings.organization_members
    FOR EACH ROW EXECUTE FUNCTION tidings.announce_access();
CREATE TRIGGER announce_access AFTER UPDATE ON tidings.api_keys
    FOR EACH ROW WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at) EXECUTE FUNCTION tidings.announce_access();
CREATE TRIGGER announce_access AFTER UPDATE ON tidings.sessions
    FOR EACH ROW WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at) EXECUTE FUNCTION tidings.announce_access();

CREATE FUNCTION tidings.announce_person() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM tidings.publish_access_v1(m.organization_id, m.user_id)
    FROM tidings.organization_members AS m WHERE m.user_id = NEW.id;
    RETURN NULL;
END
$$;
SELECT tidings.run_as_system('tidings.announce_person()');
COMMENT ON FUNCTION tidings.announce_person() IS
    'After a person was disabled or enabled: as announce_access in each of their organizations.';
CREATE TRIGGER announce_person AFTER UPDATE ON tidings.users
    FOR EACH ROW WHEN (OLD.disabled_at IS DISTINCT FROM NEW.disabled_at) EXECUTE FUNCTION tidings.announce_person();

-- Presence --------------------------------------------------------------------------------------

CREATE TABLE tidings.presences (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    topic text COLLATE "C" NOT NULL CHECK (octet_length(topic) BETWEEN 1 AND 512),
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    state jsonb NOT NULL CHECK (pg_column_size(state) <= 65536),
    node uuid NOT NULL,
    since timestamptz NOT NULL DEFAULT tidings.now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, topic, id),
    FOREIGN KEY (organization_id, user_id) REFERENCES tidings.organization_members ON DELETE CASCADE
) WITH (fillfactor = 50);
CREATE INDEX presences_user ON tidings.presences (organization_id, user_id);
CREATE INDEX presences_node ON tidings.presences (node);
SELECT tidings.protect('tidings.presences');
CREATE POLICY tenant_select ON tidings.presences FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY own_insert ON tidings.presences FOR INSERT TO tidings_app
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND user_id = (SELECT tidings.acting_user()));
CREATE POLICY own_update ON tidings.presences FOR UPDATE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND user_id = (SELECT tidings.acting_user()))
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND user_id = (SELECT tidings.acting_user()));
CREATE POLICY own_delete ON tidings.presences FOR DELETE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND user_id = (SELECT tidings.acting_user()));
CREATE POLICY system_all ON tidings.presences TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT (organization_id, topic, id, user_id, state, node, expires_at), DELETE ON tidings.presences TO tidings_app;
GRANT UPDATE (state, node, expires_at) ON tidings.presences TO tidings_app;
GRANT SELECT, UPDATE, DELETE ON tidings.presences TO tidings_system;
COMMENT ON TABLE tidings.presences IS
    'Who is in a room, by connection. Members see all of theirs and change their own. Retention: until the connection ends, or its process has not renewed it for 30 seconds.';
COMMENT ON COLUMN tidings.presences.id IS 'The connection: who opens a room twice is there twice.';
COMMENT ON COLUMN tidings.presences.state IS 'What the person shows of themselves: at most 4 KiB of JSON as sent, which the service checks.';
COMMENT ON COLUMN tidings.presences.node IS 'The process that holds the connection, and renews what it holds.';

CREATE FUNCTION tidings.announce_presence() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    one tidings.presences := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = NEW.state THEN
        RETURN NULL;
    END IF;
    PERFORM tidings.publish_for_v1(o.id, one.topic, 'presence', pg_catalog.jsonb_build_object(
        'op', CASE TG_OP WHEN 'INSERT' THEN 'join' WHEN 'UPDATE' THEN 'update' ELSE 'leave' END,
        'id', one.id, 'user_id', one.user_id, 'state', one.state))
    FROM tidings.organizations AS o WHERE o.id = one.organization_id;
    RETURN NULL;
END
$$;
SELECT tidings.run_as_system('tidings.announce_presence()');
COMMENT ON FUNCTION tidings.announce_presence() IS
    'Publishes who came, went or shows something else to the room, whatever the reason: a lease that ran out too.';
CREATE TRIGGER announce_presence AFTER INSERT OR UPDATE OF state OR DELETE ON tidings.presences
    FOR EACH ROW EXECUTE FUNCTION tidings.announce_presence();

CREATE FUNCTION tidings.renew_presences_v1(node uuid, connections uuid[], topics text[], lease interval) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    renewed integer;
BEGIN
    -- What the process has left, but could not delete, is not renewed: it goes as if the process had died.
    UPDATE tidings.presences AS p SET expires_at = tidings.now() + lease
    FROM unnest(connections, topics) AS held (id, topic)
    WHERE p.node = renew_presences_v1.node AND p.id = held.id AND p.topic = held.topic;
    GET DIAGNOSTICS renewed = ROW_COUNT;
    -- Few rows, and all of them of people who are there now: no index would pay for itself.
    DELETE FROM tidings.presences AS p WHERE p.expires_at <= tidings.now();
    RETURN renewed;
END
$$;
SELECT tidings.run_as_system('tidings.renew_presences_v1(uuid, uuid[], text[], interval)');
COMMENT ON FUNCTION tidings.renew_presences_v1(uuid, uuid[], text[], interval) IS
    'Renews what a process holds, each connection with a topic, and removes what no process renewed; answers how many were renewed.';

-- Catching up -----------------------------------------------------------------------------------

CREATE FUNCTION tidings.topic_events_v1(topics text[], after bigint, max integer, bytes bigint)
RETURNS TABLE (organization_id uuid, id uuid, topic text, event text, payload jsonb, created_at timestamptz, "position" bigint)
LANGUAGE plpgsql STABLE
AS $$
#variable_conflict use_column
DECLARE
    spent bigint := 0;
BEGIN
    FOR organization_id, id, topic, event, payload, created_at, "position" IN
        SELECT e.organization_id, e.id, e.topic, e.event, e.payload, e.created_at, e.position
        FROM unnest(topics) AS t (topic)
        CROSS JOIN LATERAL (
            SELECT o.organization_id, o.id, o.topic, o.event, o.payload, o.created_at, o.position
            FROM tidings.outbox AS o
            WHERE o.topic = t.topic AND (o.topic, o.position) > (t.topic, after) AND o.position IS NOT NULL
            ORDER BY o.topic, o.position LIMIT max
        ) AS e
        ORDER BY e.position LIMIT max
    LOOP
        RETURN NEXT;
        -- A payload may be a thousand times the size of its neighbours: they are counted as they are sent.
        spent := spent + octet_length(payload::text);
        EXIT WHEN spent >= bytes;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tidings.topic_events_v1(text[], bigint, integer, bigint) IS
    'The next events of some topics of the current organization, in order: up to max of them, and no more once their payloads come to so many bytes.';
GRANT EXECUTE ON FUNCTION tidings.topic_events_v1(text[], bigint, integer, bigint) TO tidings_app;

-- Changes ---------------------------------------------------------------------------------------

CREATE FUNCTION tidings.pick_columns(shown jsonb, columns text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT pg_catalog.jsonb_object_agg(c.name, shown -> c.name) FROM unnest(columns) AS c (name));
COMMENT ON FUNCTION tidings.pick_columns(jsonb, text[]) IS 'Some columns of a row.';
GRANT EXECUTE ON FUNCTION tidings.pick_columns(jsonb, text[]) TO tidings_system;

CREATE FUNCTION tidings.publish_rows_v1(organization uuid, topic text, op text, rows jsonb[]) RETURNS void
LANGUAGE sql
AS $$
    INSERT INTO tidings.outbox (organization_id, topic, event, payload)
    SELECT o.id, 'changes:' || publish_rows_v1.topic, shown.event, shown.payload
    FROM tidings.organizations AS o CROSS JOIN LATERAL (
        SELECT publish_rows_v1.op, r.payload FROM unnest(rows) WITH ORDINALITY AS r (payload, n)
        WHERE cardinality(rows) <= 100
        UNION ALL
        SELECT 'many', jsonb_build_object('op', publish_rows_v1.op, 'count', cardinality(rows))
        WHERE cardinality(rows) > 100
    ) AS shown (event, payload)
    WHERE o.id = organization
$$;
COMMENT ON FUNCTION tidings.publish_rows_v1(uuid, text, text, jsonb[]) IS
    'Publishes changed rows to changes:…; more than 100 as one event `many` with their count. For functions of tidings_system alone.';
GRANT EXECUTE ON FUNCTION tidings.publish_rows_v1(uuid, text, text, jsonb[]) TO tidings_system;

CREATE FUNCTION tidings.announce_rows() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM tidings.publish_rows_v1(c.organization_id, TG_ARGV[0], pg_catalog.lower(TG_OP), c.rows)
    FROM (SELECT n.organization_id,
                 pg_catalog.array_agg(tidings.pick_columns(pg_catalog.to_jsonb(n), TG_ARGV[1:])) AS rows
          FROM changed AS n GROUP BY n.organization_id) AS c;
    RETURN NULL;
END
$$;
SELECT tidings.run_as_system('tidings.announce_rows()');
COMMENT ON FUNCTION tidings.announce_rows() IS
    'After rows came or went: publishes them. The trigger names the topic and the columns that are shown.';

CREATE FUNCTION tidings.announce_updates() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM tidings.publish_rows_v1(c.organization_id, TG_ARGV[0], 'update', c.rows)
    FROM (SELECT d.organization_id, pg_catalog.array_agg(d.shown) AS rows
          FROM (SELECT n.organization_id, tidings.pick_columns(pg_catalog.to_jsonb(n), TG_ARGV[1:]) FROM changed AS n
                EXCEPT
                SELECT b.organization_id, tidings.pick_columns(pg_catalog.to_jsonb(b), TG_ARGV[1:]) FROM before AS b
               ) AS d (organization_id, shown)
          GROUP BY d.organization_id) AS c;
    RETURN NULL;
END
$$;
SELECT tidings.run_as_system('tidings.announce_updates()');
COMMENT ON FUNCTION tidings.announce_updates() IS
    'After rows were updated: as announce_rows, without those in which nothing that is shown has changed.';

DO $$
DECLARE
    chosen record;
    operation record;
BEGIN
    FOR chosen IN SELECT * FROM (VALUES
        ('meetings', 'meetings', '{id,source,external_id,title,started_at,updated_at}'::text[]),
        ('companies', 'companies', '{domain,last_meeting_at}'),
        ('organization_members', 'members', '{user_id,role}'),
        ('api_keys', 'keys', '{id,user_id,name,prefix,role,revoked_at}')
    ) AS c (relation, topic, columns) LOOP
        FOR operation IN SELECT * FROM (VALUES
            ('INSERT', 'NEW TABLE AS changed', 'announce_rows'),
            ('UPDATE', 'OLD TABLE AS before NEW TABLE AS changed', 'announce_updates'),
            ('DELETE', 'OLD TABLE AS changed', 'announce_rows')
        ) AS o (name, sides, announce) LOOP
            EXECUTE format(
                'CREATE TRIGGER %I AFTER %s ON tidings.%I REFERENCING %s FOR EACH STATEMENT EXECUTE FUNCTION tidings.%I(%s)',
                'changes_' || lower(operation.name), operation.name, chosen.relation, operation.sides, operation.announce,
                (SELECT string_agg(quote_literal(a.name), ', ' ORDER BY a.n)
                 FROM unnest(chosen.topic || chosen.columns) WITH ORDINALITY AS a (name, n)));
        END LOOP;
    END LOOP;
END
$$;

-- Bridges ---------------------------------------------------------------------------------------

CREATE TABLE tidings.bridges (
    name text PRIMARY KEY CHECK (char_length(name) BETWEEN 1 AND 63),
    position bigint NOT NULL CHECK (position >= 0),
    worker text CHECK (char_length(worker) BETWEEN 1 AND 200),
    until timestamptz,
    CHECK ((worker IS NULL) = (until IS NULL))
);
SELECT tidings.protect('tidings.bridges');
CREATE POLICY system_all ON tidings.bridges TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON tidings.bridges TO tidings_system;
COMMENT ON TABLE tidings.bridges IS
    'How far events were forwarded to another realtime service, and which process forwards. Retention: kept.';
COMMENT ON COLUMN tidings.bridges.position IS 'Everything up to here was forwarded, or was not meant to be.';

CREATE FUNCTION tidings.hold_bridge_v1(name text, worker text, lease interval, reached bigint) RETURNS bigint
LANGUAGE plpgsql
AS $$
#variable_conflict use_variable
DECLARE
    held tidings.bridges;
BEGIN
    INSERT INTO tidings.bridges (name, position)
    SELECT hold_bridge_v1.name, l.last_position FROM tidings.relay_lease AS l
    ON CONFLICT ON CONSTRAINT bridges_pkey DO NOTHING;
    UPDATE tidings.bridges AS b SET
        worker = hold_bridge_v1.worker, until = tidings.now() + lease,
        position = CASE WHEN b.worker = hold_bridge_v1.worker THEN greatest(b.position, coalesce(reached, b.position))
                        ELSE b.position END
    WHERE b.name = hold_bridge_v1.name
      AND (b.worker IS NULL OR b.worker = hold_bridge_v1.worker OR b.until <= tidings.now())
    RETURNING b.* INTO held;
    RETURN held.position;
END
$$;
SELECT tidings.run_as_system('tidings.hold_bridge_v1(text, text, interval, bigint)');
COMMENT ON FUNCTION tidings.hold_bridge_v1(text, text, interval, bigint) IS
    'Takes or renews a bridge and notes what its holder reached; answers the position to go on from, null while another process holds it. A new bridge starts with what is published next.';
