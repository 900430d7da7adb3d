-- A change is told through the outbox: it commits with the change, the relay numbers it and wakes
-- every process once for all that came together. No NOTIFY in a writer's commit.
CREATE FUNCTION tidings.recall_drop() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    family text := TG_ARGV[0];
    key_column text := TG_ARGV[1];
    touched text := 'SELECT organization_id, NULL::text AS key FROM changed';
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        INSERT INTO tidings.outbox (organization_id, topic, event, payload)
        SELECT o.id, 'recall', 'drop', jsonb_build_array(family) FROM tidings.organizations AS o;
        RETURN NULL;
    END IF;
    IF NOT EXISTS (SELECT FROM changed) THEN
        RETURN NULL;  -- the other half of an upsert
    END IF;
    IF key_column IS NOT NULL THEN
        touched := format('SELECT organization_id, %I::text AS key FROM changed', key_column);
        IF TG_OP = 'UPDATE' THEN
            touched := touched || format(' UNION ALL SELECT organization_id, %I::text FROM former', key_column);
        END IF;
    END IF;
    -- Through the organization, because a row may go with it. Many keys at once are their family.
    EXECUTE format(
        'INSERT INTO tidings.outbox (organization_id, topic, event, payload) '
        'SELECT o.id, ''recall'', ''drop'', CASE WHEN count(t.key) BETWEEN 1 AND 200 '
        'THEN jsonb_agg(%1$L || '':'' || t.key) ELSE jsonb_build_array(%1$L) END '
        'FROM (SELECT DISTINCT c.organization_id, c.key FROM (%2$s) AS c) AS t '
        'JOIN tidings.organizations AS o ON o.id = t.organization_id GROUP BY o.id',
        family, touched);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION tidings.recall_drop() IS
    'Says that what a process remembers under a tag is stale: FAMILY:KEY for each key that a statement touched, FAMILY when there are more than 200 or no key column is given. Arguments of the trigger: the family, and the column of the key.';

CREATE FUNCTION tidings.recall_follows(target regclass, family text, key_column text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    call text := format('tidings.recall_drop(%s)', concat_ws(', ', quote_literal(family), quote_literal(key_column)));
BEGIN
    -- One for each kind: a transition table belongs to one.
    EXECUTE format('CREATE TRIGGER recall_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS changed '
        'FOR EACH STATEMENT EXECUTE FUNCTION %s', target, call);
    EXECUTE format('CREATE TRIGGER recall_update AFTER UPDATE ON %s REFERENCING OLD TABLE AS former NEW TABLE AS changed '
        'FOR EACH STATEMENT EXECUTE FUNCTION %s', target, call);
    EXECUTE format('CREATE TRIGGER recall_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS changed '
        'FOR EACH STATEMENT EXECUTE FUNCTION %s', target, call);
    EXECUTE format('CREATE TRIGGER recall_truncate AFTER TRUNCATE ON %s '
        'FOR EACH STATEMENT EXECUTE FUNCTION %s', target, call);
END
$$;
COMMENT ON FUNCTION tidings.recall_follows(regclass, text, text) IS
    'For migrations: whatever changes a tenant table drops what is remembered of it, by family and the column that is the key.';

CREATE FUNCTION tidings.recall_drops_v1(after bigint, max integer)
RETURNS TABLE (organization_id uuid, tags text[], "position" bigint)
LANGUAGE sql STABLE
AS $$
    SELECT o.organization_id, ARRAY(SELECT t.tag FROM pg_catalog.jsonb_array_elements_text(o.payload) AS t (tag)), o.position
    FROM tidings.outbox AS o WHERE o.position > after AND o.topic = 'recall' ORDER BY o.position LIMIT max
$$;
SELECT tidings.run_as_system('tidings.recall_drops_v1(bigint, integer)');
COMMENT ON FUNCTION tidings.recall_drops_v1(bigint, integer) IS
    'Up to max drops of every organization after a position, in order, for the cache of a process.';

SELECT tidings.recall_follows('tidings.meetings', 'meeting', 'id');
SELECT tidings.recall_follows('tidings.meeting_invitees', 'meeting', 'meeting_id');
SELECT tidings.recall_follows('tidings.meeting_segments', 'meeting', 'meeting_id');
SELECT tidings.recall_follows('tidings.companies', 'companies');

GRANT SELECT (organization_id, id, segments_count) ON tidings.meetings TO tidings_system;
CREATE POLICY system_read ON tidings.meetings FOR SELECT TO tidings_system USING (true);

CREATE FUNCTION tidings.recent_meetings_v1(most integer)
RETURNS TABLE (organization_id uuid, meeting_id uuid, segments_count integer)
LANGUAGE sql STABLE
AS $$
    -- Ids begin with the milliseconds at which they were made (RFC 9562), so the key's index has the order.
    SELECT o.id, m.id, m.segments_count FROM tidings.organizations AS o
    CROSS JOIN LATERAL (
        SELECT r.id, r.segments_count FROM tidings.meetings AS r
        WHERE r.organization_id = o.id AND r.id >= (
            pg_catalog.lpad(pg_catalog.to_hex((1000 * extract(epoch FROM tidings.now() - interval '24 hours'))::bigint), 12, '0')
            || pg_catalog.repeat('0', 20))::uuid
        ORDER BY r.id DESC LIMIT most
    ) AS m
    ORDER BY m.id DESC LIMIT most
$$;
SELECT tidings.run_as_system('tidings.recent_meetings_v1(integer)');
COMMENT ON FUNCTION tidings.recent_meetings_v1(integer) IS
    'The newest meetings of all organizations that were taken in within 24 hours, for a cache to begin with.';

-- `tidings bench` measures in an organization of its own, which has to go again.
GRANT DELETE ON tidings.organizations, tidings.users TO tidings_system;

CREATE FUNCTION tidings.remove_bench_v1(bench uuid) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    gone uuid[];
    owners uuid[];
BEGIN
    SELECT pg_catalog.array_agg(o.id) INTO gone FROM tidings.organizations AS o
    WHERE o.slug ~ '^bench-[0-9a-f]{32}$' AND (o.id = bench OR o.created_at < tidings.now() - interval '1 day');
    SELECT pg_catalog.array_agg(m.user_id) INTO owners FROM tidings.organization_members AS m
    JOIN tidings.users AS u ON u.id = m.user_id
    WHERE m.organization_id = ANY (gone) AND u.email ~ '^bench-[0-9a-f]{32}@bench\.invalid$';
    DELETE FROM tidings.organizations AS o WHERE o.id = ANY (gone);
    DELETE FROM tidings.users AS u WHERE u.id = ANY (owners);
    RETURN coalesce(pg_catalog.cardinality(gone), 0);
END
$$;
SELECT tidings.run_as_system('tidings.remove_bench_v1(uuid)');
COMMENT ON FUNCTION tidings.remove_bench_v1(uuid) IS
    'Deletes the organization that a benchmark made for itself, with all in it, and those that interrupted ones left a day ago; answers how many. No other organization can go this way.';
