-- What is stored ---------------------------------------------------------------------------------

-- Drawn while the row is locked, a version only rises for its key; drawn from one sequence, it never
-- comes back after a delete, so compare-and-set cannot take a key made anew for the one it read.
CREATE SEQUENCE tidings.kv_versions AS bigint;
COMMENT ON SEQUENCE tidings.kv_versions IS 'Versions of keys; none is given twice.';
GRANT USAGE ON SEQUENCE tidings.kv_versions TO tidings_app, tidings_system;

CREATE FUNCTION tidings.expiry_bucket(at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN date_bin('5 minutes', at, timestamptz '2000-01-01 00:00:00+00');
COMMENT ON FUNCTION tidings.expiry_bucket(timestamptz) IS
    'The five minutes in which a key expires: what the sweep''s index holds, so that a key whose expiry is pushed on all the time is rarely indexed anew.';
GRANT EXECUTE ON FUNCTION tidings.expiry_bucket(timestamptz) TO tidings_app, tidings_system;

CREATE TABLE tidings.kv_owned_prefixes (
    prefix text COLLATE "C" PRIMARY KEY CHECK (octet_length(prefix) BETWEEN 1 AND 1024),
    owner text NOT NULL CHECK (owner ~ '^[a-z_]+$')
);
INSERT INTO tidings.kv_owned_prefixes (prefix, owner) VALUES ('engagement:', 'engagement');
SELECT tidings.protect('tidings.kv_owned_prefixes');
CREATE POLICY app_select ON tidings.kv_owned_prefixes FOR SELECT TO tidings_app USING (true);
CREATE POLICY system_all ON tidings.kv_owned_prefixes TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT ON tidings.kv_owned_prefixes TO tidings_app, tidings_system;
COMMENT ON TABLE tidings.kv_owned_prefixes IS
    'Prefixes whose keys only services write and only admins or services delete; the same in every organization, changed by migrations alone. Retention: kept.';
COMMENT ON COLUMN tidings.kv_owned_prefixes.owner IS 'The package of the service.';

CREATE TABLE tidings.kv_store (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    key text COLLATE "C" NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 1024),
    value jsonb NOT NULL CHECK (pg_column_size(value) <= 16777216),
    version bigint NOT NULL DEFAULT nextval('tidings.kv_versions'),
    expires_at timestamptz,
    expires_bucket timestamptz GENERATED ALWAYS AS (tidings.expiry_bucket(expires_at)) STORED,
    created_at timestamptz NOT NULL DEFAULT tidings.now(),
    updated_at timestamptz NOT NULL DEFAULT tidings.now(),
    PRIMARY KEY (organization_id, key)
) WITH (fillfactor = 75);
CREATE INDEX kv_store_expiry ON tidings.kv_store (expires_bucket) WHERE expires_bucket IS NOT NULL;
SELECT tidings.protect('tidings.kv_store');
CREATE POLICY tenant_select ON tidings.kv_store FOR SELECT TO tidings_app, tidings_readonly
    USING (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY tenant_insert ON tidings.kv_store FOR INSERT TO tidings_app
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_write())
                AND ((SELECT tidings.is_service()) OR NOT (key ^@ ANY (ARRAY(SELECT p.prefix FROM tidings.kv_owned_prefixes AS p)))));
CREATE POLICY tenant_update ON tidings.kv_store FOR UPDATE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_write()))
    WITH CHECK (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_write())
                AND ((SELECT tidings.is_service()) OR NOT (key ^@ ANY (ARRAY(SELECT p.prefix FROM tidings.kv_owned_prefixes AS p)))));
CREATE POLICY tenant_delete ON tidings.kv_store FOR DELETE TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()) AND (SELECT tidings.may_write())
           AND ((SELECT tidings.is_service()) OR (SELECT tidings.may_administer()) OR NOT (key ^@ ANY (ARRAY(SELECT p.prefix FROM tidings.kv_owned_prefixes AS p)))));
CREATE POLICY system_all ON tidings.kv_store TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT, DELETE ON tidings.kv_store TO tidings_app;
GRANT INSERT (organization_id, key, value, expires_at), UPDATE (value, expires_at, created_at) ON tidings.kv_store
TO tidings_app;
GRANT SELECT, UPDATE, DELETE ON tidings.kv_store TO tidings_system;
GRANT SELECT ON tidings.kv_store TO tidings_readonly;
COMMENT ON TABLE tidings.kv_store IS
    'JSON values by key. Read by members, written by all but viewers; keys under an owned prefix are written by services and deleted by admins. A key past expires_at is not there for any reader. Retention: until expires_at, when set; else kept.';
COMMENT ON COLUMN tidings.kv_store.key IS 'Any text of 1 to 1,024 bytes, ordered by its bytes.';
COMMENT ON COLUMN tidings.kv_store.value IS 'At most 1 MiB of JSON as sent, which the service checks; the constraint allows for the form it is kept in.';
COMMENT ON COLUMN tidings.kv_store.version IS 'Drawn at each write, by the default or the trigger; rises, never the same again.';
COMMENT ON COLUMN tidings.kv_store.expires_bucket IS 'Of expires_at; the only changing column with an index.';

CREATE FUNCTION tidings.kv_stamp() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.version := nextval('tidings.kv_versions');
    NEW.updated_at := tidings.now();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION tidings.kv_stamp() IS 'Gives each change of a key its version and time, whoever writes.';
CREATE TRIGGER kv_stamp BEFORE UPDATE ON tidings.kv_store
    FOR EACH ROW EXECUTE FUNCTION tidings.kv_stamp();

-- Who watches ------------------------------------------------------------------------------------

CREATE TABLE tidings.kv_watches (
    organization_id uuid NOT NULL REFERENCES tidings.organizations (id) ON DELETE CASCADE,
    prefix text COLLATE "C" NOT NULL CHECK (octet_length(prefix) <= 1024),
    id uuid NOT NULL DEFAULT tidings.uuid7(),
    until timestamptz NOT NULL,
    since bigint CHECK (since >= 0),
    PRIMARY KEY (organization_id, prefix)
) WITH (fillfactor = 75);
SELECT tidings.protect('tidings.kv_watches');
CREATE POLICY tenant_select ON tidings.kv_watches FOR SELECT TO tidings_app
    USING (organization_id = (SELECT tidings.current_organization()));
CREATE POLICY system_all ON tidings.kv_watches TO tidings_system USING (true) WITH CHECK (true);
GRANT SELECT ON tidings.kv_watches TO tidings_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON tidings.kv_watches TO tidings_system;
COMMENT ON TABLE tidings.kv_watches IS
    'Prefixes that somebody watches; a change of a key under one is published, of any other is not. Changed by the watch functions alone. Retention: until their time is up.';
COMMENT ON COLUMN tidings.kv_watches.id IS 'Changes when the watch lapsed and began again.';
COMMENT ON COLUMN tidings.kv_watches.until IS 'Writers publish until then. A watch with less than 30 seconds left counts as lapsed for who renews it.';
COMMENT ON COLUMN tidings.kv_watches.since IS 'Every change after this position is in the outbox; null until the writers that did not see the watch have ended.';

-- The write comes first and gives its transaction an id; the look at kv_watches comes after it, with a
-- younger snapshot. So a writer either sees a watch, or was under way before the watch was committed
-- and is waited for by the watcher (kv/watch.py).
CREATE FUNCTION tidings.kv_announce() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM tidings.kv_watches AS w WHERE w.until > tidings.now()) THEN
        RETURN NULL;
    END IF;
    -- Through the organization, because a key may go with it.
    INSERT INTO tidings.outbox (organization_id, topic, event, payload)
    SELECT o.id, 'kv', CASE TG_OP WHEN 'DELETE' THEN 'delete' ELSE 'set' END,
        CASE WHEN TG_OP = 'DELETE' THEN
                 jsonb_build_object('key', c.key, 'version', nextval('tidings.kv_versions'))
             WHEN pg_column_size(c.value) <= 16384 AND octet_length(c.value::text) <= 16384 THEN
                 jsonb_build_object('key', c.key, 'version', c.version, 'value', c.value)
             ELSE jsonb_build_object('key', c.key, 'version', c.version) END
    FROM changed AS c
    JOIN tidings.organizations AS o ON o.id = c.organization_id
    WHERE EXISTS (
        SELECT 1 FROM tidings.kv_watches AS w
        WHERE w.organization_id = c.organization_id AND w.until > tidings.now() AND c.key ^@ w.prefix)
    ORDER BY c.organization_id, c.key;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION tidings.kv_announce() IS
    'Publishes the changes of watched keys on the topic kv: key, version, and the value up to 16 KiB; the version of a delete is new.';
-- Once a statement, and one for each kind: a transition table belongs to one.
CREATE TRIGGER kv_announce_insert AFTER INSERT ON tidings.kv_store REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tidings.kv_announce();
CREATE TRIGGER kv_announce_update AFTER UPDATE ON tidings.kv_store REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tidings.kv_announce();
CREATE TRIGGER kv_announce_delete AFTER DELETE ON tidings.kv_store REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tidings.kv_announce();

CREATE FUNCTION tidings.watch_kv_v1(prefix text, OUT id uuid, OUT since bigint)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    organization uuid := tidings.current_organization();
BEGIN
    IF (SELECT count(*) FROM tidings.kv_watches AS w
        WHERE w.organization_id = organization AND w.prefix <> watch_kv_v1.prefix AND w.until > tidings.now()) >= 200 THEN
        RAISE EXCEPTION 'This organization watches 200 prefixes already; end a watch or watch a shorter prefix.'
            USING ERRCODE = 'TD429';
    END IF;
    INSERT INTO tidings.kv_watches AS w (organization_id, prefix, until)
    VALUES (organization, watch_kv_v1.prefix, tidings.now() + interval '90 seconds')
    ON CONFLICT (organization_id, prefix) DO UPDATE SET
        until = excluded.until,
        id = CASE WHEN w.until > tidings.now() + interval '30 seconds' THEN w.id ELSE excluded.id END,
        since = CASE WHEN w.until > tidings.now() + interval '30 seconds' THEN w.since END
    RETURNING w.id, w.since INTO watch_kv_v1.id, watch_kv_v1.since;
END
$$;
SELECT tidings.run_as_system('tidings.watch_kv_v1(text)');
COMMENT ON FUNCTION tidings.watch_kv_v1(text) IS
    'Begins or joins the watch of a prefix; since is null while it is not confirmed.';

CREATE FUNCTION tidings.confirm_kv_watch_v1(prefix text, id uuid) RETURNS bigint
LANGUAGE sql
AS $$
    UPDATE tidings.kv_watches AS w
    SET since = coalesce(w.since, (SELECT b.last_position FROM tidings.outbox_bounds_v1() AS b))
    WHERE w.organization_id = tidings.current_organization()
      AND w.prefix = confirm_kv_watch_v1.prefix AND w.id = confirm_kv_watch_v1.id
    RETURNING w.since
$$;
SELECT tidings.run_as_system('tidings.confirm_kv_watch_v1(text, uuid)');
COMMENT ON FUNCTION tidings.confirm_kv_watch_v1(text, uuid) IS
    'Notes that every writer under way when the watch began has ended; null when it lapsed meanwhile.';

CREATE FUNCTION tidings.renew_kv_watch_v1(prefix text, id uuid) RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE tidings.kv_watches AS w SET until = tidings.now() + interval '90 seconds'
    WHERE w.organization_id = tidings.current_organization() AND w.prefix = renew_kv_watch_v1.prefix
      AND w.id = renew_kv_watch_v1.id AND w.until > tidings.now() + interval '30 seconds';
    RETURN FOUND;
END
$$;
SELECT tidings.run_as_system('tidings.renew_kv_watch_v1(text, uuid)');
COMMENT ON FUNCTION tidings.renew_kv_watch_v1(text, uuid) IS 'Keeps a watch for another 90 seconds; false when it lapsed.';

-- What is done with it ---------------------------------------------------------------------------

CREATE FUNCTION tidings.kv_refuse_v1(keys text[], deleting boolean) RETURNS void
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    owned text;
BEGIN
    IF NOT tidings.may_write() THEN
        RAISE EXCEPTION 'A viewer may read keys but not change them.' USING ERRCODE = 'TD403';
    END IF;
    IF tidings.is_service() OR (deleting AND tidings.may_administer()) THEN
        RETURN;
    END IF;
    SELECT p.prefix INTO owned FROM tidings.kv_owned_prefixes AS p
    WHERE EXISTS (SELECT 1 FROM unnest(keys) AS k WHERE starts_with(k, p.prefix));
    IF owned IS NOT NULL THEN
        RAISE EXCEPTION 'Keys under % are written by Tidings itself; an admin may delete them.', owned
            USING ERRCODE = 'TD403';
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.kv_refuse_v1(text[], boolean) IS
    'Refuses what row security would silently skip: an update or delete of rows that the role may not change.';
GRANT EXECUTE ON FUNCTION tidings.kv_refuse_v1(text[], boolean) TO tidings_app;

CREATE FUNCTION tidings.kv_set_v1(
    key text, value jsonb, ttl interval, if_version bigint, only_if_absent boolean,
    OUT version bigint, OUT expires_at timestamptz)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
    kv_set_v1.expires_at := tidings.now() + ttl;
    IF if_version IS NOT NULL THEN
        PERFORM tidings.kv_refuse_v1(ARRAY[kv_set_v1.key], false);
        UPDATE tidings.kv_store AS s SET value = kv_set_v1.value, expires_at = kv_set_v1.expires_at
        WHERE s.organization_id = tidings.current_organization() AND s.key = kv_set_v1.key
          AND s.version = if_version AND (s.expires_at IS NULL OR s.expires_at > tidings.now())
        RETURNING s.version INTO kv_set_v1.version;
    ELSE
        INSERT INTO tidings.kv_store AS s (organization_id, key, value, expires_at)
        VALUES (tidings.current_organization(), kv_set_v1.key, kv_set_v1.value, kv_set_v1.expires_at)
        ON CONFLICT (organization_id, key) DO UPDATE SET
            value = excluded.value, expires_at = excluded.expires_at,
            created_at = CASE WHEN s.expires_at <= tidings.now() THEN excluded.created_at ELSE s.created_at END
        WHERE NOT only_if_absent OR s.expires_at <= tidings.now()
        RETURNING s.version INTO kv_set_v1.version;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'The key is not at the version that you expect; read it again and repeat your change.'
            USING ERRCODE = 'TD412';
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.kv_set_v1(text, jsonb, interval, bigint, boolean) IS
    'Sets a key; with if_version only at that version, with only_if_absent only when it is not there. A null ttl means no expiry.';
GRANT EXECUTE ON FUNCTION tidings.kv_set_v1(text, jsonb, interval, bigint, boolean) TO tidings_app;

CREATE FUNCTION tidings.kv_set_many_v1(keys text[], "values" text[], ttls interval[], relaxed boolean)
RETURNS TABLE (key text, version bigint, expires_at timestamptz)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
    IF relaxed THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;
    -- In key order: two writers of the same keys then wait for each other, never in a ring.
    RETURN QUERY
    INSERT INTO tidings.kv_store AS s (organization_id, key, value, expires_at)
    SELECT tidings.current_organization(), given.key, given.value::jsonb, tidings.now() + given.ttl
    FROM unnest(keys, kv_set_many_v1."values", ttls) AS given (key, value, ttl)
    ORDER BY given.key COLLATE "C"
    ON CONFLICT (organization_id, key) DO UPDATE SET
        value = excluded.value, expires_at = excluded.expires_at,
        created_at = CASE WHEN s.expires_at <= tidings.now() THEN excluded.created_at ELSE s.created_at END
    RETURNING s.key, s.version, s.expires_at;
END
$$;
COMMENT ON FUNCTION tidings.kv_set_many_v1(text[], text[], interval[], boolean) IS 'Sets several keys, each once, in one statement; relaxed commits without waiting for the disk.';
GRANT EXECUTE ON FUNCTION tidings.kv_set_many_v1(text[], text[], interval[], boolean) TO tidings_app;

CREATE FUNCTION tidings.kv_delete_v1(keys text[], if_version bigint) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    there integer;
BEGIN
    PERFORM tidings.kv_refuse_v1(keys, true);
    PERFORM 1 FROM tidings.kv_store AS s
    WHERE s.organization_id = tidings.current_organization() AND s.key = ANY (keys)
    ORDER BY s.key FOR UPDATE;
    WITH gone AS (
        DELETE FROM tidings.kv_store AS s
        WHERE s.organization_id = tidings.current_organization() AND s.key = ANY (keys)
          AND (if_version IS NULL OR (s.version = if_version AND (s.expires_at IS NULL OR s.expires_at > tidings.now())))
        RETURNING s.expires_at
    )
    SELECT count(*) FILTER (WHERE gone.expires_at IS NULL OR gone.expires_at > tidings.now())
    INTO there FROM gone;
    IF if_version IS NOT NULL AND there = 0 THEN
        RAISE EXCEPTION 'The key is not at the version that you expect; read it again and repeat your change.'
            USING ERRCODE = 'TD412';
    END IF;
    RETURN there;
END
$$;
COMMENT ON FUNCTION tidings.kv_delete_v1(text[], bigint) IS
    'Deletes keys and answers how many were there; with if_version, which goes with one key, only at that version.';
GRANT EXECUTE ON FUNCTION tidings.kv_delete_v1(text[], bigint) TO tidings_app;

CREATE FUNCTION tidings.kv_increment_v1(
    key text, by numeric, ttl interval, OUT value jsonb, OUT version bigint, OUT expires_at timestamptz)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    result numeric;
BEGIN
    INSERT INTO tidings.kv_store AS s (organization_id, key, value, expires_at)
    VALUES (tidings.current_organization(), kv_increment_v1.key, to_jsonb(by), tidings.now() + ttl)
    ON CONFLICT (organization_id, key) DO UPDATE SET
        value = CASE WHEN s.expires_at <= tidings.now() THEN excluded.value
                     ELSE to_jsonb((s.value #>> '{}')::numeric + by) END,
        expires_at = CASE WHEN s.expires_at <= tidings.now() THEN excluded.expires_at ELSE s.expires_at END,
        created_at = CASE WHEN s.expires_at <= tidings.now() THEN excluded.created_at ELSE s.created_at END
    WHERE s.expires_at <= tidings.now() OR jsonb_typeof(s.value) = 'number'
    RETURNING s.value, s.version, s.expires_at
    INTO kv_increment_v1.value, kv_increment_v1.version, kv_increment_v1.expires_at;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'The value of this key is not a number.' USING ERRCODE = 'TD400';
    END IF;
    result := (kv_increment_v1.value #>> '{}')::numeric;
    -- Beyond these a JSON reader loses digits, or the number altogether.
    IF abs(result) >= 1e308 OR (result = trunc(result) AND result NOT BETWEEN -9223372036854775808 AND 9223372036854775807) THEN
        RAISE EXCEPTION 'The result is too large for a number.' USING ERRCODE = 'TD400';
    END IF;
END
$$;
COMMENT ON FUNCTION tidings.kv_increment_v1(text, numeric, interval) IS
    'Adds to the number of a key, from 0 when it is not there, and answers the sum. ttl counts only when the key is made; a key that is there keeps its expiry.';
GRANT EXECUTE ON FUNCTION tidings.kv_increment_v1(text, numeric, interval) TO tidings_app;

CREATE FUNCTION tidings.kv_operate_v1(
    operation jsonb, OUT present boolean, OUT value jsonb, OUT version bigint, OUT expires_at timestamptz)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    subject text COLLATE "C" := operation ->> 'key';
    ttl interval := make_interval(secs => (operation ->> 'ttl')::double precision);
    expected bigint := (operation ->> 'version')::bigint;
BEGIN
    CASE operation ->> 'op'
    WHEN 'set' THEN
        SELECT true, s.version, s.expires_at INTO kv_operate_v1.present, kv_operate_v1.version, kv_operate_v1.expires_at
        FROM tidings.kv_set_v1(subject, operation -> 'value', ttl, expected,
                               coalesce((operation ->> 'only_if_absent')::boolean, false)) AS s;
    WHEN 'increment' THEN
        SELECT true, i.value, i.version, i.expires_at
        INTO kv_operate_v1.present, kv_operate_v1.value, kv_operate_v1.version, kv_operate_v1.expires_at
        FROM tidings.kv_increment_v1(subject, (operation ->> 'by')::numeric, ttl) AS i;
    WHEN 'delete' THEN
        kv_operate_v1.present := tidings.kv_delete_v1(ARRAY[subject], expected) > 0;
    WHEN 'get' THEN
        SELECT s.value, s.version, s.expires_at INTO kv_operate_v1.value, kv_operate_v1.version, kv_operate_v1.expires_at
        FROM tidings.kv_store AS s
        WHERE s.organization_id = tidings.current_organization() AND s.key = subject
          AND (s.expires_at IS NULL OR s.expires_at > tidings.now());
        kv_operate_v1.present := FOUND;
    WHEN 'check' THEN
        SELECT s.version INTO kv_operate_v1.version FROM tidings.kv_store AS s
        WHERE s.organization_id = tidings.current_organization() AND s.key = subject
          AND (s.expires_at IS NULL OR s.expires_at > tidings.now());
        kv_operate_v1.present := FOUND;
        IF kv_operate_v1.version IS DISTINCT FROM expected THEN
            RAISE EXCEPTION 'A key is not at the version that you expect; read it again and repeat your change.'
                USING ERRCODE = 'TD412';
        END IF;
    END CASE;
END
$$;
COMMENT ON FUNCTION tidings.kv_operate_v1(jsonb) IS
    'One operation: {op: set|increment|delete|get|check, key, value, version, only_if_absent, by, ttl in seconds}. A check without a version expects that the key is not there.';
GRANT EXECUTE ON FUNCTION tidings.kv_operate_v1(jsonb) TO tidings_app;

CREATE FUNCTION tidings.kv_mutate_v1(operations jsonb, atomic boolean)
RETURNS TABLE (n integer, present boolean, value text, version bigint, expires_at timestamptz, failure text, message text)
LANGUAGE plpgsql
AS $$
#variable_conflict use_variable
DECLARE
    operation jsonb;
    answer record;
BEGIN
    IF atomic THEN
        -- A check that a key is absent has no row to lock. These locks, taken in order before any row's,
        -- make mutations of the same keys take turns; a hash of 64 bounds how many one of them holds.
        PERFORM pg_advisory_xact_lock(hashtext(tidings.current_organization()::text), slot.hash)
        FROM (SELECT DISTINCT hashtext(o.item ->> 'key') & 63 AS hash
              FROM jsonb_array_elements(operations) AS o (item) ORDER BY 1) AS slot;
        -- Rows are locked in key order too, so that what was read stays until the commit.
        PERFORM 1 FROM tidings.kv_store AS s
        WHERE s.organization_id = tidings.current_organization()
          AND s.key = ANY (ARRAY(SELECT o.item ->> 'key' FROM jsonb_array_elements(operations) AS o (item)))
        ORDER BY s.key FOR UPDATE;
    END IF;
    -- Operations on different keys do not see each other, so key order gives the same answers as the order asked.
    FOR n, operation IN
        SELECT o.n - 1, o.item FROM jsonb_array_elements(operations) WITH ORDINALITY AS o (item, n)
        ORDER BY (o.item ->> 'key') COLLATE "C", o.n
    LOOP
        failure := NULL;
        message := NULL;
        IF atomic THEN
            SELECT * INTO answer FROM tidings.kv_operate_v1(operation);
        ELSE
            BEGIN
                SELECT * INTO answer FROM tidings.kv_operate_v1(operation);
            EXCEPTION WHEN SQLSTATE 'TD400' OR SQLSTATE 'TD403' OR SQLSTATE 'TD412' OR insufficient_privilege THEN
                failure := CASE SQLSTATE WHEN '42501' THEN 'TD403' ELSE SQLSTATE END;
                message := CASE SQLSTATE WHEN '42501' THEN 'Your role may not write this key.' ELSE SQLERRM END;
                SELECT false AS present, NULL::jsonb AS value, NULL::bigint AS version, NULL::timestamptz AS expires_at
                INTO answer;
            END;
        END IF;
        present := answer.present;
        value := answer.value::text;
        version := answer.version;
        expires_at := answer.expires_at;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION tidings.kv_mutate_v1(jsonb, boolean) IS
    'Runs operations (see kv_operate_v1) and answers each by its place n. Atomic: all or none, and what is checked or read holds until the commit. Else each for itself, with its failure in its row.';
GRANT EXECUTE ON FUNCTION tidings.kv_mutate_v1(jsonb, boolean) TO tidings_app;

CREATE FUNCTION tidings.sweep_kv_v1(max integer) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    gone integer;
BEGIN
    WITH due AS (
        SELECT s.organization_id, s.key FROM tidings.kv_store AS s
        WHERE s.expires_bucket <= tidings.now() AND s.expires_at <= tidings.now()
        ORDER BY s.expires_bucket LIMIT max FOR UPDATE SKIP LOCKED
    )
    DELETE FROM tidings.kv_store AS s USING due
    WHERE s.organization_id = due.organization_id AND s.key = due.key;
    GET DIAGNOSTICS gone = ROW_COUNT;
    DELETE FROM tidings.kv_watches AS w WHERE w.until <= tidings.now();
    RETURN gone;
END
$$;
SELECT tidings.run_as_system('tidings.sweep_kv_v1(integer)');
COMMENT ON FUNCTION tidings.sweep_kv_v1(integer) IS
    'Deletes up to max expired keys of every organization, and the watches whose time is up; answers how many keys went.';
